"""The main job from end to end, through the real command line: what it leaves, and what it never leaves."""

import csv
import email
import json
import os
import re
import shutil
import signal
import sys
import time
from concurrent.futures import FIRST_COMPLETED, ThreadPoolExecutor, wait
from contextlib import suppress
from decimal import Decimal
from pathlib import Path

import nbformat
import psutil
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from abaco import Pipeline
from abaco.core import files as core_files
from abaco.core.errors import InputError
from abaco.core.phases import PHASES
from abaco.kpis.dictionary import REPORT
from abaco.operations.verify import BYTEWISE
from abaco.run import folders
from abaco.run.pipeline import NullProgress
from tests.support.projects import PII_KEY, ROOT

SAMPLE = ROOT / "data/sample.csv"
TABLES = tuple(table.name for table in REPORT)
CSV = ("aging", "history", "quarantine")
PAR60 = """
PAR60:
  title: Portfolio at risk, 60 days
  group: risk
  numerator: [dpd_60_90_usd, dpd_90_plus_usd]
  denominator: [total_receivable_usd]
  unit: "%"
  direction: lower
  warning: 4
  critical: 6
  precision: 4
  owner: Credit risk
"""
DESIGN_EXAMPLE = """
from abaco import Pipeline
result = Pipeline().execute("data/sample.csv", date="2025-12-31")
for name, kpi in result["phases"]["calculation"]["metrics"].items():
    print(name, kpi["value"])
print(result["path"])
"""


@pytest.fixture(scope="module")
def metrics(finished):
    return json.loads((finished.output / "2025-12-31/metrics.json").read_text())


@pytest.fixture(scope="module")
def run(finished):
    return json.loads((finished.output / "2025-12-31/run.json").read_text())


# What a run leaves


def test_files_are_those_of_design_md(finished):
    assert sorted(finished.visible()[0]) == [
        "email.eml",
        "email.html",
        "email/trend.png",
        "front.html",
        "manifest.json",
        "metrics.json",
        "notebooks/01_ingestion.ipynb",
        "notebooks/02_transformation.ipynb",
        "notebooks/03_calculation.ipynb",
        "notebooks/04_report.ipynb",
        "notebooks/05_output.ipynb",
        "report.html",
        "report.xlsx",
        "run.json",
        *sorted([f"tables/{name}.parquet" for name in TABLES] + [f"tables/{name}.csv" for name in CSV]),
    ]


def test_nothing_of_the_work_is_left(finished):
    left = finished.pristine  # SQLite keeps files beside the database of a process that reads it, such as this one
    assert sorted(path.name for path in left.output.iterdir()) == [".runs", "2025-12-31", "abaco.db"]
    assert not list(left.output.rglob("work"))
    for folder in left.runs():
        assert sorted(path.name for path in folder.iterdir() if path.name[0] == ".") == []


def test_metrics_have_the_keys_of_design_md(metrics):
    assert metrics["schema_version"] == 1
    assert (metrics["date"], metrics["as_of"]) == ("2025-12-31", "2025-12-31")
    assert {"kpis", "reconciliation", "quality", "run_id"} <= set(metrics)
    assert metrics["synthetic"] is True
    assert list(metrics["kpis"]) == ["PAR30", "PAR90", "CollectionRate", "PortfolioHealth"]
    for kpi in metrics["kpis"].values():
        assert {
            "value", "unit", "direction", "status", "reason", "numerator", "denominator", "rows",
            "previous", "change", "thresholds", "formula",
        } <= set(kpi)  # fmt: skip
    assert {
        "rows_in", "accepted", "quarantined", "duplicates", "later", "amount_in", "amount_accepted",
        "amount_quarantined", "amount_duplicates", "amount_later",
    } <= set(metrics["reconciliation"])  # fmt: skip


def test_figures_of_the_sample(metrics):
    found = metrics["kpis"]
    assert {name: (kpi["value"], kpi["status"]) for name, kpi in found.items()} == {
        "PAR30": (3.7471, "ok"),
        "PAR90": (1.301, "ok"),
        "CollectionRate": (2.95, "ok"),
        "PortfolioHealth": (2.8395, "critical"),  # (10 - 0.37471) * 0.295
    }
    assert (found["PAR30"]["numerator"], found["PAR30"]["denominator"]) == ("20241.68", "540203.00")
    assert found["PAR30"]["previous"] == {"date": "2025-11-30", "value": 4.0131}
    assert found["PAR30"]["change"] == -0.266
    assert metrics["book"]["outstanding"] == "540203.00"


def test_rows_and_dollars_of_the_sample_are_all_accounted_for(metrics):
    book = metrics["reconciliation"]
    parts = ("accepted", "quarantined", "duplicates", "later", "totals")
    assert book["rows_in"] == 1752 == sum(book[part] for part in parts)
    assert Decimal(book["amount_in"]) == sum(Decimal(book[f"amount_{part}"]) for part in parts)


def test_run_holds_the_phase_metrics_of_design_md(run, metrics):
    assert (run["status"], run["error"], run["run_id"]) == ("success", None, metrics["run_id"])
    assert list(run["phases"]) == [phase.split("_", 1)[1] for phase in PHASES]
    named = {
        "ingestion": {"rows_loaded", "validation_errors", "processing_seconds", "file_bytes"},
        "transformation": {"rows_processed", "null_count", "pii_columns_masked", "processing_seconds"},
        "calculation": {"kpis_computed", "calculation_seconds", "audit_entries", "errors"},
        "output": {"files_persisted", "azure_upload_success", "database_writes", "manifest_seconds"},
    }
    for phase, names in named.items():
        assert names <= set(run["phases"][phase]), phase
    assert run["phases"]["ingestion"]["rows_loaded"] == 1752
    assert run["phases"]["ingestion"]["validation_errors"] == 11
    assert run["phases"]["ingestion"]["file_bytes"] == SAMPLE.stat().st_size
    assert run["phases"]["transformation"]["rows_processed"] == 1740
    assert run["phases"]["calculation"]["kpis_computed"] == 4
    assert run["phases"]["calculation"]["errors"] == {}
    assert run["phases"]["output"]["azure_upload_success"] is None  # it is not set up
    assert run["phases"]["output"]["database_writes"] > 52  # the history alone


def test_executed_notebooks_are_whole(finished):
    for phase in PHASES:
        notebook = nbformat.read(finished.output / f"2025-12-31/notebooks/{phase}.ipynb", as_version=4)
        nbformat.validate(notebook)
        counts = [cell.execution_count for cell in notebook.cells if cell.cell_type == "code"]
        assert counts == list(range(1, len(counts) + 1)), phase


def test_history_has_every_date_with_every_kpi(finished, metrics):
    table = pq.read_table(finished.output / "2025-12-31/tables/history.parquet").to_pylist()
    assert len(table) == 13 * 4
    dates = [str(row["date"]) for row in table]
    assert (dates[0], dates[-1], len(set(dates))) == ("2024-12-31", "2025-12-31", 13)
    last = {row["kpi"]: float(row["value"]) for row in table[-4:]}
    assert last == {name: kpi["value"] for name, kpi in metrics["kpis"].items()}


# The same again


@pytest.fixture(scope="module")
def again(finished):
    """The same report a second time, by the Python example of DESIGN.md; ``before`` is what was there."""
    before = {folder.name: (folder / "run.json").read_bytes() for folder in finished.runs()}
    files = {name: (finished.output / "2025-12-31" / name).read_bytes() for name in BYTEWISE}
    process = finished.start(sys.executable, "-c", DESIGN_EXAMPLE, ABACO_PII_KEY=PII_KEY)
    out, err = process.communicate(timeout=900)
    assert (process.returncode, err) == (0, "")
    return {"before": before, "files": files, "out": out.splitlines()}


def test_python_example_of_design_md(finished, again):
    assert again["out"] == [
        "PAR30 3.7471",
        "PAR90 1.301",
        "CollectionRate 2.95",
        "PortfolioHealth 2.8395",
        str(finished.output / "2025-12-31"),
    ]


def test_python_example_of_the_readme_writes_apart_and_delivers_nothing(kept):
    after = (ROOT / "README.md").read_text().partition("\nFrom Python")[2]
    lines = [line.removeprefix("    ") for line in after.splitlines()[1:] if line.startswith("    ")]
    smtp = {"SMTP_URL": "smtp://127.0.0.1:1", "REPORT_RECIPIENTS": "ana@example.com"}
    out, err = kept.start(sys.executable, "-c", "\n".join(lines[:3]), **smtp).communicate(timeout=900)
    assert (out, err) == ("", "")
    header, *_, last = (kept.root / "par.csv").read_text().splitlines()
    assert {"PAR30", "PAR90"} < set(header.split(",")) and "3.7471" in last.split(",")
    run = json.loads((kept.output / "trial/2025-12-31/run.json").read_text())
    assert (run["deliver_to"], run["deliveries"]) == ([], [])
    assert not (kept.output / "trial/abaco.db").exists()
    shutil.rmtree(kept.output / "trial")


@pytest.mark.parametrize("name", BYTEWISE)
def test_second_run_gives_the_same_bytes(finished, again, name):
    assert (finished.output / "2025-12-31" / name).read_bytes() == again["files"][name]


def test_former_run_stays(finished, again):
    (former, content), *_ = again["before"].items()
    assert (finished.output / ".runs/2025-12-31" / former / "run.json").read_bytes() == content
    assert former not in finished.visible()[1]


def test_report_of_another_input_is_named_when_it_is_replaced(tmp_path):
    pipeline = Pipeline(output=tmp_path)
    plan = {"date": "2025-12-31", "input": "/exports/new"}
    assert pipeline.replaced(plan) is None
    kept = tmp_path / ".runs/2025-12-31/former"
    kept.mkdir(parents=True)
    core_files.write_json(
        kept / "run.json", {"run_id": "20251231-0", "input": "/exports/old", "status": "success", "started_at": ""}
    )
    (tmp_path / "2025-12-31").symlink_to(kept, target_is_directory=True)
    assert pipeline.replaced(plan) == {"run_id": "20251231-0", "input": "/exports/old", "path": str(kept)}
    assert pipeline.replaced(plan | {"input": "/exports/old"}) is None


class _Shortening(NullProgress):
    """Shortens a file when the run has been planned, as an export does that is still being copied."""

    def __init__(self, path):
        self.path = path

    def begin(self, *_):
        self.path.write_bytes(self.path.read_bytes()[:-20_000])


def test_input_that_changes_during_a_run_fails_it_and_nothing_of_it_is_taken(tmp_path):
    path = tmp_path / "book.csv"
    shutil.copy(SAMPLE, path)
    pipeline = Pipeline(output=tmp_path / "reports", progress=_Shortening(path))
    with pytest.raises(InputError, match=r"^book.csv changed while it was read: wait until it is complete"):
        pipeline.execute(path, "2025-12-31")
    (failed,) = folders.folders(tmp_path / "reports", "2025-12-31")
    assert json.loads((failed / "run.json").read_text())["phases"] == {}
    assert not (tmp_path / "reports/2025-12-31").exists() and not (failed / "work").exists()


# Nothing personal, nothing secret


def personal_values():
    """Every name, email, phone and customer id of the sample."""
    with SAMPLE.open(encoding="utf-8", newline="") as file:
        rows = [row for row in csv.DictReader(file) if None not in row and None not in row.values()]
    columns = ("customer_id", "borrower_name", "borrower_email", "borrower_phone")
    return {row[column] for row in rows for column in columns if row[column]}


def texts(folder):
    """Every file below a folder as text, Parquet by its values, a message also by its parts."""
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        if path.suffix == ".parquet":
            table = pq.read_table(path)
            strings = [name for name in table.column_names if pa.types.is_string(table.schema.field(name).type)]
            yield path, "\n".join(str(v) for name in strings for v in table[name].unique().to_pylist())
        if path.suffix == ".eml":
            parts = [part.get_payload(decode=True) for part in email.message_from_bytes(path.read_bytes()).walk()]
            yield path, b"\n".join(filter(None, parts)).decode("utf-8", errors="replace")
        yield path, path.read_bytes().decode("utf-8", errors="replace")


def leaks(project):
    """Return which personal or secret value occurs where: files of the reports, the log, the screen."""
    secret = {PII_KEY, *personal_values()}
    pattern = re.compile("|".join(re.escape(value) for value in sorted(secret, key=len, reverse=True)))
    assert pattern.search(SAMPLE.read_text())  # it would be found
    found = [(path.name, match[0]) for path, text in texts(project.output) if (match := pattern.search(text))]
    found += [("pipeline.log", match[0]) for match in [pattern.search(project.log)] if match]
    screen = project.first.stdout + project.first.stderr
    return found + [("screen", match[0]) for match in [pattern.search(screen)] if match]


def test_neither_personal_data_nor_the_key_gets_out(finished):
    assert len(personal_values()) > 400
    assert leaks(finished) == []


def test_masked_values_are_tokens_equal_for_equal_values(finished):
    tape = pq.read_table(finished.output / "2025-12-31/tables/tape.parquet", columns=["borrower_id", "borrower_email"])
    tokens = tape.to_pandas().dropna().drop_duplicates()
    assert tokens["borrower_id"].str.fullmatch("tok_[0-9a-f]{32}").all()
    assert tokens["borrower_id"].is_unique  # one email a customer


# A KPI of an analyst's own


def test_ratio_added_to_kpis_yml_alone_is_in_metrics_history_and_report(project):
    path = project.root / "params/kpis.yml"
    path.write_text(path.read_text() + PAR60)
    result = project.report()
    assert result.returncode == 0, result.stderr
    assert re.search(r"^PAR60 +3\.24 % +ok$", result.stdout, re.M)
    metrics = json.loads((project.output / "2025-12-31/metrics.json").read_text())
    found = metrics["kpis"]["PAR60"]
    assert found["value"] == 3.2411  # 17508.33 / 540203.00
    assert (found["numerator"], found["denominator"]) == ("17508.33", "540203.00")
    assert found["formula"] == "Σ(dpd_60_90 + dpd_90_plus) / Σ total_receivable × 100"
    assert metrics["quality"]["masking"] == "redacted"
    history = pq.read_table(project.output / "2025-12-31/tables/history.parquet").to_pylist()
    assert sum(row["kpi"] == "PAR60" and row["value"] is not None for row in history) == 13
    page = (project.output / "2025-12-31/report.html").read_text()
    assert 'data-kpi="PAR60"' in page
    assert "Portfolio at risk, 60 days" in page
    tape = pq.read_table(project.output / "2025-12-31/tables/tape.parquet")
    assert set(tape["borrower_name"].unique().to_pylist()) <= {None, "redacted"}


# Runs that fail


@pytest.fixture
def broken(kept, project):
    """A project to break, which reports into the finished one's folder; that report must stay as it was."""
    project.output = kept.output
    return project


def edit(project, phase, cell, source):
    """Replace the source of the cell with that name, and return what it was; None removes it."""
    path = project.root / f"notebooks/{phase}.ipynb"
    notebook = nbformat.read(path, as_version=4)
    index = next(i for i, one in enumerate(notebook.cells) if one.id == cell)
    former = notebook.cells[index].source
    if source is None:
        del notebook.cells[index]
    else:
        notebook.cells[index].source = source
    nbformat.write(notebook, path)
    return former


def failure(project):
    """Run the report; return its error, and run.json of the failed run; its work stays only for who goes on with it."""
    earlier = project.runs()
    result = project.report()
    assert result.returncode == 1
    assert result.stdout == ""
    (line,) = result.stderr.splitlines()
    (folder,) = (path for path in project.runs() if path not in earlier)
    run = json.loads((folder / "run.json").read_text())
    assert (folder / "work").exists() == (list(run["phases"]) == ["ingestion"])
    assert run["status"] == "failed"
    assert run["finished_at"] >= run["started_at"]
    return line, run, folder


def test_phase_that_raises_fails_the_run_and_keeps_its_notebook(broken):
    edit(broken, "02_transformation", "masking", 'raise ValueError("no such luck\\nand more")')
    line, run, folder = failure(broken)
    kept = folder / "notebooks/02_transformation.ipynb"
    assert re.fullmatch(r"Error: Phase 02_transformation failed in cell \d+: ValueError: no such luck; see .*", line)
    assert line.endswith(str(kept))
    assert run["error"].startswith("02_transformation: Phase 02_transformation failed in cell ")
    assert list(run["phases"]) == ["ingestion"]
    outputs = [o for cell in nbformat.read(kept, as_version=4).cells for o in cell.get("outputs", [])]
    assert [o.ename for o in outputs if o.output_type == "error"] == ["ValueError"]
    assert not (folder / "notebooks/03_calculation.ipynb").exists()
    assert "no such luck" in broken.log and "Traceback (most recent call last)" in broken.log


def test_process_killed_in_the_middle_of_a_phase_fails_the_run(broken):
    edit(broken, "01_ingestion", "reasons", "import os, signal\nos.kill(os.getpid(), signal.SIGKILL)")
    line, run, folder = failure(broken)
    notebook = folder / "notebooks/01_ingestion.ipynb"
    assert line == (
        "Error: Phase 01_ingestion failed in cell 9: its process was killed by SIGKILL, perhaps for lack of memory; "
        f"see {notebook}"
    )
    assert notebook.is_file()
    assert run["error"].startswith("01_ingestion: ")
    assert run["phases"] == {}


def test_notebook_without_its_last_cell_fails_the_run(broken):
    edit(broken, "01_ingestion", "completion", None)
    line, _, folder = failure(broken)
    assert line.startswith("Error: Phase 01_ingestion failed: its last cell never recorded that it was complete")
    assert line.endswith(str(folder / "notebooks/01_ingestion.ipynb"))


def test_phase_that_does_not_leave_its_output_fails_the_run(broken):
    edit(broken, "01_ingestion", "completion", 'phase.complete()\n(phase.tables / "quarantine.parquet").unlink()')
    line, _, _ = failure(broken)
    assert line.startswith("Error: Phase 01_ingestion failed: it left no tables/quarantine.parquet; see ")


# Runs that are stopped


def begun(project, seconds=600):
    """Wait until the ingestion of a run is at work, and return the run's folder."""
    for _ in range(seconds * 20):
        if found := [path.parent.parent for path in project.output.glob(".runs/2025-12-31/*/work/begun")]:
            return found[0]
        time.sleep(0.05)
    raise AssertionError("the run never began")


@pytest.fixture
def endless(project):
    """A project whose ingestion never ends."""
    source = """
import os, time
(phase.folder / "work" / "process").write_text(str(os.getpid()))
(phase.folder / "work" / "begun").touch()
time.sleep(3600)
"""
    edit(project, "01_ingestion", "rows", source)
    return project


def start(project):
    command = (Path(sys.executable).with_name("abaco"), "report", "--date", "2025-12-31")
    return project.start(*command, MARK=str(project.root))


def marked(project):
    """Return the processes of a run, which have its mark in their environment."""
    found = []
    for process in psutil.process_iter():
        with suppress(psutil.Error):  # it has just ended
            if process.environ().get("MARK") == str(project.root):
                found.append(process)
    return found


def ended(project):
    """Whether every process of a run ends."""
    psutil.wait_procs(marked(project), timeout=60)
    return marked(project) == []


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM, signal.SIGHUP])
def test_stopped_run_says_so_and_removes_its_work(endless, number):
    process = start(endless)
    folder = begun(endless)
    assert len(marked(endless)) >= 3  # the command, the fork server, and the phase
    process.send_signal(number)
    _, err = process.communicate(timeout=900)
    assert (process.returncode, ended(endless)) == (130, True)
    assert err.strip() == "Error: interrupted; the former report is unchanged"
    assert not (folder / "work").exists()
    run = json.loads((folder / "run.json").read_text())
    assert (run["status"], run["error"]) == ("stopped", "01_ingestion: stopped by a signal")
    assert not (endless.output / "2025-12-31").exists()
    status = endless.abaco("status")
    assert re.search(r"^  a run was stopped at \S+$", status.stdout, re.M) and "failed" not in status.stdout


def test_phase_that_somebody_stopped_stops_the_run(endless):
    process = start(endless)
    folder = begun(endless)
    child = int((folder / "work/process").read_text())
    os.kill(child, signal.SIGTERM)  # systemd stops all processes of a service at once
    process.communicate(timeout=900)
    assert process.returncode == 130
    assert json.loads((folder / "run.json").read_text())["status"] == "stopped"


def test_killed_run_blocks_nobody_and_its_work_is_removed_by_the_next(endless):
    process = start(endless)
    folder = begun(endless)
    process.send_signal(signal.SIGKILL)
    process.communicate(timeout=900)
    assert (process.returncode, ended(endless)) == (-signal.SIGKILL, True)
    assert (folder / "work").exists()
    status = endless.abaco("status")
    assert status.returncode == 0
    assert re.search(r"^  a run started at \S+ and was killed$", status.stdout, re.M)
    shutil.copy(ROOT / "notebooks/01_ingestion.ipynb", endless.root / "notebooks")
    assert endless.report().returncode == 0
    assert not list(endless.output.rglob("work"))


# Two runs of a date at once


def two_at_once(project):
    """Start two runs; the one that is first goes on once the other has said something."""
    go = project.root / "go"
    rows = edit(project, "01_ingestion", "rows", "")
    held = f"import os, time\nwhile not os.path.exists({str(go)!r}): time.sleep(0.02)\n"
    edit(project, "01_ingestion", "rows", held + rows)
    both = [start(project) for _ in range(2)]
    with ThreadPoolExecutor(2) as pool:
        said = [pool.submit(process.stderr.readline) for process in both]
        wait(said, timeout=900, return_when=FIRST_COMPLETED)
        go.touch()
    for process, line in zip(both, said, strict=True):
        process.said = line.result()
    return both


def test_second_run_of_a_date_waits_for_the_first(project):
    both = two_at_once(project)
    results = [(*process.communicate(timeout=900), process.returncode) for process in both]
    assert [code for *_, code in results] == [0, 0], results
    (first, _), (_, err) = sorted(((one.pid, one.said) for one in both), key=lambda one: one[1] != "")
    assert [err for _, err, _ in results] == ["", ""]
    who = rf"(process {first} on \S+ since \S+|whose process is not known)"
    assert re.fullmatch(rf"Waiting for 2025-12-31, held by another run, {who}\n", err)
    earlier, later = (json.loads((folder / "run.json").read_text()) for folder in project.runs())
    assert (earlier["status"], later["status"]) == ("success", "success")
    assert later["started_at"] >= earlier["finished_at"]
    one, other = ((folder / "metrics.json").read_bytes() for folder in project.runs())
    assert one == other
    assert project.runs()[1].name in project.visible()[1]


def test_run_that_may_not_wait_says_who_holds_the_date(kept):
    with folders.hold(kept.output, "2025-12-31", 0, pytest.fail):
        result = kept.report("--params", "run.lock_timeout_seconds=0")
    assert result.returncode == 1
    waiting, error = result.stderr.splitlines()
    assert waiting.startswith(f"Waiting for 2025-12-31, held by another run, process {os.getpid()} on ")
    assert error.startswith(f"Error: 2025-12-31 is held by another run, process {os.getpid()} on ")
    assert error.endswith("wait for it, or raise run.lock_timeout_seconds")
