"""What the book earned and paid back in twelve months, closed loans included."""

import datetime as dt
from collections.abc import Collection, Mapping
from decimal import Decimal
from functools import partial

from abaco.core.dates import month_end, months_before
from abaco.core.decimals import rounded
from abaco.core.errors import NotComputableError
from abaco.kpis.book import Book
from abaco.kpis.collection import Flows, flows_of
from abaco.kpis.daily_sums import measured
from abaco.kpis.settlement import CENT, DATED, DAY_CENTS
from abaco.kpis.totals import Measure, Totals

PAYMENTS = "transactions, or real payments, of the last 12 months"
DATED_PAYMENTS = f"{PAYMENTS}, and the loans export with disburse_date"
NEEDS = ("total_receivable_usd",)
MEASURES = {
    "year_interest_usd": Measure("the interest paid in the last 12 months", PAYMENTS),
    "year_fees_usd": Measure("the fees paid in the last 12 months", PAYMENTS),
    "year_principal_usd": Measure("the principal paid in the last 12 months", PAYMENTS),
    "year_mean_balance_usd": Measure(
        "the mean outstanding balance of the last 12 month-ends", "balances of the last 12 month-ends"
    ),
    "year_dated_principal_usd": Measure(
        "the principal paid in the last 12 months by loans whose day of lending is known", DATED_PAYMENTS
    ),
    "year_principal_days_usd": Measure(
        "the same principal times the days from disbursement to payment", DATED_PAYMENTS, "USD × days"
    ),
}
SETTLED = {"year_dated_principal_usd": DATED, "year_principal_days_usd": DAY_CENTS}
COLUMNS = {"year_interest_usd": "interest_usd", "year_fees_usd": "fees_usd", "year_principal_usd": "principal_usd"}


def year_up_to(last: dt.date) -> tuple[dt.date, dt.date]:
    """Return the first and the last day of the twelve months that end on a day.

    Examples
    --------
    >>> year_up_to(dt.date(2025, 2, 28))
    (datetime.date(2024, 3, 1), datetime.date(2025, 2, 28))
    >>> year_up_to(dt.date(2025, 12, 10))
    (datetime.date(2024, 12, 11), datetime.date(2025, 12, 10))
    """
    before = months_before(last, 12) if last == month_end(last) else last.replace(year=last.year - 1)
    return before + dt.timedelta(1), last


def measure(book: Book, names: Collection[str], before: Mapping[dt.date, Totals]) -> dict[dt.date, Totals]:
    """Return the named measures of the twelve months up to each date of the tape.

    What is not a month's end counts back to the same day of the year before, so that a year always has twelve months.
    """
    spans = {day: year_up_to(book.through(day)) for day in book.dates}
    moved = book.cached(flows_of)
    amounts = {}
    if paid := moved.paid:
        amounts = {name: partial(paid.counted, columns=(c,)) for name, c in COLUMNS.items()}
        amounts |= {name: partial(_settled, moved, c) for name, c in SETTLED.items()}
    found = measured(spans, names, amounts)
    if "year_mean_balance_usd" in names:
        owed = {day: total.sums.get("total_receivable_usd") for day, total in before.items()}
        for day, total in found.items():
            try:
                total.sums["year_mean_balance_usd"] = mean_balance(owed, day)
                total.counts["year_mean_balance_usd"] = before[day].rows
            except NotComputableError as error:
                total.reasons["year_mean_balance_usd"] = error.reason
    return found


def _settled(moved: Flows, column: str, first: dt.date, last: dt.date) -> tuple[Decimal, int]:
    _, rows = moved.paid.counted(first, last, ("principal_usd",))
    return rounded(moved.settled.between(first, last, column) * CENT, 2), rows


def mean_balance(balances: Mapping[dt.date, Decimal | None], day: dt.date) -> Decimal:
    """How much was outstanding on average at the ends of the twelve months up to a date, in USD.

    Parameters
    ----------
    balances
        By date; of several in one month the last up to the date counts as the month's end.

    Raises
    ------
    NotComputableError
        When a month has no balance.

    Examples
    --------
    >>> ends = [dt.date(2025, month, 28) for month in range(1, 13)]
    >>> mean_balance({end: Decimal(end.month) for end in ends}, ends[-1])
    Decimal('6.50')
    """
    by_month = {month_end(d): balances[d] for d in sorted(balances) if d <= day}
    ends = [months_before(day, months) for months in range(12)]
    if missing := [end for end in ends if by_month.get(end) is None]:
        raise NotComputableError("month_end_missing", month=f"{missing[0]:%Y-%m}")
    return rounded(sum((by_month[end] for end in ends), Decimal(0)) / 12, 2)
