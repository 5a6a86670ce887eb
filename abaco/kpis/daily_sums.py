"""Running sums by day, small enough for memory: the sum of any span of days is a difference of two."""

import datetime as dt
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Collection, Iterable, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import accumulate

import narwhals as nw

from abaco.core.errors import NotComputableError
from abaco.kpis.totals import Totals

ROWS = "rows"
Amount = Callable[[dt.date, dt.date], tuple[Decimal, int]]


@dataclass(frozen=True)
class DailySums:
    """Running sums of one export by day.

    Parameters
    ----------
    title
        The name of the export in sentences.
    days
        The days that have rows, oldest first; there is at least one.
    running
        By column, the sum of all days before each of `days`, and of all of them at the end. A column that has no
        value in any row is not there.
    unread
        By column, how many of its amounts could not be read, by day.
    """

    title: str
    days: list[dt.date]
    running: Mapping[str, list[Decimal]]
    unread: Mapping[str, Mapping[dt.date, int]] = field(default_factory=dict)

    def between(self, first: dt.date, last: dt.date, column: str) -> Decimal:
        """Return the sum of a column over the days from `first` to `last`, both included.

        Raises
        ------
        NotComputableError
            When no row of the export has a value in it, or one of these days has a value that could not be read.
        """
        amount = column.removesuffix("_usd")
        if column not in self.running:
            raise NotComputableError("export_lacks_amount", export=self.title, amount=amount)
        if count := sum(n for day, n in self.unread.get(column, {}).items() if first <= day <= last):
            raise NotComputableError(
                "amounts_unread", export=self.title, first=first, last=last, amount=amount, count=count
            )
        sums = self.running[column]
        return sums[bisect_right(self.days, last)] - sums[bisect_left(self.days, first)]

    def counted(
        self, first: dt.date, last: dt.date, columns: Iterable[str], *, may_end: bool = False
    ) -> tuple[Decimal, int]:
        """Return the sum of columns over a span of days that the export has to cover, and how many rows it has.

        Parameters
        ----------
        may_end
            Whether an export that ends before the month of `last` covers it, as nothing was left to come.

        Raises
        ------
        NotComputableError
            When the export begins after the month of `first`, or ends before the month of `last`.
        """
        self.require_begin(first)
        if last < first:
            raise NotComputableError("figures_before_month", date=last)
        if self.days[-1] < last.replace(day=1) and not may_end:
            raise NotComputableError("export_ends_early", export=self.title, last=self.days[-1])
        sums = [self.between(first, last, column) for column in columns]
        return sum(sums, Decimal(0)), int(self.between(first, last, ROWS))

    def require_begin(self, first: dt.date) -> None:
        """Raise when the export begins after the month of `first`."""
        if self.days[0].replace(day=1) > first.replace(day=1):
            raise NotComputableError("export_begins_late", export=self.title, since=self.days[0])


def by_day(
    rows: nw.LazyFrame,
    title: str,
    columns: Iterable[str],
    unread: Mapping[str, Mapping[dt.date, int]] | None = None,
    filled: Collection[str] = (),
) -> DailySums | None:
    """Add up columns by ``day``, in one scan; None without a row.

    Parameters
    ----------
    rows
        ``day`` and the columns: decimals, or whole numbers.
    unread
        How many amounts of a column could not be read, by day.
    filled
        Columns of which every row has to have a value: one without counts as unread.
    """
    columns = list(columns)
    sums = [nw.col(c).sum().alias(c) for c in columns]
    counts = [nw.col(c).count().alias(f"count_{c}") for c in columns]
    daily = rows.lazy().group_by("day").agg(*sums, *counts, nw.len().alias(ROWS)).collect("pyarrow")
    days = sorted(daily.to_native().to_pylist(), key=lambda row: row["day"])
    present = [c for c in columns if any(row[f"count_{c}"] for row in days)]
    running = {
        c: list(accumulate((Decimal(row[c] or 0) for row in days), initial=Decimal(0))) for c in (*present, ROWS)
    }
    without = {c: {row["day"]: n for row in days if (n := row[ROWS] - row[f"count_{c}"])} for c in filled}
    return DailySums(title, [row["day"] for row in days], running, {**(unread or {}), **without}) if days else None


def measured(
    spans: Mapping[dt.date, tuple[dt.date, dt.date]], names: Iterable[str], amounts: Mapping[str, Amount]
) -> dict[dt.date, Totals]:
    """Return measures on every date, each with the reason where it has no value.

    Parameters
    ----------
    spans
        The first and the last day that count on each date.
    names
        The measures; one that `amounts` lacks has no value.
    amounts
        By measure, the function that returns its value and number of rows from the two days.
    """
    found = {day: Totals(0, dict.fromkeys(names), dict.fromkeys(names, 0)) for day in spans}
    for day, span in spans.items():
        total = found[day]
        for name in (name for name in names if name in amounts):
            try:
                total.sums[name], total.counts[name] = amounts[name](*span)
            except NotComputableError as error:
                total.reasons[name] = error.reason
    return found
