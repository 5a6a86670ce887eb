"""The roll-forward of the book: the balance of one month-end, what moved it, and that of the next."""

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa

from abaco.core.errors import NotComputableError
from abaco.core.parquet import arrow_schema
from abaco.core.tables import DATE, SUM, TEXT, Field, Table
from abaco.kpis import collection, lending, movement
from abaco.kpis.book import Book, openings
from abaco.kpis.totals import Totals
from abaco.kpis.transitions import Transition, book_transitions

LINES = ("opening", "lent", "principal paid", "written off", "recovered", "not explained", "closing")
OUTSTANDING = "total_receivable_usd"
TABLE = Table(
    "roll_forward",
    "one row per date and line, the lines before the closing balance summing to it",
    (
        Field("date", DATE, "the measurement date"),
        Field("against", DATE, "the last date of the month before"),
        Field("line", TEXT, f"{', '.join(LINES[:-1])} or {LINES[-1]}"),
        Field("amount_usd", SUM, "its amount, negative where it makes the balance smaller; empty if unknown", "USD"),
        Field("reason", TEXT, "why it is unknown"),
    ),
)


def roll_forward(book: Book, totals: Mapping[dt.date, Totals]) -> pa.Table:
    """Return how the outstanding balance went from the end of each month to the end of the next.

    Opening + lent − principal paid − written off + recovered + not explained = closing. A payment on a written-off
    balance is in ``principal paid``, and in ``recovered`` as the fall of that balance: it leaves the outstanding
    balance as it is, as it should. What is not explained is unknown where another line is.

    Parameters
    ----------
    totals
        Measures by date, with the outstanding balance.
    """
    rows = []
    for day, start in sorted(openings(book.dates).items()):
        ends = [totals[date].sums.get(OUTSTANDING) for date in (start, day)]
        if None in ends:
            continue
        pair = {"date": day, "against": start}
        found = _moved(book, day, start)
        if unknown := next((entry["reason"] for entry in found.values() if entry["reason"]), None):
            rest = {"amount_usd": None, "reason": unknown}
        else:
            moved = sum(entry["amount_usd"] for entry in found.values())
            rest = {"amount_usd": ends[1] - ends[0] - moved, "reason": None}
        opening, closing = ({"amount_usd": usd, "reason": None} for usd in ends)
        lines = (opening, *found.values(), rest, closing)
        rows += [{**pair, "line": line, **entry} for line, entry in zip(LINES, lines, strict=True)]
    return pa.Table.from_pylist(rows, schema=arrow_schema(TABLE))


def _moved(book: Book, day: dt.date, start: dt.date) -> dict[str, dict[str, Any]]:
    """Return the lines between the two balances, each an amount or the reason why it is unknown."""
    span = (book.through(start) + dt.timedelta(1), book.through(day))
    transitions = book.cached(book_transitions).get((day, start), [])
    amounts: tuple[Callable[[], Decimal], ...] = (
        lambda: _lent(book, *span),
        lambda: -_paid(book, *span),
        lambda: -_written_off(transitions, "new_written_off_usd"),
        lambda: _written_off(transitions, "recovered_usd"),
    )
    found = {}
    for line, amount in zip(LINES[1:5], amounts, strict=True):
        try:
            found[line] = {"amount_usd": amount(), "reason": None}
        except NotComputableError as error:
            found[line] = {"amount_usd": None, "reason": str(error.reason)}
    return found


def _lent(book: Book, first: dt.date, last: dt.date) -> Decimal:
    if (disbursed := book.cached(lending.lent)) is None:
        raise NotComputableError("not_given", what=(lending.MEASURES["month_disbursed_usd"].title,))
    return disbursed.between(first, last, "principal_usd")


def _paid(book: Book, first: dt.date, last: dt.date) -> Decimal:
    if (paid := book.cached(collection.flows_of).paid) is None:
        raise NotComputableError("not_given", what=(collection.MEASURES["month_paid_usd"].title,))
    return paid.counted(first, last, collection.PRINCIPAL)[0]


def _written_off(transitions: Collection[Transition], measure: str) -> Decimal:
    if not transitions:
        raise NotComputableError("loans_not_distinct")
    if (usd := movement.amounts(transitions)[measure]) is None:
        raise NotComputableError("not_given", what=(movement.MEASURES[measure].title,))
    return usd
