"""The schedule: what is due, run once, by real processes that write down that they ran."""

import datetime as dt
import sys

import pytest
from apscheduler.triggers.interval import IntervalTrigger

from abaco.core import dates, files
from abaco.core.errors import InputError
from abaco.run import folders
from abaco.service.schedule import Schedule, last_due, trigger
from tests.support.service import until

NOW = dt.datetime.now(dt.UTC).replace(microsecond=0)
HOUR_AGO = NOW - dt.timedelta(hours=1)


def soon():
    """Return a time so late that a schedule has started before it, also on a busy machine."""
    return dt.datetime.now(dt.UTC).replace(microsecond=0) + dt.timedelta(seconds=4)


def daily(first):
    """Due every day, at `first` for the first time."""
    return IntervalTrigger(days=1, start_date=first, timezone=dt.UTC)


class Marked:
    """A folder, and schedules whose command appends a line to a file in it."""

    def __init__(self, folder):
        self.output, self.file, self.made, self.arguments = folder, folder / "ran.txt", [], []
        (folder / folders.RUNS).mkdir()

    def schedule(self, times, then="", hours=3.0, on_failure=lambda *_: None):
        code = f"open({str(self.file)!r}, 'a').write('ran\\n')\n{then}"
        command = [sys.executable, "-c", code]
        self.made.append(Schedule(times, self.output, lambda: command + self.arguments, hours, on_failure))
        return self.made[-1]

    def note(self, **note):
        usual = {"due": "2020-01-01T00:00:00Z", "started_at": None, "finished_at": None, "exit_code": None}
        files.write_json(self.output / folders.RUNS / "schedule.json", {**usual, "error": None, "tries": 0, **note})

    def count(self):
        return len(self.file.read_text().splitlines()) if self.file.exists() else 0


@pytest.fixture
def marked(tmp_path):
    """A folder with schedules, all of which are stopped in the end."""
    found = Marked(tmp_path)
    yield found
    for schedule in found.made:
        schedule.stop()


def ended(schedule):
    """Whether a run has ended, by the note."""
    return lambda: schedule.note()["finished_at"]


# When it is due


@pytest.mark.parametrize(
    ("cron", "now", "due"),
    [
        ("0 2 * * *", "2025-12-31T02:00:00Z", "2025-12-31T02:00:00Z"),
        ("0 2 * * *", "2025-12-31T01:59:59Z", "2025-12-30T02:00:00Z"),
        ("*/5 * * * *", "2025-12-31T12:04:00Z", "2025-12-31T12:00:00Z"),
        ("0 2 1 * *", "2025-12-31T12:00:00Z", "2025-12-01T02:00:00Z"),
        ("0 2 * * mon", "2025-12-31T12:00:00Z", "2025-12-29T02:00:00Z"),
        ("0 2 29 2 *", "2025-12-31T12:00:00Z", "2024-02-29T02:00:00Z"),
    ],
)
def test_last_due_time(cron, now, due):
    assert last_due(trigger(cron), dates.time_of(now)) == dates.time_of(due)


def test_empty_cron_is_never_due(marked):
    schedule = marked.schedule(trigger(" "))
    schedule.start()
    assert schedule.next_run is None and schedule.overdue(None) is None and schedule.is_alive
    schedule.stop()
    assert not schedule.is_alive


@pytest.mark.parametrize("cron", ["0 2 * *", "61 2 * * *", "daily", "0 2 * * 1", "0 2 * * 1-5"])
def test_cron_that_is_none_is_refused_in_one_line(cron):
    with pytest.raises(InputError, match=r"^service\.cron: '.*' is not a valid schedule: .*; write five fields"):
        trigger(cron)


def test_next_run_is_when_it_is_due(marked):
    due = NOW + dt.timedelta(hours=5)
    assert marked.schedule(daily(due)).next_run == due


# Runs


def test_failure_is_told_with_when_it_began_and_its_error(marked):
    told = []
    schedule = marked.schedule(
        daily(soon()), "print('Error: no input'); exit(2)", on_failure=lambda *one: told.append(one)
    )
    schedule.start()
    until(lambda: told)
    assert told == [(schedule.note()["started_at"], "no input")]


def test_run_begins_when_it_is_due_and_once(marked):
    due = soon()
    schedule = marked.schedule(daily(due))
    schedule.start()
    until(ended(schedule))
    assert schedule.note() | {"started_at": None, "finished_at": None} == {
        "due": f"{due:%Y-%m-%dT%H:%M:%SZ}", "started_at": None, "finished_at": None, "exit_code": 0, "error": None,
        "tries": 1,
    }  # fmt: skip
    schedule.stop()
    assert marked.count() == 1


def test_two_services_of_one_folder_run_it_once(marked):
    due = soon()
    both = [marked.schedule(daily(due), "import time; time.sleep(0.5)") for _ in range(2)]
    for schedule in both:
        schedule.start()
    until(ended(both[0]))
    for schedule in both:
        schedule.stop()
    assert marked.count() == 1


def test_nothing_was_missed_before_the_first_start(marked):
    schedule = marked.schedule(daily(HOUR_AGO))
    schedule.start()
    schedule.stop()
    assert marked.count() == 0 and schedule.note()["due"] >= f"{NOW:%Y-%m-%dT%H:%M:%SZ}"


def test_missed_runs_are_made_up_for_once(marked):
    marked.note(due="2020-01-01T02:00:00Z", started_at="x", finished_at="2020-01-01T02:00:09Z")
    first = marked.schedule(daily(HOUR_AGO))
    first.start()
    until(lambda: first.note()["due"] == f"{HOUR_AGO:%Y-%m-%dT%H:%M:%SZ}" and ended(first)())
    first.stop()
    again = marked.schedule(daily(HOUR_AGO))
    assert again.missed() is None
    again.start()
    again.stop()
    assert marked.count() == 1


@pytest.mark.parametrize(
    ("then", "error"),
    [
        ("print('Error: no input'); raise SystemExit(2)", "no input"),
        ("raise SystemExit(1)", "exit code 1: see logs/pipeline.log"),
        ("print('Error: mail is down'); raise SystemExit(3)", None),  # the report is there
    ],
)
def test_outcome_is_noted(marked, then, error):
    marked.note()
    schedule = marked.schedule(daily(HOUR_AGO), then)
    schedule.work()
    assert schedule.note()["error"] == error and schedule.missed() is None


def test_run_that_is_stopped_ends_tidily_and_is_made_up_for(marked):
    marked.note()
    schedule = marked.schedule(
        daily(HOUR_AGO),
        "import signal, time\n"
        "def tidy(*_): print('tidy', file=open(__import__('sys').argv[1], 'a')); raise SystemExit(130)\n"
        "signal.signal(signal.SIGTERM, tidy)\n"
        "print('ready', file=open(__import__('sys').argv[1], 'a'))\n"
        "time.sleep(60)",
    )
    marked.arguments.append(str(marked.file))
    schedule.start()
    until(lambda: marked.count() == 2)
    assert schedule.is_at_work
    schedule.stop()
    assert marked.file.read_text() == "ran\nready\ntidy\n"
    assert not schedule.is_at_work and not schedule.is_alive
    assert schedule.missed() == last_due(daily(HOUR_AGO), NOW)


def test_run_that_took_its_service_down_is_tried_once_more(marked):
    due = f"{HOUR_AGO:%Y-%m-%dT%H:%M:%SZ}"
    marked.note(due=due, started_at=due, tries=1)
    schedule = marked.schedule(daily(HOUR_AGO))
    assert schedule.missed() == dates.time_of(due)
    marked.note(due=due, started_at=due, tries=2)
    assert schedule.missed() is None


# Overdue


def test_run_is_overdue_when_it_has_not_ended_after_its_hours(marked):
    start = NOW - dt.timedelta(hours=4)
    marked.note(due="2020-01-01T02:00:00Z", started_at="x", finished_at="y")
    schedule = marked.schedule(daily(start))
    assert schedule.overdue(None) == schedule.overdue(start - dt.timedelta(days=1)) == start
    assert schedule.overdue(start) is None  # somebody made it by hand
    assert marked.schedule(daily(start), hours=5.0).overdue(None) is None
    marked.note(due=f"{NOW:%Y-%m-%dT%H:%M:%SZ}", started_at="x", finished_at="y")
    assert schedule.overdue(None) is None
    marked.note(due=f"{NOW:%Y-%m-%dT%H:%M:%SZ}", started_at="x")  # at work since
    assert schedule.overdue(None) == start


@pytest.mark.parametrize("content", ["", "[]", '{"due": '], ids=["empty", "other", "cut off"])
def test_damaged_note_is_stepped_over_and_written_anew_by_the_due_run(marked, content):
    note = marked.output / folders.RUNS / "schedule.json"
    note.write_text(content)
    schedule = marked.schedule(daily(HOUR_AGO))
    schedule.start()
    assert (schedule.note(), schedule.damaged_notes(), marked.count()) == (None, [note], 0)
    assert schedule.overdue(None) is None
    schedule.work()
    assert (marked.count(), schedule.damaged_notes()) == (1, [])
    assert schedule.note()["due"] == dates.format_time(HOUR_AGO)
