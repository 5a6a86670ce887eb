"""How the rows of each export become balances of the tape: what is owed by lateness, and what is written off."""

import datetime as dt
from itertools import accumulate, pairwise

import narwhals as nw

from abaco.ingest.columns import AGING, BUCKETS, DISCOUNTED, ELIGIBLE, FIRST_DAY, RECEIVABLE, WRITTEN_OFF
from abaco.ingest.tape import OF_LOAN, ZERO
from abaco.ingest.write_offs import IS_LOST

PAR_BALANCES_USD = tuple(f"par_{days}_balance_usd" for days in (7, 30, 60, 90))


STAND_INS = ("total_eligible_usd", "discounted_balance_usd")


def _outstanding(balance: nw.Expr) -> dict[str, nw.Expr]:
    return dict.fromkeys(("total_receivable_usd", *STAND_INS), balance)


def _owed(name: str) -> nw.Expr:
    """Return a balance, 0 where the borrower has paid too much or the loan is written off by its status."""
    balance = nw.col(name)
    return nw.when((balance < 0) | IS_LOST.fill_null(False)).then(ZERO).otherwise(balance)


def _lost(name: str, known: nw.Expr | None = None) -> nw.Expr:
    """Return what is written off: the balance, where the status says so, and no less than a column of its own says."""
    lost = nw.when(IS_LOST & (nw.col(name) > 0)).then(nw.col(name))
    return lost if known is None else nw.max_horizontal(known, lost)


def from_snapshot(present: set[str], _) -> dict[str, nw.Expr]:
    """Return the balances of a canonical snapshot."""
    owed = {c.name: _owed(c.name) for c in (RECEIVABLE, ELIGIBLE, DISCOUNTED, *AGING)}
    if "dpd_120_plus_usd" in present:
        owed["dpd_90_plus_usd"] += nw.coalesce(_owed("dpd_120_plus_usd"), ZERO)
    known = nw.col(WRITTEN_OFF.name) if WRITTEN_OFF.name in present else None
    return owed | {WRITTEN_OFF.name: _lost("total_receivable_usd", known)}


def from_par(present: set[str], _) -> dict[str, nw.Expr]:
    """Return the balances of PAR balances, whose columns are cumulative."""
    balance, *late = map(_owed, ("outstanding_balance_usd", *PAR_BALANCES_USD))
    # sources round each column for itself: what is later at all is later by fewer days too, and no more than is owed
    par = list(accumulate(reversed(late), nw.max_horizontal))[::-1]
    par = [balance, *(nw.min_horizontal(balance, amount) for amount in par)]
    buckets = [at_least - beyond for at_least, beyond in pairwise(par)] + par[-1:]
    own = "writeoff_outstanding_balance_usd"
    written_off = _lost("outstanding_balance_usd", nw.col(own) if own in present else None)
    return _outstanding(par[0]) | dict(zip(BUCKETS, buckets, strict=True)) | {WRITTEN_OFF.name: written_off}


def from_loans(present: set[str], date: dt.date | None) -> dict[str, nw.Expr]:
    """Return the balances of a loans export, bucketed by days past due, and what it says of each loan."""
    balance, dpd = _owed("outstanding_balance"), nw.col("days_past_due")
    first = list(FIRST_DAY.values())
    buckets = {
        name: nw.when((dpd >= low) & (dpd < high if high else nw.lit(True))).then(balance).otherwise(ZERO)
        for (name, low), high in zip(FIRST_DAY.items(), [*first[1:], None], strict=True)
    }
    own = {name: nw.col(heading) for name, heading in OF_LOAN.items() if heading in present}
    return {
        "measurement_date": nw.lit(date), **_outstanding(balance), **buckets, **own,
        WRITTEN_OFF.name: _lost("outstanding_balance"),
    }  # fmt: skip
