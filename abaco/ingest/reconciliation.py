"""Reconciliation: every row is accepted, quarantined, a copy, a total, later, or beside another export's."""

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import narwhals as nw
import pyarrow as pa

from abaco.core.errors import RunError
from abaco.core.reasons import Reason
from abaco.engines import Engine
from abaco.ingest.duplicates import CO_BORROWER
from abaco.ingest.staging import IS_LATER, Batch
from abaco.ingest.tape import bucket_gap
from abaco.ingest.total_rows import TOTAL

ZERO = Decimal("0.00")
PARTS = ("accepted", "quarantined", "duplicates", "totals", "later", "beside")
COPIES = ("duplicate", CO_BORROWER)


def reconcile(batch: Batch, rejects: pa.Table, engine: Engine) -> dict:
    """Count the rows and add up the dollars of a batch, whole and in parts, each from its own table.

    Parameters
    ----------
    rejects
        The quarantine table (of all batches).

    Returns
    -------
    dict
        ``rows_in``, and rows of each part; ``amount_in``, and ``amount_<part>`` in USD as text;
        ``rows_without_amount``, rows whose amount cannot be read.

    Raises
    ------
    RunError
        When the parts do not add up to the whole.
    """
    files = {s.source.name for s in batch.staged}
    mine = [row for row in rejects.select(["file", "amount_usd"]).to_pylist() if row["file"] in files]
    broken = sum(len(s.broken) for s in batch.staged)
    rows = batch.rows(engine)
    whole = _totals(rows)
    parts = {
        "accepted": _totals(_with_amount(batch, batch.accepted(engine))),
        "quarantined": (len(mine), sum((r["amount_usd"] or ZERO for r in mine), ZERO)),
        "duplicates": (0, ZERO),
        "later": _totals(rows.filter(IS_LATER)),
        "totals": (0, ZERO),
        "beside": _totals(_with_amount(batch, batch.beside(engine))) if batch.dates is not None else (0, ZERO),
    }
    if batch.verdicts is not None:
        verdict, verdicts = nw.col("verdict"), engine.scan(batch.verdicts)
        parts["duplicates"] = _totals(verdicts.filter(verdict.is_in(COPIES)))
        parts["totals"] = _totals(verdicts.filter(verdict == TOTAL))
        later = _totals(verdicts.filter(nw.col("verdict") == "later"))  # instalments of loans lent later
        parts["later"] = tuple(map(sum, zip(parts["later"], later, strict=True)))
    rows_in = whole[0] + broken
    counted, added = (sum(part[i] for part in parts.values()) for i in (0, 1))
    if counted != rows_in or added != whole[1]:
        raise RunError(
            f"{batch.format.title}: {rows_in} rows and {whole[1]} USD came in, but {counted} rows and "
            f"{added} USD are accounted for; nothing is published: report this with the input's manifest"
        )
    without = rows.filter(nw.col("amount_usd").is_null()).select(nw.len().alias("n")).collect("pyarrow")["n"][0]
    return {
        "rows_in": rows_in,
        **{name: parts[name][0] for name in PARTS},
        "amount_in": str(whole[1]),
        **{f"amount_{name}": str(parts[name][1]) for name in PARTS},
        "rows_without_amount": without + broken,
    }


def merged(books: Iterable[Mapping[str, Any]]) -> dict:
    """Return the sums of several batches' reconciliations."""
    first, *others = books
    total = dict(first)
    for book in others:
        total = {k: str(Decimal(v) + Decimal(book[k])) if isinstance(v, str) else v + book[k] for k, v in total.items()}
    return total


def _with_amount(batch: Batch, accepted: nw.LazyFrame) -> nw.LazyFrame:
    name = "total_receivable_usd" if batch.is_tape else batch.format.amount
    known = name in accepted.collect_schema()
    return accepted.with_columns(amount_usd=nw.col(name) if known else nw.lit(None).cast(nw.Decimal(18, 2)))


def _totals(rows: nw.LazyFrame) -> tuple[int, Decimal]:
    total = rows.select(n=nw.len(), usd=nw.col("amount_usd").sum()).collect("pyarrow").to_native().to_pylist()[0]
    return total["n"], total["usd"] or ZERO


def amounted(rows: int, usd: Decimal | None) -> Reason:
    """Return a number of rows and their principal, for the place ``rows`` of other reasons."""
    return Reason("one_row" if rows == 1 else "many_rows", count=rows, usd=usd or ZERO)


def outstanding(accepted: nw.LazyFrame, date: dt.date) -> Decimal:
    """Return the balances of the tape's accepted rows on a date."""
    rows = accepted.lazy().filter(nw.col("measurement_date") == date).select(usd=nw.col("total_receivable_usd").sum())
    return rows.collect("pyarrow").to_native().to_pylist()[0]["usd"] or ZERO


def unbalanced(accepted: nw.LazyFrame, tolerance: Decimal) -> dict:
    """Return how many rows have aging buckets that miss the receivable by more than `tolerance`, and the sum.

    Parameters
    ----------
    accepted
        The tape, one row a loan and date.
    """
    gap = bucket_gap().abs()
    missed = accepted.lazy().select(gap=gap).filter(nw.col("gap") > nw.lit(tolerance))
    gaps = missed.select(n=nw.len(), usd=nw.col("gap").sum()).collect("pyarrow").to_native().to_pylist()[0]
    return {"unbalanced_rows": gaps["n"], "unbalanced_usd": str(gaps["usd"] or ZERO)}
