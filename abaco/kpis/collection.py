"""Collection month by month: amounts due and paid, and principal paid on time."""

import datetime as dt
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial
from typing import Any

import narwhals as nw
import pyarrow as pa

from abaco.core.dates import months_before, months_between
from abaco.core.decimals import rounded, whole_cents
from abaco.core.errors import NotComputableError
from abaco.core.parquet import arrow_schema
from abaco.core.tables import DATE, FLAG, SUM, Field, Table
from abaco.kpis import flows
from abaco.kpis.book import Book, openings
from abaco.kpis.daily_sums import Amount, DailySums, by_day, measured
from abaco.kpis.flows import PAID
from abaco.kpis.totals import Measure, Totals

PAYMENTS = "transactions, or real payments"
SCHEDULES = "payment schedules"
NEEDS = ("total_receivable_usd",)
MEASURES = {
    "month_paid_usd": Measure("what was paid in the month", PAYMENTS, of_month=True),
    "month_due_usd": Measure("what was due in the month", SCHEDULES, of_month=True),
    "month_principal_paid_usd": Measure("the principal paid in the month", PAYMENTS, of_month=True),
    "month_principal_due_usd": Measure("the principal due in the month", SCHEDULES, of_month=True),
    "month_principal_on_time_usd": Measure(
        "the principal due in the month that was paid by its end",
        f"{SCHEDULES}, and {PAYMENTS}, of the same loans",
        of_month=True,
    ),
    "month_opening_usd": Measure(
        "the outstanding balance at the month's start", "balances at the end of the month before"
    ),
}
TABLE = Table(
    "collections",
    "one row a month",
    (
        Field("month", DATE, "the last day of the month"),
        Field("due_usd", SUM, "principal, interest, fees and tax due in the month", "USD"),
        Field("paid_usd", SUM, "principal, interest, fees and tax paid in the month", "USD"),
        Field("rate", "decimal(18, 2)", "paid of due", "%"),
        Field("principal_due_usd", SUM, "principal due in the month", "USD"),
        Field("principal_paid_usd", SUM, "of that, what was paid by the end of the month", "USD"),
        Field("principal_rate", "decimal(18, 2)", "principal paid by then of principal due", "%"),
        Field("is_partial", FLAG, "whether the figures end before the month does"),
    ),
)
CENT = Decimal("0.01")

MATCHED = "matched"
ON_TIME = "on_time_cents"


@dataclass(frozen=True)
class Flows:
    """Payments and instalments by day; None where the input lacks the export."""

    paid: DailySums | None
    due: DailySums | None
    on_time: DailySums | None


def flows_of(book: Book) -> Flows:
    """Return payments and instalments by day: one scan of each export, and one of both by loan."""
    paid, due, title = flows.paid(book), flows.due(book), flows.paid_title(book)
    paid_by_day = due_by_day = together = None
    if paid is not None:
        is_paid = nw.col("kind") == flows.PAID
        money = (nw.when(is_paid).then(nw.col(c)).alias(c) for c in flows.MONEY)
        paid_by_day = by_day(paid.select("day", *money), title, flows.MONEY)
    if due is not None:
        due_by_day = by_day(due, flows.TITLES["schedules"], flows.MONEY)
    if paid_by_day and due_by_day:
        together = on_time(due, paid, title)
    return Flows(paid_by_day, due_by_day, together)


def month_of(book: Book, day: dt.date) -> tuple[dt.date, dt.date]:
    """Return the first and the last day of a date's month that its figures can know of."""
    return day.replace(day=1), book.through(day)


def measure(book: Book, names: Collection[str], before: Mapping[dt.date, Totals]) -> dict[dt.date, Totals]:
    """Return the named measures of the month up to each date of the tape."""
    spans = {day: month_of(book, day) for day in book.dates}
    found = measured(spans, names, _amounts(book.cached(flows_of)))
    if "month_opening_usd" in names:
        for day, former in openings(book.dates).items():
            found[day].sums["month_opening_usd"] = before[former].sums.get("total_receivable_usd")
            found[day].counts["month_opening_usd"] = before[former].rows
    return found


def _amounts(moved: Flows) -> dict[str, Amount]:
    principal = ("principal_usd",)
    found = {}
    if moved.paid:
        found["month_paid_usd"] = partial(moved.paid.counted, columns=flows.MONEY)
        found["month_principal_paid_usd"] = partial(moved.paid.counted, columns=principal)
    if moved.due:
        found["month_due_usd"] = partial(moved.due.counted, columns=flows.MONEY)
        found["month_principal_due_usd"] = partial(moved.due.counted, columns=principal)
    if moved.on_time:
        found["month_principal_on_time_usd"] = partial(_on_time, moved)
    return found


def _on_time(moved: Flows, first: dt.date, last: dt.date) -> tuple[Decimal, int]:
    """Return the principal of a month's due that was paid by its end, and how many instalments were due."""
    paid, due, together = moved.paid, moved.due, moved.on_time
    _, rows = due.counted(first, last, ("principal_usd",))
    paid.counted(first, last, ("principal_usd",))
    # payments of a loan from before the export would be missing
    if months_between(due.days[0], paid.days[0]) > 0:
        raise NotComputableError(
            "payments_begin_late",
            paid=paid.title, paid_since=paid.days[0], due=due.title, due_since=due.days[0],
        )  # fmt: skip
    if not together.between(together.days[0], together.days[-1], MATCHED):
        raise NotComputableError("no_common_loan", export=paid.title, other=due.title)
    return rounded(together.between(first, last, ON_TIME) * CENT, 2), rows


def collections(book: Book) -> pa.Table:
    """Return the collection, one row a month from the first payment on; empty without payments or schedules.

    Returns
    -------
    pyarrow.Table
        ``month``, its end; what was ``due_usd`` and ``paid_usd`` in it, with interest, fees and tax, and the ``rate``
        in per cent; ``principal_due_usd``, how much of that was paid by the month's end, ``principal_paid_usd``, and
        its ``principal_rate``; ``is_partial`` for a month that the figures do not reach to the end of. Null is what
        the exports do not tell; a rate is null where nothing was due.
    """
    moved, rows = book.cached(flows_of), []
    last = book.through(book.date)
    if moved.paid and moved.due:
        age = months_between(moved.paid.days[0], last)
        ends = [months_before(last, months) for months in range(age, -1, -1)]
        spans = {end: (end.replace(day=1), min(end, last)) for end in ends}
        found = measured(spans, MEASURES, _amounts(moved))
        rows = [_row(end, found[end].sums, spans[end][1] < end) for end in ends]
    return pa.Table.from_pylist(rows, schema=arrow_schema(TABLE))


def _row(month: dt.date, sums: Mapping[str, Decimal | None], is_partial: bool) -> dict[str, Any]:
    due, paid = sums["month_due_usd"], sums["month_paid_usd"]
    principal_due, on_time = sums["month_principal_due_usd"], sums["month_principal_on_time_usd"]
    return {
        "month": month, "due_usd": due, "paid_usd": paid, "rate": _rate(paid, due),
        "principal_due_usd": principal_due, "principal_paid_usd": on_time,
        "principal_rate": _rate(on_time, principal_due), "is_partial": is_partial,
    }  # fmt: skip


def _rate(paid: Decimal | None, due: Decimal | None) -> Decimal | None:
    return None if paid is None or due is None or due <= 0 else rounded(paid / due * 100, 2)


def on_time(due: nw.LazyFrame, paid: nw.LazyFrame, title: str) -> DailySums | None:
    """Return how the part of a month's principal due that is paid grew, day by day, in cents.

    What a loan pays serves its instalments in the order in which they are due. Of a month's instalments that part is
    on time which the payments up to the month's end cover after all instalments of earlier months: early payments are
    on time, and late payments serve the oldest instalments first. The sum over a month up to a day counts on that day.

    Parameters
    ----------
    due
        One row an instalment (see `flows.due`).
    paid
        One row a payment (see `flows.paid`).

    Returns
    -------
    DailySums or None
        ``on_time_cents``, and ``matched``: how many rows are of loans with both payments and instalments by then.
    """
    # whole cents: not every engine adds up decimals in a row
    instalments = due.select("loan_id", "day", due=whole_cents("principal_usd"), paid=nw.lit(0).cast(nw.Int64()))
    payments = paid.filter(nw.col("kind") == PAID).select(
        "loan_id", "day", due=nw.lit(0).cast(nw.Int64()), paid=whole_cents("principal_usd")
    )
    daily = nw.concat([instalments, payments]).group_by("loan_id", "day")
    rows = daily.agg(nw.col("due", "paid").sum()).with_columns(nw.col("due", "paid").cast(nw.Int64()))
    rows = rows.with_columns(month=nw.col("day").dt.year().cast(nw.Int64()) * 12 + nw.col("day").dt.month())
    rows = rows.with_columns(
        paid_up_to=nw.col("paid").cum_sum().over("loan_id", order_by="day").cast(nw.Int64()),
        due_up_to=nw.col("due").cum_sum().over("loan_id", order_by="day").cast(nw.Int64()),
        due_in_month=nw.col("due").cum_sum().over("loan_id", "month", order_by="day").cast(nw.Int64()),
    )
    matched = ((nw.col("due_up_to") != 0) & (nw.col("paid_up_to") != 0)).cast(nw.Int64())
    return by_day(rows.select("day", _growth().alias(ON_TIME), matched.alias(MATCHED)), title, (ON_TIME, MATCHED))


def _growth() -> nw.Expr:
    """Return by how much a row raises the part of its month's due that is on time."""
    before_month = nw.col("due_up_to") - nw.col("due_in_month")
    free = nw.col("paid_up_to") - before_month
    now = _covered(free, nw.col("due_in_month"))
    return now - _covered(free - nw.col("paid"), nw.col("due_in_month") - nw.col("due"))


def _covered(free: nw.Expr, due: nw.Expr) -> nw.Expr:
    least = nw.when(free < due).then(free).otherwise(due)
    return nw.when(least > 0).then(least).otherwise(nw.lit(0))
