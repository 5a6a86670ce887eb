"""Quarantine: the rejected rows with their file, line, reasons and original values, and how many there may be."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import narwhals as nw
import pyarrow as pa

from abaco.core.decimals import rounded
from abaco.core.errors import InputError
from abaco.core.parquet import arrow_schema
from abaco.core.reasons import Reason
from abaco.core.tables import COUNT, TEXT, Field, Table
from abaco.engines import Engine, row_count
from abaco.ingest import contract
from abaco.ingest.csv_records import excerpt, line_numbers
from abaco.ingest.staging import IS_LATER, Batch, Staged, typed, with_originals

TABLE = Table(
    "quarantine",
    "one row a rejected row of the input",
    (
        Field("file", TEXT, "the input file"),
        Field("line", COUNT, "the row's line in the file, from 1; of Parquet and JSON its number"),
        Field("reasons", TEXT, "why it is rejected, every reason"),
        Field("amount_usd", "decimal(18, 2)", "its amount, empty when that cannot be read", "USD"),
        Field("original", TEXT, "its values as they stand in the file, as JSON; personal ones masked"),
    ),
)


def quarantine(
    batches: Iterable[Batch], engine: Engine, work: Path, key: bytes | None = None
) -> tuple[pa.Table, dict[str, dict[Reason, int]]]:
    """Return the rejected rows of all batches, and how many rows of each have each reason.

    Parameters
    ----------
    work
        Folder of the staged rows.
    key
        The masking key.

    Returns
    -------
    pyarrow.Table
        One row a rejected row: file, line, every reason, amount in USD, and the original values, personal ones masked.
        The text of a line that could not be split into columns is withheld: any part of it may be personal.
    dict
        Rows by format and reason, most frequent first.
    """
    tables, counts = [], {}
    for batch in batches:
        found = _rejected(batch, engine)
        counted: Counter[Reason] = Counter()
        tables += [_rejects(staged, batch, found, counted, engine, work, key) for staged in batch.staged]
        often = sorted(counted.items(), key=lambda item: (-item[1], str(item[0])))
        counts[batch.format.name] = dict(often)
    return pa.concat_tables([arrow_schema(TABLE).empty_table(), *tables]), counts


def _rejected(batch: Batch, engine: Engine) -> list[dict]:
    """Return the rejected rows of a batch: those that fail a check, and those that contradict another row."""
    rows = batch.rows(engine).filter(~IS_LATER)
    dated = [name for name in ("measurement_date",) if name in rows.collect_schema()]
    rows = rows.select("row_id", "source", "record", "reasons", "original", "amount_usd", *dated)
    if batch.verdicts is None:
        bad = rows.with_columns(verdict=nw.lit("")).filter(~nw.col("reasons").is_null())
    else:
        verdicts = engine.scan(batch.verdicts).drop("amount_usd")
        judged = rows.join(verdicts, on="row_id", how="left").with_columns(nw.col("verdict").fill_null(""))
        is_bad = ((nw.col("verdict") == "") & ~nw.col("reasons").is_null()) | (nw.col("verdict") == "conflict")
        bad = judged.filter(is_bad)
    return bad.sort("row_id").collect("pyarrow").to_native().to_pylist()


def _rejects(
    staged: Staged,
    batch: Batch,
    found: list[dict],
    counted: Counter[Reason],
    engine: Engine,
    work: Path,
    key: bytes | None,
) -> pa.Table:
    """Return the rejected rows of one source, and add their reasons to those that were counted."""
    mine = [row for row in found if row["source"] == staged.index]
    places = lines(staged, [row["record"] for row in mine])
    # rows that conflict passed every check of their own: their values are fetched from the file
    originals = {row["record"]: row["original"] for row in mine}
    if unseen := {record: places[record] for record, original in originals.items() if original is None}:
        originals |= _values(staged, unseen, row_count(staged.path), engine, work, key)
    known = {check.key: check.reason for check in contract.checks(batch.format, staged.source.columns)}
    names = {one.index: one.source.name for one in batch.staged}
    rejects = []
    for row in mine:
        reasons = [known[name] for name in (row["reasons"] or "").split(contract.SEPARATOR) if name]
        if row["verdict"] == "conflict":
            reasons.append(_conflict(batch.format.key, [names[row[side]] for side in ("first_source", "last_source")]))
        counted.update(reasons)
        rejects.append((places[row["record"]], reasons, row["amount_usd"], originals[row["record"]]))
    for line, fault in staged.broken:
        counted[broken := Reason("broken_line", fault=fault)] += 1
        rejects.append((line, [broken], None, None))
    rows = [
        {"file": staged.source.name, "line": line, "reasons": "; ".join(map(str, reasons)),
         "amount_usd": amount, "original": original}
        for line, reasons, amount, original in rejects
    ]  # fmt: skip
    return pa.Table.from_pylist(sorted(rows, key=lambda row: row["line"]), schema=arrow_schema(TABLE))


def _conflict(key: tuple[str, ...], files: list[str]) -> Reason:
    """Return the reason of rows that contradict each other, with both files where a later one restates the other."""
    if files[0] == files[1]:
        return Reason("conflict", columns=key)
    return Reason("conflict_of_files", columns=key, files=tuple(files))


def lines(staged: Staged, records: list[int]) -> dict[int, int]:
    """Return the line, from 1, of each record of a source; of Parquet and JSON the row."""
    if staged.text is None:
        return {record: record + 1 for record in records}
    total, broken = row_count(staged.path), [line for line, _ in staged.broken]
    return line_numbers(staged.source, staged.text, records, total, broken)


def _values(
    staged: Staged, wanted: dict[int, int], total: int, engine: Engine, work: Path, key: bytes | None
) -> dict[int, str]:
    """Return the original values of wanted records, given with their lines, from a file of them alone if possible."""
    source, text, records = staged.source, staged.whole, sorted(wanted)
    places = records
    if source.kind == "parquet":
        source, places = replace(source, path=str(work / "excerpt.parquet")), range(len(records))
        rows = engine.scan(Path(staged.source.path), row_number="abaco_place")
        few = rows.join(_column("abaco_place", records, engine), on="abaco_place", how="semi").sort("abaco_place")
        engine.write(few.drop("abaco_place"), Path(source.path))
    elif source.kind == "csv" and text is None and source.lines == 1 + total + len(staged.broken):
        text, places = excerpt(staged.text, [wanted[r] for r in records], work), range(len(records))
    again = engine.numbered(typed(source, engine, work, text, staged.decimal_marks), "place")
    again = with_originals(again.with_columns(reasons=nw.lit("all")), source, engine, key).select("place", "original")
    found = again.join(_column("place", places, engine), on="place", how="semi").sort("place")
    return dict(zip(records, found.collect("pyarrow")["original"].to_list(), strict=True))


def _column(name: str, values: Iterable[int], engine: Engine) -> nw.LazyFrame:
    return engine.from_arrow(pa.table({name: pa.array(values, pa.int64())}))


def reject_pct(book: Mapping[str, int]) -> Decimal:
    """Return how many per cent of the rows up to the date were rejected.

    Parameters
    ----------
    book
        A batch's reconciliation.
    """
    rows = book["rows_in"] - book["later"]
    return rounded(Decimal(100 * book["quarantined"]) / rows, 2) if rows else Decimal(0)


def rejected_on(date: dt.date, batch: Batch, accepted_usd: Decimal, engine: Engine) -> dict[str, Any]:
    """Return how much of the tape was rejected on a date, or on none that can be read.

    Parameters
    ----------
    accepted_usd
        Balances of the accepted rows of the date.

    Returns
    -------
    dict
        ``rejected_usd``, the balances of rejected rows; ``reject_amount_pct`` of them and the accepted ones; and
        ``rejected_unknown``, rejected rows whose balance cannot be read.
    """
    rows = [row for row in _rejected(batch, engine) if row.get("measurement_date") in (None, date)]
    broken = sum(len(staged.broken) for staged in batch.staged)
    usd = sum((abs(row["amount_usd"] or 0) for row in rows), Decimal("0.00"))
    whole = usd + accepted_usd
    return {
        "rejected_usd": usd,
        "reject_amount_pct": rounded(100 * usd / whole, 2) if whole else Decimal(0),
        "rejected_unknown": sum(row["amount_usd"] is None for row in rows) + broken,
    }


def check_amount_limit(found: Mapping[str, Any], date: dt.date, reasons: Mapping[Reason, int], limit: float) -> None:
    """Raise when rejected rows hold more than `limit` per cent of the balances of the date.

    Parameters
    ----------
    found
        See `rejected_on`.
    reasons
        Rows by reason, most frequent first.

    Raises
    ------
    InputError
        Naming the amount, the limit, and the most frequent reasons.
    """
    if found["reject_amount_pct"] > Decimal(str(limit)):
        raise InputError(
            f"Rejected rows hold {found['reject_amount_pct']} % of the balances of {date} "
            f"({found['rejected_usd']:,}, more than max_reject_amount_pct {limit}): {_most_frequent(reasons)}; "
            "correct the export, or raise ingestion.max_reject_amount_pct"
        )


def _most_frequent(reasons: Mapping[Reason, int]) -> str:
    return "; ".join(f"{reason} ({count})" for reason, count in list(reasons.items())[:5])


def check_reject_limit(
    batch: Batch, book: Mapping[str, int], reasons: Mapping[Reason, int], max_reject_pct: float
) -> None:
    """Raise when more than `max_reject_pct` per cent of the rows up to the date were rejected.

    Parameters
    ----------
    book
        The batch's reconciliation.
    reasons
        Rows by reason, most frequent first.

    Raises
    ------
    InputError
        Naming the counts, the limit, and the most frequent reasons.
    """
    rejected, rows = book["quarantined"], book["rows_in"] - book["later"]
    if 100 * rejected > Decimal(str(max_reject_pct)) * rows:
        raise InputError(
            f"{rejected} of {rows} rows of the {batch.format.title} are rejected "
            f"({reject_pct(book)} %, more than max_reject_pct {max_reject_pct}): {_most_frequent(reasons)}; "
            "correct the export, or raise ingestion.max_reject_pct"
        )
