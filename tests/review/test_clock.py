"""A clock that was set back: a former run is dated ahead of now, and status, history and the page say the same."""

import datetime as dt
import os
import socket

import pytest

from abaco.core import files
from abaco.database import synchronise
from abaco.review import history
from abaco.review import status as review_status
from abaco.run import folders
from abaco.service import pages
from abaco.service.reports import Book, health
from abaco.service.schedule import Schedule
from tests.support import left

DATE, LATER = "2025-12-31", "2098-12-31"


def leave(output, date, run_id, started, value):
    """Leave the report of a run with one figure."""
    folder = left.run(output, date, run_id, started)
    kpi = left.kpi(value, "ok", precision=2)
    left.finish(folder, {"PAR30": kpi}, [(date, "PAR30", str(value))])
    return folder


@pytest.fixture
def book(tmp_path, monkeypatch):
    """Reports in a folder, as the service has them."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    schedule = Schedule(None, tmp_path, lambda: ["true"], 3.0)
    schedule.start()
    yield Book(tmp_path, schedule)
    schedule.stop()


def said(book, date=DATE):
    """What status, history and the page say of the figure of a report, each as text."""
    lines = list(review_status.overview(book.output))
    (place,) = (n for n, line in enumerate(lines) if line.startswith(date))
    line = " ".join(lines[place : place + 2])  # the figures, and below them the run
    past = next(line for line in history.history("PAR30", book.output, date) if line.startswith(date))
    run = pages.find(book, date)
    return line, past, pages.run(run, book, f"/reports/{date}/"), run["run_id"]


@pytest.mark.parametrize("is_known", [True, False], ids=["recorded before", "recorded together"])
def test_report_is_that_of_the_link_when_a_former_run_is_dated_ahead(book, is_known):
    leave(book.output, DATE, "ahead", "2099-01-01T01:00:00Z", 7.25)
    if is_known:
        assert "ahead" in said(book)
    leave(book.output, DATE, "now", "2026-01-01T01:00:00Z", 3.5)
    status, past, page, run_id = said(book)
    assert ("3.50 ok" in status, "3.50" in past, "3.50" in page, run_id) == (True, True, True, "now")
    assert list(folders.visible(book.output)) == [DATE]
    leave(book.output, DATE, "again", "2026-01-01T02:00:00Z", 4.5)
    assert said(book)[3] == "again" and "4.50" in said(book)[2]


def test_same_run_made_again_after_the_clock_was_set_back_is_that_of_the_link(book):
    first = leave(book.output, DATE, "same", "2099-01-01T01:00:00Z", 3.5)
    assert said(book)[3] == "same"
    second = leave(book.output, DATE, "same", "2026-01-01T01:00:00Z", 3.5)
    status, *_ = said(book)
    assert "2026-01-01T01:00:09Z" in status
    folders.discard(first)
    assert "report.html" in said(book)[2] and pages.find(book, DATE)["folder"] == f".runs/{DATE}/{second.name}"


def test_report_of_a_date_after_today_is_the_latest_everywhere(book):
    leave(book.output, DATE, "now", "2026-01-01T01:00:00Z", 3.5)
    leave(book.output, LATER, "later", "2026-01-01T02:00:00Z", 5.5)
    assert said(book, LATER)[3] == "later"
    assert any("5.50" in line for line in history.history("PAR30", book.output))
    assert f"/reports/{LATER}/report.html" in pages.reports(book, "")


def test_run_that_is_dated_ahead_of_now_degrades_the_service(book):
    leave(book.output, DATE, "ahead", "2099-01-01T01:00:00Z", 3.5)
    found = health(book)
    assert (found["status"], found["last_error"]) == (
        "degraded", "The last run is dated ahead of now, 2099-01-01T01:00:09Z: see the clock of this machine",
    )  # fmt: skip


def test_run_at_work_is_known_beside_one_that_is_dated_ahead(book):
    leave(book.output, DATE, "ahead", "2099-01-01T01:00:00Z", 3.5)
    began = dt.datetime.now(dt.UTC)
    folder = left.run(book.output, DATE, "busy", began.isoformat(), "running")
    note = {"pid": os.getpid(), "host": socket.gethostname(), "since": f"{began:%Y-%m-%dT%H:%M:%SZ}"}
    files.write_json(folder.parent / "holder.json", note)
    (folder / "work").mkdir()
    assert [run["run_id"] for run in synchronise.running(book.output)] == ["busy"]
    other = left.run(book.output, "2025-11-30", "other", began.isoformat(), "running")
    folders.discard_work_of_others(book.output, other)
    assert (folder / "work").is_dir()
