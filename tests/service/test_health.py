"""Health: healthy, degraded with the reason, or unable to work."""

import datetime as dt
import shutil
from concurrent.futures import ThreadPoolExecutor

import httpx2
import pytest

from abaco.core import dates, files
from abaco.service.reports import Book, health
from abaco.service.schedule import Schedule, trigger
from tests.support.service import Service

from .conftest import at

NEVER = "postgresql://user:pass-of-nobody@127.0.0.1:1/abaco?connect_timeout=2"


def test_nothing_has_run_yet(book):
    assert health(book) == {
        "status": "healthy", "last_run": None, "next_run": None, "running": None, "metrics_computed": 0,
        "verdict": None, "last_error": None,
    }  # fmt: skip


def test_values_of_the_last_run_are_counted(book, write):
    write.run(PAR30=3.5, PAR90=None, CollectionRate=0.0)
    assert health(book) == {
        "status": "healthy", "last_run": "2026-01-01T02:00:00Z", "next_run": None, "running": None,
        "metrics_computed": 2, "verdict": None, "last_error": None,
    }  # fmt: skip


def test_degraded_after_a_failed_run_until_one_succeeds(book, write):
    write.run(PAR30=3.5)
    write("failures", {
        "folder": ".runs/2025-12-31/x", "run_id": "x", "date": dt.date(2025, 12, 31), "started_at": at(4),
        "finished_at": None, "error": "killed",
    })  # fmt: skip
    found = health(book)
    assert (found["status"], found["last_error"]) == ("degraded", "killed")
    assert (found["last_run"], found["metrics_computed"]) == ("2026-01-01T04:00:00Z", 1)
    write.run("20251231-b", ended=at(5), PAR30=3.5)
    assert health(book)["status"] == "healthy"


def test_run_that_somebody_stopped_is_no_failed_run(book, write):
    write.run(PAR30=3.5)
    write("failures", {
        "folder": ".runs/2025-12-31/x", "run_id": "x", "date": dt.date(2025, 12, 31), "started_at": at(4),
        "finished_at": at(4), "error": "03_calculation: stopped by a signal",
    })  # fmt: skip
    due, end = "2026-01-01T05:00:00Z", "2026-01-01T05:00:01Z"
    note = {"due": due, "started_at": due, "finished_at": end, "exit_code": 130, "error": None, "tries": 1}
    files.write_json(book.output / ".runs/schedule.json", note)
    found = health(book)
    assert (found["status"], found["last_error"]) == ("healthy", None)
    assert found["last_run"] == "2026-01-01T02:00:00Z"


def test_verdict_of_the_latest_report_is_said(book, write):
    write.run(PAR30=3.5, PAR90=None)
    measures = {"state": "incomplete", "limits": 2, "checked": 1, "lost": True, "shrunk": False, "absent": False}
    rows = [{"run_id": "20251231-a", "measure": f"verdict: {name}", "value": str(v)} for name, v in measures.items()]
    write("quality", *rows)
    text = "Incomplete: 1 of 2 limits checked, but the input lacks what the former one had"
    assert health(book)["verdict"] == {"date": "2025-12-31", "text": text, "past_limits": {}, **measures}


def test_degraded_when_a_due_run_could_not_begin(book, write):
    write.run(PAR30=3.5)
    due, end = "2026-01-01T03:00:00Z", "2026-01-01T03:00:01Z"
    error = "Input file not found: data/x.csv"
    note = {"due": due, "started_at": due, "finished_at": end, "exit_code": 2, "error": error, "tries": 1}
    files.write_json(book.output / ".runs/schedule.json", note)
    found = health(book)
    assert (found["status"], found["last_run"], found["last_error"]) == ("degraded", "2026-01-01T03:00:01Z", error)


def test_degraded_when_a_run_is_overdue(book):
    note = {"due": "2020-01-01T02:00:00Z", "started_at": "2020-01-01T02:00:00Z", "exit_code": 0, "tries": 1}
    files.write_json(
        book.output / ".runs/schedule.json", {**note, "finished_at": "2020-01-01T02:00:09Z", "error": None}
    )
    late = Book(book.output, Schedule(trigger("0 * * * *"), book.output, lambda: ["true"], 0.01))
    late.schedule._thread.start()  # watching, but nothing was run
    found = health(late)
    late.schedule.stop()
    assert found["status"] == "degraded"
    assert found["last_error"].startswith("The run that was due at 20") and "has not ended" in found["last_error"]


def test_unhealthy_when_reports_cannot_be_written(book):
    assert book.engine
    shutil.rmtree(book.output / ".runs")
    (book.output / ".runs").write_text("in the way")
    found = health(book)
    assert found["status"] == "unhealthy" and found["last_error"].startswith("Cannot write to the output folder")


def test_unhealthy_when_the_schedule_has_died(book):
    book.schedule.stop()
    found = health(book)
    assert (found["status"], found["last_error"]) == (
        "unhealthy", "The schedule has stopped: start the service again",
    )  # fmt: skip


def test_a_database_that_was_put_back_is_read_at_once(book, write):
    write.run(PAR30=3.5)
    book.engine.dispose()  # all of it is in the file then
    shutil.copy(book.output / "abaco.db", book.output / "kept.db")
    write.run("20251231-b", ended=at(5), PAR30=None)
    assert health(book)["metrics_computed"] == 0
    book.engine.dispose()
    (book.output / "kept.db").replace(book.output / "abaco.db")
    assert health(book)["metrics_computed"] == 1


# Of a real service


def test_healthy_after_a_report_and_the_same_after_a_restart(service, shown):
    run = files.read_json(shown.output / "2025-11-30/run.json")
    code, found = service.health()
    hour = dt.datetime.now(dt.UTC)
    verdict = {
        "date": "2025-12-31", "text": "OK: 4 of 4 limits checked; past a limit: PortfolioHealth (critical)",
        "state": "ok", "limits": 4, "checked": 4,
        "lost": False, "shrunk": False, "absent": False, "past_limits": {"PortfolioHealth": "critical"},
    }  # fmt: skip
    assert (code, found) == (200, {
        "status": "healthy", "last_run": run["finished_at"], "next_run": found["next_run"], "running": None,
        "metrics_computed": 4, "verdict": verdict, "last_error": None,
    })  # fmt: skip
    assert found["next_run"].endswith("T02:00:00Z") and dates.time_of(found["next_run"]) > hour
    assert service.get("/ready").json() == {"ready": True, "reason": None}
    with Service(shown) as again:
        assert {**again.health()[1], "next_run": None} == {**found, "next_run": None}
        same = [
            [line for line in one.get("/metrics").text.splitlines() if not line.startswith("pipeline_next_run ")]
            for one in (service, again)
        ]
        assert same[0] == same[1]


@pytest.mark.parametrize("path", ["/health", "/ready", "/"])
def test_head_is_answered_as_get_without_a_body(service, path):
    answer = service.client.head(path)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["content-type"] == service.get(path).headers["content-type"]


def test_twenty_clients_at_once_are_all_told_that_it_is_healthy(service):
    with ThreadPoolExecutor(20) as pool:
        answers = list(pool.map(lambda path: httpx2.get(f"{service.address}{path}"), ["health", "ready"] * 30))
    assert {(answer.status_code, answer.json().get("status", "ready")) for answer in answers} == {
        (200, "healthy"), (200, "ready"),
    }  # fmt: skip


def test_degraded_after_a_failing_run_that_leaves_the_report_as_it_was(copied):
    failed = copied.report("--params", "ingestion.max_reject_pct=0", date="2025-12-31")
    assert failed.returncode == 2
    with Service(copied) as service:
        code, found = service.health()
        assert (code, found["status"], found["metrics_computed"]) == (200, "degraded", 4)
        assert "max_reject_pct" in found["last_error"]
        assert found["last_error"].removeprefix("01_ingestion: ") in failed.stderr
        assert 'pipeline_status{pipeline_status="failed"} 1.0' in service.get("/metrics").text
        page = service.get("/").text
        assert "A run of 31\u00a0December\u00a02025 failed" in page and "3.75" in page
        assert service.get("/reports/2025-12-31/report.html").status_code == 200


@pytest.mark.parametrize("path", ["/health", "/ready", "/metrics", "/", "/reports/2025-12-31/"])
def test_no_database_is_said_without_its_password(no_database, path):
    answer = no_database.get(path)
    assert answer.status_code == 503
    assert "127.0.0.1:1/abaco" in answer.text and "pass-of-nobody" not in answer.text


@pytest.fixture(scope="module")
def no_database(shown):
    """A service whose database is not there."""
    with Service(shown, DATABASE_URL=NEVER) as found:
        yield found
