"""The reports that the service shows: their folder, their database, their schedule, and how the last run ended."""

import datetime as dt
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, Engine

from abaco.database import queries
from abaco.database.connection import FILE
from abaco.database.synchronise import caught_up
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
    timeout: float | None = None  # seconds to wait for an answer of the database
    _engine: Engine | None = field(default=None, init=False)
    _file: int | None = field(default=None, init=False)

    @property
    def engine(self) -> Engine:
        """The database, reached when it is first asked, and anew when another file has taken its place."""
        if self._engine is None or self._file != _number(self.output / FILE):
            self._engine = caught_up(self.output, self.timeout)
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
            found.append(Outcome(folders.time_of(note["finished_at"]), note["error"]))
        return sorted(found, key=lambda outcome: outcome.at)

    @property
    def is_at_work(self) -> bool:
        """Whether a run is at work on this machine, whoever began it."""
        dates = [note.parent.name for note in self.output.glob(f"{folders.RUNS}/*/{folders.HOLDER}")]
        holders = (folders.holder(self.output, date) for date in dates)
        return self.schedule.is_at_work or any(
            w and folders.is_here(w) and folders.is_alive(w) for w in holders
        )


def _number(path: Path) -> int | None:
    """Return what the file system knows a file by, or None when it is not there."""
    try:
        return path.stat().st_ino
    except OSError:
        return None
