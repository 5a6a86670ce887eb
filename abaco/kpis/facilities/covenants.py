"""The covenants of facilities on every date: value, level, and how far it is to the next limit."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from decimal import ROUND_FLOOR, Decimal, localcontext
from typing import Any

import narwhals as nw
import pyarrow as pa

from abaco.core.dates import month_end, months_before
from abaco.core.decimals import rounded
from abaco.core.parquet import arrow_schema
from abaco.core.reasons import Reason
from abaco.core.tables import DATE, SUM, TEXT, Field, Table
from abaco.kpis import catalog
from abaco.kpis.book import Book
from abaco.kpis.catalog import Definition
from abaco.kpis.facilities import ratios
from abaco.kpis.facilities.borrowing_base import Base
from abaco.kpis.facilities.covenant import CURING, DEFAULT, LIMITS, TERMS, Covenant
from abaco.kpis.facilities.eligibility import is_pledged
from abaco.kpis.measures import MEASURES, PLACES, measure
from abaco.kpis.totals import Totals
from abaco.kpis.values import evaluate, needed
from abaco.kpis.vintage import cohort

POINTS, EXACT = "decimal(38, 6)", f"decimal(38, {PLACES})"
MEASURED = "measured"  # stands for the KPI of a covenant, with its window
PACE_MONTHS = 3
TABLE = Table(
    "covenants",
    "one row per facility, covenant and date",
    (
        Field("facility", TEXT, "the facility's key"),
        Field("covenant", TEXT, "the covenant's key"),
        Field("date", DATE, "the measurement date"),
        Field(
            "measured", TEXT,
            "the KPI, line of the borrowing base or cohorts, its window, and whether it is of the pool or of the book",
        ),
        Field("cohort", TEXT, "the quarter of lending that it is of on the date; empty of covenants of no cohorts"),
        Field("value", POINTS, "its value in the KPI's unit; empty if it cannot be computed"),
        Field("unit", TEXT, "the KPI's unit"),
        Field("better", TEXT, "the side that is good: lower or higher"),
        Field(
            "level", TEXT,
            "ok, warning, trigger, default, curing (past the default level, within its cure period) or not_computable",
        ),
        *(Field(f"{name}_at", POINTS, f"the limit past which it is a {name}; empty without") for name in LIMITS),
        Field("headroom_to", TEXT, "the limit that headroom is to: the first of trigger and default not yet passed"),
        Field("headroom_points", POINTS, "how far the value is from it, in its unit; below 0 past it"),
        Field(
            "headroom_usd", SUM,
            "how much more may be above the line, or less where higher is better, until the limit is reached; below 0: "
            "what has to change until it is met again; empty for KPIs that are not sums of amounts", "USD",
        ),
        Field(
            "headroom_months", "decimal(18, 1)",
            "in how many months the limit is reached at the pace of the last three; empty where it gets no closer or "
            "the value three months before is unknown", "months",
        ),
        Field("past_since", DATE, "the first date of those without a break on which the default level is passed"),
        Field("cure_until", DATE, "the last day of its cure period"),
        Field("reason", TEXT, "why it has no value"),
    ),
)  # fmt: skip
INPUTS = Table(
    "covenant_inputs",
    "one row per facility, covenant and month that it is computed from on the measurement date",
    (
        Field("facility", TEXT, "the facility's key"),
        Field("covenant", TEXT, "the covenant's key"),
        Field("date", DATE, "the measurement date"),
        Field("month", DATE, "the last date of the month"),
        Field("numerator", EXACT, "the sum above the line of its KPI on that date; empty of a function of other KPIs"),
        Field("denominator", EXACT, "the sum below the line; empty without"),
        Field("value", EXACT, "the KPI on that date in its unit, not rounded; empty if it cannot be computed"),
    ),
)


def covenants(
    bases: Iterable[Base], definitions: Mapping[str, Definition], book: Book, totals: Mapping[dt.date, Totals]
) -> list[dict[str, Any]]:
    """Return the covenants of every facility on the dates on which it is open: rows of `TABLE`.

    Parameters
    ----------
    totals
        The measures of the whole book by date; those of a facility's pool are computed.

    Returns
    -------
    list of dict
        ``reason`` is a `Reason`, or None of a covenant with a value; ``inputs`` are rows of `INPUTS`.

    Raises
    ------
    InputError
        When a covenant is of no KPI, or its levels do not fit the KPI.
    """
    rows = []
    for base in bases:
        terms = base.facility.covenants
        kpis = {name: one.defined(f"Facility {base.key}, covenants.{name}", definitions) for name, one in terms.items()}
        books = {"book": book, "pool": pool_book(base, book)}
        of_pool = {one.kpi for one in terms.values() if one.kpi and one.of == "pool"}
        sums = {"book": totals, "pool": pool_totals(books["pool"], definitions, of_pool) if of_pool else {}}
        days = [day for day in book.dates if base.facility.is_open(day)]
        for name, one in terms.items():
            if one.line:
                measured = ratios.of_lines(one, base.lines)
            elif one.cohorts:
                measured = ratios.of_cohorts(one.cohorts, books[one.of], book)
            else:
                measured = sums[one.of]
            named = {"facility": base.key, "covenant": name}
            found = covenant_rows(one, kpis[name], definitions, measured, base.facility.begins)
            for row in found:
                if row["date"] in days:
                    reached = one.cohorts and ratios.quarter(book, row["date"], one.cohorts.months)
                    rows.append({**named, **row, "cohort": reached and cohort(reached)})
    return rows


def table(rows: Iterable[Mapping[str, Any]]) -> pa.Table:
    """Return the rows of `covenants` as a table."""
    plain = [{**row, "reason": row["reason"] and str(row["reason"])} for row in rows]
    return pa.Table.from_pylist(plain, schema=arrow_schema(TABLE))


def inputs_table(rows: Iterable[Mapping[str, Any]], date: dt.date) -> pa.Table:
    """Return what the covenants of a date are computed from, see `INPUTS`."""
    keys = ("facility", "covenant", "date")
    found = [{key: row[key] for key in keys} | one for row in rows if row["date"] == date for one in row["inputs"]]
    return pa.Table.from_pylist(found, schema=arrow_schema(INPUTS))


def pool_book(base: Base, book: Book) -> Book:
    """Return a book of the loans alone that are pledged to a facility, on each date of those pledged on it.

    Accounts of the lender are not those of a pool: a KPI that needs them is not computable.
    """
    tape = book.tape.lazy().filter(is_pledged(base.key, base.facility))
    loans = tape.select("loan_id").unique()
    exports = {
        name: rows.lazy().join(loans, on="loan_id", how="semi")
        for name, rows in book.exports.items()
        if "loan_id" in rows.collect_schema().names()
    }
    owing = base.pool.filter((nw.col("balance") > 0) & ~nw.col("borrower").is_null())
    exports["borrowers"] = owing.group_by("measurement_date", "borrower").agg(balance_usd=nw.col("balance").sum())
    return replace(book, tape=tape, exports=exports, accounts={}, filled={})


def pool_totals(pool: Book, definitions: Mapping[str, Definition], names: Collection[str]) -> dict[dt.date, Totals]:
    """Return the measures of KPIs by date, of a pool; see `pool_book`."""
    found = measure(pool, catalog.measures(needed(definitions, *names)))
    unknown = dict.fromkeys(MEASURES, Reason("pool_empty"))
    return {day: total if total.rows else replace(total, reasons=unknown) for day, total in found.items()}


def covenant_rows(
    covenant: Covenant,
    kpi: Definition,
    definitions: Mapping[str, Definition],
    totals: Mapping[dt.date, Totals],
    begins: dt.date = dt.date.min,
) -> list[dict[str, Any]]:
    """Return a covenant on every date, oldest first.

    Parameters
    ----------
    kpi
        What it measures, see `Covenant.defined`.
    totals
        The measures of its pool or its book by date.
    begins
        The first day of the facility, before which no cure period begins.
    """
    used = covenant.definitions(definitions)
    rows, since = [], None
    values: dict[dt.date, Decimal] = {}
    inputs: dict[dt.date, dict[str, Any]] = {}
    months = covenant.window.months if covenant.window else 1
    for day in sorted(totals):
        entries = evaluate({**used, MEASURED: kpi}, totals[day], day, totals)
        value, better = entries[MEASURED]["value"], kpi.direction
        values |= {month_end(day): value}
        inputs |= {month_end(day): _input(day, entries[covenant.name])}
        reached = [end for back in reversed(range(months)) if (end := months_before(day, back)) in inputs]
        level = covenant.level(value, better)
        # on a date without a value nobody knows that a covenant was cured
        if value is not None:
            since = (since or max(day, begins)) if level == DEFAULT else None
        cure_until = since + dt.timedelta(covenant.cure_days) if since and covenant.cure_days else None
        if level == DEFAULT and cure_until and day <= cure_until:
            level = CURING
        limits = {f"{name}_at": covenant.limits.get(name) for name in LIMITS}
        terms = covenant.model_dump(include=set(TERMS))
        row = {"date": day, **terms, "measured": covenant.title, "value": value, "unit": kpi.unit, "better": better}
        row |= {
            "precision": kpi.precision,
            "inputs": [inputs[end] for end in reached],
            "level": level,
            **limits,
            "past_since": since,
            "cure_until": cure_until,
        }
        rows.append(
            row | {"reason": entries[MEASURED]["reason"]} | _headroom(covenant, kpi, used, entries, day, values)
        )
    return rows


def _input(day: dt.date, entry: Mapping[str, Any]) -> dict[str, Any]:
    found = {"numerator": entry["numerator"], "denominator": entry["denominator"], "value": entry["exact"]}
    return {"month": day} | {name: value if value is None else rounded(value, PLACES) for name, value in found.items()}


def _headroom(
    covenant: Covenant, kpi: Definition, used: Mapping[str, Definition], entries: Mapping[str, Mapping[str, Any]],
    day: dt.date, values: Mapping[dt.date, Decimal | None],
) -> dict[str, Any]:  # fmt: skip
    value, sign = entries[MEASURED]["value"], 1 if kpi.direction == "lower" else -1
    if value is None:
        return {}
    name = covenant.next_limit(value, kpi.direction)
    limit = covenant.limits[name]
    points = (limit - value) * sign + 0  # never -0
    return {
        "headroom_to": name,
        "headroom_points": points,
        "headroom_usd": _room(covenant, used[covenant.name], entries, limit, sign),
        "headroom_months": _months(points, value, values.get(months_before(day, PACE_MONTHS)), sign),
    }


def _room(
    covenant: Covenant, kpi: Definition, entries: Mapping[str, Mapping[str, Any]], limit: Decimal, sign: int
) -> Decimal | None:
    """Return by how much the sum above the line may still change in this month, to the cent below."""
    measured = (*kpi.numerator, *kpi.denominator)
    if not kpi.numerator or any(name in MEASURES and MEASURES[name].unit != "USD" for name in measured):
        return None
    whole = entries[covenant.name]["denominator"] if kpi.denominator else 1
    months = covenant.window.months if covenant.window and covenant.window.take == "mean" else 1
    with localcontext(prec=60):
        usd = (limit - entries[MEASURED]["exact"]) * sign * months * whole / kpi.scale
        return rounded(usd, 12).quantize(Decimal("0.01"), rounding=ROUND_FLOOR) + 0


def _months(points: Decimal, value: Decimal, before: Decimal | None, sign: int) -> Decimal | None:
    """Return in how many months the headroom is used up at the pace since a value of some months before."""
    if before is None or points < 0 or (pace := (value - before) * sign) <= 0:
        return None
    return (points * PACE_MONTHS / pace).quantize(Decimal("0.1"), rounding=ROUND_FLOOR)
