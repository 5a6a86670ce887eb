"""The reports that the service shows: their folder, database and schedule, and the outcome of the last run."""

import datetime as dt
import logging
import tempfile
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from abaco.core import dates, locks, project, text
from abaco.core.errors import AbacoError, DamagedDatabaseError
from abaco.database import queries
from abaco.database.connection import FILE, REBUILD, TIMEOUT_SECONDS, Connection, Engine, connect, reading
from abaco.database.synchronise import open_synchronised, synchronise
from abaco.run import folders, manifest
from abaco.service.making import Maker
from abaco.service.schedule import STOPPED, Schedule

log = logging.getLogger(__name__)
TOLERANCE = dt.timedelta(minutes=5)  # between the clocks of two machines


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
    maker: Maker | None = None  # of reports from the browser, where that is on
    runbook: str = ""
    damage: str | None = field(default=None, init=False)  # of the file of the database
    _engine: Engine | None = field(default=None, init=False)
    _file: tuple[int, bool] | None = field(default=None, init=False)
    _spare: tempfile.TemporaryDirectory | None = field(default=None, init=False)
    _opening: threading.Lock = field(default_factory=threading.Lock, init=False)
    _proven: set[manifest.State] = field(default_factory=set, init=False)

    @property
    def engine(self) -> Engine:
        """The database, opened on first use, and again when its file has been replaced.

        Where its file is damaged, it is another one in a temporary folder, made of the folders of the runs.
        """
        with self._opening:
            if self._engine is None or self._file != _identity(self.output / FILE):
                self._open()
            if self._spare:
                synchronise(self._engine, self.output)
            return self._engine

    def _open(self) -> None:
        self.damage = self._spare = None
        try:
            self._engine = open_synchronised(self.output, self.timeout)
            with reading(self._engine) as connection:
                if text := queries.damage(connection):
                    raise DamagedDatabaseError(
                        f"Database {project.display_path(self.output / FILE)}: {text}: {REBUILD}"
                    )
        except DamagedDatabaseError as error:
            log.error("%s", error)
            self.damage, self._spare = str(error), tempfile.TemporaryDirectory(prefix="abaco-")
            self._engine = connect(Path(self._spare.name), self.timeout)
        self._file = _identity(self.output / FILE)

    def examine_again(self) -> None:
        """Open the database again before its next use, as its file proved to be damaged."""
        with self._opening:
            self._engine = None

    def damaged_files(self) -> list[str]:
        """Return the damaged files of the visible reports, and damaged notes, in words."""
        names = [path.name for path in folders.damaged_reports(self.output)]
        for date in folders.visible(self.output):
            if name := manifest.first_altered(self.output / date, self._proven):
                names.append(f"{date} ({name})")
        return names

    def outcomes(self, connection: Connection) -> list[Outcome]:
        """Return the outcomes of the last good run, of runs and starts that failed, and of the last due one."""
        outcomes = []
        if run := queries.last_run(connection):
            outcomes.append(Outcome(run["finished_at"], None))
        outcomes += [
            Outcome(one["finished_at"] or one["started_at"], one["error"]) for one in queries.failed(connection)
        ]
        outcomes += [Outcome(one["started_at"], one["error"]) for one in queries.starts_that_failed(connection)]
        note = self.schedule.note()
        if note and note["finished_at"] and note["exit_code"] != STOPPED:
            outcomes.append(Outcome(dates.time_of(note["finished_at"]), note["error"]))
        return sorted(outcomes, key=lambda outcome: outcome.at)

    @property
    def is_at_work(self) -> bool:
        """Whether a run is in progress on this machine, started by the schedule or by hand."""
        return self.schedule.is_at_work or any(locks.is_here(one) for one in self.running())

    def running(self) -> list[dict[str, Any]]:
        """Return the runs at work, whoever started them (see `abaco.run.folders.running`)."""
        return folders.running(self.output)


def _identity(path: Path) -> tuple[int, bool] | None:
    """Return the inode of a file and whether it is empty, or None when it does not exist."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_ino, not found.st_size


def health(book: Book) -> dict[str, Any]:
    """Return the content of /health.

    ``status`` is that of the service, ``unhealthy`` when it cannot work; ``verdict`` that of the latest report.
    """
    try:
        return _health(book)
    except DamagedDatabaseError:
        book.examine_again()
        return _health(book)


def _health(book: Book) -> dict[str, Any]:
    due = book.schedule.next_run
    content = {"status": "unhealthy", "last_run": None, "next_run": due and dates.format_time(due)}
    at_work = next(iter(book.running()), None)
    content |= {"running": at_work and {key: at_work[key] for key in ("date", "since", "phase")}}
    content |= {"metrics_computed": None, "verdict": None, "last_error": None}
    try:
        with reading(book.engine) as connection:
            latest, outcomes = queries.latest(connection), book.outcomes(connection)
            kpis = queries.figures(connection, latest) if latest else {}
            verdict = verdict_of(connection, latest, kpis) if latest else None
        outcome = outcomes[-1] if outcomes else None
        content["last_run"] = outcome and dates.format_time(outcome.at)
        content["metrics_computed"] = sum(kpi["value"] is not None for kpi in kpis.values())
        content["verdict"] = verdict and {"date": str(latest["date"]), "text": text.standing(verdict), **verdict}
        folders.check_writable(book.output)
    except DamagedDatabaseError:
        raise
    except AbacoError as error:
        return content | {"last_error": str(error)}
    if not book.schedule.is_alive:
        return content | {"last_error": "The schedule has stopped: start the service again"}
    reasons = ((outcome and outcome.error), _overdue(book, outcome), book.damage, _damaged(book), _ahead(outcome))
    reason = next(filter(None, reasons), None)
    return content | {"status": "degraded" if reason else "healthy", "last_error": reason}


def verdict_of(connection: Connection, run: dict[str, Any], kpis: dict[str, Any]) -> dict[str, Any] | None:
    """Return the verdict of a run with the status of each of its figures past a limit; None of earlier versions."""
    found = queries.verdicts(connection).get(run["run_id"])
    past = {name: level for level in ("critical", "warning") for name, kpi in kpis.items() if kpi["status"] == level}
    return found and {**found, "past_limits": past}


def _damaged(book: Book) -> str | None:
    if taken := folders.taken(book.output):
        return taken
    if names := book.damaged_files():
        return f"The report of {', '.join(names)} is damaged: make it again, or restore a backup"
    notes = folders.damaged_notes(book.output) + book.schedule.damaged_notes()
    names = ", ".join(path.relative_to(book.output).as_posix() for path in notes)
    return f"Damaged, and stepped over: {names}: the next run writes it anew, or remove it" if notes else None


def _ahead(outcome: Outcome | None) -> str | None:
    if outcome is None or outcome.at <= dt.datetime.now(dt.UTC) + TOLERANCE:
        return None
    return f"The last run is dated ahead of now, {dates.format_time(outcome.at)}: see the clock of this machine"


def _overdue(book: Book, outcome: Outcome | None) -> str | None:
    due = book.schedule.overdue(outcome and outcome.at)
    return due and f"The run that was due at {dates.format_time(due)} has not ended: see logs/service.log"
