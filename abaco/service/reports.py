"""The reports that the service shows: their folder, database and schedule, and the outcome of the last run."""

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from abaco.core import dates, locks
from abaco.core.errors import AbacoError
from abaco.database import queries
from abaco.database.connection import FILE, TIMEOUT_SECONDS, Connection, Engine, reading
from abaco.database.synchronise import open_synchronised
from abaco.run import folders
from abaco.service.schedule import STOPPED, Schedule


@dataclass(frozen=True)
class Outcome:
    """The end of a run: its time, and the error if it failed."""

    at: dt.datetime
    error: str | None


@dataclass
class Book:
    """The reports in a folder."""

    output: Path
    schedule: Schedule
    timeout: float = TIMEOUT_SECONDS  # to wait for an answer of the database
    _engine: Engine | None = field(default=None, init=False)
    _file: int | None = field(default=None, init=False)

    @property
    def engine(self) -> Engine:
        """The database, opened on first use, and again when its file has been replaced."""
        if self._engine is None or self._file != _inode(self.output / FILE):
            self._engine = open_synchronised(self.output, self.timeout)
            self._file = _inode(self.output / FILE)
        return self._engine

    def outcomes(self, connection: Connection) -> list[Outcome]:
        """Return the outcomes of the last good run, of failed runs, and of the last scheduled one, oldest first."""
        outcomes = []
        if run := queries.last_run(connection):
            outcomes.append(Outcome(run["finished_at"], None))
        outcomes += [
            Outcome(one["finished_at"] or one["started_at"], one["error"]) for one in queries.failed(connection)
        ]
        note = self.schedule.note()
        if note and note["finished_at"] and note["exit_code"] != STOPPED:
            outcomes.append(Outcome(dates.time_of(note["finished_at"]), note["error"]))
        return sorted(outcomes, key=lambda outcome: outcome.at)

    @property
    def is_at_work(self) -> bool:
        """Whether a run is in progress on this machine, started by the schedule or by hand."""
        dates = [note.parent.name for note in self.output.glob(f"{folders.RUNS}/*/{folders.HOLDER}")]
        holders = (folders.holder(self.output, date) for date in dates)
        return self.schedule.is_at_work or any(w and locks.is_here(w) and locks.is_alive(w) for w in holders)


def _inode(path: Path) -> int | None:
    """Return the inode of a file, or None when it does not exist."""
    try:
        return path.stat().st_ino
    except OSError:
        return None


def health(book: Book) -> dict[str, Any]:
    """Return the content of /health.

    ``status`` is that of the service, ``unhealthy`` when it cannot work; ``verdict`` that of the latest report.
    """
    due = book.schedule.next_run
    content = {"status": "unhealthy", "last_run": None, "next_run": due and dates.format_time(due)}
    content |= {"metrics_computed": None, "verdict": None, "last_error": None}
    try:
        with reading(book.engine) as connection:
            latest, outcomes = queries.latest(connection), book.outcomes(connection)
            kpis = queries.figures(connection, latest) if latest else {}
            verdict = queries.verdicts(connection).get(latest["run_id"]) if latest else None
        outcome = outcomes[-1] if outcomes else None
        content["last_run"] = outcome and dates.format_time(outcome.at)
        content["metrics_computed"] = sum(kpi["value"] is not None for kpi in kpis.values())
        content["verdict"] = verdict and {"date": str(latest["date"]), **verdict}
        folders.check_writable(book.output)
    except AbacoError as error:
        return content | {"last_error": str(error)}
    if not book.schedule.is_alive:
        return content | {"last_error": "The schedule has stopped: start the service again"}
    reason = (outcome and outcome.error) or _overdue(book, outcome) or _damaged(book)
    return content | {"status": "degraded" if reason else "healthy", "last_error": reason}


def _damaged(book: Book) -> str | None:
    damaged = ", ".join(path.name for path in folders.damaged_reports(book.output))
    return f"The report of {damaged} is damaged: make it again, or restore a backup" if damaged else None


def _overdue(book: Book, outcome: Outcome | None) -> str | None:
    due = book.schedule.overdue(outcome and outcome.at)
    return due and f"The run that was due at {dates.format_time(due)} has not ended: see logs/service.log"
