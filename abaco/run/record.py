"""run.json: the record of one run, updated during the run; and the note of the last call of the heartbeat."""

import time
from pathlib import Path
from typing import Any

from abaco.core import dates, files
from abaco.core.errors import AbacoError, DamagedError
from abaco.run import folders

DATABASE_WAITS = {"channel": "database", "status": "pending", "error": None, "receipt": None}
HEARTBEAT = "heartbeat.json"
UNKNOWN = {"azure_upload_success": None, "database_writes": None}


class Record:
    """The record of one run: the figures of each phase, and how the run ended."""

    def __init__(self, folder: Path, done: dict[str, Any], places: tuple[str, ...], **facts: Any):
        self._path, self._began = folder / "run.json", time.perf_counter()
        self.phase, self.done = None, dict(done)
        self._content = {
            "schema_version": 1, **facts, "status": "running", "started_at": dates.now(), "finished_at": None,
            "seconds": None, "phases": self.done, "error": None, "deliver_to": list(places),
            # written first, so that a run that is killed is still recorded in the database later
            "deliveries": [DATABASE_WAITS] if places else [],
        }  # fmt: skip
        self._write()

    def _write(self, **changes: Any) -> None:
        self._content.update(changes)
        files.write_json(self._path, self._content)

    def add(self, name: str, figures: dict[str, Any]) -> None:
        """Record the figures of a phase that has ended."""
        self.done[name] = figures
        self._write()

    def _end(self, status: str, error: str | None = None) -> None:
        seconds = round(time.perf_counter() - self._began, 3)
        self._write(status=status, error=error, finished_at=dates.now(), seconds=seconds)

    def succeed(self) -> None:
        """Record that the run succeeded."""
        self.done["output"] |= UNKNOWN  # a reused phase may have the values of its former run
        self._end("success")

    def fail(self, error: BaseException) -> None:
        """Record that the run failed, in which phase and why, or that somebody stopped it."""
        text = str(error) if isinstance(error, AbacoError) else f"{type(error).__name__}: {error}"
        is_stopped = isinstance(error, KeyboardInterrupt)
        text = folders.STOPPED if is_stopped else text
        self._end("stopped" if is_stopped else "failed", f"{self.phase}: {text}" if self.phase else text)


def note_heartbeat(output: Path, error: str | None) -> None:
    """Note that the heartbeat was called after a good run, or why it could not be."""
    files.write_json(output / folders.RUNS / HEARTBEAT, {"at": dates.now(), "error": error})


def last_heartbeat(output: Path) -> dict[str, Any] | None:
    """Return ``at`` and ``error`` of the last call of the heartbeat; None if none is noted."""
    try:
        return files.read_object(output / folders.RUNS / HEARTBEAT, "at", "error")
    except (OSError, DamagedError):
        return None
