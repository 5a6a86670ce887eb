"""The measures that KPIs are made of: what there is, and all that a book gives, by date."""

import datetime as dt
from collections.abc import Iterable, Mapping

from abaco.kpis import balances, collection, lending, losses, returns, statements, vintage
from abaco.kpis.book import Book
from abaco.kpis.measure import Measure
from abaco.kpis.ratios import Totals

# The modules that compute measures, in this order: each has MEASURES by name, NEEDS where it goes on from measures of
# those before it, and measure(book, names, before), which computes the named ones on every date.
SOURCES = (balances, statements, losses, lending, collection, returns, vintage)
MEASURES: dict[str, Measure] = {name: found for source in SOURCES for name, found in source.MEASURES.items()}


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
    for source in SOURCES:
        if any(name in wanted for name in source.MEASURES):
            wanted |= dict.fromkeys(getattr(source, "NEEDS", ()))
    found: dict[dt.date, Totals] = {day: Totals(0, {}, {}) for day in book.dates}
    for source in SOURCES:
        if own := [name for name in source.MEASURES if name in wanted]:
            found = _merged(found, source.measure(book, own, found))
    return found


def _merged(one: Mapping[dt.date, Totals], other: Mapping[dt.date, Totals]) -> dict[dt.date, Totals]:
    """Return the sums of both; how many rows a date has is said by the tape, the first source."""
    return {
        day: Totals(
            total.rows or other[day].rows,
            {**total.sums, **other[day].sums},
            {**total.counts, **other[day].counts},
            {**total.reasons, **other[day].reasons},
        )
        if day in other
        else total
        for day, total in one.items()
    }
