"""The book that the KPIs of a run are computed from: the tape, the other exports, and the accounts."""

import datetime as dt
import functools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from fractions import Fraction
from typing import Any, TypeVar

import narwhals as nw

from abaco.core.dates import month_end, months_before
from abaco.core.errors import NotComputableError
from abaco.core.reasons import Reason
from abaco.kpis.buckets import COUNTED_FROM, Buckets, known_days

T = TypeVar("T")


@dataclass(frozen=True)
class Book:
    """The frames of one run.

    Parameters
    ----------
    tape
        One row per loan and date, or one per date; amounts in USD.
    dates
        The dates of the tape, oldest first; the last is the report's.
    as_of
        The day of the last date's figures.
    exports
        The frames beside the tape, by name: ``loans``, ``schedules``, ``transactions`` and ``payments`` as their
        contracts name the columns, and ``borrowers``, one row per borrower and date.
    accounts
        USD by date and account, from the financial statements.
    filled
        USD by date and column of the tape, from exports beside the one that gives the tape.
    unread
        How many amounts could not be read, by table (``tape`` or the export), date of their rows, and column.
    counted_from
        The day from which on the input counts each limit of days past due.
    default_probability_pct, loss_given_default_pct
        Risk parameters: the first by aging bucket, or None.
    kept
        Computes a small frame that many others are joined with, so that it is computed once.
    """

    tape: nw.LazyFrame
    dates: list[dt.date]
    as_of: dt.date
    exports: Mapping[str, nw.LazyFrame] = field(default_factory=dict)
    accounts: Mapping[dt.date, Mapping[str, Decimal]] = field(default_factory=dict)
    filled: Mapping[dt.date, Mapping[str, Decimal]] = field(default_factory=dict)
    unread: Mapping[str, Mapping[dt.date, Mapping[str, int]]] = field(default_factory=dict)
    counted_from: Mapping[int, int] = field(default_factory=lambda: COUNTED_FROM)
    default_probability_pct: tuple[Decimal, ...] | None = None
    loss_given_default_pct: Decimal = Decimal(100)
    kept: Callable[[nw.LazyFrame], nw.LazyFrame] = field(default=lambda frame: frame, repr=False, compare=False)
    _cache: dict[Callable, Any] = field(default_factory=dict, init=False, repr=False, compare=False)
    _words: dict[str, list[str]] = field(default_factory=dict, init=False, repr=False, compare=False)

    @property
    def date(self) -> dt.date:
        """The measurement date."""
        return self.dates[-1]

    def export(self, name: str) -> nw.LazyFrame | None:
        """Return an export, or None when the input lacks it."""
        return self.exports[name].lazy() if name in self.exports else None

    def cached(self, compute: Callable[["Book"], T]) -> T:
        """Return the result of a function of the book, which is called once."""
        if compute not in self._cache:
            self._cache[compute] = compute(self)
        return self._cache[compute]

    def words(self, column: str) -> list[str]:
        """Return what a text column of the tape says on any date, each word once."""
        if column not in self._words:
            found = self.tape.lazy().select(column).unique().collect("pyarrow")[column].to_list()
            self._words[column] = [word for word in found if word is not None]
        return self._words[column]

    @functools.cached_property
    def buckets(self) -> Buckets:
        """The aging buckets that the tape can tell apart."""
        return Buckets(known_days(self.tape), self.counted_from)

    @property
    def is_dated_after(self) -> bool:
        """Whether every date is the first of a month, and so stands for the close of the month before."""
        return all(day.day == 1 for day in self.dates)

    def unread_of_tape(self, day: dt.date) -> Mapping[str, int]:
        """Return how many amounts of a date's rows of the tape could not be read, by column."""
        return self.unread.get("tape", {}).get(day, {})

    def close(self, day: dt.date) -> dt.date:
        """Return the day whose close the balances of a date are."""
        return day - dt.timedelta(1) if self.is_dated_after else day

    def through(self, day: dt.date) -> dt.date:
        """Return the day up to which the figures of a date reach: of the measurement date's not beyond `as_of`."""
        return min(self.close(day), self.as_of) if day == self.date else self.close(day)

    def part_of_month(self, day: dt.date) -> Fraction:
        """Return the part of its month that the figures of a date reach to: 1 of a whole month.

        Raises
        ------
        NotComputableError
            When the figures are from before the month.
        """
        last, end = self.through(day), month_end(self.close(day))
        if month_end(last) < end:
            raise NotComputableError("figures_before_month", date=last)
        return Fraction(last.day, end.day)

    @property
    def partial_through(self) -> dt.date | None:
        """The day up to which the measurement date's month is known, or None when the month is whole."""
        last = self.through(self.date)
        return last if last < month_end(last) else None


def openings(dates: Iterable[dt.date]) -> dict[dt.date, dt.date]:
    """Return, for each date, the last date of the month before, where the month's movement starts.

    A date without one in the month before is left out: the movement of two months is not a monthly rate.
    """
    dates = sorted(dates)
    last = {month_end(day): day for day in dates}
    formers = {day: months_before(day, 1) for day in dates}
    return {day: last[former] for day, former in formers.items() if former in last}


def no_month_before(day: dt.date) -> Reason:
    """Return why a date without one in the month before has no movement."""
    return Reason("no_month_before", month=f"{months_before(day, 1):%Y-%m}")
