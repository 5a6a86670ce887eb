"""The aging buckets of a book: between the limits at which it is known of every row whether it is so late."""

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import narwhals as nw

from abaco.ingest.columns import BUCKETS, FIRST_DAY, ZERO
from abaco.ingest.lateness import DAYS, at_risk, late_by

COUNTED_FROM = dict(zip(DAYS, DAYS, strict=True))


def counted_from(ingested: Mapping[str, Any]) -> dict[int, int]:
    """Return the day from which on the input counts each limit of days past due, from the facts of ingestion."""
    return COUNTED_FROM | {int(days): day for days, day in ingested.get("counted_from", {}).items()}


@dataclass(frozen=True)
class Buckets:
    """The buckets that a tape can tell apart.

    Parameters
    ----------
    known
        The days at which it is known what is so many days late or more: of 7, 30, 60 and 90, and 1.
    counted_from
        The day from which on the input counts each of them, such as 31 for 30.
    """

    known: Collection[int] = DAYS
    counted_from: Mapping[int, int] = field(default_factory=lambda: COUNTED_FROM)

    @property
    def are_whole(self) -> bool:
        """Whether every row has a balance in each of the five."""
        return set(self.known) >= set(DAYS)

    def reached(self) -> dict[int, nw.Expr]:
        """Return, by the place of each bucket, what a row of the tape owes that lies in it, or in a later one."""
        return {i: nw.col(BUCKETS[i]) if self.are_whole else late(limit) for i, limit in self.limits.items() if limit}

    def late(self, days: int) -> nw.Expr:
        """Return what a row of the tape owes that is so many days late or more, 0 where that is unknown."""
        buckets = [nw.coalesce(bucket, ZERO) for bucket in BUCKETS if FIRST_DAY[bucket] >= days]
        return sum(buckets[1:], start=buckets[0]) if self.are_whole else nw.coalesce(late_by(days), ZERO)

    @property
    def limits(self) -> dict[int, int]:
        """The limit of each bucket by its place among `BUCKETS`: in place of 7 days 1, where only that is known."""
        first = next((days for days in (7, 1) if days in self.known), None)
        return {i: d for i, d in enumerate((0, first, *DAYS[1:])) if d == 0 or (d is not None and d in self.known)}

    @property
    def names(self) -> dict[int, str]:
        """The name of each bucket: its days past due, the last one in the name only where no limit is counted from."""
        days = [self.counted_from.get(limit, limit) for limit in self.limits.values()]
        is_own = days != list(self.limits.values()) or 1 in days
        ends = [end - 1 if is_own else end for end in days[1:]]
        names = [str(first) if first == end else f"{first}–{end}" for first, end in zip(days, ends, strict=False)]
        return dict(zip(self.limits, [*names, f"{days[-1]}+"], strict=True))


def late(days: int) -> nw.Expr:
    """Return what a row of the tape owes that is so many days late, or more; null where that is unknown.

    Parameters
    ----------
    days
        One of `DAYS`, which the aging buckets tell, or 1 or 91.
    """
    if days in DAYS:
        return late_by(days)
    balance, past_due = nw.col("total_receivable_usd"), nw.col("days_past_due")
    is_owed, is_known = balance > 0, ~past_due.is_null()
    found = nw.when(is_owed & is_known & (past_due >= days)).then(balance).when(is_known | ~is_owed).then(ZERO)
    return found.otherwise(nw.col(at_risk(days)))


def known_days(tape: nw.LazyFrame) -> tuple[int, ...]:
    """Return the days at which it is known of every row of a tape what is so many days late or more."""
    rows, *found = _counts(tape, [nw.col(bucket) for bucket in BUCKETS])
    if set(found) == {rows}:
        return DAYS
    days = (1, *DAYS)
    rows, *found = _counts(tape, map(late, days))
    return tuple(day for day, count in zip(days, found, strict=True) if count == rows)


def _counts(tape: nw.LazyFrame, values: Iterable[nw.Expr]) -> list[int]:
    """Return how many rows there are, and how many have each value."""
    named = tape.lazy().select(nw.lit(1).alias("rows"), *(value.alias(f"v{i}") for i, value in enumerate(values)))
    counts = named.select(nw.all().count()).collect("pyarrow").to_native()
    return [column[0].as_py() for column in counts.columns]
