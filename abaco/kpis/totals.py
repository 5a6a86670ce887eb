"""What a measure is: an amount or a count of one date that KPIs are made of."""

import datetime as dt
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from decimal import Decimal

import narwhals as nw

from abaco.core.reasons import Reason

# sums that have no value either where one of the other could not be read, if it counts in them
MADE_OF = {"gross_usd": "written_off_usd", "gross_90_plus_usd": "written_off_usd"}


@dataclass(frozen=True)
class Measure:
    """An amount or a count, one value a date.

    Parameters
    ----------
    title
        What a sentence calls it.
    add
        What a user adds to the input so that it has a value.
    parts
        The parts of `add` where there are several, each of which an input may have without the others.
    unit
        ``USD``, ``loans`` or ``borrowers``.
    of_month
        Whether it adds up what happened since the month began, so that it is partial until the month is over.
    """

    title: str
    add: str
    unit: str = "USD"
    of_month: bool = False
    parts: tuple[str, ...] = ()


@dataclass(frozen=True)
class Totals:
    """Sums of one date: USD by column (None where no row has a value), and how many rows have one.

    `reasons` says of a sum that is None why, where more can be said than that the input does not give it.
    """

    rows: int
    sums: dict[str, Decimal | None]
    counts: dict[str, int]
    reasons: dict[str, Reason] = field(default_factory=dict)


def totals(tape: nw.LazyFrame | nw.DataFrame, columns: Iterable[str]) -> dict[dt.date, Totals]:
    """Add up `columns` for every date of the tape, in one scan.

    Parameters
    ----------
    tape
        One row per loan and date, or one per date; amounts in USD. A frame of any engine.
    columns
        Names of amount columns; one that the tape lacks has no sum.

    Returns
    -------
    dict
        Totals by date, oldest first.
    """
    frame = tape.lazy()
    schema = frame.collect_schema()
    columns = [c for c in dict.fromkeys(columns) if c in schema]
    exact = [nw.col(c) if schema[c].is_decimal() else nw.col(c).cast(nw.Decimal(38, 2)) for c in columns]
    date = nw.col("measurement_date")
    frame = frame.select(date.cast(nw.Date()) if schema["measurement_date"] == nw.Datetime else date, *exact)
    sums = [nw.col(c).sum().alias(f"sum_{c}") for c in columns]
    counts = [nw.col(c).count().alias(f"count_{c}") for c in columns]
    by_date = frame.group_by("measurement_date").agg(nw.len().alias("rows"), *sums, *counts).collect("pyarrow")
    return {
        row["measurement_date"]: Totals(
            row["rows"],
            {c: row[f"sum_{c}"] if row[f"count_{c}"] else None for c in columns},
            {c: row[f"count_{c}"] for c in columns},
        )
        for row in sorted(by_date.to_native().to_pylist(), key=lambda row: row["measurement_date"])
    }


def merged(one: Totals, other: Totals) -> Totals:
    """Return the sums of both; the number of rows is that of the first, which the tape gives."""
    return Totals(
        one.rows or other.rows,
        {**one.sums, **other.sums},
        {**one.counts, **other.counts},
        {**one.reasons, **other.reasons},
    )


def with_cash(
    totals: Mapping[dt.date, Totals], accounts: Mapping[dt.date, Mapping[str, Decimal]]
) -> dict[dt.date, Totals]:
    """Fill the cash of a date that the tape does not give from the financial statement of the same date.

    Parameters
    ----------
    accounts
        USD by date and account; ``cash_usd`` is used.
    """
    filled = {}
    for date, total in totals.items():
        cash = accounts.get(date, {}).get("cash_usd")
        known = total.sums.get("cash_available_usd") is not None or cash is None
        filled[date] = total if known else replace(total, sums={**total.sums, "cash_available_usd": cash})
    return filled


def without_unread(
    totals: Mapping[dt.date, Totals], unread: Callable[[dt.date], Mapping[str, int]]
) -> dict[dt.date, Totals]:
    """Take away the sums of columns of which a value could not be read: what is left would be too small.

    Parameters
    ----------
    unread
        Returns how many values of a date could not be read, by column of the tape.
    """
    found = {}
    for day, total in totals.items():
        reasons = {
            name: Reason("amount_unread", column=name, count=count, rows=total.rows)
            for name, count in unread(day).items()
        }
        reasons |= {name: reasons[part] for name, part in MADE_OF.items() if part in reasons}
        lost = (name for name in reasons if name in total.sums and name not in MADE_OF)
        found[day] = replace(total, sums=total.sums | dict.fromkeys(lost), reasons=total.reasons | reasons)
    return found


def with_filled(
    totals: Mapping[dt.date, Totals], filled: Mapping[dt.date, Mapping[str, Decimal]]
) -> dict[dt.date, Totals]:
    """Take the sums of a date that the source of its tape lacks, or has only a stand-in for, from another export.

    Parameters
    ----------
    filled
        USD by date and column of the tape.
    """
    own = {day: {n: usd for n, usd in filled.get(day, {}).items() if n in total.sums} for day, total in totals.items()}
    return {day: replace(total, sums=total.sums | own[day]) for day, total in totals.items()}
