"""Copies: rows that two files of an input share, and files whose rows are all in others.

Rows of schedules, transactions and real payments have no key. Within one file, equal rows all count: two equal
instalments of one day may be real. Between files, equal rows are copies: a row that is n times in one file and m times
in another counts as often as in the file that has it more often. Where a file numbers its rows (`Format.identity`),
equal rows of one number are copies wherever they are.
"""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import narwhals as nw

from abaco.core.files import row_count
from abaco.core.reasons import Reason
from abaco.engines import RECORDS, Engine
from abaco.ingest.formats import SCHEDULES
from abaco.ingest.masking import AS_READ, PERSON
from abaco.ingest.reconciliation import amounted
from abaco.ingest.staging import IS_LATER, Batch
from abaco.ingest.total_rows import TOTAL

DUPLICATE, LATER = "duplicate", "later"
VERDICT = ("row_id", "verdict", "amount_usd")


def classify_copies(batch: Batch, later: Path | None, engine: Engine, work: Path) -> Batch:
    """Return a batch whose rows have no key with a verdict on copies, and notes on equal rows of one file.

    Parameters
    ----------
    later
        The ids of loans that were lent after the date (see `matching.later_loans`): their instalments are later too.
    """
    if batch.format.key:
        return batch
    rows, verdicts, notes = batch.rows(engine).filter(~IS_LATER), [], []
    if batch.verdicts is not None:
        rows = engine.anti_join(rows, batch.verdicts)
        verdicts.append(engine.scan(batch.verdicts).select(*VERDICT))
    if later is not None and batch.format is SCHEDULES:
        of_later = rows.join(engine.scan(later), on="loan_id", how="semi").with_columns(verdict=nw.lit(LATER))
        verdicts.append(of_later.select(*VERDICT))
        rows = rows.join(engine.scan(later), on="loan_id", how="anti")
    present = rows.collect_schema().names()
    values = [c.name for c in batch.format.columns if c.name in present] + ["reasons", "original", PERSON, AS_READ]
    rows = engine.hashed(rows, values, "values_hash")
    repeated = work / f"repeated_{batch.format.name}.parquet"
    engine.write(rows.group_by("values_hash").agg(copies=nw.len()).filter(nw.col("copies") > 1), repeated)
    if row_count(repeated):
        shared = rows.join(engine.scan(repeated), on="values_hash", how="semi")
        path = work / f"shared_{batch.format.name}.parquet"
        engine.write(_with_first(shared, values, batch.format.identity), path)
        judged = engine.scan(path)
        is_copy = nw.col("row_id") != nw.col("first")
        verdicts.append(judged.filter(is_copy).with_columns(verdict=nw.lit(DUPLICATE)).select(*VERDICT))
        is_within = nw.col("first") // RECORDS == nw.col("source")
        counted = ~is_copy & (nw.col("place") > 1) & nw.col("reasons").is_null()
        found = {"rows_numbered": judged.filter(is_copy & is_within), "rows_alike": judged.filter(counted)}
        notes = [
            Reason(code, rows=amounted(*total), name=batch.names[source])
            for code, alike in found.items()
            for source, total in _by_source(alike).items()
        ]
    if not verdicts:
        return batch
    path = work / f"verdicts_{batch.format.name}.parquet"
    engine.write(nw.concat(verdicts), path)
    return replace(batch, verdicts=path, notes=(*batch.notes, *notes))


def _with_first(shared: nw.LazyFrame, values: list[str], identity: str) -> nw.LazyFrame:
    """Return rows that equal another one with the id of the row that each counts as.

    Parameters
    ----------
    values
        The columns in which equal rows are equal.
    identity
        The one of them that numbers the rows.
    """
    place = nw.col("one").cum_sum().over(*values, "source", order_by="record")
    if identity in values:
        place = nw.when(nw.col(identity).is_null()).then(place).otherwise(1)
    placed = shared.with_columns(one=nw.lit(1)).with_columns(place=place.cast(nw.Int64()))
    first = nw.col("row_id").min().over(*values, "place")
    return placed.with_columns(first=first).select("row_id", "source", "place", "first", "reasons", "amount_usd")


def note_copies(batch: Batch, engine: Engine) -> Batch:
    """Return a batch with the files that are left out, as others have all of their rows, and notes on shared rows."""
    if batch.verdicts is None or len(batch.staged) == 1:
        return batch
    judged = engine.scan(batch.verdicts).with_columns(source=nw.col("row_id") // RECORDS)
    verdicts = ((DUPLICATE,), (LATER, TOTAL))
    copies, others = (_by_source(judged.filter(nw.col("verdict").is_in(some))) for some in verdicts)
    rows = _by_source(batch.rows(engine).filter(~IS_LATER))
    left_out = [s for s, (n, _) in copies.items() if n == rows[s][0] - others.get(s, (0, None))[0]]
    notes = []
    for source, total in copies.items():
        kept = [name for other, name in batch.names.items() if other not in (source, *left_out)]
        other = kept[0] if len(kept) == 1 else Reason("other_files", export=batch.format.title)
        names = {"name": batch.names[source], "other": other}
        if source in left_out:
            notes.append(Reason("file_repeated", **names))
        elif not batch.format.key:
            notes.append(Reason("rows_repeated", rows=amounted(*total), **names))
    left = tuple(batch.names[source] for source in left_out)
    return replace(batch, left_out=left, notes=(*batch.notes, *notes))


def _by_source(rows: nw.LazyFrame) -> dict[int, tuple[int, Decimal | None]]:
    """Return how many rows of each source there are, and their amount in USD."""
    sums = rows.group_by("source").agg(rows=nw.len(), usd=nw.col("amount_usd").sum()).sort("source")
    return {row["source"]: (row["rows"], row["usd"]) for row in sums.collect("pyarrow").to_native().to_pylist()}
