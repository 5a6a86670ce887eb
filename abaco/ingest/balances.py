"""How the rows of each export become balances of the tape: what is owed by lateness, and what is written off."""

import datetime as dt
from itertools import accumulate, pairwise

import narwhals as nw

from abaco.ingest.columns import AGING, BUCKETS, DISCOUNTED, ELIGIBLE, FIRST_DAY, RECEIVABLE, WRITTEN_OFF_STATUSES
from abaco.ingest.tape import OF_LOAN, ZERO

PAR_BALANCES_USD = tuple(f"par_{days}_balance_usd" for days in (7, 30, 60, 90))


STAND_INS = ("total_eligible_usd", "discounted_balance_usd")


def _outstanding(balance: nw.Expr) -> dict[str, nw.Expr]:
    return dict.fromkeys(("total_receivable_usd", *STAND_INS), balance)


def _owed(name: str) -> nw.Expr:
    """Return a balance, 0 where the borrower has paid too much."""
    balance = nw.col(name)
    return nw.when(balance < 0).then(ZERO).otherwise(balance)


def from_snapshot(present: set[str], _) -> dict[str, nw.Expr]:
    """Return the balances of a canonical snapshot."""
    owed = {c.name: _owed(c.name) for c in (RECEIVABLE, ELIGIBLE, DISCOUNTED, *AGING)}
    if "dpd_120_plus_usd" in present:
        owed["dpd_90_plus_usd"] += nw.coalesce(_owed("dpd_120_plus_usd"), ZERO)
    return owed


def from_par(present: set[str], _) -> dict[str, nw.Expr]:
    """Return the balances of PAR balances, whose columns are cumulative."""
    balance, *late = map(_owed, ("outstanding_balance_usd", *PAR_BALANCES_USD))
    # sources round each column for itself: what is later at all is later by fewer days too, and no more than is owed
    par = list(accumulate(reversed(late), nw.max_horizontal))[::-1]
    par = [balance, *(nw.min_horizontal(balance, amount) for amount in par)]
    buckets = [at_least - beyond for at_least, beyond in pairwise(par)] + par[-1:]
    lost = "writeoff_outstanding_balance_usd"
    written_off = nw.col(lost) if lost in present else nw.lit(None)
    return _outstanding(par[0]) | dict(zip(BUCKETS, buckets, strict=True)) | {"written_off_usd": written_off}


def from_loans(present: set[str], date: dt.date | None) -> dict[str, nw.Expr]:
    """Return the balances of a loans export, bucketed by days past due, and what it says of each loan."""
    balance, dpd = _owed("outstanding_balance"), nw.col("days_past_due")
    written_off = nw.lit(None)
    if "loan_status" in present:
        status = nw.col("loan_status").str.to_lowercase().str.replace_all("[^a-z]", "")
        is_lost = status.is_in(WRITTEN_OFF_STATUSES).fill_null(False)
        written_off = nw.when(is_lost).then(balance)
        balance = nw.when(is_lost).then(ZERO).otherwise(balance)
    first = list(FIRST_DAY.values())
    buckets = {
        name: nw.when((dpd >= low) & (dpd < high if high else nw.lit(True))).then(balance).otherwise(ZERO)
        for (name, low), high in zip(FIRST_DAY.items(), [*first[1:], None], strict=True)
    }
    own = {name: nw.col(heading) for name, heading in OF_LOAN.items() if heading in present}
    return {
        "measurement_date": nw.lit(date), **_outstanding(balance), **buckets, "written_off_usd": written_off, **own
    }  # fmt: skip
