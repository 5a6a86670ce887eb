"""Balances of the tape on each date: outstanding, by lateness, written off, and cash."""

import datetime as dt
from collections.abc import Collection, Mapping
from decimal import Decimal

import narwhals as nw

from abaco.core.decimals import rounded
from abaco.ingest.formats import TAPE_FORMATS
from abaco.ingest.tape import AMOUNTS
from abaco.kpis.book import Book
from abaco.kpis.totals import Measure, Totals, totals, with_cash, with_filled

TAPE = " or ".join(format_.title for format_ in TAPE_FORMATS if format_.is_dated)
LOANS = "one row per loan, not one per date"
DAYS = "days past due (dpd) for every loan with a balance"
RATES = "the loans export, with interest_rate"
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
    "written_off_usd": Measure("the written-off balance", WRITTEN_OFF),
    "par_1_usd": Measure("the balance 1 and more days late", DAYS),
    "npl_usd": Measure("the balance more than 90 days late", DAYS),
    "gross_usd": Measure("the balance with what is written off", WRITTEN_OFF),
    "gross_90_plus_usd": Measure(
        "the balance 90 and more days late with what is written off", f"{DAYS}, and {WRITTEN_OFF}"
    ),
    "active_loans": Measure("the number of loans with a balance", LOANS, "loans"),
    "rate_weighted_usd": Measure("the interest of a year on the outstanding balance", RATES),
    "rated_usd": Measure("the outstanding balance of loans with a known rate", RATES),
}
# A sum over some of the rows would be too small: without a value in every row there is none.
WHOLE = ("par_1_usd", "npl_usd", "gross_usd", "gross_90_plus_usd")
# Rates are weighted in whole millionths: not every engine keeps all places of a product of two decimals.
MILLION = 1_000_000
SCALE = {"rate_weighted_usd": MILLION}
ZERO = nw.lit(Decimal("0.00"))


def columns() -> dict[str, nw.Expr]:
    """Return the measures that rows of the tape have no column for, as expressions over its columns."""
    balance, days, written_off = (nw.col(c) for c in ("total_receivable_usd", "days_past_due", "written_off_usd"))
    rate, gross, is_owed = nw.col("interest_rate"), balance + written_off, balance > 0
    is_known = ~days.is_null()
    return {
        "par_1_usd": nw.when(is_owed & is_known & (days >= 1)).then(balance).when(is_known | ~is_owed).then(ZERO),
        "npl_usd": nw.when(is_owed & is_known & (days > 90)).then(balance).when(is_known | ~is_owed).then(ZERO),
        "gross_usd": gross,
        "gross_90_plus_usd": nw.when(is_known & (days >= 90)).then(gross).when(is_known | (gross == 0)).then(ZERO),
        "active_loans": nw.when(~nw.col("loan_id").is_null()).then(is_owed.cast(nw.Int64())),
        "rate_weighted_usd": nw.when(is_owed).then(balance * (rate * MILLION).cast(nw.Int64())),
        "rated_usd": nw.when(is_owed & ~rate.is_null()).then(balance),
    }


def measure(book: Book, names: Collection[str], _: Mapping[dt.date, Totals]) -> dict[dt.date, Totals]:
    """Return the named measures on every date of the tape, in one scan of it."""
    derived = {name: expression.alias(name) for name, expression in columns().items() if name in names}
    columns_of_tape = [name for name in names if name in AMOUNTS]
    rows = book.tape.lazy().select("measurement_date", *columns_of_tape, *derived.values())
    sums = with_cash(with_filled(totals(rows, names), book.filled), book.accounts)
    return {day: _whole(total) for day, total in sums.items()}


def _whole(total: Totals) -> Totals:
    partial = [name for name in WHOLE if name in total.sums and total.counts[name] < total.rows]
    exact = {
        name: usd if usd is None else rounded(usd / SCALE.get(name, 1), 0 if MEASURES[name].unit == "loans" else 2)
        for name, usd in total.sums.items()
    }
    return Totals(total.rows, {**exact, **dict.fromkeys(partial)}, total.counts, total.reasons)
