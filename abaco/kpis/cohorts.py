"""Comparisons of vintage curves: by segment, against earlier quarters, and how far each quarter is covered."""

from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import narwhals as nw
import pyarrow as pa

from abaco.core.dates import month_end, month_number, months_before
from abaco.core.decimals import rounded
from abaco.kpis.book import Book
from abaco.kpis.daily_sums import ROWS
from abaco.kpis.lending import lent
from abaco.kpis.vintage import cohort, vintages

POOLED = pa.schema(
    [("months_on_book", pa.int64()), ("cohorts", pa.int64()), ("disbursed_usd", pa.decimal128(38, 2)),
     ("share", pa.decimal128(18, 4))]
)  # fmt: skip
BY_VALUE = pa.schema([("value", pa.string()), *POOLED])
HELD = pa.schema(
    [("cohort", pa.string()), ("months_on_book", pa.int64()), ("disbursed_usd", pa.decimal128(38, 2)),
     ("share", pa.decimal128(18, 4)), ("share_before", pa.decimal128(18, 4)), ("difference", pa.decimal128(18, 4)),
     ("cohorts_before", pa.int64())]
)  # fmt: skip
COVERAGE = pa.schema(
    [("cohort", pa.string()), ("loans", pa.int64()), ("disbursed_usd", pa.decimal128(38, 2)),
     ("months_on_book", pa.int64())]
)  # fmt: skip
Rows = list[dict[str, Any]]


def pooled(curves: pa.Table) -> pa.Table:
    """Return the share of lending that falls 90 days behind by each age, all quarters together.

    At each age the quarters that have reached it add what fell behind in that month of life, on what they lent; the
    curve is the sum of these steps. Young quarters so add to the ages that they have seen, and no curve falls because
    a bad quarter is not old enough to be in its last points. Source: the chain-ladder method.

    Parameters
    ----------
    curves
        See `vintage.vintages`.

    Returns
    -------
    pyarrow.Table
        One row per age: how many ``cohorts`` have reached it, what they lent, and the ``share``.
    """
    by_age: dict[int, Rows] = {}
    for row in curves.to_pylist():
        by_age.setdefault(row["months_on_book"], []).append(row)
    before: dict[str, Decimal] = {}
    share, rows = Decimal(0), []
    for age, reached in sorted(by_age.items()):
        lent_usd = _sum(reached, "disbursed_usd")
        step = sum(row["defaulted_usd"] - before.get(row["cohort"], Decimal(0)) for row in reached)
        share += step / lent_usd * 100
        before = {row["cohort"]: row["defaulted_usd"] for row in reached}
        names = {"months_on_book": age, "cohorts": len(reached), "disbursed_usd": lent_usd}
        rows.append({**names, "share": rounded(share, 4)})
    return pa.Table.from_pylist(rows, schema=POOLED)


def by_value(book: Book, column: str) -> pa.Table:
    """Return pooled curves of each value of a column of the loans, such as ``product``; one row per value and age.

    Loans without a value are left out. Empty without vintages, or values.
    """
    rows: Rows = []
    for value in _values(book, column):
        own = nw.col(column) == value
        exports = dict(book.exports)
        if (loans := book.export("loans")) is not None:
            exports["loans"] = loans.filter(own)
        part = replace(book, tape=book.tape.filter(own), exports=exports)
        rows += [{"value": value, **row} for row in pooled(vintages(part)).to_pylist()]
    return pa.Table.from_pylist(rows, schema=BY_VALUE)


def _values(book: Book, column: str) -> list[str]:
    frame = book.tape if (loans := book.export("loans")) is None else loans
    if column not in frame.collect_schema():
        return []
    found = frame.lazy().select(column).unique().collect("pyarrow").to_native()
    return sorted(value for value in found.column(column).to_pylist() if value is not None)


def against_predecessors(curves: pa.Table) -> pa.Table:
    """Return each quarter beside all earlier ones at the same age, one row per quarter and age.

    Parameters
    ----------
    curves
        See `vintage.vintages`.

    Returns
    -------
    pyarrow.Table
        Quarters that have earlier ones: their ``share``; ``share_before``, what had fallen behind of all that
        the earlier ones lent;
        ``difference`` in points: above 0, the quarter is worse.
    """
    points: dict[int, Rows] = {}
    for row in sorted(curves.to_pylist(), key=lambda row: row["cohort"]):
        points.setdefault(row["months_on_book"], []).append(row)
    rows = []
    for age, reached in points.items():
        for i, row in enumerate(reached[1:], start=1):
            former = _sum(reached[:i], "defaulted_usd") / _sum(reached[:i], "disbursed_usd") * 100
            share = row["defaulted_usd"] / row["disbursed_usd"] * 100
            rows.append(
                {"cohort": row["cohort"], "months_on_book": age, "disbursed_usd": row["disbursed_usd"],
                 "share": rounded(share, 4), "share_before": rounded(former, 4),
                 "difference": rounded(share - former, 4), "cohorts_before": i}
            )  # fmt: skip
    return pa.Table.from_pylist(sorted(rows, key=lambda row: (row["cohort"], row["months_on_book"])), schema=HELD)


def coverage(book: Book, curves: pa.Table) -> pa.Table:
    """Return the lending of each quarter and the length of its curve, one row per quarter.

    Parameters
    ----------
    curves
        See `vintage.vintages`.

    Returns
    -------
    pyarrow.Table
        ``months_on_book`` is the age at the end of the curve, null for a quarter without one: the tape does not reach
        back to it, or it is not over yet.
    """
    daily_sums, rows = lent(book), []
    reached = {row["cohort"]: row["months_on_book"] for row in curves.sort_by("months_on_book").to_pylist()}
    if daily_sums:
        age = month_number(book.date) - month_number(daily_sums.days[0])
        ends = {cohort(month_number(end)): end for end in (months_before(book.date, n) for n in range(age, -1, -1))}
        for name, end in ends.items():
            first = end.replace(day=1, month=(end.month - 1) // 3 * 3 + 1)
            span = first, month_end(end)
            loans = int(daily_sums.between(*span, ROWS))
            disbursed = daily_sums.between(*span, "principal_usd")
            rows.append(
                {"cohort": name, "loans": loans, "disbursed_usd": disbursed, "months_on_book": reached.get(name)}
            )
    return pa.Table.from_pylist(rows, schema=COVERAGE)


def _sum(rows: Iterable[Mapping[str, Any]], name: str) -> Decimal:
    return sum((row[name] for row in rows), Decimal(0))
