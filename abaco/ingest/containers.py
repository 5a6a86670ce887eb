"""Containers: table files as they come, by themselves, in a ZIP archive or as gzip, and their bytes.

What an archive unpacks to is bounded, and never lies in a file with a name.
"""

import contextlib
import gzip
import io
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import IO

from abaco.core.errors import InputError
from abaco.core.quoting import shown
from abaco.engines.base import PrivateFiles
from abaco.ingest.worksheets import MAX_RATIO, MIN_BOMB

KINDS = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".parquet": "parquet", ".json": "json", ".jsonl": "json",
    ".ndjson": "json", ".xlsx": "xlsx", ".xls": "xls", ".ods": "ods",
}  # fmt: skip
PACKED = (".zip", ".gz")
ARCHIVES = (*PACKED, ".tgz", ".tar", ".bz2", ".xz", ".zst", ".7z", ".rar")
MAX_MEMBERS = 1_000
MAX_UNPACKED = 1 << 36  # 100 million rows of text have about 20 GiB
CHUNK = 1 << 20
BROKEN = (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError)


@dataclass(frozen=True)
class TableFile:
    """A file that may hold tables: where it lies, how it is called in messages, and its member of an archive."""

    path: Path
    name: str
    kind: str
    member: str | None = None

    @property
    def is_packed(self) -> bool:
        """Whether its bytes are those of the table only when they are unpacked."""
        return self.member is not None or self.path.suffix.lower() in PACKED


def kind_of(name: str) -> str | None:
    """Return the kind of a table file by its name, without the suffix of gzip; None: it is not one.

    Examples
    --------
    >>> kind_of("book.CSV"), kind_of("book.json.gz"), kind_of("book.tar.gz"), kind_of("notes.pdf")
    ('csv', 'json', None, None)
    """
    path = PurePosixPath(name)
    return KINDS.get((PurePosixPath(path.stem) if path.suffix.lower() == ".gz" else path).suffix.lower())


def is_input(path: Path) -> bool:
    """Return whether a file is a table by its name, or an archive of tables."""
    return path.suffix.lower() == ".zip" or kind_of(path.name) is not None


def table_files(path: Path, name: str) -> tuple[list[TableFile], list[str]]:
    """Return the table files in a file: itself, or the members of a ZIP archive; and the other members.

    Raises
    ------
    InputError
        When an archive is damaged, encrypted or too large, or has members that no export has.
    """
    if path.suffix.lower() != ".zip":
        return [TableFile(path, name, kind_of(path.name))], []
    try:
        with zipfile.ZipFile(path) as archive:
            members = archive.infolist()
    except BROKEN as error:
        raise _damaged(name) from error
    _check_members(members, name)
    members = [m for m in members if not (m.is_dir() or _is_hidden(m.filename))]
    tables = [m.filename for m in members if kind_of(m.filename)]
    others = [f"{name}/{shown(m.filename)}" for m in members if not kind_of(m.filename)]
    return [TableFile(path, f"{name}/{shown(m)}", kind_of(m), m) for m in sorted(tables)], sorted(others)


def _is_hidden(member: str) -> bool:
    return any(part.startswith((".", "~", "__MACOSX")) for part in PurePosixPath(member).parts)


def _check_members(members: list[zipfile.ZipInfo], name: str) -> None:
    if len(members) > MAX_MEMBERS:
        raise InputError(f"{name} has {len(members):,} files, more than {MAX_MEMBERS:,}: pack the exports alone")
    seen: set[str] = set()
    for member in members:
        path, called = PureWindowsPath(member.filename), f"{name}/{shown(member.filename)}"
        if path.drive or path.root or ".." in path.parts:
            raise InputError(f"{called} would be outside of the archive: pack it again, without .. and whole paths")
        if member.filename in seen:
            raise InputError(f"{called} is in the archive twice: keep one of them")
        seen.add(member.filename)
        if stat.S_ISLNK(member.external_attr >> 16):
            raise InputError(f"{called} is a link, not a file: pack the file that it leads to")
        if member.flag_bits & 1:
            raise InputError(f"{called} is encrypted: unpack it with its password, and give the files")
        if path.suffix.lower() in ARCHIVES:
            raise InputError(f"{called} is an archive within an archive: unpack it, and pack the exports alone")
        _check_size(member.file_size, member.compress_size, called)
    _check_size(sum(member.file_size for member in members), MAX_UNPACKED, name)


def _check_size(unpacked: int, packed: int, name: str) -> None:
    if unpacked > min(MAX_UNPACKED, max(MIN_BOMB, MAX_RATIO * packed)):
        raise InputError(
            f"{name} unpacks to {unpacked >> 20:,} MiB or more, which no export does: unpack it, and give the files"
        )


def _damaged(name: str) -> InputError:
    return InputError(f"{name} cannot be unpacked: it is damaged or not complete; pack it again")


class _Unpacked(io.RawIOBase):
    """The bytes of a packed file as they are unpacked, up to what an export may have."""

    def __init__(self, file: IO[bytes], packed: int, name: str):
        self._file, self._packed, self._name, self._size = file, packed, name, 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        try:
            content = self._file.read(len(buffer))
        except BROKEN as error:
            raise _damaged(self._name) from error
        self._size += len(content)
        _check_size(self._size, self._packed, self._name)
        buffer[: len(content)] = content
        return len(content)


@contextlib.contextmanager
def opened(file: TableFile) -> Iterator[IO[bytes]]:
    """Open a table file, unpacked.

    Raises
    ------
    InputError
        When it cannot be unpacked, or becomes larger than an export.
    """
    with contextlib.ExitStack() as stack:
        if not file.is_packed:
            yield stack.enter_context(file.path.open("rb"))
            return
        try:
            if file.member is None:
                packed = file.path.stat().st_size
                content: IO[bytes] = stack.enter_context(gzip.open(file.path))
            else:
                archive = stack.enter_context(zipfile.ZipFile(file.path))
                packed = archive.getinfo(file.member).compress_size
                content = stack.enter_context(archive.open(file.member))
        except (*BROKEN, KeyError) as error:
            raise _damaged(file.name) from error
        yield stack.enter_context(io.BufferedReader(_Unpacked(content, packed, file.name), CHUNK))


def unpacked(file: TableFile, private: PrivateFiles, key: str) -> Path:
    """Return where the bytes of a table file are, after unpacking them into a private copy if need be."""
    if not file.is_packed:
        return file.path
    copy = private.path(key)
    if not copy.stat().st_size:
        with opened(file) as content, copy.open("wb") as target:
            while chunk := content.read(CHUNK):
                target.write(chunk)
    return copy
