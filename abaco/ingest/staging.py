"""Staging: the rows of every source as Parquet, each with its verdict under the contract."""

import datetime as dt
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import narwhals as nw

from abaco.core.errors import InputError, RunError
from abaco.core.reasons import Reason
from abaco.engines import RECORDS, Engine, UnreadableError
from abaco.ingest import contract, tape
from abaco.ingest.contract import Format
from abaco.ingest.csv_records import OUT_OF_PLACE, is_whole, split_lines
from abaco.ingest.sources import Source, read, text_path

ROW_ID = (nw.col("source").cast(nw.Int64()) * RECORDS + nw.col("record")).alias("row_id")
IS_LATER = nw.col("is_later")
# what tells which loan a payment is of
IDENTITY = ("loan_id", "company", "borrower_id")
TAPE = "tape"  # the role of the rows that become the loan tape


@dataclass(frozen=True)
class Staged:
    """One source after the contract: its rows as Parquet, and the lines that could not be split into columns.

    `whole` is the copy without those lines, where one had to be made.
    """

    source: Source
    index: int
    path: Path
    text: Path | None
    broken: tuple[tuple[int, str], ...]
    whole: Path | None = None


@dataclass(frozen=True)
class Batch:
    """All staged sources of one format, with the verdicts on rows that share a key or are copies.

    `left_out` names the files whose rows are all in others; `loan_ids` has the loans of rows whose id lacks the company
    (see `matching`); `notes` is what a reader should know.
    """

    format: Format
    role: str
    staged: tuple[Staged, ...]
    verdicts: Path | None = None
    left_out: tuple[str, ...] = ()
    loan_ids: Path | None = None
    notes: tuple[Reason, ...] = ()

    @property
    def names(self) -> dict[int, str]:
        """The names of the files by their number."""
        return {s.index: s.source.name for s in self.staged}

    @property
    def is_tape(self) -> bool:
        """Whether these rows are the loan tape."""
        return self.role == TAPE

    def rows(self, engine: Engine) -> nw.LazyFrame:
        """Return every row that could be split into columns, with ``reasons``, ``is_later``, ``row_id``."""
        return engine.scan([s.path for s in self.staged], row_number="record").with_columns(ROW_ID)

    def accepted(self, engine: Engine) -> nw.LazyFrame:
        """Return the accepted rows: valid, not later than the date, not a duplicate."""
        return accepted_rows([s.path for s in self.staged], self.verdicts, self.is_tape, engine, self.loan_ids)

    def as_dict(self) -> dict:
        """Return what a later phase needs to read the accepted rows."""
        return {
            "format": self.format.name,
            "is_tape": self.is_tape,
            "staged": [s.path.name for s in self.staged],
            "verdicts": self.verdicts and self.verdicts.name,
            "loan_ids": self.loan_ids and self.loan_ids.name,
        }


def accepted_rows(
    staged: list[Path], verdicts: Path | None, is_tape: bool, engine: Engine, loan_ids: Path | None = None
) -> nw.LazyFrame:
    """Return the accepted rows of staged files: the columns of the contract, or ``row_id`` and those of the tape."""
    rows = engine.scan(staged, row_number="record").with_columns(ROW_ID)
    rows = rows.filter(nw.col("reasons").is_null() & ~IS_LATER)
    if verdicts is not None:
        rows = engine.anti_join(rows, verdicts)
    if loan_ids is not None:
        rows = _with_loan_ids(rows, loan_ids, engine)
    if is_tape:
        return tape.complete(rows, "row_id")
    return rows.drop("reasons", "original", "is_later", "has_key", "amount_usd", "source", "record", "row_id")


def _with_loan_ids(rows: nw.LazyFrame, loan_ids: Path, engine: Engine) -> nw.LazyFrame:
    """Give rows the ids of their loans, in the same order."""
    columns, present = rows.collect_schema().names(), set(rows.collect_schema().names())
    keys = {f"key_{n}": nw.col(n).fill_null("") if n in present else nw.lit("") for n in IDENTITY}
    joined = rows.with_columns(**keys).join(engine.scan(loan_ids), on=list(keys), how="left")
    return engine.in_order(joined.with_columns(loan_id=nw.coalesce("loan", "loan_id")), "row_id").select(columns)


def typed(source: Source, engine: Engine, work: Path, text: Path | None) -> nw.LazyFrame:
    """Return the contract's columns of a source, each also as it was read (``raw_<name>``)."""
    kinds = {c.name: c.kind for c in source.format.columns if c.name in source.columns}
    return engine.typed(read(source, engine, work, text), kinds, source.decimal_mark)


def with_originals(frame: nw.LazyFrame, source: Source, engine: Engine, key: bytes | None = None) -> nw.LazyFrame:
    """Add ``original``, a JSON object of a bad row's values by heading (see `Engine.with_originals`)."""
    personal = source.format.personal  # without stray blanks, so that their tokens are those of the tape
    columns = {name: name if name in personal else f"raw_{name}" for name in source.columns}
    values = {source.headings[i].strip(): columns[name] for name, i in source.columns.items()}
    return engine.with_originals(frame, values, personal, key)


def stage_one(
    source: Source, index: int, is_tape: bool, date: dt.date, engine: Engine, work: Path, key: bytes | None = None
) -> Staged:
    """Write the rows of one source as Parquet, checked.

    Parameters
    ----------
    index
        Number of the source; with a row's position it makes the row's id.
    is_tape
        Whether the rows are turned into those of the tape.
    date
        The measurement date.
    key
        The masking key.
    """
    path = work / f"staged_{index:02d}.parquet"

    def write(whole: Path | None) -> int:
        _write_rows(source, whole, index, is_tape, date, engine, path, key)
        return count(engine.scan(path))

    text = text_path(source, work) if source.kind in ("csv", "xlsx") else None
    whole, broken = read_whole(source, text, engine, work, write)
    return Staged(source, index, path, text, tuple(broken), whole)


def read_whole(
    source: Source, text: Path | None, engine: Engine, work: Path, attempt: Callable[[Path | None], int]
) -> tuple[Path | None, list[tuple[int, str]]]:
    """Read a source at once, or else from a copy of the lines that hold whole records.

    Parameters
    ----------
    text
        Where the text of a CSV or XLSX source is.
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
            raise InputError(f"{source.name} cannot be read to its end: {error}; export it again") from error
    else:
        faults = engine.broken_lines() if text else []
        if text is None or is_whole(source, total, (line for _, _, line in faults)):
            return None, [(n, OUT_OF_PLACE if "quote" in fault else fault) for n, fault, _ in faults]
    whole, rows, broken = split_lines(source, text, work)
    if rows != (total := attempt(whole)):
        raise RunError(f"{source.name} has {rows} whole rows, but {total} were read: report this")
    return whole, broken


def _write_rows(
    source: Source,
    text: Path | None,
    index: int,
    is_tape: bool,
    date: dt.date,
    engine: Engine,
    path: Path,
    key: bytes | None,
) -> None:
    format_, present = source.format, set(source.columns)
    rows = typed(source, engine, path.parent, text).with_columns(reasons=contract.reasons(format_, present))
    rows = with_originals(rows, source, engine, key)
    keys = [nw.col(name).is_null() for name in format_.key if name in present]
    if is_tape:
        columns = tape.tape_columns(format_, present, date)
    else:
        columns = [nw.col(c.name) for c in format_.columns if c.name in present]
    later = (nw.col(format_.date) > date).fill_null(False) if format_.date else nw.lit(False)
    amount = nw.col(format_.amount) if format_.amount in present else nw.lit(None)
    rows = rows.select(
        *columns, "reasons", "original",
        later.alias("is_later"),
        amount.cast(nw.Decimal(18, 2)).alias("amount_usd"),
        (~nw.any_horizontal(*keys, ignore_nulls=False) if keys else nw.lit(False)).alias("has_key"),
        nw.lit(index).alias("source"),
    )  # fmt: skip
    engine.write(rows, path, temporary=True)


def count(frame: nw.LazyFrame) -> int:
    """Return how many rows a frame has."""
    return frame.select(nw.len().alias("n")).collect("pyarrow")["n"][0]
