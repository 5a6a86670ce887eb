"""Lateness: what of a balance is so many days late or more, from amounts, days past due, or an export's own buckets.

A mapping may give days past due by the first day of a bucket alone: 31 for "31-60 days", or 30 for one month. A bucket
that begins the day after a limit counts from there: with 31 as a first day, PAR30 is what is 31 or more days late. So
does an amount of 31 or more days. What lies in a bucket across a limit is unknown there: never 0, and never all.
"""

from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass

import narwhals as nw

from abaco.ingest.columns import BUCKETS, FIRST_DAY, ZERO

DAYS = (7, 30, 60, 90)  # the limits between the aging buckets
NON_PERFORMING = 91
GIVEN = (1, 7, 8, 30, 31, 60, 61, 90, 91)  # the days from which on an export may give what is late
# what to say of a PAR of such an input
OWN_BUCKETS = "The input gives days past due in buckets that begin the day after the limit, and counts from there."
MONTHS = (0, 30, 60, 90)  # the first days of lateness in months


def at_risk(days: int) -> str:
    """Return the column of the tape with what is so many days late or more."""
    return f"par_{days}_usd"


def late_by(days: int) -> nw.Expr:
    """Return what a row of the tape owes that is so many days late or more, by its buckets or else by its own column.

    Parameters
    ----------
    days
        One of `DAYS`.
    """
    first, *others = (nw.col(bucket) for bucket in BUCKETS if FIRST_DAY[bucket] >= days)
    return nw.coalesce(sum(others, start=first), nw.col(at_risk(days)))


def par_balance(days: int) -> str:
    """Return the column of an export with what is so many days late or more."""
    return f"par_{days}_balance_usd"


def counted_from(days: int, first_days: Sequence[int], columns: Container[str] = ()) -> int:
    """Return the day from which an export counts what is so many days late: that day, or the next.

    Parameters
    ----------
    days
        One of `DAYS`.
    first_days
        The first days of its buckets.
    columns
        Its columns.

    Examples
    --------
    >>> counted_from(30, (0, 1, 31, 61, 91)), counted_from(30, (0, 30, 60, 90)), counted_from(30, ())
    (31, 30, 30)
    """
    has = {day: day in first_days or par_balance(day) in columns for day in (days, days + 1)}
    return days + 1 if has[days + 1] and not has[days] else days


@dataclass(frozen=True)
class Lateness:
    """How late a balance is, as far as an export says.

    Parameters
    ----------
    balance
        What is owed.
    given
        What of it is so many days late or more, by these days.
    has_days
        Whether the export has days past due.
    first_days
        The first days of the buckets in which it gives them; empty when it gives the days themselves.
    """

    balance: nw.Expr
    given: Mapping[int, nw.Expr]
    has_days: bool
    first_days: Sequence[int] = ()

    @property
    def beside_buckets(self) -> tuple[int, ...]:
        """The days from which on it may say what is owed and neither the aging buckets nor days past due do."""
        is_whole = set(self.given) >= set(DAYS) or (self.has_days and not self.first_days and not self.given)
        own = {1, NON_PERFORMING} if self.first_days else {1, NON_PERFORMING} & set(self.given)
        return (*own, *(() if is_whole else DAYS))

    def amount(self, days: int) -> nw.Expr:
        """Return what is so many days late or more; null where that is unknown.

        A limit that has no amount lies between those of the limits before and after it: equal ones tell, or else the
        days past due.
        """
        if days in self.given:
            return self.given[days]
        most = self.given[max(before)] if (before := [d for d in self.given if d < days]) else self.balance
        least = self.given[min(after)] if (after := [d for d in self.given if d > days]) else ZERO
        found = nw.when(most == least).then(most)
        if self.has_days:
            late, end = nw.col("days_past_due"), days
            if self.first_days:
                counted = counted_from(days, self.first_days) if days in DAYS else days
                end = max((day for day in self.first_days if day <= counted), default=0)
            found = found.when(late >= days).then(most).when(late < end).then(least)
        return found
