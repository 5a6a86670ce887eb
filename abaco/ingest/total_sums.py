"""Sums of loans that a row of their file may add up: those next to it, those of its date, and all."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from itertools import product
from typing import Any

import narwhals as nw

from abaco.ingest.columns import BUCKETS, CASH, DISCOUNTED, ELIGIBLE, WRITTEN_OFF
from abaco.ingest.staging import Batch

ZERO = Decimal(0)
# by how much a total may miss the sum of its rows
HALF_A_CENT, LEAST_ROUNDING, MOST_ROUNDING = Decimal("0.005"), Decimal("0.02"), Decimal("1.00")
# what a total may hold, and what the loans that it adds up owe does not: credit balances and written-off ones
CREDIT, LOST = "credit_usd", "lost_usd"
BALANCE = "amount_usd"


def additive(batch: Batch, schema: nw.Schema) -> list[str]:
    """Return the amounts of staged rows that a totals row adds up, each from a column of its own in the file."""
    derived = {ELIGIBLE.name, DISCOUNTED.name, CASH.name, WRITTEN_OFF.name, CREDIT, LOST}
    if not batch.format.decreasing and not any(column.name in BUCKETS for column in batch.format.columns):
        derived |= set(BUCKETS)  # of days past due, by which a total is in one bucket
    return [name for name, type_ in schema.items() if type_.is_decimal() and type_.scale == 2 and name not in derived]


def near(total: Decimal, sum_: Decimal, rows: int) -> bool:
    """Return whether a total is a sum of rows, each of which may be rounded by half a cent.

    Examples
    --------
    >>> near(Decimal("100.02"), Decimal("100.00"), 2), near(Decimal("100.03"), Decimal("100.00"), 2)
    (True, False)
    """
    return abs(total - sum_) <= max(LEAST_ROUNDING, min(rows * HALF_A_CENT, MOST_ROUNDING))


def is_half(most: Decimal, usd: Decimal, rows: int) -> bool:
    """Return whether the largest balance of some rows is the sum of the others."""
    return most > 0 and near(most, usd - most, rows)


@dataclass
class Sums:
    """Sums of some loans: of each amount, and how many loans have a balance.

    `most` is the largest balance; `told` how many rows have a value in each other column.
    """

    rows: int = 0
    positive: int = 0
    most: Decimal = ZERO
    usd: dict[str, Decimal] = field(default_factory=lambda: {BALANCE: ZERO})
    told: dict[str, int] = field(default_factory=dict)

    def __add__(self, other: "Sums") -> "Sums":
        """Return the sums of both."""
        return Sums(
            self.rows + other.rows,
            self.positive + other.positive,
            max(self.most, other.most),
            {c: self.usd.get(c, ZERO) + other.usd.get(c, ZERO) for c in self.usd | other.usd},
            {c: self.told.get(c, 0) + other.told.get(c, 0) for c in self.told | other.told},
        )

    def equals(self, row: Mapping[str, Any], columns: Iterable[str]) -> bool:
        """Return whether a row adds these loans up, in each amount of `columns` that it has.

        Its balances may hold what is overpaid or written off, too.
        """
        credit, lost = -self.usd.get(CREDIT, ZERO), self.usd.get(LOST, ZERO)
        known = [column for column in columns if row[column] is not None]
        return any(
            all(near(row[c], self.usd[c] + (beside if c != "disbursed_usd" else ZERO), self.rows) for c in known)
            for beside in {sum(chosen) for chosen in product((ZERO, credit), (ZERO, lost))}
        )


def of_row(row: Mapping[str, Any], amounts: Iterable[str]) -> Sums:
    """Return the sums of one loan."""
    balance = row[BALANCE] or ZERO
    return Sums(1, int(balance > 0), balance, {name: row[name] or ZERO for name in amounts})


def between(rows: nw.LazyFrame, breaks: list[int], amounts: list[str], columns: list[str]) -> list[tuple]:
    """Return place, date and sums of the loans of a file, those of each date between two breaks.

    Parameters
    ----------
    breaks
        Records that the loans stand between; the places before, between and after them are 0, 2, 4 and so on.
    amounts
        The columns to add up.
    columns
        The columns of which the values are counted.
    """
    place = sum(((nw.col("record") > record).cast(nw.Int64()) for record in breaks), start=nw.lit(0))
    dated = [name for name in ("measurement_date",) if name in rows.collect_schema()]
    found = rows.with_columns(place=place).group_by("place", *dated).agg(
        nw.len().alias("rows"),
        (nw.col(BALANCE) > 0).cast(nw.Int64()).sum().alias("positive"),
        nw.col(BALANCE).max().alias("most"),
        *(nw.col(name).sum().alias(f"usd_{name}") for name in amounts),
        *(nw.col(name).count().alias(f"told_{name}") for name in columns),
    )  # fmt: skip
    return [
        (
            2 * int(row["place"]), row.get("measurement_date"),
            Sums(
                row["rows"], int(row["positive"] or 0), row["most"] or ZERO,
                {name: row[f"usd_{name}"] or ZERO for name in amounts},
                {name: row[f"told_{name}"] for name in columns},
            ),
        )
        for row in found.collect("pyarrow").to_native().to_pylist()
    ]  # fmt: skip


def added(found: Iterable[tuple]) -> Sums:
    """Return the sum of what `between` returns."""
    return sum((sums for _, _, sums in found), start=Sums())


def around(found: list[tuple], own: int, day: Any) -> Iterator[Sums]:
    """Yield the sums that a row may be: of the loans next to it, up to any break, of its date, and of all loans.

    Parameters
    ----------
    own
        The row's place, an odd number.
    day
        The row's date.
    """
    at: dict[int, Sums] = {}
    for place, _, sums in found:
        at[place] = at.get(place, Sums()) + sums
    for way in (sorted((p for p in at if p < own), reverse=True), sorted(p for p in at if p > own)):
        block = Sums()
        for place in way:
            block = block + at[place]
            yield block
    others = [one for one in found if one[0] != own]
    yield added(one for one in others if one[1] == day)
    yield added(others)
