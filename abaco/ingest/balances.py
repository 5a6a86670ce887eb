"""How the rows of each export become balances of the tape: what is owed by lateness, and what is written off."""

from collections.abc import Sequence
from itertools import accumulate, pairwise

import narwhals as nw

from abaco.ingest.columns import AGING, BUCKETS, DISCOUNTED, ELIGIBLE, RECEIVABLE, WRITTEN_OFF, ZERO
from abaco.ingest.contract import Format
from abaco.ingest.lateness import DAYS, GIVEN, Lateness, at_risk, par_balance
from abaco.ingest.tape import OF_LOAN
from abaco.ingest.write_offs import IS_LOST, STANDING

OFF = "writeoff_outstanding_balance_usd"
STAND_INS = ("total_eligible_usd", "discounted_balance_usd")


def _outstanding(balance: nw.Expr) -> dict[str, nw.Expr]:
    return dict.fromkeys(("total_receivable_usd", *STAND_INS), balance)


def owed_balances(format_: Format, present: set[str]) -> list[nw.Expr]:
    """Return what is owed of each balance of an export, from which its rows become those of the tape.

    It is 0 where the borrower has paid too much, or the loan is written off by its status.
    """
    found = []
    for name in (c.name for c in format_.columns if c.credit and c.name in present):
        balance = nw.col(name)
        is_none = (balance < 0) | IS_LOST.fill_null(False) if STANDING in present else balance < 0
        found.append(nw.when(is_none).then(ZERO).otherwise(balance).alias(f"owed_{name}"))
    return found


def _owed(name: str) -> nw.Expr:
    return nw.col(f"owed_{name}")


def _lost(name: str, present: set[str], own: str = "") -> nw.Expr:
    """Return what is written off: the balance, where the status says so, and no less than a column of its own says."""
    known = [nw.col(own)] if own in present else []
    lost = [nw.when(IS_LOST & (nw.col(name) > 0)).then(nw.col(name))] if STANDING in present else []
    return nw.max_horizontal(*known, *lost) if known and lost else (*known, *lost, nw.lit(None))[0]


def from_snapshot(present: set[str], _) -> dict[str, nw.Expr]:
    """Return the balances of a canonical snapshot."""
    owed = {c.name: _owed(c.name) for c in (RECEIVABLE, ELIGIBLE, DISCOUNTED, *AGING)}
    if "dpd_120_plus_usd" in present:
        owed["dpd_90_plus_usd"] += nw.coalesce(_owed("dpd_120_plus_usd"), ZERO)
    return owed | {WRITTEN_OFF.name: _lost("total_receivable_usd", present, WRITTEN_OFF.name)}


def from_par(present: set[str], first_days: Sequence[int]) -> dict[str, nw.Expr]:
    """Return the balances of an export that gives what is owed, and how late it is in amounts or in days.

    The amounts are cumulative. Where there is none from a day on, the days past due of the loan tell.

    Parameters
    ----------
    first_days
        The first days of the buckets in which it gives days past due; empty when it gives the days themselves.
    """
    balance = _owed("outstanding_balance_usd")
    given = {days: _owed(par_balance(days)) for days in GIVEN if par_balance(days) in present}
    written_off = _lost("outstanding_balance_usd", present, OFF)
    return _by_lateness(balance, given, present, first_days) | {WRITTEN_OFF.name: written_off}


def from_loans(present: set[str], first_days: Sequence[int]) -> dict[str, nw.Expr]:
    """Return the balances of a loans export, with or without dates, by its days past due."""
    balance, written_off = _owed("outstanding_balance"), _lost("outstanding_balance", present, OFF)
    return _by_lateness(balance, {}, present, first_days) | {WRITTEN_OFF.name: written_off}


def _by_lateness(
    balance: nw.Expr, given: dict[int, nw.Expr], present: set[str], first_days: Sequence[int]
) -> dict[str, nw.Expr]:
    """Return what is owed, in buckets, and what the export says of each loan.

    Parameters
    ----------
    given
        What is so many days late or more, by these days.
    """
    own = {name: nw.col(heading) for name, heading in OF_LOAN.items() if heading in present}
    # sources round each column for itself: what is later at all is later by fewer days too, and no more than is owed
    late = accumulate(reversed(given.values()), nw.max_horizontal)
    given = {d: nw.min_horizontal(balance, amount) for d, amount in zip(reversed(given), late, strict=True)}
    for days in (days for days in DAYS if days not in given and days + 1 in given):
        given[days] = given[days + 1]
    lateness = Lateness(balance, dict(sorted(given.items())), "days_past_due" in present, first_days)
    par = [balance, *(lateness.amount(days) for days in DAYS)]
    buckets = [at_least - beyond for at_least, beyond in pairwise(par)] + par[-1:]
    beside = {at_risk(days): lateness.amount(days) for days in lateness.beside_buckets}
    days_past_due = {"days_past_due": nw.lit(None)} if first_days else {}
    return _outstanding(balance) | dict(zip(BUCKETS, buckets, strict=True)) | beside | own | days_past_due
