"""Terms of the book on each date: how long its loans were lent for, and how long they still run."""

import datetime as dt
from collections.abc import Collection, Mapping
from decimal import Decimal

import narwhals as nw

from abaco.kpis.book import Book
from abaco.kpis.totals import Measure, Totals

TERM = "term for every loan, in the tape or in the loans export"
MATURITY = "maturity_date for every loan, in the tape or in the loans export"
MEASURES = {
    "term_weighted_usd": Measure("the balance of each loan times the days of its term", TERM, "USD days"),
    "termed_usd": Measure("the outstanding balance of loans with a known term", TERM),
    "maturity_weighted_usd": Measure(
        "the balance of each loan times the days until it matures, 0 of loans past their maturity", MATURITY, "USD days"
    ),
    "maturing_usd": Measure("the outstanding balance of loans with a known maturity", MATURITY),
}


def cells(book: Book) -> list[dict]:
    """Return balances by date and day of maturity, with what terms weigh, from one scan."""
    balance, term = nw.col("total_receivable_usd"), nw.col("term_days")
    rows = book.tape.lazy().filter(balance > 0).select(
        "measurement_date", "maturity_date", balance=balance, termed=nw.when(~term.is_null()).then(balance),
        weighted=balance * term,
    )  # fmt: skip
    found = rows.group_by("measurement_date", "maturity_date").agg(
        nw.col("balance", "termed", "weighted").sum(), nw.len().alias("loans"), known=nw.col("termed").count()
    )
    return found.collect("pyarrow").to_native().to_pylist()


def measure(book: Book, names: Collection[str], _: Mapping[dt.date, Totals]) -> dict[dt.date, Totals]:
    """Return the named measures on every date; without a loan whose term or maturity is known there is none."""
    sums = {day: dict.fromkeys(MEASURES, Decimal("0.00")) for day in book.dates}
    counts = {day: dict.fromkeys(MEASURES, 0) for day in book.dates}
    for cell in book.cached(cells):
        day, total = cell["measurement_date"], sums[cell["measurement_date"]]
        if cell["known"]:
            total["termed_usd"] += cell["termed"]
            total["term_weighted_usd"] += cell["weighted"]
            _count(counts[day], ("termed_usd", "term_weighted_usd"), cell["known"])
        if cell["maturity_date"] is not None:
            total["maturing_usd"] += cell["balance"]
            total["maturity_weighted_usd"] += cell["balance"] * max((cell["maturity_date"] - book.through(day)).days, 0)
            _count(counts[day], ("maturing_usd", "maturity_weighted_usd"), cell["loans"])
    return {
        day: Totals(
            0,
            {name: total[name] if counts[day][name] else None for name in names},
            {name: counts[day][name] for name in names},
        )
        for day, total in sums.items()
    }


def _count(counts: dict[str, int], names: tuple[str, ...], loans: int) -> None:
    for name in names:
        counts[name] += loans
