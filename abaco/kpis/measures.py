"""The measures that KPIs are made of: what there is, and all that a book gives, by date."""

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal

import pyarrow as pa

from abaco.core.currencies import in_current
from abaco.core.decimals import rounded
from abaco.core.parquet import arrow_schema
from abaco.core.tables import COUNT, DATE, TEXT, Field, Table
from abaco.kpis import (
    annual,
    balances,
    collection,
    concentration,
    lending,
    losses,
    maturity,
    movement,
    payers,
    pricing,
    returns,
    segments,
    statements,
    vintage,
)
from abaco.kpis.book import Book
from abaco.kpis.totals import Measure, Totals, merged

# The modules that compute measures, in this order: each has MEASURES by name, NEEDS where it goes on from measures of
# those before it, and measure(book, names, before), which computes the named ones on every date.
SOURCES = (
    balances, segments, concentration, payers, maturity, statements, losses, movement, lending, pricing, collection,
    returns, annual, vintage,
)  # fmt: skip
MEASURES: dict[str, Measure] = {name: found for source in SOURCES for name, found in source.MEASURES.items()}

PLACES = 8
TABLE = Table(
    "measures",
    "one row per date and measure",
    (
        Field("date", DATE, "the measurement date"),
        Field("measure", TEXT, "the measure, see KPIS.md"),
        Field("value", f"decimal(38, {PLACES})", "its value, empty when the input does not give it"),
        Field("unit", TEXT, "what the value counts"),
        Field("rows", COUNT, "the rows that it is computed from", "rows"),
    ),
)


def measure(book: Book, names: Iterable[str]) -> dict[dt.date, Totals]:
    """Return the named measures on every date of the book.

    Parameters
    ----------
    names
        Measures of `MEASURES`. Those of one source are computed together; a source of which none is wanted is left out.

    Returns
    -------
    dict
        Totals by date, oldest first; a measure that the input does not give has no sum.
    """
    wanted = dict.fromkeys(names)
    for source in reversed(SOURCES):
        if any(name in wanted for name in source.MEASURES):
            wanted |= dict.fromkeys(getattr(source, "NEEDS", ()))
    found: dict[dt.date, Totals] = {day: Totals(0, {}, {}) for day in book.dates}
    for source in SOURCES:
        if own := [name for name in source.MEASURES if name in wanted]:
            more = source.measure(book, own, found)
            found = {day: merged(total, more[day]) if day in more else total for day, total in found.items()}
    return found


def table(totals: Mapping[dt.date, Totals]) -> pa.Table:
    """Return the measures as a table, one row per date and measure, with how many rows of the input have a value."""
    rows = [
        {
            "date": date,
            "measure": name,
            "value": _placed(name, value),
            "unit": in_current(MEASURES[name].unit),
            "rows": total.counts.get(name, 0),
        }
        for date, total in sorted(totals.items())
        for name, value in sorted(total.sums.items())
    ]  # fmt: skip
    return pa.Table.from_pylist(rows, schema=arrow_schema(TABLE))


def _placed(name: str, value: Decimal | None) -> Decimal | None:
    """Return a measure with no more decimal places than the table has."""
    return value if value is None or MEASURES[name].unit not in ("share", "months") else rounded(value, PLACES)
