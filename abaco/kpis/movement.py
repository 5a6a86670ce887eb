"""Movement of the book in each month: roll rates, cures, defaults, write-offs and recoveries."""

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from decimal import Decimal

import pyarrow as pa

from abaco.core.decimals import rounded
from abaco.core.parquet import arrow_schema
from abaco.core.tables import COUNT, DATE, SUM, TEXT, Field, Table
from abaco.kpis import transitions
from abaco.kpis.balances import WRITTEN_OFF as SAYS_WRITTEN_OFF
from abaco.kpis.book import Book, openings
from abaco.kpis.totals import Measure, Totals
from abaco.kpis.transitions import CLOSING, LATENESS, OPENING, PAID, WRITTEN_OFF, Pair, Transition

TWO_DATES = "a row a loan, not one a date, and a date of the month before"
BOTH = f"{TWO_DATES}; and {SAYS_WRITTEN_OFF}"
START = "at the end of the month before"
MEASURES = {
    "opening_balance_usd": Measure(f"the outstanding balance {START}", TWO_DATES),
    "opening_performing_usd": Measure(f"the balance less than 90 days late {START}", TWO_DATES),
    "opening_7_30_usd": Measure(f"the balance 7 to 29 days late {START}", TWO_DATES),
    "opening_30_plus_usd": Measure(f"the balance 30 and more days late {START}", TWO_DATES),
    "opening_written_off_usd": Measure(f"the written-off balance {START}", BOTH),
    "new_written_off_usd": Measure("what was written off in the month", BOTH, of_month=True),
    "recovered_usd": Measure("the fall of written-off balances in the month", BOTH, of_month=True),
    "defaulted_usd": Measure("what defaulted in the month", BOTH, of_month=True),
    "rolled_30_usd": Measure("what rolled on to 30 days in the month", BOTH, of_month=True),
    "cured_usd": Measure("what was cured or paid off in the month", BOTH, of_month=True),
}
EARLY, LATE, LATEST = LATENESS[:2], LATENESS[2:], LATENESS[4:]
TABLE = Table(
    "roll_rates",
    "one row a date, opening state and closing state",
    (
        Field("date", DATE, "the measurement date"),
        Field("against", DATE, "the last date of the month before"),
        Field("opening", TEXT, "the state on the earlier date: an aging bucket, written off or new"),
        Field("closing", TEXT, "the state on the later date: an aging bucket, written off or paid"),
        Field("loans", COUNT, "loans that went from one to the other", "loans"),
        Field("amount_usd", SUM, "their balance on the earlier date, of new loans on the later one", "USD"),
        Field("share", "decimal(9, 4)", "its part of the opening state's balance", "%"),
    ),
)


def measure(book: Book, names: Collection[str], _: Mapping[dt.date, Totals]) -> dict[dt.date, Totals]:
    """Return the named measures on every date that has one in the month before, from one join of the tape."""
    found = {}
    moved = book.remembered(transitions.of_book)
    for pair in openings(book.dates).items():
        if ways := moved.get(pair):
            loans = sum(way.loans for way in ways)
            sums = {name: usd for name, usd in amounts(ways).items() if name in names}
            found[pair[0]] = Totals(loans, sums, dict.fromkeys(sums, loans))
    return found


def amounts(ways: Collection[Transition]) -> dict[str, Decimal | None]:
    """Return the measures of one month, in USD.

    Those that a write-off takes part in are None where the dates do not say what is written off: a loan that was
    written off would count as paid.
    """
    opened: dict[str, Callable[[Transition], bool]] = {
        "opening_balance_usd": lambda way: True,
        "opening_performing_usd": lambda way: way.opening in LATENESS[:4],
        "opening_7_30_usd": lambda way: way.opening == LATENESS[1],
        "opening_30_plus_usd": lambda way: way.opening in LATE,
        "defaulted_usd": lambda way: way.opening in LATENESS[:4] and way.closing in (*LATEST, WRITTEN_OFF),
        "rolled_30_usd": lambda way: way.opening == LATENESS[1] and way.closing in (*LATE, WRITTEN_OFF),
        "cured_usd": lambda way: way.opening in LATE and way.closing in (*EARLY, PAID),
    }
    sums = {
        "opening_written_off_usd": "opening_written_off",
        "new_written_off_usd": "risen",
        "recovered_usd": "fallen",
    }
    found = {n: _sum(way.usd["opening"] for way in ways if belongs(way)) for n, belongs in opened.items()}
    found |= {name: _sum(way.usd[column] for way in ways) for name, column in sums.items()}
    if all(way.knows_written_off for way in ways):
        return found
    return {name: usd if MEASURES[name].add == TWO_DATES else None for name, usd in found.items()}


def roll_rates(book: Book) -> pa.Table:
    """Return where the balance of each opening state went in each month.

    Returns
    -------
    pyarrow.Table
        One row a date and pair of states, for loans that owe something on either date: how many, their ``amount_usd``
        (the opening balance; of loans without one, ``new`` or ``written off`` before, the closing balance), and its
        ``share`` of the opening state in per cent (null when that is 0).
    """
    moved = book.remembered(transitions.of_book)
    pairs = openings(book.dates).items()
    rows = [row for pair in pairs for row in _rolled(pair, moved.get(pair, []))]
    return pa.Table.from_pylist(rows, schema=arrow_schema(TABLE))


def rolled_between(book: Book, date: dt.date, against: dt.date | None) -> pa.Table:
    """Return the same between any two dates; empty without a second date, or where loans cannot be told apart."""
    rows = []
    if against is not None:
        moved = transitions.transitions(book.tape, [(date, against)])
        rows = _rolled((date, against), moved.get((date, against), []))
    return pa.Table.from_pylist(rows, schema=arrow_schema(TABLE))


def _rolled(pair: Pair, ways: Collection[Transition]) -> list[dict]:
    owing = [way for way in ways if way.opening in LATENESS or way.closing in LATENESS]
    rows = []
    for way in sorted(owing, key=lambda way: (OPENING.index(way.opening), CLOSING.index(way.closing))):
        whole = _sum(_weight(other) for other in owing if other.opening == way.opening)
        share = rounded(_weight(way) / whole * 100, 4) if whole else None
        names = {"date": pair[0], "against": pair[1], "opening": way.opening, "closing": way.closing}
        rows.append({**names, "loans": way.loans, "amount_usd": _weight(way), "share": share})
    return rows


def _weight(way: Transition) -> Decimal:
    return way.usd["opening" if way.opening in LATENESS else "closing"]


def _sum(amounts) -> Decimal:
    return sum(amounts, Decimal("0.00"))
