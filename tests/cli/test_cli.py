"""The command line: exit codes, errors of one line, quiet or with progress, and verbs that are not a run."""

import json
import os
import pty
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from tests.support.projects import ROOT, Project, copy_project

HEADER, FIRST_ROW = (ROOT / "data/sample.csv").read_text(encoding="utf-8").splitlines()[:2]


def tree(root):
    """Path, size and time of whatever is there, the log aside."""
    found = (path for path in root.rglob("*") if "logs" not in path.relative_to(root).parts)
    return {path: (path.lstat().st_mtime_ns, path.lstat().st_size) for path in found}


def refused(project, *arguments, code=2, **environment):
    """Run report, which must end with this code and one line on standard error alone; return that line."""
    result = project.report(*arguments, **environment)
    assert (result.returncode, result.stdout) == (code, ""), result
    assert result.stderr.count("\n") == 1, result.stderr
    (line,) = result.stderr.splitlines()
    assert line.startswith("Error: ")
    return line.removeprefix("Error: ")


# A report that is done


def test_finished_report_shows_its_kpis_and_its_place(finished):
    assert finished.first.stdout.splitlines() == [
        "PAR30            3.75 %      ok",
        "PAR90            1.30 %      ok",
        "CollectionRate   2.95 %      ok",
        "PortfolioHealth  2.84 of 10  critical",
        "Synthetic sample: invented loans, no real book.",
        "OK: 1 of 4 figures with limits is past a limit: arrears-and-cash index (PortfolioHealth) at 2.84 of 10 "
        "(critical below 3). The state of the report does not depend on PortfolioHealth.",
        "Rejected rows with a balance that cannot be read: 2. The book may be larger by any amount until they are "
        "corrected in the export; tables/quarantine.csv of the report's folder has their lines.",
        "Loans that were 30 or more days late on 2025-11-30 and have no row now, though neither payments nor a "
        "write-off nor their maturity explain it: 1. They owed 485.10 USD.",
        "Rejected: 11 rows, see reports/2025-12-31/tables/quarantine.csv",
        "reports/2025-12-31/report.html",
        "Beside it: front.html, report.xlsx; the front is the first page alone, to forward",
        "No email was sent: set SMTP_URL, or take reports/2025-12-31/email.eml",
    ]


def test_nothing_is_said_while_it_runs_when_nobody_watches(finished):
    assert finished.first.stderr == ""


def test_log_tells_what_happened(finished):
    for phase in ("01_ingestion", "05_output"):
        assert f"INFO abaco.run.pipeline phase {phase} begins" in finished.log
        assert f"INFO abaco.run.pipeline phase {phase} ended: " in finished.log


# Bad input: each error names the thing, what was found and what to do


def test_missing_file(kept):
    assert refused(kept, "--input", "nowhere.csv") == (
        f"Input file not found: {kept.root}/nowhere.csv: check INPUT, or leave it out to run on the sample"
    )


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        ("empty.csv", b"", "empty.csv is empty"),
        ("header.csv", HEADER.encode() + b"\n", r"No date under .* in header\.csv can be read|no row|No row"),
        ("wrong.csv", b"loan_id,b\n1,2\n", r"wrong\.csv .*loan_id, b.*nearest"),
        ("binary.csv", bytes(range(256)) * 8, r"binary\.csv is not a text file \(it holds binary data, or UTF-16"),
        ("notes.docx", b"x", r"notes\.docx is not one of \.csv"),
        ("cut.parquet", None, r"cut\.parquet cannot be read as parquet: "),
        ("folder", None, r"No usable export in the folder .*folder: readme\.txt fits no"),
        ("empty_folder", None, r"No usable export in the folder .*empty_folder: it is empty"),
    ],
)
def test_input_that_is_no_export(kept, tmp_path, name, content, expected):
    path = tmp_path / name
    if name == "folder":
        path.mkdir()
        (path / "readme.txt").write_text("Exports of December.\n")
    elif name == "empty_folder":
        path.mkdir()
    elif name == "cut.parquet":
        whole = (kept.output / "2025-12-31/tables/tape.parquet").read_bytes()
        path.write_bytes(whole[: len(whole) // 2])
    else:
        path.write_bytes(content)
    result = kept.abaco("report", "--input", path, "--output", kept.output)  # no DATE: the latest one
    assert (result.returncode, result.stdout) == (2, "")
    (line,) = result.stderr.splitlines()
    assert re.match(f"Error: .*({expected})", line), line


def test_header_only_with_a_date(kept, tmp_path):
    (tmp_path / "header.csv").write_text(HEADER + "\n")
    assert refused(kept, "--input", tmp_path / "header.csv") == (
        "No row for 2025-12-31 in the input: it has no usable row at all"
    )


def test_date_without_rows_names_the_nearest(kept):
    result = kept.report(date="2025-07-15")
    assert (result.returncode, result.stdout) == (2, "")
    assert (
        result.stderr
        == "Error: No row for 2025-07-15 in the input; the nearest that it has: DATE=2025-06-30 or DATE=2025-07-31\n"
    )
    assert not (kept.output / "2025-07-15").exists()
    assert kept.runs("2025-07-15") == []
    listed = kept.abaco("status", "--output", kept.output).stdout
    assert not any(line.startswith("2025-07-15") for line in listed.splitlines())


@pytest.mark.parametrize("date", ["2025-02-30", "2025-13-01", "yesterday", "31.12.2025", ""])
def test_impossible_date(kept, date):
    result = kept.report(date=date)
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr == (
        f"Error: DATE {date} is not a valid date: write it as YYYY-MM-DD, for example 2025-12-31\n"
    )


def write_rows(path, good, bad):
    """Write a snapshot of so many good rows, and bad ones whose receivable is no number."""
    fields = FIRST_ROW.split(",")
    position = HEADER.split(",").index("total_receivable_usd")
    fields[HEADER.split(",").index("measurement_date")] = "2025-12-31"
    lines = [HEADER]
    for number in range(good + bad):
        fields[0] = f"ALF - {number:06d}"
        lines.append(
            ",".join([*fields[:position], "n.d." if number < bad else fields[position], *fields[position + 1 :]])
        )
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return path


def test_all_rows_bad(kept, tmp_path):
    line = refused(kept, "--input", write_rows(tmp_path / "bad.csv", good=0, bad=3))
    assert line.startswith(
        "3 of 3 rows of the canonical snapshot are rejected (100.00 %, more than max_reject_pct 5.0): "
    )
    assert "total_receivable_usd: not a number (3, first in " in line


def test_more_rejects_than_the_limit(kept, tmp_path):
    path = write_rows(tmp_path / "some.csv", good=30, bad=10)
    assert refused(kept, "--input", path, "--params", "ingestion.max_reject_pct=24").startswith(
        "10 of 40 rows of the canonical snapshot are rejected (25.00 %, more than max_reject_pct 24"
    )


@pytest.mark.parametrize("place", ["file/reports", "/proc/reports"])
def test_output_that_cannot_be_written(kept, tmp_path, place):
    (tmp_path / "file").touch()
    output = tmp_path / place
    result = kept.abaco("report", "--output", output)
    assert (result.returncode, result.stdout) == (2, "")
    assert re.fullmatch(
        rf"Error: Cannot write to the output folder {output}: .+: choose another with OUTPUT\n", result.stderr
    )


# Bad usage


@pytest.mark.parametrize(
    ("arguments", "expected"),
    [
        (
            ["--params", "ingestion.max_reject=2"],
            "--params: ingestion.max_reject is not a known parameter; ingestion has: ",
        ),
        (
            ["--params", "ingestion.max_reject_pct=much"],
            "--params: ingestion.max_reject_pct: write a number, such as 1500.00",
        ),
        (["--params", "nowhere.yml"], "Parameter file not found: nowhere.yml: check its path"),
        (["--engine", "abacus"], "the command line: run.engine: write 'duckdb' or 'spark', not 'abacus'"),
        (["--log-level", "LOUD"], "Log level LOUD is not one of DEBUG, INFO, WARNING, ERROR"),
        (["--dates", "2025-12-31"], "No such option: --dates"),
        (["2025-12-31"], "Got unexpected extra argument(s) (2025-12-31). See abaco --help."),
        (["--input"], "Option '--input' requires an argument. See abaco --help."),
    ],
)
def test_bad_usage(kept, arguments, expected):
    assert refused(kept, *arguments).startswith(expected)


def test_masking_key_that_could_be_guessed(kept):
    assert refused(kept, ABACO_PII_KEY="short") == (
        "ABACO_PII_KEY has 5 characters, and needs 16 or more: set one that openssl rand -hex 16 prints"
    )


def test_fault_in_kpis_yml_is_found_before_anything_runs(project):
    path = project.root / "params/kpis.yml"
    path.write_text(path.read_text().replace("dpd_30_60_usd", "dpd_30_usd"))
    assert refused(project).startswith("params/kpis.yml: PAR30: numerator: dpd_30_usd is not a measure: did you mean ")
    assert list(project.output.glob("[0-9]*")) == project.runs() == []


def test_unknown_verb(project):
    result = project.abaco("repot")
    assert (result.returncode, result.stderr) == (
        2,
        "Error: No such command 'repot'. Did you mean 'report'? See abaco --help.\n",
    )


def test_alone_it_shows_its_verbs(project):
    shown = project.abaco()
    assert all(verb in shown.stdout + shown.stderr for verb in ("report", "check", "status", "verify", "sample"))
    assert "Error" not in shown.stderr
    helped = project.abaco("--help")
    assert (helped.returncode, helped.stderr) == (0, "")


def test_python_m_abaco_is_the_same_command(project):
    process = project.start(sys.executable, "-m", "abaco", "status")
    out, err = process.communicate()
    assert (process.returncode, out) == (2, "")
    assert err == "Error: No report in reports yet: run make report DATE=YYYY-MM-DD\n"


def test_outside_of_a_project_it_says_so(tmp_path):
    environment = {**os.environ, "ABACO_ROOT": str(tmp_path)}
    command = [Path(sys.executable).with_name("abaco"), "status"]
    result = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert result.returncode == 2
    assert result.stderr.startswith(f"Error: No params/pipeline.yml in {tmp_path} or above: ")


# Tracebacks


def test_traceback_goes_to_the_log_and_not_to_the_screen(project):
    refused(project, "--input", "nowhere.csv")
    assert "Traceback (most recent call last):" in project.log
    assert "abaco.core.errors.InputError: Input file not found: " in project.log
    assert f" ERROR abaco failed: Input file not found: {project.root}/nowhere.csv: " in project.log


@pytest.mark.parametrize("how", ["variable", "option"])
def test_traceback_is_shown_at_level_debug(project, how):
    options = (["--log-level", "debug"], {}) if how == "option" else ([], {"LOG_LEVEL": "DEBUG"})
    result = project.report("--input", "nowhere.csv", *options[0], **options[1])
    assert result.returncode == 2
    assert "Traceback (most recent call last):" in result.stderr
    assert result.stderr.splitlines()[-1].startswith("Error: Input file not found: ")


def test_error_that_nobody_foresaw_is_one_line_too(project):
    result = project.abaco("sample", "--rows", "3", "--output", "/dev/null/x.csv")
    assert (result.returncode, result.stdout) == (1, "")
    assert re.fullmatch(r"Error: NotADirectoryError: .*/dev/null.*: see logs/pipeline\.log\n", result.stderr)
    assert "Traceback (most recent call last):" in project.log
    assert " ERROR abaco failed: NotADirectoryError: " in project.log


def test_log_that_cannot_be_written_is_said(project):
    (project.root / "logs").touch()
    assert refused(project).startswith(f"Cannot write to {project.root}/logs: ")


# On a terminal


def on_a_terminal(project, *arguments, typed=""):
    """Run abaco under a pseudo-terminal, on which lines are typed; return the exit code and all that it showed."""
    ours, theirs = pty.openpty()
    environment = {**os.environ, "ABACO_ROOT": str(project.root), "TERM": "xterm", "COLUMNS": "100"}
    command = [str(Path(sys.executable).with_name("abaco")), *map(str, arguments)]
    process = subprocess.Popen(command, cwd=project.root, env=environment, stdin=theirs, stdout=theirs, stderr=theirs)
    os.close(theirs)
    os.write(ours, typed.encode())
    shown = b""
    while True:
        try:
            part = os.read(ours, 1 << 16)
        except OSError:  # the other end is closed
            break
        if not part:
            break
        shown += part
    os.close(ours)
    return process.wait(), shown.decode()


@pytest.fixture(scope="module")
def exports(tmp_path_factory):
    """A report of an earlier date on the folder of exports, watched on a terminal."""
    root = copy_project(tmp_path_factory.mktemp("exports"))
    shutil.copytree(ROOT / "data/sample", root / "data/sample")
    found = Project(root, root / "reports")
    found.code, found.shown = on_a_terminal(found, "report", "--date", "2025-06-30", "--input", "data/sample")
    return found


def test_progress_names_phase_and_cell_on_a_terminal(exports):
    assert exports.code == 0, exports.shown
    for phase in ("01_ingestion", "02_transformation", "03_calculation", "04_report", "05_output"):
        assert phase in exports.shown
    assert re.search(r"cell \d+/\d+", exports.shown)
    assert re.search(r"\d\.\d s", exports.shown)
    assert exports.shown.splitlines()[-3:] == [
        "reports/2025-06-30/report.html",
        "Beside it: front.html, report.xlsx; the front is the first page alone, to forward",
        "No email was sent: set SMTP_URL, or take reports/2025-06-30/email.eml",
    ]


def test_map_asks_on_a_terminal_until_an_answer_is_one(exports):
    header = "LAN,Client,Disbursal Dt,Sanctioned Amt,POS,Yearly ROI,DPD"
    (exports.root / "tape.csv").write_text(f"{header}\nL1,Ana Lima,2025-01-31,900,600,24.0,0\n", encoding="utf-8")
    code, shown = on_a_terminal(exports, "map", "tape.csv", typed="monthly\npercent\n\n")
    assert code == 0, shown
    assert "interest_rate.as=monthly: write one of percent, fraction" in shown
    assert 'params/mappings/tape.yml is written: give answers with ANSWERS="currency=…"' in shown
    assert "Ana" not in shown
    draft = (exports.root / "params/mappings/tape.yml").read_text(encoding="utf-8")
    assert "# answers: {interest_rate.as: percent}" in draft
    assert "currency: '?'" in draft


def test_email_without_a_sender_is_said_too(exports):
    again = ("report", "--date", "2025-06-30", "--input", "data/sample")
    result = exports.abaco(*again, SMTP_URL="smtp://127.0.0.1:9")
    assert (result.returncode, result.stderr) == (0, "")
    assert result.stdout.splitlines()[-1] == (
        "No email was sent: set delivery.email_from, or take reports/2025-06-30/email.eml"
    )


def test_later_dates_are_no_part_of_an_earlier_report(exports):
    metrics = json.loads((exports.output / "2025-06-30/metrics.json").read_text())
    assert metrics["reconciliation"]["later"] > 0
    assert metrics["kpis"]["PAR30"]["previous"]["date"] == "2025-05-31"
    for table in ("history", "aging"):
        dates = pq.read_table(exports.output / f"2025-06-30/tables/{table}.parquet")["date"].to_pylist()
        assert str(max(dates)) == "2025-06-30"
    tape = pq.read_table(exports.output / "2025-06-30/tables/tape.parquet", columns=["measurement_date"])
    assert str(max(tape["measurement_date"].to_pylist())) == "2025-06-30"


def test_folder_of_exports_gives_the_other_tables_too(exports):
    assert {"loans", "schedules", "transactions"} <= {p.stem for p in (exports.output / "2025-06-30/tables").iterdir()}


# Verbs that are not a run


def test_check_says_what_a_report_would_do_and_writes_nothing(kept):
    before = tree(kept.root)
    result = kept.abaco("check", "--date", "2025-12-31")
    assert (result.returncode, result.stderr) == (0, "")
    lines = result.stdout.splitlines()
    files = lines.index("sample.csv  canonical snapshot  snapshot  tape      collector_note")
    assert lines[files - 1 : files + 1] == [
        "file        format              mapping   used for  columns left behind",
        "sample.csv  canonical snapshot  snapshot  tape      collector_note",
    ]
    parts = "accepted 1740 + rejected 11 + duplicates 1"
    assert f"canonical snapshot: 1752 rows in = {parts}" in lines
    assert lines[0] == "The report of 2025-12-31 would be headed “Loan book at 31 December 2025”, and say:"
    assert tree(kept.root) == before


def test_check_fails_as_a_report_would(kept):
    before = tree(kept.root)
    result = kept.abaco("check", "--date", "2025-07-15")
    assert result.returncode == 2
    assert (
        result.stderr
        == "Error: No row for 2025-07-15 in the input; the nearest that it has: DATE=2025-06-30 or DATE=2025-07-31\n"
    )
    assert tree(kept.root) == before


def test_status_has_a_line_for_the_report(finished):
    result = finished.abaco("status")
    assert (result.returncode, result.stderr) == (0, "")
    heading, *lines = result.stdout.splitlines()
    assert " ".join(heading.split()) == "date PAR30 % PAR90 % CollectionRate % PortfolioHealth"
    run = json.loads((finished.output / "2025-12-31/run.json").read_text())
    assert lines[:2] == [
        "2025-12-31  3.75 ok  1.30 ok  2.95 ok           2.84 critical",
        f"  made {run['finished_at']} by {run['run_id']} of data/sample.csv",
    ]


@pytest.mark.parametrize("name", ["tape.csv", "tape.parquet"])
def test_sample_of_any_size(project, tmp_path, name):
    path = tmp_path / name
    result = project.abaco("sample", "--rows", "50", "--output", path)
    assert (result.returncode, result.stdout, result.stderr) == (0, f"{path}: 50 rows\n", "")
    rows = pq.read_table(path).num_rows if name.endswith("parquet") else len(path.read_text().splitlines()) - 1
    assert rows == 50


def test_sample_rebuilds_the_same_bytes(project, tmp_path):
    result = project.abaco("sample", "--output", tmp_path)
    assert (result.returncode, result.stderr) == (0, "")
    assert (tmp_path / "sample.csv").read_bytes() == (ROOT / "data/sample.csv").read_bytes()
    for path in (ROOT / "data/sample").iterdir():
        assert (tmp_path / "sample" / path.name).read_bytes() == path.read_bytes(), path.name


def test_sample_of_no_rows_is_bad_usage(project):
    result = project.abaco("sample", "--rows", "0")
    assert (result.returncode, result.stdout) == (2, "")
    assert result.stderr.startswith("Error: Invalid value for '--rows': ")


@pytest.mark.parametrize("is_ignored", [True, False])
def test_end_of_the_terminal_stops_a_command_unless_nohup_ignores_it(is_ignored):
    first = "signal.signal(signal.SIGHUP, signal.SIG_IGN)" if is_ignored else "pass"
    script = f"""
import signal, sys
{first}
sys.argv = ["abaco", "--version"]
from abaco.cli import main
try:
    main()
except SystemExit:
    print(signal.getsignal(signal.SIGHUP) == signal.SIG_IGN, signal.getsignal(signal.SIGTERM) == signal.SIG_IGN)
"""
    ended = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    assert ended.stdout.splitlines()[-1] == f"{is_ignored} False", ended.stderr
