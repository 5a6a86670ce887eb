"""The archive: each date's report and what became of later runs."""

import os
import socket
import subprocess
import sys

import pytest

from abaco import archive, runs
from abaco.errors import InputError

NOVEMBER, DECEMBER = "2025-11-30", "2025-12-31"


def leave(output, date, run_id, started, status="success", error=None, kpis=None):
    """Leave a run as the pipeline would; one that succeeded is the visible one."""
    folder = output / ".runs" / date / f"{started}_{run_id}"
    folder.mkdir(parents=True)
    stamp = f"{date}T{started}:00Z"
    ended = None if status == "running" else f"{date}T{started}:09Z"
    runs.write_json(
        folder / "run.json",
        {
            "run_id": run_id,
            "date": date,
            "input": "/exports/book.csv",
            "status": status,
            "started_at": stamp,
            "finished_at": ended,
            "error": error,
        },
    )
    if status == "success":
        runs.write_json(folder / "metrics.json", {"kpis": kpis or {}})
        runs.publish(folder, output)


def kpi(value, status, unit="%"):
    return {"value": value, "status": status, "unit": unit, "precision": 2, "group": "core"}


def held_by(output, date, pid, host=None):
    runs.write_json(
        output / ".runs" / date / "holder.json",
        {"pid": pid, "host": host or socket.gethostname(), "since": "then"},
    )


@pytest.fixture
def dead_pid():
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_one_line_a_date_that_is_never_cut(tmp_path):
    figures = {"PAR30": kpi(3.5, "ok"), "CollectionRate": kpi(None, "not_computable")}
    figures["PAR60"] = {**kpi(1.0, "none"), "group": "risk"}  # only the four of every report have room
    leave(tmp_path, DECEMBER, "20251231-aaaaaaaaaaaa", "10:00", kpis=figures)
    leave(tmp_path, NOVEMBER, "20251130-bbbbbbbbbbbb", "10:00", kpis={"PAR30": kpi(5.25, "warning")})
    assert list(archive.overview(tmp_path)) == [
        "date        PAR30           CollectionRate  finished              run                    input",
        "2025-11-30  5.25 % warning                  2025-11-30T10:00:09Z  20251130-bbbbbbbbbbbb  /exports/book.csv",
        "2025-12-31  3.50 % ok       not computable  2025-12-31T10:00:09Z  20251231-aaaaaaaaaaaa  /exports/book.csv",
    ]


def later_line(output):
    lines = list(archive.overview(output))
    return lines[2] if len(lines) > 2 else None


def test_failure_after_the_report_has_a_line_of_its_own(tmp_path):
    leave(tmp_path, DECEMBER, "a", "10:00")
    leave(tmp_path, DECEMBER, "b", "11:00", "failed", "04_report: it broke")
    assert later_line(tmp_path) == "  a later run failed at 2025-12-31T11:00:09Z: 04_report: it broke"


def test_several_failures_show_their_number_and_the_last(tmp_path):
    leave(tmp_path, DECEMBER, "a", "10:00")
    leave(tmp_path, DECEMBER, "b", "11:00", "failed", "first")
    leave(tmp_path, DECEMBER, "c", "12:00", "failed", "second")
    assert (
        later_line(tmp_path)
        == "  2 later runs did not succeed, the last failed at 2025-12-31T12:00:09Z: second"
    )


def test_failure_before_the_report_is_over_and_done(tmp_path):
    leave(tmp_path, DECEMBER, "b", "09:00", "failed", "it broke")
    leave(tmp_path, DECEMBER, "a", "10:00")
    assert later_line(tmp_path) is None


def test_date_that_only_ever_failed_is_shown_without_a_report(tmp_path):
    leave(tmp_path, DECEMBER, "b", "11:00", "failed", "it broke")
    _, date, failure = archive.overview(tmp_path)
    assert date.split() == [DECEMBER, "no", "report"]
    assert failure == "  a run failed at 2025-12-31T11:00:09Z: it broke"


def test_run_at_work_is_told_from_one_that_was_killed(tmp_path, dead_pid):
    leave(tmp_path, DECEMBER, "a", "10:00")
    leave(tmp_path, DECEMBER, "b", "11:00", "running")
    assert later_line(tmp_path) == "  a later run started at 2025-12-31T11:00:00Z and was killed"
    held_by(tmp_path, DECEMBER, dead_pid)
    assert later_line(tmp_path) == "  a later run started at 2025-12-31T11:00:00Z and was killed"
    held_by(tmp_path, DECEMBER, os.getpid())
    assert later_line(tmp_path) == (
        "  a later run is at work since 2025-12-31T11:00:00Z, "
        f"process {os.getpid()} on {socket.gethostname()}"
    )
    held_by(tmp_path, DECEMBER, dead_pid, host="elsewhere")
    assert later_line(tmp_path).endswith(f"process {dead_pid} on elsewhere")


def test_no_report_yet_says_what_to_do(tmp_path):
    with pytest.raises(InputError, match=r"No report in .* yet: run make report DATE=YYYY-MM-DD"):
        list(archive.overview(tmp_path))


def test_reports_are_where_the_setting_says_unless_told_otherwise(project, monkeypatch):
    monkeypatch.setenv("ABACO_ROOT", str(project.root))
    monkeypatch.delenv("ABACO_ENV", raising=False)
    assert archive.reports_folder(None) == project.root / "reports"
    assert archive.reports_folder(project.root / "other") == project.root / "other"
