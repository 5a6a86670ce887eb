"""How the book is spread over days past due, on every date."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from itertools import pairwise

import pyarrow as pa

from abaco.core.decimals import rounded
from abaco.core.parquet import arrow_schema
from abaco.core.tables import DATE, SUM, TEXT, Field, Table
from abaco.ingest.columns import BUCKETS
from abaco.ingest.lateness import DAYS, at_risk
from abaco.kpis.buckets import COUNTED_FROM, Buckets
from abaco.kpis.totals import Totals

ZERO = Decimal("0.00")
TABLE = Table(
    "aging",
    "one row per date and aging bucket",
    (
        Field("date", DATE, "the measurement date"),
        Field("bucket", TEXT, "the days past due that the bucket holds"),
        Field("amount", SUM, "the balance in the bucket", "USD"),
        Field("share", "decimal(38, 4)", "its part of the outstanding balance, empty when that is 0", "%"),
    ),
)


def aging_by_date(totals: Mapping[dt.date, Totals], counted_from: Mapping[int, int] = COUNTED_FROM) -> pa.Table:
    """Return how the book is spread over the aging buckets, one row per date and bucket.

    Buckets that the rows of a date cannot tell apart are one; without any lateness there is none.

    Parameters
    ----------
    totals
        What is owed by date, in USD (see `balances.late_totals`), and ``par_1_usd``.
    counted_from
        See `Buckets`.

    Returns
    -------
    pyarrow.Table
        ``date``, ``bucket``, ``amount`` in USD and ``share`` of the receivable in per cent
        (null when that is 0).
    """
    rows = []
    for date, total in totals.items():
        late = {days: total.sums.get(at_risk(days)) for days in (1, *DAYS)}
        is_whole = all(total.sums.get(bucket) is not None for bucket in BUCKETS)
        buckets = Buckets(DAYS if is_whole else [d for d, usd in late.items() if usd is not None], counted_from)
        book = total.sums["total_receivable_usd"]
        if is_whole:
            amounts = [total.sums[bucket] for bucket in BUCKETS]
        else:
            reached = [book, *(late[days] for days in buckets.limits.values() if days), ZERO]
            amounts = [usd - beyond for usd, beyond in pairwise(reached)] if len(reached) > 2 else []
        for name, amount in zip(buckets.names.values(), amounts, strict=False):
            share = rounded(amount / book * 100, 4) if book else None
            rows.append({"date": date, "bucket": name, "amount": amount, "share": share})
    return pa.Table.from_pylist(rows, schema=arrow_schema(TABLE))
