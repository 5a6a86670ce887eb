"""Input files: their discovery, their format by the header, and their fingerprint."""

from __future__ import annotations

import functools
import os
import time
from collections.abc import Iterable, Mapping
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from typing import Any

from abaco import engines
from abaco.core.errors import InputError
from abaco.core.files import sha256
from abaco.core.quoting import file_name, is_value, visible
from abaco.ingest import mappings, workbooks
from abaco.ingest.columns import IS_WRITTEN_OFF, LOAN_STATUS, REGION, REGION_OR_STATUS, TEXTS, normalise
from abaco.ingest.contract import Format
from abaco.ingest.fingerprint import fingerprint, sample_rows
from abaco.ingest.formats import FORMATS
from abaco.ingest.layout import Layout, layout
from abaco.ingest.recognition import UnknownFormatError, recognise

KINDS = {
    ".csv": "csv", ".tsv": "csv", ".txt": "csv", ".parquet": "parquet",
    ".json": "json", ".jsonl": "json", ".ndjson": "json", ".xlsx": "xlsx",
}  # fmt: skip
MAX_COLUMNS, MAX_HEADING = 5_000, 1_000  # of an export; a workbook has 16,384 at most
STAMPS = ("bytes", "modified_ns", "changed_ns")
RECENT_NS = 3600 * 10**9  # clocks of file systems tick coarsely: a later time proves a change, the same one does not


@dataclass(frozen=True)
class Source:
    """One input file: what it is, how it is written, and its fingerprint."""

    name: str
    path: str
    kind: str
    format_name: str
    headings: tuple[str, ...]
    bytes: int
    modified_ns: int
    changed_ns: int
    sha256: str
    first_line: int = 1
    lines: int | None = None
    delimiters: int | None = None
    encoding: str | None = None
    delimiter: str | None = None
    other_sheets: int = 0
    hidden_sheets: int = 0
    mapping_name: str = ""
    mapping_sha256: str = ""

    @functools.cached_property
    def mapping(self) -> mappings.Mapping:
        """The mapping that it was recognised by."""
        if sha256(mappings.path_of(self.mapping_name)) != self.mapping_sha256:
            raise InputError(f"{mappings.FOLDER}/{self.mapping_name}.yml changed meanwhile: run again")
        return mappings.load(self.mapping_name)

    @property
    def format(self) -> Format:
        """The contract of this file."""
        return FORMATS[self.format_name]

    @functools.cached_property
    def layout(self) -> Layout:
        """What is read of the file, and what is made of it."""
        return layout(self.mapping, list(self.headings), Path(self.path))

    @property
    def columns(self) -> Mapping[str, str]:
        """What to call each column that the contract keeps: its heading in the file, or how it is made."""
        return self.layout.columns

    @property
    def says_rate(self) -> bool:
        """Whether its mapping says how interest rates are written."""
        origin = self.mapping.columns.get("interest_rate")
        return origin is not None and origin.as_ is not None

    @property
    def is_region_or_status(self) -> bool:
        """Whether its column of regions may be one of statuses: it is called ``estado``, and no other is there."""
        is_named = self.mapping.is_known and normalise(self.columns.get(REGION.name, "")) == REGION_OR_STATUS
        return is_named and self.columns.keys().isdisjoint((LOAN_STATUS.name, IS_WRITTEN_OFF.name))

    @property
    def left_behind(self) -> list[str]:
        """Headings that the contract does not name, without any that looks like a value; their columns are not read."""
        positions = set(self.layout.inputs.values())
        return [h.strip() for i, h in enumerate(self.headings) if i not in positions and not is_value(h)]

    @property
    def twins(self) -> list[tuple[str, str]]:
        """Headings of figures and dates of which another gives the same column: the one that is read, and the other."""
        if not self.mapping.is_known:
            return []
        names, read = self.mapping.known.plain([normalise(h) for h in self.headings]), self.layout.inputs
        known = [(i, self.mapping.known.column_of.get(name)) for i, name in enumerate(names)]
        return [
            (self.columns[column.name], self.headings[i].strip())
            for i, column in known
            if column and column.kind not in TEXTS and read.get(column.name, i) != i
        ]

    def as_dict(self) -> dict:
        """Return the fields as JSON can hold them."""
        return asdict(self)


def identities(sources: Iterable[Mapping[str, Any]]) -> list[dict[str, str]]:
    """Return what the rows of some sources, as dicts, depend on: the names and hashes of the files and mappings."""
    keys = ("name", "sha256", "mapping_name", "mapping_sha256")
    return [{key: source[key] for key in keys} for source in sources]


@dataclass(frozen=True)
class Skipped:
    """A file of the input folder that is not an export, and why."""

    name: str
    reason: str


def discover(input_path: Path, known: list[dict] = ()) -> tuple[list[Source], list[Skipped]]:
    """Return the exports in a file or folder, and the other files of the folder.

    Parameters
    ----------
    input_path
        A file, or a folder whose own files are looked at.
    known
        Sources of an earlier call, as dicts: a file of the same size and times is not fingerprinted again.

    Raises
    ------
    InputError
        When the input does not exist, nothing in it is usable, or a file is broken.
    """
    _check_readable(input_path)
    already = {(k["path"], *(k[stamp] for stamp in STAMPS)): k for k in known}
    if input_path.is_file():
        if input_path.suffix.lower() not in KINDS:
            raise InputError(
                f"{file_name(input_path)} is not one of {', '.join(KINDS)}: export it in one of these forms"
            )
        try:
            return [_inspect(input_path, already)], []
        except UnknownFormatError as error:
            raise InputError(str(error)) from None
    sources, skipped = [], []
    for path in sorted(p for p in input_path.iterdir() if not p.name.startswith((".", "~"))):
        is_table = path.suffix.lower() in KINDS
        if not (is_table or path.is_file()):
            continue
        name = _distinct(file_name(path), [s.name for s in (*sources, *skipped)])
        if not (is_table and path.is_file()):
            skipped.append(Skipped(name, "not a table" if path.is_file() else "not a file, or a link to none"))
            continue
        try:
            sources.append(replace(_inspect(path, already), name=name))
        except UnknownFormatError as error:
            skipped.append(Skipped(name, str(error)))
    if not sources:
        reasons = "; ".join(f"{s.name}: {s.reason}" for s in skipped) or "it is empty"
        raise InputError(f"No usable export in the folder {input_path}: {reasons}")
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
        raise InputError(f"Input file not found: {path}: check INPUT, or leave it out to run on the sample")


def check_unchanged(planned: list[dict], read: list[dict]) -> None:
    """Check that files were read as they were when a run was planned: the same files, byte by byte.

    Parameters
    ----------
    planned
        Sources as dicts.
    read
        ``name`` and ``sha256`` of each file that was read.

    Raises
    ------
    InputError
        Naming the first file that is another one.
    """
    hashes, found = ({s["name"]: s["sha256"] for s in files} for files in (planned, read))
    changed = [name for name in sorted(hashes | found) if hashes.get(name) != found.get(name)]
    if changed := changed or [s["name"] for s in planned if _has_changed(s)]:
        raise InputError(f"{changed[0]} changed while it was read: wait until it is complete, then run again")


def _has_changed(source: dict) -> bool:
    try:
        stat = Path(source["path"]).stat()
        if (stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns) != tuple(source[k] for k in STAMPS):
            return True
        is_recent = time.time_ns() - stat.st_ctime_ns < RECENT_NS
        return is_recent and sha256(Path(source["path"])) != source["sha256"]
    except OSError:  # it is gone
        return True


def _distinct(name: str, taken: list[str]) -> str:
    """Return a file's name, with a number where another file has it: what was personal in names made them differ."""
    return name if name not in taken else _distinct(f"{len(taken)} {name}", taken)


def _inspect(path: Path, already: dict) -> Source:
    try:
        return _inspected(path, already)
    except OSError as error:
        raise InputError(f"{file_name(path)} cannot be read: {error.strerror}: check its permissions") from error


def _inspected(path: Path, already: dict) -> Source:
    stat, name = path.stat(), file_name(path)
    if former := already.get((str(path), stat.st_size, stat.st_mtime_ns, stat.st_ctime_ns)):
        return Source(**{**former, "headings": tuple(former["headings"])})
    if stat.st_size == 0:
        raise InputError(f"{name} is empty (0 bytes): export it again")
    kind = KINDS[path.suffix.lower()]
    form, rows = {}, []
    print_ = fingerprint(path, text=kind == "csv")
    if kind == "csv":
        rows, _ = sample_rows(path, print_["encoding"], print_["delimiter"])
        headings = rows[0] if rows else []
    elif kind == "xlsx":
        form = asdict(workbooks.read_header(path))
        headings = form.pop("headings")
    else:
        with engines.start() as engine:
            headings = engine.headings(path)
        if kind == "json" and headings == ["json"]:
            raise UnknownFormatError(f"{name} holds no table: write a list of objects, one a row")
    headings = [visible(h) for h in headings]
    if len(headings) > MAX_COLUMNS:
        raise InputError(f"{name} has {len(headings):,} columns, more than {MAX_COLUMNS:,}: export the ones of loans")
    if (longest := max(map(len, headings), default=0)) > MAX_HEADING:
        raise InputError(f"{name} has a heading of {longest:,} characters: the first line must name the columns")
    if not any(h.strip() for h in headings):
        raise InputError(f"{name} has no header line: the first line must name the columns")
    mapping_name = recognise(headings, name, rows[1:])
    mapping = mappings.load(mapping_name)
    if mapping.is_known and (repeated := mapping.known.repeated([normalise(h) for h in headings])):
        raise InputError(f"{name} has the column {repeated[0]} more than once: keep one of them")
    return Source(
        name=name, path=str(path), kind=kind, format_name=mapping.format.name, headings=tuple(headings),
        bytes=stat.st_size, modified_ns=stat.st_mtime_ns, changed_ns=stat.st_ctime_ns,
        mapping_name=mapping_name, mapping_sha256=sha256(mappings.path_of(mapping_name)), **print_, **form,
    )  # fmt: skip
