"""Vintages: the share of each quarter's lending that fell 90 days behind, by age."""

import datetime as dt
from collections.abc import Collection, Mapping
from decimal import Decimal
from functools import partial
from typing import Any

import narwhals as nw
import pyarrow as pa

from abaco.core.dates import month_end, month_number, months_before
from abaco.core.decimals import rounded
from abaco.core.errors import NotComputableError
from abaco.core.parquet import arrow_schema
from abaco.core.tables import COUNT, SUM, TEXT, Field, Table
from abaco.ingest.lateness import at_risk, late_by
from abaco.kpis.balances import DPD, WRITTEN_OFF, columns
from abaco.kpis.book import Book
from abaco.kpis.daily_sums import ROWS, DailySums, measured
from abaco.kpis.lending import LOANS, lent
from abaco.kpis.totals import Measure, Totals

AGE = 12  # calendar months from which a cohort counts in RDR90
MEASURES = {
    "rdr_90_usd": Measure(
        "the balance 90 and more days late, with what is written off, of loans lent at least 12 months ago",
        f"{DPD}, {WRITTEN_OFF}, and {LOANS}",
        parts=(DPD, WRITTEN_OFF, LOANS),
    ),
    "rdr_disbursed_usd": Measure("what was lent at least 12 months ago", LOANS),
}
TABLE = Table(
    "vintages",
    "one row per quarter of disbursement and month on book",
    (
        Field("cohort", TEXT, "the quarter of disbursement"),
        Field("months_on_book", COUNT, "whole months since disbursement", "months"),
        Field("loans", COUNT, "loans disbursed in the quarter", "loans"),
        Field("disbursed_usd", SUM, "what the quarter disbursed", "USD"),
        Field(
            "defaulted_usd",
            SUM,
            "the balance of its loans that had fallen 90 days behind by that age, as it was then",
            "USD",
        ),
        Field("share", "decimal(18, 4)", "defaulted of disbursed", "%"),
    ),
)
NEEDED = ("loan_id", "disbursed_on", "days_past_due", "written_off_usd", "dpd_90_plus_usd", at_risk(90))


def measure(book: Book, names: Collection[str], _: Mapping[dt.date, Totals]) -> dict[dt.date, Totals]:
    """Return the named measures on every date of the tape, each with the days past due of its own date."""
    spans = {day: (day, book.close(day)) for day in book.dates}
    if (daily_sums := book.cached(lent)) is None:
        return measured(spans, names, {})
    amounts = {"rdr_disbursed_usd": partial(_lent_before, daily_sums)}
    if _has_columns(book):
        amounts["rdr_90_usd"] = partial(_late, late_by_month(book.tape.lazy(), columns()["gross_90_plus_usd"]))
    return measured(spans, names, amounts)


def _has_columns(book: Book) -> bool:
    return set(NEEDED) <= set(book.tape.collect_schema().names())


def late_by_month(tape: nw.LazyFrame, late: nw.Expr) -> dict[dt.date, list[dict[str, Any]]]:
    """Return the balance that is late by date and month of disbursement (`month_number`), in one scan.

    Parameters
    ----------
    tape
        One row per loan and date.
    late
        What is late of a row.

    Returns
    -------
    dict
        By date, rows of ``month`` (null: disbursement unknown), ``late_usd``, its ``known`` values and ``rows``.
    """
    rows = tape.select("measurement_date", _month("disbursed_on").alias("month"), late.alias("late_usd"))
    sums = rows.group_by("measurement_date", "month").agg(
        nw.col("late_usd").sum(), nw.col("late_usd").count().alias("known"), nw.len().alias(ROWS)
    )
    found: dict[dt.date, list[dict[str, Any]]] = {}
    for row in sums.collect("pyarrow").to_native().to_pylist():
        found.setdefault(row["measurement_date"], []).append(row)
    return found


def _late(by_date: Mapping[dt.date, list[dict[str, Any]]], day: dt.date, close: dt.date) -> tuple[Decimal, int]:
    lent_ones = [row for row in by_date.get(day, ()) if row["month"] is not None]
    if not lent_ones:
        raise NotComputableError("no_loan_of_tape")
    old = [row for row in lent_ones if month_number(close) - row["month"] >= AGE]
    rows = sum(row[ROWS] for row in old)
    if sum(row["known"] for row in old) < rows:
        raise NotComputableError("lateness_unknown")
    return sum((row["late_usd"] for row in old), Decimal("0.00")), rows


def _lent_before(daily_sums: DailySums, _: dt.date, close: dt.date) -> tuple[Decimal, int]:
    span = daily_sums.days[0], months_before(close, AGE)
    return daily_sums.between(*span, "principal_usd"), int(daily_sums.between(*span, ROWS))


def _month(column: str) -> nw.Expr:
    return nw.col(column).dt.year().cast(nw.Int64()) * 12 + nw.col(column).dt.month() - 1


def _month_end(number: int) -> dt.date:
    return month_end(dt.date(number // 12, number % 12 + 1, 1))


def cohort(month: int) -> str:
    """Return the quarter of a month by its number.

    Examples
    --------
    >>> cohort(month_number(dt.date(2024, 3, 31))), cohort(month_number(dt.date(2024, 4, 1)))
    ('2024 Q1', '2024 Q2')
    """
    return f"{month // 12} Q{month % 12 // 3 + 1}"


def vintages(book: Book) -> pa.Table:
    """Return the curve of each quarter of disbursement, one row per quarter and month on book.

    A loan counts from the first date on which it is 90 days late or written off, with all that it owes then, and stays
    even when it is paid later. Its age is the number of calendar months since it was lent. A curve ends at the age that
    every loan of the quarter can have reached by the end of the last whole month. A quarter is left out when the tape
    lacks a month since its first day: defaults in between are unknown.

    Returns
    -------
    pyarrow.Table
        ``cohort``; ``months_on_book``; ``loans`` and ``disbursed_usd``, all that was lent in the quarter, also what
        never appears on the tape; ``defaulted_usd`` up to that age, and its ``share`` in per cent.
    """
    daily_sums, rows = book.cached(lent), []
    if daily_sums and _has_columns(book) and _is_whole(book.tape.lazy()):
        closes = [book.close(day) for day in book.dates]
        last = book.through(book.date)
        defaults = first_defaults(book.tape.lazy(), months_after=month_number(book.date) - month_number(closes[-1]))
        whole = month_number(last) - (last < month_end(last))
        seen = max(_seen_since(closes), month_number(daily_sums.days[0]) // 3 * 3)
        for quarter in range(-(-seen // 3) * 3, whole - 1, 3):
            rows += _curve(quarter, whole, daily_sums, defaults)
    return pa.Table.from_pylist(rows, schema=arrow_schema(TABLE))


def _is_whole(tape: nw.LazyFrame) -> bool:
    """Return whether it is known of every loan what is written off and 90 days late, and of some when it was lent."""
    unknown = nw.col("written_off_usd").is_null().cast(nw.Int64()).sum().alias("unknown")
    known = nw.col("disbursed_on").count().alias("known")
    late = late_by(90).is_null().cast(nw.Int64()).sum().alias("late")
    found = tape.select(unknown, known, late).collect("pyarrow").to_native().to_pylist()[0]
    return found["known"] > 0 and not found["unknown"] and not found["late"]


def _seen_since(dates: Collection[dt.date]) -> int:
    """Return the first month since when every month has a date."""
    months = {month_number(day) for day in dates}
    first = max(months)
    while first - 1 in months:
        first -= 1
    return first


def first_defaults(tape: nw.LazyFrame, months_after: int = 0) -> dict[tuple[int, int], Decimal]:
    """Return what loans owed when they were first 90 days late or written off, by month of disbursement and age.

    Parameters
    ----------
    tape
        One row per loan and date.
    months_after
        How many months after the close of a month the tape dates its balances: 0, or 1 (see `Book.close`).
    """
    late, off = late_by(90) > 0, nw.col("written_off_usd") > 0
    gross = nw.col("total_receivable_usd") + nw.col("written_off_usd")
    rows = tape.filter(~nw.col("disbursed_on").is_null() & (late.fill_null(False) | off)).select(
        "loan_id", "measurement_date", _month("disbursed_on").alias("month"), gross.alias("owed_usd")
    )
    first = rows.group_by("loan_id").agg(nw.col("measurement_date").min())
    at_first = rows.join(first, on=["loan_id", "measurement_date"], how="inner").with_columns(
        age=_month("measurement_date") - months_after - nw.col("month")
    )
    sums = at_first.group_by("month", "age").agg(nw.col("owed_usd").sum())
    found = sums.collect("pyarrow").to_native().to_pylist()
    return {(row["month"], row["age"]): row["owed_usd"] for row in found}


def _curve(
    quarter: int, whole: int, daily_sums: DailySums, defaults: Mapping[tuple[int, int], Decimal]
) -> list[dict[str, Any]]:
    months = range(quarter, quarter + 3)
    span = _month_end(quarter).replace(day=1), _month_end(months[-1])
    disbursed, loans = daily_sums.between(*span, "principal_usd"), int(daily_sums.between(*span, ROWS))
    if disbursed <= 0:
        return []
    rows, defaulted = [], Decimal("0.00")
    for age in range(whole - months[-1] + 1):
        defaulted += sum((defaults.get((month, age), Decimal(0)) for month in months), Decimal(0))
        share = rounded(defaulted / disbursed * 100, 4)
        rows.append(
            {"cohort": cohort(quarter), "months_on_book": age, "loans": loans, "disbursed_usd": disbursed,
             "defaulted_usd": defaulted, "share": share}
        )  # fmt: skip
    return rows
