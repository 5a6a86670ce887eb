"""Discovery: the tables of an input, in folders, archives and workbooks, and what is not one."""

import contextlib
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import islice
from pathlib import Path

from abaco.core.errors import InputError
from abaco.core.quoting import file_name, shown
from abaco.core.text import did_you_mean
from abaco.ingest.containers import KINDS, PACKED, is_input, kind_of, table_files
from abaco.ingest.inspection import Inspector
from abaco.ingest.recognition import UnknownFormatError
from abaco.ingest.sources import Source

MAX_DEPTH, MAX_FILES = 4, 10_000
NO_TABLE = "not a table"
LOANS_NOT_USED = "loans_not_used"  # code of the note on a table of loans that fits no format


@dataclass(frozen=True)
class Skipped:
    """A file of the input that is not an export, and why; it may be one of loans."""

    name: str
    reason: str
    is_of_loans: bool = False


def discover(input_path: Path, known: Sequence[dict] = ()) -> tuple[list[Source], list[Skipped]]:
    """Return the tables of a file or folder, and the other files of the folder, its folders and its archives.

    Parameters
    ----------
    input_path
        A file, or a folder whose files and folders are looked at.
    known
        Sources of an earlier call, as dicts: a file of the same size and times is not read again.

    Raises
    ------
    InputError
        When the input does not exist, nothing in it is usable, or a file is broken.
    """
    files = _files(input_path)
    is_alone, sources, skipped = input_path.is_file() and kind_of(input_path.name), [], []
    inspector = Inspector(known)
    for path, name, reason in files:
        name = _distinct(name, [s.name for s in (*sources, *skipped)])
        if reason:
            skipped.append(Skipped(shown(name, is_known=False), reason))
            continue
        with _naming(name):
            tables, others = table_files(path, name)
        skipped += [Skipped(shown(other, is_known=False), NO_TABLE) for other in others]
        for table in tables:
            try:
                with _naming(table.name):
                    found = inspector.tables(table)
                for one in found:
                    sources.append(replace(one, name=_distinct(one.name, [s.name for s in (*sources, *skipped)])))
            except UnknownFormatError as error:
                if is_alone:
                    raise InputError(str(error)) from None
                skipped.append(Skipped(shown(table.name, is_known=False), str(error), error.is_of_loans))
    if not sources:
        told = (s.reason if s.reason.startswith(s.name) else f"{s.name}: {s.reason}" for s in skipped)
        reasons = "; ".join(told) or "it is empty"
        place = f"the folder {input_path}" if input_path.is_dir() else file_name(input_path)
        raise InputError(f"No usable export in {place}: {reasons}")
    return sources, skipped


def _check_readable(path: Path) -> None:
    """Raise when an input is not there, is not a file or folder, or has a name that cannot be written down."""
    try:
        str(path).encode()
        is_there = path.exists()
        if is_there and not path.is_dir() and not path.is_file():
            raise InputError(f"{path} is neither a file nor a folder: give one of exports")
        if path.is_dir():
            for name in os.listdir(path):
                name.encode()
    except UnicodeEncodeError as error:
        raise InputError(f"The name {error.object} is not UTF-8: rename it") from error
    except OSError as error:
        raise InputError(f"{path} cannot be read: {error.strerror}: check INPUT and its permissions") from error
    if not is_there:
        names = [file_name(one) for one in path.parent.glob("*")]
        hint = did_you_mean(path.name, names, "check INPUT, or leave it out to run on the sample", cutoff=0.75)
        raise InputError(f"Input file not found: {path}: {hint}")


# a file, its name, and why it is not read; None: it may hold tables
Entry = tuple[Path, str, str | None]


def _files(path: Path) -> list[Entry]:
    """Return a file, or those of a folder and of the folders in it.

    Raises
    ------
    InputError
        When there is none, it cannot be a table, or there are more than an input has.
    """
    _check_readable(path)
    if not path.is_dir():
        if is_input(path):
            return [(path, file_name(path), None)]
        forms = ", ".join((*KINDS, *PACKED))
        raise InputError(f"{file_name(path)} is not one of {forms}: export it in one of these forms")
    files = list(islice(_entries(path, "", {path.resolve()}, MAX_DEPTH), MAX_FILES + 1))
    if len(files) > MAX_FILES:
        raise InputError(f"{path} has more than {MAX_FILES:,} files: give the folder of the exports alone")
    return files


def _entries(folder: Path, above: str, seen: set[Path], depth: int) -> Iterator[Entry]:
    """Yield the files of a folder and of those in it, each folder once, whatever links lead to it."""
    _check_readable(folder)
    entries = [path for path in folder.iterdir() if not path.name.startswith((".", "~"))]
    for path in sorted(entries, key=lambda path: (path.is_dir() and path.is_symlink(), path.name)):
        name = above + file_name(path)
        if path.is_file():
            yield path, name, None if is_input(path) else NO_TABLE
        elif not path.is_dir() or kind_of(path.name):
            if is_input(path):
                yield path, name, "not a file, or a link to none"
        elif (real := path.resolve()) in seen:
            yield path, name, "a link to a folder that is read already"
        elif not depth:
            yield path, name, f"a folder more than {MAX_DEPTH} folders down"
        elif (path / "manifest.json").is_file() and (path / "run.json").is_file():
            yield path, name, "a report, not exports"
        else:
            seen.add(real)
            yield from _entries(path, f"{name}/", seen, depth - 1)


def _distinct(name: str, taken: list[str]) -> str:
    """Return a file's name, with a number where another file has it: what was personal in names made them differ."""
    return name if name not in taken else _distinct(f"{len(taken)} {name}", taken)


@contextlib.contextmanager
def _naming(name: str) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise InputError(f"{name} cannot be read: {error.strerror}: check its permissions") from error
