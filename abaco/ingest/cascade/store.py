"""The download's folder: the export that runs read, its archive, and what one download leaves for the next."""

import hashlib
import os
import shutil
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from abaco.core import locks, project
from abaco.ingest.sources import Source
from abaco.run import folders

NAME = "cascade.csv"  # whatever the server calls it: the name is part of a run's id
PRIVATE = 0o700  # exports hold personal data
SECONDS = 60


class Store:
    """The folder ``cascade.folder``.

    ``current/`` holds the export that runs read, ``archive/<UTC day>/<SHA-256>.csv`` every one there was, and
    ``incoming/`` what is on its way. Only the owner reads any of it.
    """

    def __init__(self, folder: Path):
        self.folder = folder
        self.current = folder / "current" / NAME
        self.fresh = folder / "incoming" / NAME
        self.part = self.fresh.with_suffix(".part")
        self._note, self._requests = folder / "download.json", folder / "requests.json"

    @contextmanager
    def hold(self, timeout: float, say: Callable[[str], None]) -> Iterator[None]:
        """Hold the folder, one download at a time, with an empty ``incoming/``.

        Raises
        ------
        RunError
            When another download holds it for longer than `timeout` seconds.
        """
        for path in (self.folder, self.current.parent, self.folder / "archive"):
            path.mkdir(mode=PRIVATE, parents=True, exist_ok=True)
        shown = project.shown(self.folder)
        with locks.held(self.folder / "lock", timeout, say, shown, lambda: "another download"):
            try:
                self._clear()  # a killed download left its part
                self.fresh.parent.mkdir(mode=PRIVATE)
                yield
            finally:
                self._clear()

    def _clear(self) -> None:
        shutil.rmtree(self.fresh.parent, ignore_errors=True)

    def known_etag(self, url: str) -> str | None:
        """Return the ETag of the current export, when it is from `url` and as it came."""
        note = folders.read_json(self._note) if self._note.exists() else {}
        if note.get("url") == url and note["sha256"] == self._current_sha256():
            return note["etag"]
        return None

    def archive(self, source: Source) -> Path:
        """Copy a fresh export to the archive, unless its content is there already, and return the copy."""
        if there := next((self.folder / "archive").glob(f"*/{source.sha256}.csv"), None):
            return there
        target = self.folder / "archive" / folders.now()[:10] / f"{source.sha256}.csv"
        target.parent.mkdir(mode=PRIVATE, exist_ok=True)
        copy = self.fresh.with_suffix(".copy")
        with Path(source.path).open("rb") as old, open_private(copy) as new:
            shutil.copyfileobj(old, new)
        os.replace(copy, target)
        return target

    def replace(self, source: Source, url: str, etag: str | None) -> bool:
        """Make a fresh export the current one in one step, and return whether it differs from the former."""
        is_new = source.sha256 != self._current_sha256()
        if is_new:
            os.replace(source.path, self.current)
        folders.write_json(
            self._note, {"url": url, "etag": etag, "sha256": source.sha256, "at": folders.now()}
        )
        return is_new

    def _current_sha256(self) -> str | None:
        if not self.current.exists():
            return None
        with self.current.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()

    def pace(self, per_minute: float, say: Callable[[str], None]) -> None:
        """Wait until one more request is within the limit, those of former downloads counted, and count it."""
        earlier = folders.read_json(self._requests) if self._requests.exists() else []
        if wait := pause(earlier, time.time(), per_minute):
            say(f"Cascade: waiting {wait:.0f} s, for no more than {per_minute:g} requests a minute")
            time.sleep(wait)
        now = time.time()
        folders.write_json(self._requests, [*recent(earlier, now, per_minute), now])


def pause(earlier: list[float], now: float, per_minute: float) -> float:
    """Return how many seconds to wait before one more request.

    Parameters
    ----------
    earlier
        When former requests were made, in Unix seconds, oldest first.

    Examples
    --------
    >>> pause([100.0, 130.0], now=140.0, per_minute=2)
    20.0
    >>> pause([100.0, 130.0], now=140.0, per_minute=3)
    0.0
    >>> pause([100.0], now=140.0, per_minute=0.5)
    80.0
    """
    allowed, counted = max(int(per_minute), 1), recent(earlier, now, per_minute)
    return counted[-allowed] + _window(per_minute) - now if len(counted) >= allowed else 0.0


def recent(earlier: list[float], now: float, per_minute: float) -> list[float]:
    """Return those former requests that still count; one in the future, by a clock that was set back, does not."""
    return [at for at in earlier if now - _window(per_minute) < at <= now]


def _window(per_minute: float) -> float:
    return SECONDS * max(int(per_minute), 1) / per_minute


def open_private(path: Path) -> IO[bytes]:
    """Open a file anew that only its owner can read."""
    return open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600))
