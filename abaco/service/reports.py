"""The reports that the service shows: their folder, their database, their schedule, and how the last run ended."""

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from abaco.core import dates, locks
from abaco.core.errors import AbacoError
from abaco.database import queries
from abaco.database.connection import FILE, TIMEOUT_SECONDS, reading
from abaco.database.synchronise import open_synchronised
from abaco.run import folders
from abaco.service.schedule import Schedule


@dataclass(frozen=True)
class Outcome:
    """How a run ended: when, and why it failed, if it did."""

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
        """The database, reached when it is first asked, and anew when another file has taken its place."""
        if self._engine is None or self._file != _number(self.output / FILE):
            self._engine = open_synchronised(self.output, self.timeout)
            self._file = _number(self.output / FILE)
        return self._engine

    def outcomes(self, connection: Connection) -> list[Outcome]:
        """Return how runs ended, of every kind the last: done, failed, and due, where one could not even begin."""
        found = []
        if run := queries.last_run(connection):
            found.append(Outcome(run["finished_at"], None))
        found += [
            Outcome(one["finished_at"] or one["started_at"], one["error"])
            for one in queries.failed(connection)
        ]
        note = self.schedule.note()
        if note and note["finished_at"]:
            found.append(Outcome(dates.time_of(note["finished_at"]), note["error"]))
        return sorted(found, key=lambda outcome: outcome.at)

    @property
    def is_at_work(self) -> bool:
        """Whether a run is at work on this machine, whoever began it."""
        dates = [note.parent.name for note in self.output.glob(f"{folders.RUNS}/*/{folders.HOLDER}")]
        holders = (folders.holder(self.output, date) for date in dates)
        return self.schedule.is_at_work or any(w and locks.is_here(w) and locks.is_alive(w) for w in holders)


def _number(path: Path) -> int | None:
    """Return what the file system knows a file by, or None when it is not there."""
    try:
        return path.stat().st_ino
    except OSError:
        return None


def health(book: Book) -> dict[str, Any]:
    """Return what /health says; ``status`` is ``unhealthy`` when the service cannot do its work."""
    due = book.schedule.next_run
    content = {"status": "unhealthy", "last_run": None, "next_run": due and dates.format_time(due)}
    content |= {"metrics_computed": None, "last_error": None}
    try:
        with reading(book.engine) as connection:
            latest, outcomes = queries.latest(connection), book.outcomes(connection)
            kpis = queries.figures(connection, latest) if latest else {}
        outcome = outcomes[-1] if outcomes else None
        content["last_run"] = outcome and dates.format_time(outcome.at)
        content["metrics_computed"] = sum(kpi["value"] is not None for kpi in kpis.values())
        folders.check_writable(book.output)
    except AbacoError as error:
        return content | {"last_error": str(error)}
    if not book.schedule.is_alive:
        return content | {"last_error": "The schedule has stopped: start the service again"}
    reason = (outcome and outcome.error) or _overdue(book, outcome)
    return content | {"status": "degraded" if reason else "healthy", "last_error": reason}


def _overdue(book: Book, outcome: Outcome | None) -> str | None:
    due = book.schedule.overdue(outcome and outcome.at)
    return due and f"The run that was due at {dates.format_time(due)} has not ended: see logs/service.log"
