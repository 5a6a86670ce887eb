"""Completeness: what came is whole, is a table, and keeps the contract of a loan tape."""

import codecs
import csv
import gzip
import shutil
import zlib
from pathlib import Path

from abaco.core.errors import InputError, RunError
from abaco.ingest import sources
from abaco.ingest.cascade.store import open_private
from abaco.ingest.sources import Source

GZIP = b"\x1f\x8b"
NO_EXPORT = "Cascade sent no usable export: {}: look at what is at cascade.url"


def unpacked(part: Path, target: Path, is_sized: bool) -> Path:
    """Make the file `target` of what came, unpacked when it is gzip, and return it.

    Parameters
    ----------
    is_sized
        Whether the server said how long its answer is. Gzip says so itself, at its end.

    Raises
    ------
    RunError
        When it is cut short, or nobody can say whether it is.
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
        raise RunError(f"Cascade's export is damaged on the way ({error}): try again later") from error
    return target


def examined(path: Path) -> Source:
    """Return the export as a source of runs, once it is known to be a whole loan tape.

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
        source = sources.discover(path)[0][0]
    except InputError as error:
        raise InputError(f"Cascade sent no usable export: {error}") from None
    if not source.format.is_tape:
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
            NO_EXPORT.format(
                f"it ends within a row, the last has {len(last)} of {len(source.headings)} columns"
            )
        )
