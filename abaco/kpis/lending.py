"""Disbursements in the month of each date: amount, number of loans, and rate."""

import datetime as dt
from collections.abc import Collection, Mapping
from decimal import Decimal
from functools import partial

import narwhals as nw

from abaco.core.decimals import rounded
from abaco.core.errors import NotComputableError
from abaco.kpis import flows
from abaco.kpis.book import Book
from abaco.kpis.collection import month_of
from abaco.kpis.daily_sums import ROWS, DailySums, by_day, measured
from abaco.kpis.returns import year_up_to
from abaco.kpis.totals import Measure, Totals

LOANS = "the loans export, with disburse_date and disburse_principal"
RATES = "the loans export, with interest_rate"
MEASURES = {
    "month_disbursed_usd": Measure("what was lent in the month", LOANS, of_month=True),
    "month_loans": Measure("the number of loans that were lent in the month", LOANS, "loans", of_month=True),
    "month_rate_weighted_usd": Measure("the interest of a year on what was lent in the month", RATES, of_month=True),
    "month_rated_usd": Measure("what was lent in the month at a known rate", RATES, of_month=True),
    "this_year_rate_weighted_usd": Measure("the interest of a year on what was lent since January", RATES),
    "this_year_rated_usd": Measure("what was lent since January at a known rate", RATES),
    "year_rate_weighted_usd": Measure("the interest of a year on what was lent in the last 12 months", RATES),
    "year_rated_usd": Measure("what was lent in the last 12 months at a known rate", RATES),
}
# The first day of what a measure counts, by the beginning of its name.
SINCE = {
    "month": lambda last: last.replace(day=1),
    "this_year": lambda last: last.replace(month=1, day=1),
    "year": lambda last: year_up_to(last)[0],
}
TITLE = "loans"
COLUMNS = ("principal_usd", "rated_usd", "weighted")
MILLION = 1_000_000


def lent(book: Book) -> DailySums | None:
    """Return disbursements by day, in one scan: ``principal_usd``, ``rated_usd``, and ``weighted`` in millionths."""
    rows = flows.lent(book)
    if rows is None:
        return None
    principal, rate = nw.col("principal_usd"), nw.col("interest_rate")
    # not every engine keeps all places of a product of two decimals
    weighted = principal * (rate * MILLION).cast(nw.Int64())
    rated = nw.when(~rate.is_null()).then(principal)
    rows = rows.select("day", "principal_usd", rated.alias("rated_usd"), weighted.alias("weighted"))
    return by_day(rows, TITLE, COLUMNS, filled=("principal_usd",))


def measure(book: Book, names: Collection[str], _: Mapping[dt.date, Totals]) -> dict[dt.date, Totals]:
    """Return the named measures of the month, or the year, up to each date of the tape.

    Loans that were paid back or fell out of the tape since are part of it.
    """
    spans = {day: month_of(book, day) for day in book.dates}
    if (daily_sums := book.cached(lent)) is None:
        return measured(spans, names, {})
    amounts = {
        "month_disbursed_usd": partial(_lent, daily_sums, "month", "principal_usd", 1),
        "month_loans": partial(_lent, daily_sums, "month", ROWS, 1),
    }
    for span in SINCE:
        amounts[f"{span}_rate_weighted_usd"] = partial(_lent, daily_sums, span, "weighted", MILLION)
        amounts[f"{span}_rated_usd"] = partial(_lent, daily_sums, span, "rated_usd", 1)
    return measured(spans, names, amounts)


def _lent(
    daily_sums: DailySums, span: str, column: str, scale: int, month: dt.date, last: dt.date
) -> tuple[Decimal, int]:
    if last < month:
        raise NotComputableError("figures_before_month", date=last)
    first = SINCE[span](last)
    daily_sums.require_begin(first)
    amount = daily_sums.between(first, last, column) / scale
    return amount if column == ROWS else rounded(amount, 2), int(daily_sums.between(first, last, ROWS))
