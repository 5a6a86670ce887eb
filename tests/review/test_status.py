"""The archive: each date's report and what became of later runs."""

import datetime as dt
import os
import socket
import subprocess
import sys

import pytest

from abaco.core import files
from abaco.core.errors import InputError
from abaco.database import connection, schema, synchronise
from abaco.review import history
from abaco.review import status as review_status
from abaco.run import folders
from tests.support import left
from tests.support.facilities import facilities

NOVEMBER, DECEMBER = "2025-11-30", "2025-12-31"


def leave(output, date, run_id, started, status="success", error=None, kpis=None):
    """Leave a run as the pipeline would; one that succeeded is the visible one."""
    run = left.run(output, date, run_id, f"{date}T{started}:00Z", status, error)
    if status == "success":
        left.finish(run, kpis or {"PAR30": left.kpi(1.0, "ok")})


def kpi(value, status, unit="%"):
    return left.kpi(value, status, unit=unit, precision=2)


def held_by(output, date, pid, host=None, since="11:00"):
    note = {"pid": pid, "host": host or socket.gethostname(), "since": f"{date}T{since}:00Z"}
    files.write_json(output / ".runs" / date / "holder.json", note)


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
    assert list(review_status.overview(tmp_path)) == [
        "date        PAR30 %       CollectionRate %",
        "2025-11-30  5.25 warning",
        "  made 2025-11-30T10:00:09Z by 20251130-bbbbbbbbbbbb of /exports/book.csv",
        "2025-12-31  3.50 ok       not computable",
        "  made 2025-12-31T10:00:09Z by 20251231-aaaaaaaaaaaa of /exports/book.csv",
    ]


def test_it_fits_into_80_columns(tmp_path):
    figures = {name: {**kpi(2.8395, "critical"), "precision": 4} for name in ("PAR30", "PAR90")}
    figures |= {"CollectionRate": kpi(2.95, "critical"), "PortfolioHealth": figures["PAR30"] | {"unit": "of 10"}}
    leave(tmp_path, DECEMBER, "20251231-aaaaaaaaaaaa", "10:00", kpis=figures)
    leave(tmp_path, DECEMBER, "b", "11:00", "failed", "it broke, and this is why: " + "a long story " * 20)
    lines = "\n".join(review_status.overview(tmp_path)).split("\n")
    assert max(map(len, lines)) <= 80
    assert lines[1] == "2025-12-31  2.84 critical  2.84 critical  2.95 critical     2.84 critical"


def test_figure_of_a_month_that_is_not_over_is_told_below_its_date(tmp_path):
    leave(tmp_path, DECEMBER, "a", "10:00", kpis={"PAR30": left.kpi(1.0, "ok", partial_through="2025-12-10")})
    leave(tmp_path, DECEMBER, "b", "11:00", "failed", "it broke")
    assert list(review_status.overview(tmp_path))[3:] == [
        "  PAR30, month to date, until 2025-12-10",
        "  a later run failed at 2025-12-31T11:00:09Z: it broke",
    ]


def test_report_that_is_not_complete_says_so_below_its_date_and_its_history(tmp_path):
    leave(tmp_path, DECEMBER, "a", "10:00")
    path = tmp_path / DECEMBER / "metrics.json"
    verdict = {"state": "incomplete", "limits": 8, "checked": 5, "lost": None, "shrunk": None}
    files.write_json(path, files.read_json(path) | {"verdict": verdict})
    remark = "Incomplete: 5 of 8 limits checked"
    assert list(review_status.overview(tmp_path))[3] == f"  {remark}"
    assert list(history.history("PAR30", tmp_path))[-1] == f"Report of {DECEMBER}: {remark}"


def test_facilities_say_how_they_stand_below_their_date_with_the_database_and_without(tmp_path, monkeypatch):
    run = left.run(tmp_path, DECEMBER, "20251231-aaaaaaaaaaaa", f"{DECEMBER}T10:00:00Z", "success", None)
    left.finish(run, {"PAR30": left.kpi(1.0, "ok")}, facilities=facilities())
    told = [" ".join(one["verdict"]) for one in facilities().values()]
    assert [" ".join(line.split()) for line in list(review_status.overview(tmp_path))[3:]] == told
    monkeypatch.setenv("DATABASE_URL", f"sqlite:///{tmp_path}/run.json/none.db")
    found = review_status.overview(tmp_path)
    assert [" ".join(line.split()) for line in [next(found) for _ in range(5)][3:]] == told


def test_run_that_somebody_stopped_did_not_fail(tmp_path):
    leave(tmp_path, DECEMBER, "a", "10:00")
    leave(tmp_path, DECEMBER, "b", "11:00", "stopped", "03_calculation: stopped by a signal")
    assert later_line(tmp_path) == "  a later run was stopped at 2025-12-31T11:00:09Z"


def later_line(output):
    lines = list(review_status.overview(output))
    return lines[3].replace("\n    ", " ") if len(lines) > 3 else None


def test_failure_after_the_report_has_a_line_of_its_own(tmp_path):
    leave(tmp_path, DECEMBER, "a", "10:00")
    leave(tmp_path, DECEMBER, "b", "11:00", "failed", "04_report: it broke")
    assert later_line(tmp_path) == "  a later run failed at 2025-12-31T11:00:09Z: 04_report: it broke"


def test_several_failures_show_their_number_and_the_last(tmp_path):
    leave(tmp_path, DECEMBER, "a", "10:00")
    leave(tmp_path, DECEMBER, "b", "11:00", "failed", "first")
    leave(tmp_path, DECEMBER, "c", "12:00", "failed", "second")
    assert later_line(tmp_path) == "  2 later runs did not succeed, the last failed at 2025-12-31T12:00:09Z: second"


def test_failure_before_the_report_is_over_and_done(tmp_path):
    leave(tmp_path, DECEMBER, "b", "09:00", "failed", "it broke")
    leave(tmp_path, DECEMBER, "a", "10:00")
    assert later_line(tmp_path) is None


def test_date_that_only_ever_failed_is_shown_without_a_report(tmp_path):
    leave(tmp_path, DECEMBER, "b", "11:00", "failed", "it broke")
    _, date, failure = review_status.overview(tmp_path)
    assert date.split() == [DECEMBER, "no", "report"]
    assert failure == "  a run failed at 2025-12-31T11:00:09Z: it broke"


@pytest.fixture
def begun(tmp_path):
    """A report, and a later run that has not said that it ended."""
    leave(tmp_path, DECEMBER, "a", "10:00")
    leave(tmp_path, DECEMBER, "b", "11:00", "running")
    return tmp_path


def test_run_at_work_says_whose_it_is(begun):
    held_by(begun, DECEMBER, os.getpid())
    assert later_line(begun) == (
        f"  a later run is at work since 2025-12-31T11:00:00Z, process {os.getpid()} on {socket.gethostname()}"
    )


def test_run_at_work_elsewhere_is_believed(begun, dead_pid):
    held_by(begun, DECEMBER, dead_pid, host="elsewhere")
    assert later_line(begun).endswith(f"process {dead_pid} on elsewhere")


@pytest.mark.parametrize("is_noted", [True, False])
def test_run_whose_process_is_gone_was_killed(begun, dead_pid, is_noted):
    if is_noted:
        held_by(begun, DECEMBER, dead_pid)
    assert later_line(begun) == "  a later run started at 2025-12-31T11:00:00Z and was killed"


def test_killed_run_is_no_run_at_work_because_another_one_is(begun):
    leave(begun, DECEMBER, "c", "12:00", "running")
    held_by(begun, DECEMBER, os.getpid(), since="12:00")
    expected = "  2 later runs did not succeed, the last is at work since 2025-12-31T12:00:00Z, "
    assert later_line(begun).startswith(expected)


def test_no_report_yet_says_what_to_do(tmp_path):
    with pytest.raises(InputError, match=r"No report in .* yet: run make report DATE=YYYY-MM-DD"):
        list(review_status.overview(tmp_path))


def test_reports_are_where_the_setting_says_unless_told_otherwise(project, monkeypatch):
    monkeypatch.setenv("ABACO_ROOT", str(project.root))
    monkeypatch.delenv("ABACO_ENV", raising=False)
    assert folders.reports_folder(None) == project.root / "reports"
    assert folders.reports_folder(project.root / "other") == project.root / "other"


def test_pending_and_dead_deliveries_and_open_alerts_are_listed(tmp_path):
    leave(tmp_path, DECEMBER, "a", "10:00")
    engine, at = synchronise.open_synchronised(tmp_path), dt.datetime(2026, 1, 1, tzinfo=dt.UTC)
    common = {"run_id": "a", "payload": {}, "created_at": at, "next_attempt_at": at}
    rows = [
        {"key": "1", "channel": "azure", "status": "pending", "attempts": 0, "error": None},
        {"key": "2", "channel": "email", "status": "pending", "attempts": 2, "error": "no answer"},
        {"key": "3", "channel": "slack", "status": "dead", "attempts": 10, "error": "refused"},
        {"key": "4", "channel": "slack", "status": "done", "attempts": 1, "error": None},
    ]
    alert = {
        "cause": "kpi:PAR30",
        "severity": "P2",
        "title": "PAR30 is 9 %",
        "text": "",
        "opened_at": at,
        "is_open": True,
        "input": "/exports/book.csv",
    }
    with connection.writing(engine) as opened:
        opened.execute(schema.deliveries.insert(), [common | row for row in rows])
        alert["severity_since"] = at + dt.timedelta(days=1)
        opened.execute(schema.alerts.insert(), [alert, {**alert, "cause": "input:stale", "is_open": False}])
    assert list(review_status.overview(tmp_path))[3:] == [
        "\nNot delivered",
        "  azure  a  not tried yet",
        "  email  a  tried 2 times, again at 2026-01-01T00:00:00Z: no answer",
        "  slack  a  given up after 10 attempts: refused",
        "\nOpen alerts",
        "  P2  PAR30 is 9 %  since 2026-01-01T00:00:00Z, P2 since 2026-01-02T00:00:00Z\n    of /exports/book.csv",
    ]
