"""Quarantine: the rejected rows with their file, line, reasons and original values, and how many there may be."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import narwhals as nw
import pyarrow as pa

from abaco.core.decimals import rounded
from abaco.core.errors import InputError
from abaco.core.parquet import arrow_schema
from abaco.core.tables import COUNT, TEXT, Field, Table
from abaco.engines import Engine
from abaco.ingest import contract
from abaco.ingest.csv_records import excerpt, line_numbers
from abaco.ingest.staging import IS_LATER, Batch, Staged, count, typed, with_originals

CONFLICT = "{}: another row has the same, with other values"
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


def quarantine(batches: Iterable[Batch], engine: Engine, work: Path) -> pa.Table:
    """Return the rejected rows, one a row: file, line, every reason, amount in USD, and the original values.

    Personal values are masked. A line that could not be split into columns has no original values: any part of it
    may be personal.
    """
    tables = []
    for batch in batches:
        rows = (
            batch.rows(engine)
            .filter(~IS_LATER)
            .select("row_id", "source", "record", "reasons", "original", "amount_usd")
        )
        conflict = nw.lit(CONFLICT.format(" and ".join(batch.format.key)))
        if batch.verdicts is None:
            bad = rows.filter(~nw.col("reasons").is_null())
        else:
            classified = rows.join(
                engine.scan(batch.verdicts).select("row_id", "verdict"), on="row_id", how="left"
            )
            classified = classified.filter(~(nw.col("verdict") == "duplicate").fill_null(False))
            reason = nw.when(nw.col("verdict") == "conflict").then(conflict)
            reasons = contract.joined([nw.col("reasons"), reason])
            bad = classified.with_columns(reasons=reasons).filter(~nw.col("reasons").is_null())
        rejected = bad.sort("row_id").collect("pyarrow").to_native()
        tables += [_rejects(one, rejected, engine, work) for one in batch.staged]
    return pa.concat_tables([arrow_schema(TABLE).empty_table(), *tables])


def _rejects(staged: Staged, rejected: pa.Table, engine: Engine, work: Path) -> pa.Table:
    mine = [row for row in rejected.to_pylist() if row["source"] == staged.index]
    places = lines(staged, [row["record"] for row in mine], engine)
    # rows that conflict passed every check of their own: their values are fetched from the file
    if unseen := {row["record"]: places[row["record"]] for row in mine if row["original"] is None}:
        values = _values(staged, unseen, count(engine.scan(staged.path)), engine, work)
        mine = [{**row, "original": row["original"] or values[row["record"]]} for row in mine]
    rejects = [
        {"file": staged.source.name, "line": places[row["record"]], "reasons": row["reasons"],
         "amount_usd": row["amount_usd"], "original": row["original"]}
        for row in mine
    ] + [
        {"file": staged.source.name, "line": line, "reasons": f"line: {fault}",
         "amount_usd": None, "original": None}
        for line, fault in staged.broken
    ]  # fmt: skip
    return pa.Table.from_pylist(sorted(rejects, key=lambda r: r["line"]), schema=arrow_schema(TABLE))


def lines(staged: Staged, records: list[int], engine: Engine) -> dict[int, int]:
    """Return the line, from 1, of each record of a source; of Parquet and JSON the row."""
    if staged.text is None:
        return {record: record + 1 for record in records}
    total, broken = count(engine.scan(staged.path)), [line for line, _ in staged.broken]
    return line_numbers(staged.source, staged.text, records, total, broken)


def _values(staged: Staged, wanted: dict[int, int], total: int, engine: Engine, work: Path) -> dict[int, str]:
    """Return the original values of wanted records, given with their lines, from a file of them alone if possible."""
    source, text, records = staged.source, staged.whole, sorted(wanted)
    places = records
    if source.kind == "parquet":
        source, places = replace(source, path=str(work / "excerpt.parquet")), range(len(records))
        rows = engine.scan(Path(staged.source.path), row_number="abaco_place")
        few = rows.join(_column("abaco_place", records, engine), on="abaco_place", how="semi").sort(
            "abaco_place"
        )
        engine.write(few.drop("abaco_place"), Path(source.path))
    elif source.kind == "csv" and text is None and source.lines == 1 + total + len(staged.broken):
        text, places = excerpt(staged.text, [wanted[r] for r in records], work), range(len(records))
    again = engine.numbered(typed(source, engine, work, text), "place")
    again = with_originals(again.with_columns(reasons=nw.lit("")), source, engine).select("place", "original")
    wanted_rows = again.join(_column("place", places, engine), on="place", how="semi").sort("place")
    return dict(zip(records, wanted_rows.collect("pyarrow")["original"].to_list(), strict=True))


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


def check_reject_limit(
    batch: Batch, book: Mapping[str, int], reasons: Mapping[str, int], max_reject_pct: float
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
        often = "; ".join(f"{reason} ({count})" for reason, count in list(reasons.items())[:5])
        raise InputError(
            f"{rejected} of {rows} rows of the {batch.format.title} are rejected "
            f"({reject_pct(book)} %, more than max_reject_pct {max_reject_pct}): {often}; "
            "correct the export, or raise ingestion.max_reject_pct"
        )
