"""Collection month by month: amounts due and paid, and principal paid on time."""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

import narwhals as nw
import pyarrow as pa

from abaco.core.dates import month_end, months_before, months_between
from abaco.core.decimals import rounded
from abaco.core.errors import NotComputableError
from abaco.core.parquet import arrow_schema
from abaco.core.tables import DATE, FLAG, SUM, Field, Table
from abaco.kpis import flows
from abaco.kpis.book import Book, no_month_before, openings
from abaco.kpis.daily_sums import Amount, DailySums, by_day, measured
from abaco.kpis.settlement import CENT, DATED, LATER, MATCHED, OLD_DUE, PREPAID, settled
from abaco.kpis.totals import Measure, Totals

PAYMENTS = "transactions, or real payments"
SCHEDULES = "payment schedules"
BOTH = f"{SCHEDULES}, and {PAYMENTS}, of the same loans"
EARLY = f"{BOTH}, and the loans export with disburse_date"
NEEDS = ("total_receivable_usd",)
MEASURES = {
    "month_paid_usd": Measure("what was paid in the month", PAYMENTS, of_month=True),
    "month_due_usd": Measure("what was due in the month", SCHEDULES, of_month=True),
    "month_principal_due_usd": Measure("the principal due in the month", SCHEDULES, of_month=True),
    "month_principal_on_time_usd": Measure(
        "the principal due in the month that was paid by its due date", BOTH, of_month=True
    ),
    "month_prepaid_usd": Measure("the principal paid in the month on instalments due after it", EARLY, of_month=True),
    "month_not_due_usd": Measure(
        "the outstanding balance at the month's start, less what was due of it in the month",
        f"balances at the end of the month before, {EARLY}",
    ),
}
TABLE = Table(
    "collections",
    "one row per month",
    (
        Field("month", DATE, "the last day of the month"),
        Field("due_usd", SUM, "principal, interest, fees and tax due in the month", "USD"),
        Field("paid_usd", SUM, "principal, interest, fees and tax paid in the month", "USD"),
        Field("rate", "decimal(18, 2)", "paid of due", "%"),
        Field("principal_due_usd", SUM, "principal due in the month", "USD"),
        Field("principal_paid_usd", SUM, "of that, what was paid by its due date", "USD"),
        Field("principal_rate", "decimal(18, 2)", "principal paid by then of principal due", "%"),
        Field("paid_30_rate", "decimal(18, 2)", "principal paid by 30 days after its due date of principal due", "%"),
        Field("paid_60_rate", "decimal(18, 2)", "principal paid by 60 days after its due date of principal due", "%"),
        Field("is_partial", FLAG, "whether the figures end before the month does"),
    ),
)
PRINCIPAL = ("principal_usd",)
NOT_DUE, OLD = "month_not_due_usd", "month_old_due_usd"
DATED_ONLY = (PREPAID, OLD_DUE)


@dataclass(frozen=True)
class Flows:
    """Payments and instalments by day; None where the input lacks the export."""

    paid: DailySums | None
    due: DailySums | None
    settled: DailySums | None


def flows_of(book: Book) -> Flows:
    """Return payments and instalments by day: one scan of each export, and one of all by loan."""
    paid, due, title = flows.paid(book), flows.due(book), flows.paid_title(book)
    paid_by_day = due_by_day = served = None
    if paid is not None:
        is_paid = nw.col("kind") == flows.PAID
        money = (nw.when(is_paid).then(nw.col(c)).alias(c) for c in flows.MONEY)
        unread = flows.unread(book, flows.paid_export(book))
        paid_by_day = by_day(paid.select("day", *money), title, flows.MONEY, unread)
        served = settled(due, paid, flows.lent(book), title)
    if due is not None:
        due_by_day = by_day(due, flows.TITLES["schedules"], flows.MONEY, flows.unread(book, "schedules"))
    return Flows(paid_by_day, due_by_day, served)


def month_of(book: Book, day: dt.date) -> tuple[dt.date, dt.date]:
    """Return the first and the last day of a date's month that its figures can know of."""
    return book.close(day).replace(day=1), book.through(day)


def measure(book: Book, names: Collection[str], before: Mapping[dt.date, Totals]) -> dict[dt.date, Totals]:
    """Return the named measures of the month up to each date of the tape."""
    spans = {day: month_of(book, day) for day in book.dates}
    amounts = _amounts(book.cached(flows_of))
    found = measured(spans, [name for name in names if name != NOT_DUE], amounts)
    if NOT_DUE in names:
        starts = openings(book.dates)
        for day, span in spans.items():
            if day in starts:
                _add_not_due(found[day], before[starts[day]].sums.get(NEEDS[0]), amounts.get(OLD), span)
            else:
                found[day].sums[NOT_DUE] = None
                found[day].reasons[NOT_DUE] = no_month_before(day)
    return found


def _add_not_due(total: Totals, opening: Decimal | None, old_due: Amount | None, span: tuple[dt.date, dt.date]) -> None:
    """Add what was outstanding at the month's start and not due in the month, the whole of it."""
    total.sums[NOT_DUE], total.counts[NOT_DUE] = None, 0
    if opening is None or old_due is None:
        return
    try:
        usd, total.counts[NOT_DUE] = old_due(*span)
        total.sums[NOT_DUE] = opening - usd
    except NotComputableError as error:
        total.reasons[NOT_DUE] = error.reason


def _amounts(moved: Flows) -> dict[str, Amount]:
    found = {}
    if moved.paid:
        found["month_paid_usd"] = partial(_paid, moved, flows.MONEY)
    if moved.due:
        found["month_due_usd"] = partial(moved.due.counted, columns=flows.MONEY)
        found["month_principal_due_usd"] = partial(moved.due.counted, columns=PRINCIPAL)
    if moved.paid and moved.due:
        found["month_principal_on_time_usd"] = partial(_settled, moved, LATER[0])
        found["month_prepaid_usd"] = partial(_settled, moved, PREPAID)
        found[OLD] = lambda first, _: _settled(moved, OLD_DUE, first, month_end(first))
    return found


def _paid(moved: Flows, columns: Collection[str], first: dt.date, last: dt.date) -> tuple[Decimal, int]:
    """Return what was paid over a span of days; nothing is to come where all principal due in it is paid before."""
    due, served, may_end = moved.due, moved.settled, False
    if due and served and moved.paid.days[-1] < first:
        principal = due.between(first, last, *PRINCIPAL)
        may_end = 0 < principal == rounded(served.between(first, last, LATER[0]) * CENT, 2)
    return moved.paid.counted(first, last, columns, may_end=may_end)


def _settled(moved: Flows, column: str, first: dt.date, last: dt.date) -> tuple[Decimal, int]:
    """Return a sum of `settlement` over a part of a month, and how many instalments were due in it."""
    paid, due, served = moved.paid, moved.due, moved.settled
    _, rows = due.counted(first, last, PRINCIPAL)
    _paid(moved, PRINCIPAL, first, last)
    # payments of a loan from before the export would be missing
    if months_between(due.days[0], paid.days[0]) > 0:
        raise NotComputableError(
            "payments_begin_late",
            paid=paid.title, paid_since=paid.days[0], due=due.title, due_since=due.days[0],
        )  # fmt: skip
    if not served.between(served.days[0], served.days[-1], MATCHED):
        raise NotComputableError("no_common_loan", export=paid.title, other=due.title)
    if column in DATED_ONLY and not served.between(served.days[0], served.days[-1], DATED):
        raise NotComputableError("no_common_loan", export=paid.title, other="loans")
    return rounded(served.between(first, last, column) * CENT, 2), rows


def collections(book: Book) -> pa.Table:
    """Return the collection, one row per month from the first payment on; empty without payments or schedules.

    Returns
    -------
    pyarrow.Table
        ``month``, its end; what was ``due_usd`` and ``paid_usd`` in it, with interest, fees and tax, and the ``rate``
        in per cent; ``principal_due_usd``, how much of that was paid by its due date, ``principal_paid_usd``, and
        its ``principal_rate``, ``paid_30_rate`` and ``paid_60_rate`` by 30 and 60 days after the due date, of months
        that are that old; ``is_partial`` for a month that the figures do not reach to the end of. Null is what the
        exports do not tell; a rate is null where nothing was due.
    """
    moved, rows = book.cached(flows_of), []
    last = book.through(book.date)
    if moved.paid and moved.due:
        age = months_between(moved.paid.days[0], last)
        ends = [months_before(last, months) for months in range(age, -1, -1)]
        spans = {end: (end.replace(day=1), min(end, last)) for end in ends}
        later = {LATER[days]: partial(_later, moved, days, last) for days in LATER if days}
        found = measured(spans, [*MEASURES, *later], _amounts(moved) | later)
        rows = [_row(end, found[end].sums, spans[end][1] < end) for end in ends]
    return pa.Table.from_pylist(rows, schema=arrow_schema(TABLE))


def _later(moved: Flows, days: int, reach: dt.date, first: dt.date, last: dt.date) -> tuple[Decimal, int]:
    """Return the principal due in a month that was paid by so many days after its due date, if all is that old."""
    _settled(moved, LATER[days], first, last)
    later = dt.timedelta(days)
    if month_end(first) + later > reach:
        raise NotComputableError("figures_before_month", date=reach)
    return rounded(moved.settled.between(first + later, last + later, LATER[days]) * CENT, 2), 0


def _row(month: dt.date, sums: Mapping[str, Decimal | None], is_partial: bool) -> dict[str, Any]:
    due, paid = sums["month_due_usd"], sums["month_paid_usd"]
    principal_due, on_time = sums["month_principal_due_usd"], sums["month_principal_on_time_usd"]
    return {
        "month": month, "due_usd": due, "paid_usd": paid, "rate": _rate(paid, due),
        "principal_due_usd": principal_due, "principal_paid_usd": on_time,
        "principal_rate": _rate(on_time, principal_due), "is_partial": is_partial,
        **{f"paid_{days}_rate": _rate(sums[LATER[days]], principal_due) for days in LATER if days},
    }  # fmt: skip


def _rate(paid: Decimal | None, due: Decimal | None) -> Decimal | None:
    return None if paid is None or due is None or due <= 0 else rounded(paid / due * 100, 2)
