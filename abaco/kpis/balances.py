"""Balances of the tape on each date: outstanding, by lateness, written off, and cash."""

import datetime as dt
from collections.abc import Collection, Mapping

import narwhals as nw

from abaco.core.decimals import rounded
from abaco.core.reasons import Reason
from abaco.ingest.columns import BUCKETS, ZERO
from abaco.ingest.formats import TAPE_FORMATS
from abaco.ingest.lateness import DAYS, NON_PERFORMING, at_risk
from abaco.ingest.tape import AMOUNTS
from abaco.kpis.book import Book
from abaco.kpis.buckets import late
from abaco.kpis.totals import Measure, Totals, merged, totals, with_cash, with_filled, without_unread

TAPE = " or ".join(format_.title for format_ in TAPE_FORMATS if format_.is_dated)
LOANS = "one row per loan, not one per date"
DPD = "days past due (dpd) for every loan with a balance"
AMOUNTS_OR_DAYS = f"PAR balances of these days, or {DPD}"
RATES = "the loans export, with interest_rate"
RESTRUCTURED = "whether each loan is restructured: a column such as is_restructured, or a status that says so"
WRITTEN_OFF = "PAR balances with writeoff_outstanding_balance_usd, or a snapshot with written_off_usd"
_LATE = {
    "dpd_0_7_usd": "balances less than 7 days late",
    "dpd_7_30_usd": "balances 7 to 29 days late",
    "dpd_30_60_usd": "balances 30 to 59 days late",
    "dpd_60_90_usd": "balances 60 to 89 days late",
    "dpd_90_plus_usd": "balances 90 and more days late",
}
MEASURES = {
    "total_receivable_usd": Measure("the outstanding balance", TAPE),
    "total_eligible_usd": Measure("the eligible receivables", TAPE),
    "discounted_balance_usd": Measure("the discounted balance", "a canonical snapshot"),
    "cash_available_usd": Measure(
        "the cash available",
        "a financial statement of that date with its cash (efectivo, caja), or a canonical snapshot",
    ),
    **{name: Measure(title, TAPE) for name, title in _LATE.items()},
    **{at_risk(days): Measure(f"the balance {days} and more days late", AMOUNTS_OR_DAYS) for days in DAYS},
    "written_off_usd": Measure("the written-off balance", WRITTEN_OFF),
    "par_1_usd": Measure("the balance 1 and more days late", DPD),
    "par_30_restructured_usd": Measure("the balance 30 and more days late, or restructured", RESTRUCTURED),
    "npl_usd": Measure("the balance more than 90 days late", DPD),
    "gross_usd": Measure("the balance with what is written off", WRITTEN_OFF),
    "gross_90_plus_usd": Measure(
        "the balance 90 and more days late with what is written off",
        f"{DPD}, and {WRITTEN_OFF}",
        parts=(DPD, WRITTEN_OFF),
    ),
    "active_loans": Measure("the number of loans with a balance", LOANS, "loans"),
    "rate_weighted_usd": Measure("the interest of a year on the outstanding balance", RATES),
    "rated_usd": Measure("the outstanding balance of loans with a known rate", RATES),
}
# A sum over some of the rows would be too small: without a value in every row there is none.
WHOLE = (
    *BUCKETS,
    *map(at_risk, DAYS),
    "par_1_usd",
    "par_30_restructured_usd",
    "npl_usd",
    "gross_usd",
    "gross_90_plus_usd",
)
# Rates are weighted in whole millionths: not every engine keeps all places of a product of two decimals.
MILLION = 1_000_000
SCALE = {"rate_weighted_usd": MILLION}


def columns() -> dict[str, nw.Expr]:
    """Return the measures that rows of the tape have no column for, as expressions over its columns."""
    balance, days, written_off = (nw.col(c) for c in ("total_receivable_usd", "days_past_due", "written_off_usd"))
    rate, gross, is_owed = nw.col("interest_rate"), balance + written_off, balance > 0
    is_known, is_restructured = ~days.is_null(), nw.col("restructured")
    by_days = nw.when(is_known & (days >= 30)).then(balance).when(is_known).then(ZERO)
    return {
        "par_1_usd": late(1),
        "par_30_restructured_usd": nw.when(~is_owed)
        .then(ZERO)
        .when(is_restructured)
        .then(balance)
        .when(~is_restructured)
        .then(nw.coalesce(late(30), by_days)),
        "npl_usd": late(NON_PERFORMING),
        "gross_usd": gross,
        "gross_90_plus_usd": nw.when(is_known & (days >= 90)).then(gross).when(is_known | (gross == 0)).then(ZERO),
        "active_loans": nw.when(~nw.col("loan_id").is_null()).then(is_owed.cast(nw.Int64())),
        "rate_weighted_usd": nw.when(is_owed).then(balance * (rate * MILLION).cast(nw.Int64())),
        "rated_usd": nw.when(is_owed & ~rate.is_null()).then(balance),
    }


def measure(book: Book, names: Collection[str], _: Mapping[dt.date, Totals]) -> dict[dt.date, Totals]:
    """Return the named measures on every date of the tape, in one scan of it.

    Where an aging bucket is unknown, what is late by its first day and more is added, from a second scan.
    """
    sums = without_unread(_totals(book.tape, names), book.unread_of_tape)
    sums = with_cash(with_filled(sums, book.filled), book.accounts)
    return {day: _whole(total) for day, total in sums.items()}


def late_totals(tape: nw.LazyFrame, *more: str) -> dict[dt.date, Totals]:
    """Return what is owed on every date of a tape, whole and by days past due, and `more` of `MEASURES`."""
    return {day: _whole(total) for day, total in _totals(tape, ("total_receivable_usd", *BUCKETS, *more)).items()}


def _totals(tape: nw.LazyFrame, names: Collection[str]) -> dict[dt.date, Totals]:
    derived = {name: expression.alias(name) for name, expression in columns().items() if name in names}
    columns_of_tape = [name for name in names if name in AMOUNTS]
    sums = totals(tape.lazy().select("measurement_date", *columns_of_tape, *derived.values()), names)
    buckets = [name for name in BUCKETS if name in names]
    if unknown := [day for day, total in sums.items() if any(total.counts.get(b, 0) < total.rows for b in buckets)]:
        late_by = {at_risk(days): late(days).alias(at_risk(days)) for days in DAYS}
        rows = tape.lazy().filter(nw.col("measurement_date").is_in(unknown))
        beside = totals(rows.select("measurement_date", *late_by.values()), late_by)
        sums |= {d: merged(sums[d], found) for d, found in beside.items() if any(found.counts.values())}
    return sums


def _whole(total: Totals) -> Totals:
    partial = [name for name in WHOLE if name in total.sums and total.counts[name] < total.rows]
    exact = {
        name: usd if usd is None else rounded(usd / SCALE.get(name, 1), 0 if MEASURES[name].unit == "loans" else 2)
        for name, usd in total.sums.items()
    }
    reasons = {
        at_risk(days): Reason("late_by_unknown", days=days, count=total.rows - total.counts[at_risk(days)])
        for days in DAYS
        if at_risk(days) in partial
    }
    return Totals(total.rows, {**exact, **dict.fromkeys(partial)}, total.counts, {**total.reasons, **reasons})
