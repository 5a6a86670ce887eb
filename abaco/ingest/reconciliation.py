"""Reconciliation: every row is accepted, quarantined, a copy, a total, left out, later, or beside another export's."""

import datetime as dt
from collections import defaultdict
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any, NamedTuple

import narwhals as nw
import pyarrow as pa

from abaco.core.errors import RunError
from abaco.core.reasons import Reason
from abaco.engines import Engine
from abaco.ingest.duplicates import CO_BORROWER, RESTATED
from abaco.ingest.staging import IS_LATER, Batch
from abaco.ingest.tape import bucket_gap
from abaco.ingest.total_rows import TOTAL

ZERO = Decimal("0.00")
PARTS = ("accepted", "quarantined", "duplicates", "totals", "later", "beside")
COPIES = ("duplicate", CO_BORROWER, RESTATED)


class Total(NamedTuple):
    """How many rows there are, their amount, and how many of them have none."""

    rows: int
    usd: Decimal
    without: int

    def __add__(self, other: "Total") -> "Total":
        return Total(*map(sum, zip(self, other, strict=True)))


NOTHING = Total(0, ZERO, 0)


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
    when = nw.when(IS_LATER).then(nw.lit("read, later")).otherwise(nw.lit("read"))
    parts = [batch.rows(engine).select("amount_usd", part=when), _amounts(batch, batch.accepted(engine), "accepted")]
    if batch.dates is not None:
        parts.append(_amounts(batch, batch.beside(engine), "beside"))
    if batch.verdicts is not None:
        parts.append(engine.scan(batch.verdicts).select("amount_usd", part="verdict"))
    found = _totals(nw.concat(parts))
    found["quarantined"] = Total(len(mine), sum((r["amount_usd"] or ZERO for r in mine), ZERO), 0)
    whole = found["read"] + found["read, later"]
    # instalments of loans lent later have a verdict
    found |= {"later": found["later"] + found["read, later"], "totals": found[TOTAL]}
    found["duplicates"] = sum((found[verdict] for verdict in COPIES), NOTHING)
    accounted = sum((found[name] for name in PARTS), NOTHING)
    rows_in = whole.rows + broken
    if accounted.rows != rows_in or accounted.usd != whole.usd:
        raise RunError(
            f"{batch.format.title}: {rows_in} rows and {whole.usd} USD came in, but {accounted.rows} rows and "
            f"{accounted.usd} USD are accounted for; nothing is published: report this with the input's manifest"
        )
    return {
        "rows_in": rows_in,
        **{name: found[name].rows for name in PARTS},
        "amount_in": str(whole.usd),
        **{f"amount_{name}": str(found[name].usd) for name in PARTS},
        "rows_without_amount": whole.without + broken,
    }


def merged(books: Iterable[Mapping[str, Any]]) -> dict:
    """Return the sums of several batches' reconciliations."""
    first, *others = books
    total = dict(first)
    for book in others:
        total = {k: str(Decimal(v) + Decimal(book[k])) if isinstance(v, str) else v + book[k] for k, v in total.items()}
    return total


def _amounts(batch: Batch, accepted: nw.LazyFrame, part: str) -> nw.LazyFrame:
    name = "total_receivable_usd" if batch.is_tape else batch.format.amount
    known = name in accepted.collect_schema()
    amount = nw.col(name) if known else nw.lit(None).cast(nw.Decimal(18, 2))
    return accepted.select(amount_usd=amount, part=nw.lit(part))


def _totals(rows: nw.LazyFrame) -> defaultdict[str, Total]:
    """Return the total of each part of the rows."""
    usd = nw.col("amount_usd")
    sums = rows.group_by("part").agg(rows=nw.len(), usd=usd.sum(), known=usd.count())
    found = sums.collect("pyarrow").to_native().to_pylist()
    totals = {r["part"]: Total(r["rows"], r["usd"] or ZERO, r["rows"] - r["known"]) for r in found}
    return defaultdict(lambda: NOTHING, totals)


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
        The tape, one row per loan and date.
    """
    gap = bucket_gap().abs()
    missed = accepted.lazy().select(gap=gap).filter(nw.col("gap") > nw.lit(tolerance))
    gaps = missed.select(n=nw.len(), usd=nw.col("gap").sum()).collect("pyarrow").to_native().to_pylist()[0]
    return {"unbalanced_rows": gaps["n"], "unbalanced_usd": str(gaps["usd"] or ZERO)}
