"""The download's folder: the current export, its archive, and the state kept between downloads."""

import codecs
import csv
import gzip
import os
import shutil
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO

from abaco.core import dates, files, locks, project
from abaco.core.errors import InputError, RunError
from abaco.ingest import discovery
from abaco.ingest.sources import Source

NAME = "cascade.csv"  # a fixed name, as it is part of a run's id
PRIVATE = 0o700  # exports hold personal data
SECONDS = 60

GZIP = b"\x1f\x8b"
NO_EXPORT = "Cascade sent no usable export: {}: look at what is at cascade.url"


class Store:
    """The folder ``cascade.folder``.

    ``current/`` holds the export that runs read, ``archive/<UTC day>/<SHA-256>.csv`` every former one, and
    ``incoming/`` the one that is being downloaded. Only the owner can read them.
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
        shown = project.display_path(self.folder)
        with locks.hold(self.folder / "lock", timeout, say, shown, lambda: "another download"):
            try:
                self._clear()  # a killed download leaves its part
                self.fresh.parent.mkdir(mode=PRIVATE)
                yield
            finally:
                self._clear()

    def _clear(self) -> None:
        shutil.rmtree(self.fresh.parent, ignore_errors=True)

    def known_etag(self, url: str) -> str | None:
        """Return the ETag of the current export if it came from `url` and is unchanged."""
        note = files.read_json(self._note) if self._note.exists() else {}
        if note.get("url") == url and note["sha256"] == self._current_sha256():
            return note["etag"]
        return None

    def archive(self, source: Source) -> Path:
        """Copy a fresh export to the archive, unless its content is there already, and return the copy."""
        if there := next((self.folder / "archive").glob(f"*/{source.sha256}.csv"), None):
            return there
        target = self.folder / "archive" / dates.now()[:10] / f"{source.sha256}.csv"
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
        files.write_json(self._note, {"url": url, "etag": etag, "sha256": source.sha256, "at": dates.now()})
        return is_new

    def _current_sha256(self) -> str | None:
        return files.sha256(self.current) if self.current.exists() else None

    def pace(self, per_minute: float, say: Callable[[str], None]) -> None:
        """Wait until one more request is within the limit, counting those of former downloads, and record it."""
        earlier = files.read_json(self._requests) if self._requests.exists() else []
        if wait := pause(earlier, time.time(), per_minute):
            say(f"Cascade: waiting {wait:.0f} s, for no more than {per_minute:g} requests a minute")
            time.sleep(wait)
        now = time.time()
        files.write_json(self._requests, [*recent(earlier, now, per_minute), now])


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
    """Return the former requests that still count; one in the future, as a clock was set back, does not."""
    return [at for at in earlier if now - _window(per_minute) < at <= now]


def _window(per_minute: float) -> float:
    return SECONDS * max(int(per_minute), 1) / per_minute


def open_private(path: Path) -> IO[bytes]:
    """Create or empty a file that only its owner can read, and open it."""
    return open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600))


def unpacked(part: Path, target: Path, is_sized: bool) -> Path:
    """Turn the downloaded part into the file `target`, unpacked if it is gzip, and return it.

    Parameters
    ----------
    is_sized
        Whether the server stated the length of its answer. Gzip states it at its end.

    Raises
    ------
    RunError
        When it is truncated, or may be.
    """
    with part.open("rb") as file:
        is_packed = file.read(len(GZIP)) == GZIP
    if not is_packed and not is_sized:
        raise RunError(
            "Cascade does not say how long its export is, so part of it may be missing: "
            "have the server send Content-Length"
        )
    if not is_packed:
        return part.rename(target)
    try:
        with gzip.open(part) as old, open_private(target) as new:
            shutil.copyfileobj(old, new)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise RunError(f"Cascade's export was damaged on the way ({error}): try again later") from error
    return target


def examined(path: Path) -> Source:
    """Return the export as a source of runs after checking that it is a complete loan tape.

    Raises
    ------
    InputError
        Naming what it is instead.
    """
    with path.open("rb") as file:
        start = file.read(512).removeprefix(codecs.BOM_UTF8).lstrip()
    if start.startswith(b"<"):
        raise InputError(NO_EXPORT.format("a web page came in place of CSV, perhaps a login"))
    if start.startswith((b"{", b"[")):
        raise InputError(NO_EXPORT.format("JSON came in place of CSV"))
    try:
        source = discovery.discover(path)[0][0]
    except InputError as error:
        raise InputError(f"Cascade sent no usable export: {error}") from None
    if source.format.tape_rank is None:
        raise InputError(NO_EXPORT.format(f"it holds {source.format.title} and no loan tape"))
    _check_rows(source)
    return source


def _check_rows(source: Source) -> None:
    rows, last = 0, []
    with open(source.path, encoding=source.encoding, errors="replace", newline="") as file:
        try:
            for row in csv.reader(file, delimiter=source.delimiter):
                if row:
                    rows, last = rows + 1, row
        except csv.Error as error:
            raise InputError(NO_EXPORT.format(f"it cannot be read as CSV ({error})")) from None
    if rows < 2:
        raise InputError(NO_EXPORT.format("it has a header and no row"))
    if len(last) != len(source.headings):
        raise InputError(
            NO_EXPORT.format(f"it ends within a row, the last has {len(last)} of {len(source.headings)} columns")
        )
