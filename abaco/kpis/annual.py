"""Defaults, prepayment and write-offs of the last one, three and twelve months up to each date."""

import datetime as dt
from collections.abc import Collection, Mapping
from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from abaco.core.dates import month_end, months_before
from abaco.core.errors import NotComputableError
from abaco.kpis import collection, movement
from abaco.kpis.balances import LOANS, WRITTEN_OFF
from abaco.kpis.book import Book
from abaco.kpis.collection import EARLY
from abaco.kpis.movement import ALL_PARTS, BEFORE, BOTH
from abaco.kpis.totals import Measure, Totals

SPANS = (1, 3, 12)
# What is left each month of one sum after another left it, by the name of the share that is left.
RATES = {
    "undefaulted": ("defaulted_usd", "opening_performing_usd"),
    "unprepaid": ("month_prepaid_usd", "month_not_due_usd"),
}
OF_MONTH = movement.MEASURES | collection.MEASURES
WRITTEN, RECOVERED = "new_written_off_usd", "recovered_usd"
NEEDS = (*RATES["undefaulted"], *RATES["unprepaid"], WRITTEN, RECOVERED)
LEFT = {
    "undefaulted": ("the share of the balance less than 90 days late that did not default in", BOTH),
    "unprepaid": ("the share of the balance not due that was not prepaid in", EARLY),
}
YEAR = f"{BOTH}, for 12 months"
YEAR_PARTS = (LOANS, f"{BEFORE}, and {WRITTEN_OFF}, for 12 months")
TIMES = {1: "the month", 3: "3 months", 12: "12 months"}
MEASURES = {
    **{
        f"{name}_{span}": Measure(
            f"{title} {TIMES[span]}", add, "share", of_month=True, parts=ALL_PARTS if add == BOTH else ()
        )
        for name, (title, add) in LEFT.items()
        for span in SPANS
    },
    **{
        f"months_{span}": Measure(
            f"the length of {TIMES[span]}, a part of a month by its days", BOTH, "months", of_month=True
        )
        for span in SPANS
    },
    "year_written_off_usd": Measure(
        "what was written off in the last 12 months", YEAR, of_month=True, parts=YEAR_PARTS
    ),
    "year_net_written_off_usd": Measure(
        "what was written off in the last 12 months, less what written-off balances fell by",
        YEAR,
        of_month=True,
        parts=YEAR_PARTS,
    ),
}


def measure(book: Book, names: Collection[str], before: Mapping[dt.date, Totals]) -> dict[dt.date, Totals]:
    """Return the named measures on every date, from those of the months up to it."""
    return {day: _measured(book, day, names, before) for day in book.dates}


def _measured(book: Book, day: dt.date, names: Collection[str], before: Mapping[dt.date, Totals]) -> Totals:
    total = Totals(0, dict.fromkeys(names), dict.fromkeys(names, 0))
    for name in names:
        try:
            total.sums[name] = _value(book, day, name, before)
            total.counts[name] = before[day].rows
        except NotComputableError as error:
            total.reasons[name] = error.reason
    return total


def _value(book: Book, day: dt.date, name: str, before: Mapping[dt.date, Totals]) -> Decimal:
    if name.startswith("year_"):
        of_months = months_up_to(before, day, 12)
        written = _sum(of_months, WRITTEN, 12)
        return written if name == "year_written_off_usd" else written - _sum(of_months, RECOVERED, 12)
    kind, _, span = name.rpartition("_")
    months = int(span)
    if kind == "months":
        part = book.part_of_month(day)
        return months - 1 + Decimal(part.numerator) / part.denominator
    return _left(months_up_to(before, day, months), *RATES[kind], months)


def months_up_to(before: Mapping[dt.date, Totals], day: dt.date, months: int) -> dict[dt.date, Totals | None]:
    """Return the totals of so many months by month-end, the last date of each up to `day`; None of one without."""
    last = {month_end(date): date for date in sorted(before) if date <= day}
    ends = [months_before(day, back) for back in range(months)]
    return {end: before[last[end]] if end in last else None for end in ends}


def _known(end: dt.date, total: Totals | None, measure: str, months: int) -> Decimal:
    """Return a measure of one of several months; of a single month, the reason is its own."""
    if total is not None and (usd := total.sums.get(measure)) is not None:
        return usd
    if months > 1:
        raise NotComputableError("month_not_known", months=months, month=f"{end:%Y-%m}")
    if reason := total.reasons.get(measure):
        raise NotComputableError(reason.code, **reason.values)
    raise NotComputableError("not_given", what=(OF_MONTH[measure].title,))


def _sum(of_months: Mapping[dt.date, Totals | None], measure: str, months: int) -> Decimal:
    return sum((_known(end, total, measure, months) for end, total in of_months.items()), Decimal("0.00"))


def _left(of_months: Mapping[dt.date, Totals | None], gone: str, of: str, months: int) -> Decimal:
    """Return the share that is left after all months: the product of what each of them left."""
    left = Decimal(1)
    with localcontext(prec=50, rounding=ROUND_HALF_EVEN):
        for end, total in of_months.items():
            usd, whole = (_known(end, total, measure, months) for measure in (gone, of))
            if whole <= 0:
                raise NotComputableError("nothing_to_divide_by", what=(OF_MONTH[of].title,), sum=whole)
            if usd > whole:
                raise NotComputableError("rate_above_whole")
            left *= 1 - usd / whole
    return left
