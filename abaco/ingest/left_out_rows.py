"""Rows that are left out: those that the mapping of a file says (`rows_to_leave_out`), cleared invoices, blank ones.

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

# of a row that is rejected, as JSON: no column that is read has a value
IS_BLANK = nw.col("original").str.contains(r'^\{(?:"(?:[^"\\]|\\.)*":(?:null|" *"),?)*\}$').fill_null(False)


def leave_out(batch: Batch, engine: Engine, work: Path) -> Batch:
    """Return a batch with a verdict on the rows that are left out, and notes of how many there are.

    Parameters
    ----------
    work
        Folder for the verdicts.
    """
    is_said = batch.has(IS_LEFT_OUT)
    if not (is_said or batch.has("reasons")):
        return batch
    is_left_out = nw.col(IS_LEFT_OUT).fill_null(False) if is_said else nw.lit(False)
    rows = batch.rows(engine).filter((is_left_out | IS_BLANK) & ~IS_LATER)
    rows = rows.with_columns(verdict=nw.lit(TOTAL), is_blank=IS_BLANK)
    verdicts = work / f"left_out_{batch.format.name}.parquet"
    engine.write(rows.select("row_id", "verdict", "amount_usd"), verdicts)
    by = ("source", "is_blank")
    sums = rows.group_by(*by).agg(rows=nw.len(), usd=nw.col("amount_usd").sum()).sort(*by)
    notes = [
        Reason(
            "rows_blank" if row["is_blank"] else "rows_left_out", name=batch.names[row["source"]],
            rows=with_amount(row["rows"], row["usd"] or Decimal(0)),
        )
        for row in sums.collect("pyarrow").to_native().to_pylist()
    ]  # fmt: skip
    if not notes:
        return batch
    return replace(batch, verdicts=verdicts, notes=(*batch.notes, *notes))
