"""Reading: the columns of a source that its contract names, masked as they are read, and of their kinds."""

import datetime as dt
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

import narwhals as nw
import pyarrow as pa

from abaco.core.errors import InputError, RunError
from abaco.engines import Engine, UnreadableError
from abaco.engines.base import ERROR_CELL, Mask
from abaco.engines.forms import Writing
from abaco.ingest import json_lists, reshaping, unread_columns, unread_lateness, workbooks
from abaco.ingest.columns import CURRENCY, REGION
from abaco.ingest.containers import unpacked
from abaco.ingest.csv_records import OUT_OF_PLACE, is_whole, records, split_lines
from abaco.ingest.fingerprint import write_utf8
from abaco.ingest.layout import PART
from abaco.ingest.masking import CALLED, PERSON, REDACTING, Masking
from abaco.ingest.misplaced import DIMENSIONS, hiding
from abaco.ingest.sources import Source
from abaco.ingest.write_offs import ENDED_IN, LATE_IN


def read(
    source: Source,
    engine: Engine,
    text: Path | None = None,
    masking: Masking = REDACTING,
    row_number: str | None = None,
) -> nw.LazyFrame:
    """Return a file's contract columns, each as text or in the file's own type, in the file's order.

    Personal columns are masked as they are read, so that no file of a run holds them.

    Parameters
    ----------
    text
        Where the text is, when it is not where `text_path` says.
    masking
        How personal columns are masked.
    row_number
        Name of a column for the position of each row; only of Parquet.
    """
    return cells(source, engine, source.layout.inputs, text, masking.mask, row_number)


def cells(
    source: Source,
    engine: Engine,
    columns: Mapping[str, int],
    text: Path | None = None,
    mask: Mask | None = None,
    row_number: str | None = None,
) -> nw.LazyFrame:
    """Return some columns of a source by name and position, whatever its contract is (see `read`)."""
    if not source.is_text:
        return engine.read_typed(_typed_path(source, engine), columns, mask, row_number)
    text = text or text_path(source, engine)
    return engine.read_csv(text, columns, len(source.headings), source.delimiter or ",", mask)


def typed(
    source: Source,
    engine: Engine,
    text: Path | None,
    writings: Mapping[str, Writing],
    masking: Masking,
    row_number: str | None = None,
    date: dt.date | None = None,
    places: Iterable[int] | None = None,
) -> nw.LazyFrame:
    """Return the contract's columns of a source, masked, each also as it was read (``raw_<name>``).

    Where `places` lists some positions of rows, the others are left out.
    """

    def mask(engine, rows):
        if places is not None:
            asked = engine.from_arrow(pa.table({row_number: pa.array(places, pa.int64())}))
            rows = rows.join(asked, on=row_number, how="semi")
        return masking.mask(engine, rows)

    unread = unread_columns.places(source) if masking.secret else {}
    if may_tell := {name: unread[name] for name in unread_columns.to_compare(unread)}:
        silent = unread_columns.of_one_word(cells(source, engine, may_tell, text))
        unread = {(f"{unread_columns.OTHER}{PART}{at}" if name in silent else name): at for name, at in unread.items()}
    columns = {**source.layout.inputs, **unread}
    rows = cells(source, engine, columns, text, mask, row_number)
    # a position has no bounds, as days have
    kinds = {
        **source.layout.kinds,
        PERSON: "text",
        CALLED: "text",
        LATE_IN: "text",
        ENDED_IN: "text",
        row_number: "amount",
    }
    present = rows.collect_schema().names()
    ends, since = unread_columns.of_ends(present), unread_lateness.of_days(present)
    if days := [*ends, *since]:  # where no other column tells the order of their dates, both are tried
        told = next((one.dates for one in writings.values() if one.dates not in ("", "any")), None)
        ways = {f"{name}{end}": order for name in days for end, order in (("", told or "dmy"), (PART, told or "mdy"))}
        rows = rows.with_columns(nw.col(name).alias(f"{name}{PART}") for name in days)
        present, kinds = [*present, *ways], {**kinds, **dict.fromkeys(ways, "date")}
        writings = {**writings, **{name: Writing(dates=order, months="first") for name, order in ways.items()}}
    rows = engine.typed(rows, {name: kind for name, kind in kinds.items() if name in present}, writings)
    if CURRENCY.name in present:  # a blank may count as the run's currency, and a failed formula may not
        raw = nw.col(f"raw_{CURRENCY.name}").cast(nw.String()).str.strip_chars()
        rows = rows.with_columns(nw.coalesce(CURRENCY.name, nw.when(raw.str.contains(ERROR_CELL)).then(raw)))
    if made := source.layout.made(date):
        rows = rows.with_columns(made)
    if masking.secret and (dimensions := _dimensions(source)):
        rows = rows.with_columns(unread_columns.words_in(dimensions, rows.collect_schema().names()))
    if ends:
        given = (ends, rows.collect_schema().names(), date)
        rows = rows.with_columns(unread_columns.ended_in(*given), *unread_columns.left_out(*given))
    if since:
        rows = rows.with_columns(unread_lateness.late_since(since, rows.collect_schema().names(), date))
    return rows.with_columns(hiding(rows.collect_schema().names(), masking.hidden)) if masking.hidden else rows


def _dimensions(source: Source) -> dict[str, int]:
    """Return the columns of parts of the book that are read as they stand, by name and position."""
    names = {*DIMENSIONS} - ({REGION.name} if source.is_region_or_status else set())
    return {name: at for name, at in source.layout.inputs.items() if name in names and source.format.balance}


def _typed_path(source: Source, engine: Engine) -> Path:
    """Return where the rows of a Parquet or JSON source are, in a private copy when they are packed or in an object."""
    path = unpacked(source.file, engine.private, f"{source.key} unpacked")
    if source.rows_in is None:
        return path
    copy = engine.private.path(source.key)
    if not copy.stat().st_size:
        json_lists.written(path, json_lists.inner_list(path, source.name), copy, source.name)
    return copy


def text_path(source: Source, engine: Engine) -> Path:
    """Return where to read the text of a CSV or workbook source in UTF-8 from its header on.

    A private copy is made when one is needed.
    """
    if source.shape:
        copy = engine.private.path(f"{source.key} {source.shape}")
        if not copy.stat().st_size:
            whole = text_path(source.as_written, engine)
            reshaping.write(source.shape, whole, source.delimiter or ",", source.first_line, copy)
        return copy
    file, is_table = source.file, source.first_line == 1 and source.last_line is None
    if source.kind == "csv" and source.encoding == "utf-8" and is_table and not file.is_packed:
        return file.path
    copy = engine.private.path(source.key)
    if not copy.stat().st_size:
        if source.is_workbook:
            path = unpacked(file, engine.private, f"{source.key} unpacked")
            book = workbooks.Workbook(path, source.kind, source.name)
            workbooks.write_csv(book, copy, source.sheet, source.first_line, source.last_line)
        else:
            header = "" if source.first_line else f"{(source.delimiter or ',').join(source.headings)}\n"
            write_utf8(file, source.encoding, copy, source.first_line, source.below, header)
    return copy


def read_whole(
    source: Source, text: Path | None, engine: Engine, attempt: Callable[[Path | None], int]
) -> tuple[Path | None, list[tuple[int, str]]]:
    """Read a source at once, or else from a copy of the lines that hold whole records.

    Parameters
    ----------
    attempt
        Reads the source, or the copy that it is passed, and returns the number of records.

    Returns
    -------
    tuple
        The copy, if one was needed, and line and fault of each line that holds no whole record.
    """
    try:
        total = attempt(None)
    except UnreadableError as error:
        if text is None:
            raise InputError(f"{source.name} cannot be read to its end: export it again") from error
    else:
        faults = engine.broken_lines() if text else []
        if text is None or is_whole(source, total, (line for _, _, line in faults)):
            if text and source.lines and source.lines > source.first_line + total + len(faults):
                deque(records(source, text), maxlen=0)  # a record of several lines may have swallowed others
            above = source.first_line - 1
            return None, [(above + n, OUT_OF_PLACE if "quote" in fault else fault) for n, fault, _ in faults]
    whole = engine.private.path(f"{source.key} whole")
    rows, broken = split_lines(source, text, whole)
    if rows != (total := attempt(whole)):
        raise RunError(f"{source.name} has {rows} whole rows, but {total} were read: report this")
    return whole, broken
