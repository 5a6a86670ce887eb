"""What covenants measure that is no KPI: lines of the borrowing base, and quarters of lending at the same age."""

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

import narwhals as nw

from abaco.core.dates import month_end, month_number
from abaco.core.errors import NotComputableError
from abaco.core.reasons import Reason
from abaco.ingest.columns import ZERO
from abaco.ingest.lateness import late_by
from abaco.kpis.book import Book
from abaco.kpis.daily_sums import ROWS, DailySums
from abaco.kpis.facilities.covenant import ABOVE, BELOW, Cohorts, Covenant
from abaco.kpis.facilities.lines import summed, title
from abaco.kpis.lending import lent
from abaco.kpis.totals import Totals
from abaco.kpis.vintage import late_by_month

NAMES = (ABOVE, BELOW)


def of_lines(covenant: Covenant, lines: Mapping[dt.date, Iterable[Mapping[str, Any]]]) -> dict[dt.date, Totals]:
    """Return a line of the borrowing base by date, and the one that it is a share of.

    Parameters
    ----------
    lines
        See `borrowing_base.Base`.
    """
    found = {}
    for day, rows in lines.items():
        rows = list(rows)
        usd = {
            name: summed(rows, kind)
            for name, kind in zip(NAMES, (covenant.line, covenant.share_of), strict=True)
            if kind
        }
        reasons = {name: Reason("line_unknown") for name, amount in usd.items() if amount is None}
        if (whole := usd.get(BELOW)) is not None and whole <= 0:
            usd[BELOW] = None
            reasons[BELOW] = Reason("nothing_to_divide_by", what=(title(covenant.share_of),), sum=whole)
        found[day] = Totals(len(rows), usd, dict.fromkeys(usd, len(rows)), reasons)
    return found


def of_cohorts(cohorts: Cohorts, pool: Book, book: Book) -> dict[dt.date, Totals]:
    """Return what is late at an age of a quarter of lending, and what was lent, by date.

    Of each date it is the last quarter whose loans have all reached the age: each month's loans count at the end of the
    month in which they do, with what is so late of them then, or written off.

    Parameters
    ----------
    pool
        The book of the loans that count.
    book
        The whole book, which says since when lending is known.
    """
    late = nw.when((nw.col("total_receivable_usd") > 0) | nw.col("total_receivable_usd").is_null())
    late = late.then(late_by(cohorts.days)).otherwise(ZERO) + nw.col("written_off_usd")
    by_date = late_by_month(pool.tape.lazy(), late)
    last = {month_number(book.close(day)): day for day in sorted(book.dates)}
    found = {}
    for day in book.dates:
        try:
            first = quarter(book, day, cohorts.months)
            if (lending := book.cached(lent)) is None:
                raise NotComputableError("no_loan_of_tape")
            lending.require_begin(_first_day(first))
            sums, rows = _at_age(first, cohorts.months, pool.cached(lent), last, by_date)
            found[day] = Totals(rows, dict(zip(NAMES, sums, strict=True)), dict.fromkeys(NAMES, rows))
        except NotComputableError as error:
            found[day] = Totals(0, dict.fromkeys(NAMES), {}, dict.fromkeys(NAMES, error.reason))
    return found


def quarter(book: Book, day: dt.date, months: int) -> int:
    """Return the first month (see `month_number`) of the last quarter that has reached an age on a date."""
    through = book.through(day)
    whole = month_number(through) - (through < month_end(through))
    return (whole - months + 1) // 3 * 3 - 3


def _at_age(
    first: int,
    age: int,
    lending: DailySums | None,
    last: Mapping[int, dt.date],
    by_date: Mapping[dt.date, list[dict[str, Any]]],
) -> tuple[tuple[Decimal, Decimal], int]:
    late, rows = Decimal("0.00"), 0
    for month in range(first, first + 3):
        if (day := last.get(month + age)) is None:
            raise NotComputableError("cohort_month_missing", months=age, month=_name(month + age))
        own = [row for row in by_date.get(day, ()) if row["month"] == month]
        if any(row["known"] < row[ROWS] for row in own):
            raise NotComputableError("lateness_unknown")
        late += sum((row["late_usd"] for row in own), Decimal("0.00"))
        rows += sum(row[ROWS] for row in own)
    span = _first_day(first), month_end(_first_day(first + 2))
    disbursed = lending.between(*span, "principal_usd") if lending else Decimal("0.00")
    if disbursed <= 0:
        raise NotComputableError("cohort_empty", first=_name(first), last=_name(first + 2))
    return (late, disbursed), rows


def _first_day(month: int) -> dt.date:
    return dt.date(month // 12, month % 12 + 1, 1)


def _name(month: int) -> str:
    return f"{_first_day(month):%Y-%m}"
