"""How the book is spread over days past due, on every date."""

import datetime as dt
from collections.abc import Mapping

import pyarrow as pa

from abaco.core.decimals import rounded
from abaco.core.parquet import arrow_schema
from abaco.core.tables import DATE, SUM, TEXT, Field, Table
from abaco.ingest.columns import BUCKET_NAMES
from abaco.kpis.totals import Totals

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


def aging_by_date(totals: Mapping[dt.date, Totals]) -> pa.Table:
    """Return how the book is spread over the aging buckets, one row per date and bucket.

    Parameters
    ----------
    totals
        Sums of the bucket columns and ``total_receivable_usd`` by date, in USD.

    Returns
    -------
    pyarrow.Table
        ``date``, ``bucket``, ``amount`` in USD and ``share`` of the receivable in per cent
        (null when that is 0).
    """
    rows = []
    for date, total in totals.items():
        book = total.sums["total_receivable_usd"]
        for column, name in BUCKET_NAMES.items():
            amount = total.sums[column]
            share = rounded(amount / book * 100, 4) if amount is not None and book else None
            rows.append({"date": date, "bucket": name, "amount": amount, "share": share})
    return pa.Table.from_pylist(rows, schema=arrow_schema(TABLE))
