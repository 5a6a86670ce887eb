"""verify: a finished report is proved by running it again, or the error names what differs."""

import datetime as dt
import json
import os
import re
import shutil
import subprocess

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from abaco.kpis.dictionary import REPORT
from abaco.run import manifest
from abaco.sample.snapshot import write_snapshot
from tests.support.programs import need
from tests.support.projects import PII_KEY, Project, copy_project

BESIDE = ["same  email.html", "same  email.eml", "same  email/trend.png", "same  front.html"]


@pytest.fixture
def copy(finished, tmp_path):
    """The finished project with a copy of its reports, to tamper with."""
    shutil.copytree(finished.output, tmp_path / "reports", symlinks=True)
    return Project(finished.root, tmp_path / "reports")


def verify(project, *arguments, key=PII_KEY):
    return project.abaco("verify", "--output", project.output, *arguments, ABACO_PII_KEY=key)


def refused(project, *arguments, code=1, key=PII_KEY):
    result = verify(project, *arguments, key=key)
    assert result.returncode == code
    (line,) = result.stderr.splitlines()
    return line


@pytest.mark.skipif(not hasattr(os, "sched_setaffinity"), reason="needs processes that can be kept to one core")
def test_untouched_report_is_the_same_when_run_again_in_another_place_and_time(kept, tmp_path):
    """In another year, time zone and locale, with another hash seed, folder and user's home, and on one core."""
    home = tmp_path / "hogar de Ñandú"
    home.mkdir()
    cores, later = os.sched_getaffinity(0), "+500d"
    faketime = need("faketime", "tests/setup.sh installs it")
    preload = subprocess.check_output([faketime, "-f", later, "printenv", "LD_PRELOAD"], text=True).strip()
    elsewhere = {"TZ": "Pacific/Auckland", "LC_ALL": "C.UTF-8", "PYTHONHASHSEED": "7", "HOME": str(home), "USER": "ñ"}
    elsewhere |= {"LD_PRELOAD": preload, "FAKETIME": later}
    try:
        os.sched_setaffinity(0, {min(cores)})
        result = kept.abaco("verify", "--output", kept.output, ABACO_PII_KEY=PII_KEY, **elsewhere)
    finally:
        os.sched_setaffinity(0, cores)
    assert (result.returncode, result.stderr) == (0, "")
    tables = sorted((kept.output / "2025-12-31/tables").iterdir())
    same = ["same  metrics.json", "same  report.html", "same  report.xlsx", *BESIDE]
    same += [f"same  tables/{path.name}" for path in tables]
    closing = f"The report of 2025-12-31 is reproduced: all {len(same)} files are the same"
    assert result.stdout.splitlines() == [*same, closing]
    assert {path.stem for path in tables} == {table.name for table in REPORT}
    proved = kept.output / ".runs/2025-12-31/verified.json"
    assert json.loads(proved.read_text())["at"] > f"{dt.date.today() + dt.timedelta(499)}"
    proved.unlink()  # no other test is told of a proof from the future


def test_large_report_is_the_same_when_run_again(tmp_path):
    write_snapshot(tmp_path / "tape.csv", 180_000)  # more than a thread reads or writes at once
    project = Project(copy_project(tmp_path / "project"), tmp_path / "reports")
    made = project.report("--input", tmp_path / "tape.csv", ABACO_PII_KEY=PII_KEY)
    assert made.returncode == 0, made.stderr
    result = verify(project)
    assert (result.returncode, result.stderr) == (0, "")


def test_incomplete_report_is_the_same_when_run_again(tmp_path):
    project, tape = Project(copy_project(tmp_path / "project"), tmp_path / "reports"), tmp_path / "tape.csv"
    for rows in (3000, 1500):
        write_snapshot(tape, rows)
        made = project.report("--input", tape, ABACO_PII_KEY=PII_KEY)
        assert made.returncode == 0, made.stderr
    assert "Incomplete: 4 of 4 limits checked, but the input lacks what the former one had" in made.stdout
    verdict = json.loads((project.output / "2025-12-31/metrics.json").read_text())["verdict"]
    assert [(item["kind"], item["before"], item["now"]) for item in verdict["lost"]["items"]] == [("rows", 3000, 1500)]
    assert verify(project).returncode == 0
    status = project.abaco("status", "--output", project.output).stdout
    assert re.search(r"^  reproduced byte for byte at 20\S+Z: \d+ files$", status, re.MULTILINE)
    again = project.report("--input", tape, ABACO_PII_KEY=PII_KEY)
    assert again.stdout.count("is unchanged: taken from the run") == 5
    assert (
        "  Incomplete: 4 of 4 limits checked, but the input lacks what the former one had"
        in project.abaco("status", "--output", project.output).stdout.splitlines()
    )


def test_file_that_was_tampered_with_or_is_gone_is_named(copy):
    folder = copy.output / "2025-12-31"
    for name in ("tables/history.parquet", "report.html", "email.eml", "metrics.json", "notebooks/04_report.ipynb"):
        whole = (folder / name).read_bytes()
        for content in (whole + b" ", None):
            (folder / name).unlink() if content is None else (folder / name).write_bytes(content)
            assert refused(copy) == (
                f"Error: 2025-12-31: {name} is not what the run wrote; run make report DATE=2025-12-31 again"
            )
        (folder / name).write_bytes(whole)


def test_table_that_was_tampered_with_together_with_the_manifest_is_named(copy):
    folder = copy.output / "2025-12-31"
    path = folder / "tables/aging.parquet"
    table = pq.read_table(path)
    doubled = [usd * 2 for usd in table["amount"].to_pylist()]
    field = table.schema.field("amount")
    pq.write_table(table.set_column(2, field, pa.array(doubled, field.type)), path)
    facts = json.loads((folder / "manifest.json").read_text())
    manifest.write(folder, {k: v for k, v in facts.items() if k not in ("schema_version", "outputs")})
    result = verify(copy)
    assert result.returncode == 1
    assert result.stderr.startswith("Error: 2025-12-31: tables/aging.parquet is not the same when run again; ")
    assert result.stdout.splitlines() == [
        "same  metrics.json", "same  report.html", "same  report.xlsx", *BESIDE, "same  tables/aging.csv",
    ]  # fmt: skip


def test_other_masking_is_named(copy):
    assert refused(copy, key="") == (
        "Error: 2025-12-31 cannot be verified: its personal data is shown as token, "
        "and would now be redacted; set ABACO_PII_KEY as it was"
    )


def test_other_code_is_named(copy, tmp_path):
    shutil.copytree(copy.root, tmp_path / "project", symlinks=True)
    other = Project(tmp_path / "project", copy.output)
    with (other.root / "params/kpis.yml").open("a") as file:
        file.write("# changed\n")
    assert refused(other) == (
        "Error: 2025-12-31 cannot be verified: the code has changed since; run make report DATE=2025-12-31 first"
    )


def test_date_without_a_report_is_named(copy):
    for date in ("2025-11-30", "never"):
        assert refused(copy, "--date", date, code=2).startswith(f"Error: No finished report for {date} in ")


def test_without_any_report_it_says_what_to_do(project):
    assert refused(project, code=2) == "Error: No finished report for any date in reports: run make report first"
