"""How the rows of each export become balances of the tape: what is owed by lateness, and what is written off."""

import datetime as dt
from itertools import accumulate, pairwise

import narwhals as nw

from abaco.ingest.columns import AGING, BUCKETS, DISCOUNTED, ELIGIBLE, FIRST_DAY, RECEIVABLE, WRITTEN_OFF
from abaco.ingest.tape import OF_LOAN, ZERO
from abaco.ingest.write_offs import IS_LOST, STANDING

PAR_BALANCES_USD = tuple(f"par_{days}_balance_usd" for days in (7, 30, 60, 90))


STAND_INS = ("total_eligible_usd", "discounted_balance_usd")


def _outstanding(balance: nw.Expr) -> dict[str, nw.Expr]:
    return dict.fromkeys(("total_receivable_usd", *STAND_INS), balance)


def _owed(name: str, present: set[str]) -> nw.Expr:
    """Return a balance, 0 where the borrower has paid too much or the loan is written off by its status."""
    balance = nw.col(name)
    is_none = (balance < 0) | IS_LOST.fill_null(False) if STANDING in present else balance < 0
    return nw.when(is_none).then(ZERO).otherwise(balance)


def _lost(name: str, present: set[str], own: str = "") -> nw.Expr:
    """Return what is written off: the balance, where the status says so, and no less than a column of its own says."""
    known = [nw.col(own)] if own in present else []
    lost = [nw.when(IS_LOST & (nw.col(name) > 0)).then(nw.col(name))] if STANDING in present else []
    return nw.max_horizontal(*known, *lost) if known and lost else (*known, *lost, nw.lit(None))[0]


def from_snapshot(present: set[str], _) -> dict[str, nw.Expr]:
    """Return the balances of a canonical snapshot."""
    owed = {c.name: _owed(c.name, present) for c in (RECEIVABLE, ELIGIBLE, DISCOUNTED, *AGING)}
    if "dpd_120_plus_usd" in present:
        owed["dpd_90_plus_usd"] += nw.coalesce(_owed("dpd_120_plus_usd", present), ZERO)
    return owed | {WRITTEN_OFF.name: _lost("total_receivable_usd", present, WRITTEN_OFF.name)}


def from_par(present: set[str], _) -> dict[str, nw.Expr]:
    """Return the balances of PAR balances, whose columns are cumulative."""
    balance, *late = (_owed(name, present) for name in ("outstanding_balance_usd", *PAR_BALANCES_USD))
    # sources round each column for itself: what is later at all is later by fewer days too, and no more than is owed
    par = list(accumulate(reversed(late), nw.max_horizontal))[::-1]
    par = [balance, *(nw.min_horizontal(balance, amount) for amount in par)]
    buckets = [at_least - beyond for at_least, beyond in pairwise(par)] + par[-1:]
    written_off = _lost("outstanding_balance_usd", present, "writeoff_outstanding_balance_usd")
    return _outstanding(par[0]) | dict(zip(BUCKETS, buckets, strict=True)) | {WRITTEN_OFF.name: written_off}


def from_loans(present: set[str], date: dt.date | None) -> dict[str, nw.Expr]:
    """Return the balances of a loans export, bucketed by days past due, and what it says of each loan."""
    balance, dpd = _owed("outstanding_balance", present), nw.col("days_past_due")
    first = list(FIRST_DAY.values())
    buckets = {
        name: nw.when((dpd >= low) & (dpd < high if high else nw.lit(True))).then(balance).otherwise(ZERO)
        for (name, low), high in zip(FIRST_DAY.items(), [*first[1:], None], strict=True)
    }
    own = {name: nw.col(heading) for name, heading in OF_LOAN.items() if heading in present}
    return {
        "measurement_date": nw.lit(date), **_outstanding(balance), **buckets, **own,
        WRITTEN_OFF.name: _lost("outstanding_balance", present),
    }  # fmt: skip
