"""Staging: the rows of every source as Parquet, each with its verdict under the contract."""

import datetime as dt
from dataclasses import dataclass
from pathlib import Path

import narwhals as nw

from abaco import contract, masking, tape
from abaco.engines import DuckDB
from abaco.formats import Format
from abaco.lines import broken_line_numbers, is_whole, split_lines
from abaco.sources import Source, read, text_path

ROW_ID = (nw.col("source").cast(nw.Int64()) * 2**40 + nw.col("record")).alias("row_id")
IS_LATER = nw.col("is_later")


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
    """All staged sources of one format, with the verdicts on rows that share a key."""

    format: Format
    role: str
    staged: tuple[Staged, ...]
    verdicts: Path | None = None

    @property
    def is_tape(self) -> bool:
        """Whether these rows are the loan tape."""
        return self.role == "tape"

    def rows(self, engine: DuckDB) -> nw.LazyFrame:
        """Return every row that could be split into columns, with ``reasons``, ``is_later`` and a ``row_id``."""
        return engine.scan([s.path for s in self.staged], row_number="record").with_columns(ROW_ID)

    def accepted(self, engine: DuckDB) -> nw.LazyFrame:
        """Return the rows that passed: no reason against them, not later than the date, not dropped as a duplicate."""
        return accepted_rows([s.path for s in self.staged], self.verdicts, engine)

    def as_dict(self) -> dict:
        """Return what a later phase needs to read the accepted rows."""
        return {
            "format": self.format.name,
            "is_tape": self.is_tape,
            "staged": [s.path.name for s in self.staged],
            "verdicts": self.verdicts and self.verdicts.name,
        }


def accepted_rows(staged: list[Path], verdicts: Path | None, engine: DuckDB) -> nw.LazyFrame:
    """Return the accepted rows of staged files: the columns of the contract, or those of the tape."""
    rows = engine.scan(staged, row_number="record").with_columns(ROW_ID)
    rows = rows.filter(nw.col("reasons").is_null() & ~IS_LATER)
    if verdicts is not None:
        rows = rows.join(engine.scan(verdicts), on="row_id", how="anti")
    return rows.drop("reasons", "original", "is_later", "has_key", "amount_usd", "source", "record", "row_id")


def checked(source: Source, engine: DuckDB, work: Path, text: Path | None) -> nw.LazyFrame:
    present = set(source.columns)
    kinds = {c.name: c.kind for c in source.format.columns if c.name in present}
    typed = engine.typed(read(source, engine, work, text), kinds, source.decimal_mark)
    return typed.with_columns(reasons=contract.reasons(source.format, present))


def with_originals(frame: nw.LazyFrame, source: Source, engine: DuckDB) -> nw.LazyFrame:
    values = {source.headings[i].strip(): f"raw_{name}" for name, i in source.columns.items()}
    return engine.with_originals(
        frame, values, [f"raw_{name}" for name in source.format.personal], masking.key()
    )


def stage_one(source: Source, index: int, is_tape: bool, date: dt.date, engine: DuckDB, work: Path) -> Staged:
    path = work / f"staged_{index:02d}.parquet"
    _write_rows(source, None, index, is_tape, date, engine, path)
    if source.kind not in ("csv", "xlsx"):
        return Staged(source, index, path, None, ())
    text, faults = text_path(source, work), engine.broken_lines()
    if is_whole(source, count(engine.scan(path)), (line for _, _, line in faults)):
        lines = broken_line_numbers(text, [position for position, _, _ in faults])
        return Staged(
            source, index, path, text, tuple(zip(lines, (fault for _, fault, _ in faults), strict=True))
        )
    whole, broken = split_lines(source, text, work)
    _write_rows(source, whole, index, is_tape, date, engine, path)
    return Staged(source, index, path, text, tuple(broken), whole)


def _write_rows(
    source: Source, text: Path | None, index: int, is_tape: bool, date: dt.date, engine: DuckDB, path: Path
) -> None:
    format_, present = source.format, set(source.columns)
    rows = with_originals(checked(source, engine, path.parent, text), source, engine)
    key = [nw.col(name).is_null() for name in format_.key if name in present]
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
        (~nw.any_horizontal(*key, ignore_nulls=False) if key else nw.lit(False)).alias("has_key"),
        nw.lit(index).alias("source"),
    )  # fmt: skip
    engine.write(rows, path)


def count(frame: nw.LazyFrame) -> int:
    return frame.select(nw.len().alias("n")).collect("pyarrow")["n"][0]
