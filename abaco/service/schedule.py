"""The schedule: runs the report of the latest date when it is due, one at a time, and a missed one once."""

import datetime as dt
import logging
import signal
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from apscheduler.events import EVENT_SCHEDULER_STARTED
from apscheduler.schedulers.blocking import BlockingScheduler
from apscheduler.triggers.base import BaseTrigger
from apscheduler.triggers.cron import CronTrigger
from filelock import FileLock, Timeout

from abaco.core import dates, files
from abaco.core.errors import DamagedError, InputError
from abaco.run import folders
from abaco.service.command import Command, error_of

log = logging.getLogger(__name__)
NOTE, LOCK = "schedule.json", "schedule.lock"
PORT = "service.port"  # beside them, while the service runs: the port that it listens on
KEYS = ("due", "started_at", "finished_at", "exit_code", "error", "tries")  # of the note
LOOK_BACK = (1 / 24, 1, 7, 32, 366, 4 * 366)  # days, fewest first: the last due time is found in few steps
TRIES = 2
DONE = (0, 3)  # exit codes of a run that left a report; with 3 a delivery is still pending
STOPPED = 130  # exit code of a run that somebody stopped


def trigger(cron: str, name: str = "service.cron") -> BaseTrigger | None:
    """Return the trigger of a cron expression, in UTC; None for an empty one.

    Raises
    ------
    InputError
        When it is not valid, or has weekdays as numbers, which cron and APScheduler count differently.
    """
    if not cron.strip():
        return None
    try:
        if any(c.isdigit() for field in cron.split()[4:] for c in field.partition("/")[0]):
            raise ValueError("a weekday is not a number but mon, tue, wed, thu, fri, sat or sun")
        return CronTrigger.from_crontab(cron, timezone=dt.UTC)
    except ValueError as error:
        raise InputError(
            f"{name}: {cron!r} is not a valid schedule: {error}; write five fields as '0 2 * * *', or ''"
        ) from error


def last_due(times: BaseTrigger, now: dt.datetime) -> dt.datetime | None:
    """Return the last time that was due at `now`, or None when there was none within four years."""
    starts = (now - dt.timedelta(days=days) for days in LOOK_BACK)
    due = next((t for start in starts if (t := times.get_next_fire_time(None, start)) and t <= now), None)
    while due and (later := times.get_next_fire_time(None, due + dt.timedelta(seconds=1))) and later <= now:
        due = later
    return due


def read_note(output: Path) -> dict[str, Any] | None:
    """Return the note of the last scheduled run; None when there is none, or it is damaged."""
    try:
        return files.read_object(output / folders.RUNS / NOTE, *KEYS)
    except (OSError, DamagedError):
        return None


class Schedule:
    """Runs a command whenever it is due, and records each due time and outcome in a file beside the runs.

    Parameters
    ----------
    times
        When the command is due; None: never.
    output
        Folder of the reports.
    command
        Returns the command that makes the report.
    overdue_hours
        Hours from a due time until its run is overdue.
    on_failure
        Called with the start and the error of a run that failed.
    """

    def __init__(
        self,
        times: BaseTrigger | None,
        output: Path,
        command: Callable[[], Sequence[str]],
        overdue_hours: float,
        on_failure: Callable[[str, str], None] = lambda *_: None,
    ):
        self._times, self._output, self._command = times, output, command
        self._on_failure = on_failure
        self._path = output / folders.RUNS / NOTE
        self._patience = dt.timedelta(hours=overdue_hours)
        self._scheduler = BlockingScheduler(timezone=dt.UTC)
        self._thread = threading.Thread(target=self._scheduler.start, name="schedule", daemon=True)
        self._process = Command()
        self._by_hand: threading.Thread | None = None

    def start(self) -> None:
        """Start, at once with a run that was missed while the service was down."""
        if self._times:
            now = _now()
            if not self._path.exists():  # the first start: nothing was due before it
                self._write(due=dates.now(), started_at=None, finished_at=None, exit_code=None, error=None, tries=0)
            is_missed = self.note() and self.missed()
            first = now if is_missed else self._times.get_next_fire_time(None, now)
            self._scheduler.add_job(self.work, self._times, next_run_time=first, coalesce=True, misfire_grace_time=None)
        started = threading.Event()
        self._scheduler.add_listener(lambda _: started.set(), EVENT_SCHEDULER_STARTED)
        self._thread.start()
        started.wait()
        log.info("the next run is due at %s", self.next_run)

    def every(self, seconds: float, work: Callable[[], None]) -> None:
        """Call `work` every `seconds`, the first time after that interval."""
        self._scheduler.add_job(work, "interval", seconds=seconds, coalesce=True, misfire_grace_time=None)

    def at(self, times: BaseTrigger, work: Callable[[], None]) -> None:
        """Call `work` at its own times, and once for those that passed while it was at work."""
        self._scheduler.add_job(work, times, coalesce=True, misfire_grace_time=None)

    def stop(self) -> None:
        """Start nothing more, and wait until the current run has ended."""
        self._process.stop()
        if self._by_hand:
            self._by_hand.join()
        if self._scheduler.running:
            self._scheduler.shutdown(wait=True)
            self._thread.join()

    def start_by_hand(self, command: Sequence[str], on_end: Callable[[tuple[int, str] | None], None]) -> bool:
        """Run another command in the background, and return whether it could start: one runs at a time.

        Parameters
        ----------
        on_end
            Called with its exit code and output; with None when it was stopped.
        """
        lock = FileLock(self._output / folders.RUNS / LOCK, thread_local=False)
        try:
            lock.acquire(timeout=0)
        except Timeout:
            return False
        self._by_hand = threading.Thread(
            target=self._run_by_hand, args=(lock, command, on_end), name="by hand", daemon=True
        )
        self._by_hand.start()
        return True

    def _run_by_hand(self, lock: FileLock, command: Sequence[str], on_end: Callable) -> None:
        try:
            on_end(self._process.run(command))
        finally:
            lock.release()
        if self._times and not self._process.stopped:
            self.work()  # for a time that was due meanwhile

    @property
    def is_alive(self) -> bool:
        """Whether due times are being watched."""
        return self._thread.is_alive()

    @property
    def is_at_work(self) -> bool:
        """Whether a run of this schedule is in progress."""
        return self._process.is_at_work

    @property
    def next_run(self) -> dt.datetime | None:
        """When a run is due next."""
        return self._times and self._times.get_next_fire_time(None, _now())

    def missed(self) -> dt.datetime | None:
        """Return the last due time when no run for it has ended, else None.

        A run that was killed together with the service is repeated once.
        """
        due, note = last_due(self._times, _now()), self.note()
        if note is None:  # it is damaged: the run that is due now writes it anew
            return due
        served = dates.time_of(note["due"])
        if due is None or due > served:
            return due
        was_killed = note["started_at"] and not note["finished_at"]
        return served if was_killed and note["tries"] < TRIES else None

    def overdue(self, last_run: dt.datetime | None) -> dt.datetime | None:
        """Return the due time whose run has not ended within ``overdue_hours``; None when there is none."""
        due, note = self._times and last_due(self._times, _now() - self._patience), self.note()
        if due is None or note is None or (last_run and last_run >= due):
            return None
        is_over = note["finished_at"] or not note["started_at"]
        return None if dates.time_of(note["due"]) >= due and is_over else due

    def note(self) -> dict[str, Any] | None:
        """Return the note of the last run, with the keys of `KEYS`; None when there is none, or it is damaged."""
        return read_note(self._output)

    def damaged_notes(self) -> list[Path]:
        """Return the note if it is damaged."""
        return [self._path] if self._path.exists() and self.note() is None else []

    def _write(self, **note: Any) -> None:
        files.write_json(self._path, note)

    def work(self) -> None:
        """Run the command for the last due time, and again for one that passed meanwhile."""
        lock = FileLock(self._output / folders.RUNS / LOCK)
        try:
            with lock.acquire(timeout=0):
                while (due := self.missed()) and self._run(due):
                    pass
        except Timeout:
            log.warning("a report is already being made in %s", self._output)

    def _run(self, due: dt.datetime) -> bool:
        """Run the command and return whether it ended by itself; a stopped run counts as missed."""
        former, name = self.note(), dates.format_time(due)
        tries = former["tries"] + 1 if former and former["due"] == name else 1
        note = {"due": name, "started_at": dates.now(), "tries": tries}
        self._write(**note, finished_at=None, exit_code=None, error=None)
        log.info("the run of %s begins", name)
        outcome = self._process.run(self._command())
        if outcome is None:
            if former:
                self._write(**former)
            log.info("the run of %s was stopped and will be made up for", name)
            return False
        code, output = outcome
        is_failed = code not in (*DONE, STOPPED)
        ending = f"killed by {signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
        failed = (error_of(output) or f"{ending}: see logs/pipeline.log") if is_failed else None
        self._write(**note, finished_at=dates.now(), exit_code=code, error=failed)
        log.log(
            logging.ERROR if failed else logging.INFO,
            "the run of %s ended: %s",
            name,
            failed or ("stopped" if code == STOPPED else "done"),
        )
        if failed:
            self._on_failure(note["started_at"], failed)
        return True


def _now() -> dt.datetime:
    return dt.datetime.now(dt.UTC)
