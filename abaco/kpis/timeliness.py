"""What of the principal due was paid by the end of the month that it was due in."""

import narwhals as nw

from abaco.kpis.daily import Ledger, by_day
from abaco.kpis.flows import PAID, ZERO

MATCHED = "matched"
ON_TIME = "on_time_cents"


def on_time(due: nw.LazyFrame, paid: nw.LazyFrame, title: str) -> Ledger | None:
    """Return how the part of a month's principal due that is paid grew, day by day, in cents.

    What a loan pays serves its instalments in the order in which they are due. Of a month's instalments that part is
    on time which the payments up to the month's end cover after all instalments of earlier months: who pays early has
    paid on time, and who is behind pays old instalments first. The sum over a month up to a day is what counts on it.

    Parameters
    ----------
    due
        One row an instalment (see `flows.due`).
    paid
        One row a payment (see `flows.paid`).

    Returns
    -------
    Ledger or None
        ``on_time_cents``, and ``matched``: how many rows are of loans with both payments and instalments by then.
    """
    # whole cents: not every engine adds up decimals in a row
    instalments = due.select("loan_id", "day", due=_cents(), paid=nw.lit(0).cast(nw.Int64()))
    payments = paid.filter(nw.col("kind") == PAID).select(
        "loan_id", "day", due=nw.lit(0).cast(nw.Int64()), paid=_cents()
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
    return by_day(
        rows.select("day", _growth().alias(ON_TIME), matched.alias(MATCHED)), title, (ON_TIME, MATCHED)
    )


def _cents() -> nw.Expr:
    amount = nw.coalesce(nw.col("principal_usd"), ZERO)
    return (amount * 100).cast(nw.Int64())


def _growth() -> nw.Expr:
    """Return by how much a day's row raises what is on time of its month's due."""
    before_month = nw.col("due_up_to") - nw.col("due_in_month")
    free = nw.col("paid_up_to") - before_month
    now = _covered(free, nw.col("due_in_month"))
    return now - _covered(free - nw.col("paid"), nw.col("due_in_month") - nw.col("due"))


def _covered(free: nw.Expr, due: nw.Expr) -> nw.Expr:
    least = nw.when(free < due).then(free).otherwise(due)
    return nw.when(least > 0).then(least).otherwise(nw.lit(0))
