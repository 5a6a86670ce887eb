"""Payers on each date: how much of the book a few of those who pay the lender's invoices are to pay."""

import datetime as dt
from collections.abc import Collection, Mapping

import narwhals as nw

from abaco.core.decimals import rounded
from abaco.kpis.book import Book
from abaco.kpis.concentration import LARGEST
from abaco.kpis.totals import Measure, Totals

PAYER = "the payer of loans, in the tape, the loans export or the real payments"
MEASURES = {
    "payers_usd": Measure("the balance of loans with a known payer", PAYER),
    "top_payer_usd": Measure("the balance that the largest payer is to pay", PAYER),
    "top_10_payers_usd": Measure("the balance that the ten largest payers are to pay", PAYER),
}


def sums(book: Book) -> dict[dt.date, dict]:
    """Return, by date, what payers are to pay: all of them, the largest, the ten largest."""
    owed = nw.col("balance_usd")
    place = nw.col("balance_usd").cum_count().over("measurement_date", order_by=["less", "payer"])
    rows = book.export("payers").with_columns(less=-owed).with_columns(place=place)
    top, top_10 = (nw.when(nw.col("place") <= n).then(owed) for n in (1, LARGEST))
    found = (
        rows.with_columns(top=top, top_10=top_10)
        .group_by("measurement_date")
        .agg(
            nw.len().alias("payers"),
            owed.sum().alias("payers_usd"),
            nw.col("top").sum().alias("top_payer_usd"),
            nw.col("top_10").sum().alias("top_10_payers_usd"),
        )
    )
    return {row["measurement_date"]: row for row in found.collect("pyarrow").to_native().to_pylist()}


def measure(book: Book, names: Collection[str], _: Mapping[dt.date, Totals]) -> dict[dt.date, Totals]:
    """Return the named measures on every date on which a payer is known."""
    known = book.cached(sums) if book.export("payers") is not None else {}
    found = {}
    for day in book.dates:
        row = known.get(day)
        values = {name: rounded(row[name], 2) if row else None for name in names}
        found[day] = Totals(0, values, dict.fromkeys(names, row["payers"] if row else 0))
    return found
