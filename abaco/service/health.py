"""Health: whether the service can do its work, and whether the last run and the next are as they should be."""

import datetime as dt
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine

from abaco import runs
from abaco.database.connection import connect, reading
from abaco.errors import AbacoError
from abaco.service import facts
from abaco.service.facts import Outcome
from abaco.service.schedule import Schedule


@dataclass
class Book:
    """The reports that the service shows: their folder, their database and their schedule."""

    output: Path
    schedule: Schedule

    @cached_property
    def engine(self) -> Engine:
        """The database, reached when it is first asked: the service starts without it, and says so."""
        return connect(self.output)

    def last_outcome(self, connection: Connection) -> Outcome | None:
        """Return how the last run ended; one that could not even begin left only the note of the schedule."""
        found = [facts.last_outcome(connection)]
        note = self.schedule.note()
        if note and note["finished_at"]:
            found.append(Outcome(runs.time_of(note["finished_at"]), note["error"]))
        return max(filter(None, found), key=lambda outcome: outcome.at, default=None)


def health(book: Book) -> dict[str, Any]:
    """Return what /health says; ``status`` is ``unhealthy`` when the service cannot do its work."""
    content = {"status": "unhealthy", "last_run": None, "next_run": stamp(book.schedule.next_run)}
    content |= {"metrics_computed": None, "last_error": None}
    try:
        with reading(book.engine) as connection:
            last, outcome = facts.last_run(connection), book.last_outcome(connection)
            values = facts.figures(connection, [last["run_id"]])[last["run_id"]] if last else {}
        content["last_run"] = outcome and stamp(outcome.at)
        content["metrics_computed"] = sum(row["value"] is not None for row in values.values())
        runs.check_writable(book.output)
    except AbacoError as error:
        return content | {"last_error": str(error)}
    if not book.schedule.is_alive:
        return content | {"last_error": "The schedule has stopped: start the service anew"}
    reason = (outcome and outcome.error) or _overdue(book, outcome)
    return content | {"status": "degraded" if reason else "healthy", "last_error": reason}


def _overdue(book: Book, outcome: Outcome | None) -> str | None:
    due = book.schedule.overdue(outcome and outcome.at)
    return due and f"The run that was due at {stamp(due)} has not ended: see logs/service.log"


def stamp(time: dt.datetime | None) -> str | None:
    """Return a time as reports write it: UTC, to the second."""
    return time and f"{time.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"
