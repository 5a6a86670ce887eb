"""Rows that the mapping of a file says to leave out (`rows_to_leave_out`).

Subtotals and cancelled contracts are such rows. They pass no check, and count among the totals of the reconciliation.
"""

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import narwhals as nw

from abaco.core.reasons import Reason
from abaco.engines import Engine
from abaco.ingest.contract import with_amount
from abaco.ingest.layout import IS_LEFT_OUT
from abaco.ingest.staging import IS_LATER, Batch
from abaco.ingest.total_rows import TOTAL


def leave_out(batch: Batch, engine: Engine, work: Path) -> Batch:
    """Return a batch with a verdict on the rows that mappings say to leave out, and notes of how many there are.

    Parameters
    ----------
    work
        Folder for the verdicts.
    """
    if not any(staged.source.mapping.rows_to_leave_out for staged in batch.staged):
        return batch
    is_left_out = nw.col(IS_LEFT_OUT).fill_null(False) & ~IS_LATER
    rows = batch.rows(engine).filter(is_left_out).with_columns(verdict=nw.lit(TOTAL))
    verdicts = work / f"left_out_{batch.format.name}.parquet"
    engine.write(rows.select("row_id", "verdict", "amount_usd"), verdicts)
    sums = rows.group_by("source").agg(rows=nw.len(), usd=nw.col("amount_usd").sum()).sort("source")
    notes = [
        Reason(
            "rows_left_out", name=batch.names[row["source"]], rows=with_amount(row["rows"], row["usd"] or Decimal(0))
        )
        for row in sums.collect("pyarrow").to_native().to_pylist()
    ]
    return replace(batch, verdicts=verdicts, notes=(*batch.notes, *notes))
