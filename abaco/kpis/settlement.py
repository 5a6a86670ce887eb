"""Payments against the instalments that they serve, loan by loan, added up by day."""

from collections.abc import Mapping
from decimal import Decimal

import narwhals as nw

from abaco.core.decimals import day_number, whole_cents
from abaco.kpis.daily_sums import DailySums, by_day
from abaco.kpis.flows import PAID

# Days after the due date, and the column of `settled` that has what was paid by then.
LATER = {0: "paid_0_cents", 30: "paid_30_cents", 60: "paid_60_cents"}
MATCHED, PREPAID, OLD_DUE = "matched", "prepaid_cents", "old_due_cents"
DATED, DAY_CENTS = "dated_cents", "day_cents"
COLUMNS = (MATCHED, *LATER.values(), PREPAID, OLD_DUE, DATED, DAY_CENTS)
CENT = Decimal("0.01")
NONE = nw.lit(0).cast(nw.Int64())


def settled(due: nw.LazyFrame | None, paid: nw.LazyFrame, lent: nw.LazyFrame | None, title: str) -> DailySums | None:
    """Return which instalments payments served, and when, as sums by day.

    What a loan pays serves its instalments in the order in which they are due: late payments serve the oldest first,
    early ones those to come. A payment that is reversed within its month served none.

    Parameters
    ----------
    due
        One row per instalment (see `flows.due`).
    paid
        One row per payment (see `flows.paid`).
    lent
        One row per loan (see `flows.lent`).

    Returns
    -------
    DailySums or None
        In cents of principal: ``paid_0_cents``, the part of what is due on a day that is paid by then, and
        ``paid_30_cents``, of what was due 30 days before; ``prepaid_cents``, paid on instalments due after the month,
        and ``old_due_cents``, due on the day, each of loans lent before the month; ``dated_cents``, paid by loans of
        which the day of lending is known, and ``day_cents``, the same times the days since. ``matched`` is how many
        rows are of loans with both payments and instalments by then.
    """
    payments = paid.filter(nw.col("kind") == PAID)
    parts = [_part(payments, "paid")]
    if due is not None:
        parts += [_part(due, f"due_{days}", days) for days in LATER]
    rows = _daily(parts)
    if lent is not None:
        rows = rows.join(lent.group_by("loan_id").agg(lent_on=nw.col("day").min()), on="loan_id", how="left")
    else:
        rows = rows.with_columns(lent_on=nw.lit(None).cast(nw.Date()))
    return by_day(rows.select("day", *(made.alias(name) for name, made in _columns().items())), title, COLUMNS)


def _part(rows: nw.LazyFrame, name: str, days: int = 0) -> nw.LazyFrame:
    """Return principal in cents under a name, so many days later, with 0 under every other."""
    day = nw.col("day").dt.offset_by(f"{days}d").cast(nw.Date()) if days else nw.col("day")
    names = ("paid", *(f"due_{k}" for k in LATER))
    cents = {other: whole_cents("principal_usd") if other == name else NONE for other in names}
    return rows.select("loan_id", day.alias("day"), **cents)


def _daily(parts: list[nw.LazyFrame]) -> nw.LazyFrame:
    """Return one row per loan and day, with running sums of the loan and its month."""
    dues = [f"due_{days}" for days in LATER]
    daily = nw.concat(parts).group_by("loan_id", "day").agg(nw.col("paid", *dues).sum())
    rows = daily.with_columns(nw.col("paid", *dues).cast(nw.Int64()), month=_month("day"))
    rows = rows.with_columns(
        *(_running(name).alias(f"{name}_up_to") for name in ("paid", *dues)),
        due_in_month=nw.col("due_0").cum_sum().over("loan_id", "month", order_by="day").cast(nw.Int64()),
        due_of_month=nw.col("due_0").sum().over("loan_id", "month").cast(nw.Int64()),
        due_of_loan=nw.col("due_0").sum().over("loan_id").cast(nw.Int64()),
    )
    kept = nw.col("paid_up_to").cum_min(reverse=True).over("loan_id", "month", order_by="day")
    return rows.with_columns(kept_up_to=kept.cast(nw.Int64()))


def _columns() -> Mapping[str, nw.Expr]:
    paid_up_to, paid, kept = nw.col("paid_up_to"), nw.col("paid"), nw.col("kept_up_to")
    by_then = {
        column: _within(kept - nw.col(f"due_{days}_up_to") + nw.col(f"due_{days}"), nw.col(f"due_{days}"))
        for days, column in LATER.items()
    }
    due_by_month_end = nw.col("due_0_up_to") - nw.col("due_in_month") + nw.col("due_of_month")
    later = nw.col("due_of_loan") - due_by_month_end
    early = _within(paid_up_to - due_by_month_end, later) - _within(paid_up_to - paid - due_by_month_end, later)
    is_old, is_dated = _month("lent_on") < nw.col("month"), ~nw.col("lent_on").is_null()
    # Spark adds up whole numbers within 19 digits, and decimals within 38
    day_cents = (paid * (day_number("day") - day_number("lent_on"))).cast(nw.Decimal(19, 0))
    return {
        MATCHED: ((nw.col("due_0_up_to") != 0) & (paid_up_to != 0)).cast(nw.Int64()),
        **by_then,
        PREPAID: nw.when(is_old).then(early).otherwise(NONE),
        OLD_DUE: nw.when(is_old).then(nw.col("due_0")).otherwise(NONE),
        DATED: nw.when(is_dated).then(paid).otherwise(NONE),
        DAY_CENTS: nw.when(is_dated).then(day_cents).otherwise(nw.lit(Decimal(0))),
    }


def _running(name: str) -> nw.Expr:
    return nw.col(name).cum_sum().over("loan_id", order_by="day").cast(nw.Int64())


def _within(amount: nw.Expr, most: nw.Expr) -> nw.Expr:
    """Return an amount kept within 0 and `most`."""
    least = nw.when(amount < most).then(amount).otherwise(most)
    return nw.when(least > 0).then(least).otherwise(NONE)


def _month(column: str) -> nw.Expr:
    return nw.col(column).dt.year().cast(nw.Int64()) * 12 + nw.col(column).dt.month()
