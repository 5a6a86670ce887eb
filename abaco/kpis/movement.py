"""Movement of the book in each month: roll rates, cures, defaults, write-offs and recoveries."""

import datetime as dt
from collections.abc import Callable, Collection, Mapping
from dataclasses import replace
from decimal import Decimal

import pyarrow as pa

from abaco.core.decimals import rounded
from abaco.core.parquet import arrow_schema
from abaco.core.reasons import Reason
from abaco.core.tables import COUNT, DATE, SUM, TEXT, Field, Table
from abaco.kpis.absences import GONE, REJECTED, absences
from abaco.kpis.balances import LOANS
from abaco.kpis.balances import WRITTEN_OFF as SAYS_WRITTEN_OFF
from abaco.kpis.book import Book, no_month_before, openings
from abaco.kpis.buckets import Buckets
from abaco.kpis.totals import Measure, Totals
from abaco.kpis.transitions import (
    CLOSING,
    LATENESS,
    OPENING,
    PAID,
    WRITTEN_OFF,
    Pair,
    Transition,
    book_transitions,
    find_transitions,
)

BEFORE = "a date of the month before"
TWO_DATES = f"{LOANS}, and {BEFORE}"
BOTH = f"{TWO_DATES}; and {SAYS_WRITTEN_OFF}"
PARTS, ALL_PARTS = (LOANS, BEFORE), (LOANS, BEFORE, SAYS_WRITTEN_OFF)
START = "at the end of the month before"
MEASURES = {
    "opening_balance_usd": Measure(f"the outstanding balance {START}", TWO_DATES, parts=PARTS),
    "opening_performing_usd": Measure(f"the balance less than 90 days late {START}", TWO_DATES, parts=PARTS),
    "opening_7_30_usd": Measure(f"the balance 7 to 29 days late {START}", TWO_DATES, parts=PARTS),
    "opening_30_plus_usd": Measure(f"the balance 30 and more days late {START}", TWO_DATES, parts=PARTS),
    "opening_written_off_usd": Measure(f"the written-off balance {START}", BOTH, parts=ALL_PARTS),
    "new_written_off_usd": Measure("what was written off in the month", BOTH, of_month=True, parts=ALL_PARTS),
    "recovered_usd": Measure("the fall of written-off balances in the month", BOTH, of_month=True, parts=ALL_PARTS),
    "defaulted_usd": Measure("what defaulted in the month", BOTH, of_month=True, parts=ALL_PARTS),
    "rolled_30_usd": Measure("what rolled on to 30 days in the month", BOTH, of_month=True, parts=ALL_PARTS),
    "cured_usd": Measure("what was cured or paid off in the month", BOTH, of_month=True, parts=ALL_PARTS),
}
# the days past due whose limits tell what each of them counts
LIMITS = {
    "opening_performing_usd": (90,), "opening_7_30_usd": (7, 30), "opening_30_plus_usd": (30,), "defaulted_usd": (90,),
    "rolled_30_usd": (7, 30), "cured_usd": (30,),
}  # fmt: skip
EARLY, LATE, LATEST = LATENESS[:2], LATENESS[2:], LATENESS[4:]
WRITTEN_OFF_USD = "written_off_usd"
TABLE = Table(
    "roll_rates",
    "one row per date, opening state and closing state",
    (
        Field("date", DATE, "the measurement date"),
        Field("against", DATE, "the last date of the month before"),
        Field("opening", TEXT, "the state on the earlier date: an aging bucket, written off, new or rejected"),
        Field("closing", TEXT, "the later one: an aging bucket, written off, paid, rejected or gone without payment"),
        Field("loans", COUNT, "loans that went from one to the other", "loans"),
        Field("amount_usd", SUM, "their balance on the earlier date, of new loans on the later one", "USD"),
        Field("share", "decimal(9, 4)", "its part of the opening state's balance", "%"),
    ),
)


def measure(book: Book, names: Collection[str], _: Mapping[dt.date, Totals]) -> dict[dt.date, Totals]:
    """Return the named measures on every date that has one in the month before, from one join of the tape."""
    starts = openings(book.dates)
    found = {
        day: Totals(0, {}, {}, dict.fromkeys(names, no_month_before(day))) for day in book.dates if day not in starts
    }
    moved = book.cached(book_transitions)
    for pair in starts.items():
        if transitions := moved.get(pair):
            loans = sum(transition.loans for transition in transitions)
            sums = {name: usd for name, usd in amounts(transitions).items() if name in names}
            unknown = {n: d for n, days in LIMITS.items() if n in sums for d in days if d not in book.buckets.known}
            reasons = {name: Reason("limit_unknown", days=days) for name, days in unknown.items()}
            if unread := next((day for day in reversed(pair) if WRITTEN_OFF_USD in book.unread_of_tape(day)), None):
                count = book.unread_of_tape(unread)[WRITTEN_OFF_USD]
                reasons |= dict.fromkeys(sums, Reason("written_off_unread", since=unread, count=count))
            found[pair[0]] = Totals(loans, sums | dict.fromkeys(unknown), dict.fromkeys(sums, loans), reasons)
    return found


def amounts(transitions: Collection[Transition]) -> dict[str, Decimal | None]:
    """Return the measures of one month, in USD.

    Measures that involve write-offs are None without written-off balances: a loan that was written off would count as
    paid.
    """
    belongs: dict[str, Callable[[str, str], bool]] = {
        "opening_balance_usd": lambda opening, closing: True,
        "opening_performing_usd": lambda opening, closing: opening in LATENESS[:4],
        "opening_7_30_usd": lambda opening, closing: opening == LATENESS[1],
        "opening_30_plus_usd": lambda opening, closing: opening in LATE,
        "defaulted_usd": lambda opening, closing: opening in LATENESS[:4] and closing in (*LATEST, WRITTEN_OFF),
        "rolled_30_usd": lambda opening, closing: opening == LATENESS[1] and closing in (*LATE, WRITTEN_OFF),
        "cured_usd": lambda opening, closing: opening in LATE and closing in (*EARLY, PAID),
    }
    sums = {"opening_written_off_usd": "opening_written_off", "new_written_off_usd": "risen", "recovered_usd": "fallen"}
    usd = {
        name: _sum(one.usd["opening"] for one in transitions if counts(one.opening, one.closing))
        for name, counts in belongs.items()
    }
    usd |= {name: _sum(one.usd[column] for one in transitions) for name, column in sums.items()}
    # other terms make no borrower pay
    is_cured = belongs["cured_usd"]
    usd["cured_usd"] -= _sum(one.usd["restructured"] for one in transitions if is_cured(one.opening, one.closing))
    # a written-off balance that nobody knows any more was not recovered
    usd["recovered_usd"] -= _sum(one.usd["fallen"] for one in transitions if one.closing in (REJECTED, GONE))
    if all(one.knows_written_off for one in transitions):
        return usd
    return {name: amount if MEASURES[name].add == TWO_DATES else None for name, amount in usd.items()}


def roll_rates(book: Book) -> pa.Table:
    """Return where the balance of each opening state went in each month.

    Returns
    -------
    pyarrow.Table
        One row per date and pair of states, for loans that owe something on either date: how many, their ``amount_usd``
        (the opening balance; of loans without one, ``new`` or ``written off`` before, the closing balance), and its
        ``share`` of the opening state in per cent (null when that is 0).
    """
    moved = book.cached(book_transitions)
    pairs = openings(book.dates).items()
    rows = [row for pair in pairs for row in _rolled(pair, moved.get(pair, []), book.buckets)]
    return pa.Table.from_pylist(rows, schema=arrow_schema(TABLE))


def rolled_between(book: Book, date: dt.date, against: dt.date | None) -> pa.Table:
    """Return the same between any two dates; empty without a second date, or where loans cannot be told apart."""
    rows = []
    if against is not None:
        moved = find_transitions(
            book.tape, [(date, against)], absent=absences(replace(book, dates=[against, date])), buckets=book.buckets
        )
        rows = _rolled((date, against), moved.get((date, against), []), book.buckets)
    return pa.Table.from_pylist(rows, schema=arrow_schema(TABLE))


def _rolled(pair: Pair, transitions: Collection[Transition], buckets: Buckets) -> list[dict]:
    owing = [one for one in transitions if one.opening in LATENESS or one.closing in LATENESS]
    called = {LATENESS[place]: name for place, name in buckets.names.items()}
    rows = []
    for one in sorted(owing, key=lambda one: (OPENING.index(one.opening), CLOSING.index(one.closing))):
        whole = _sum(_weight(other) for other in owing if other.opening == one.opening)
        share = rounded(_weight(one) / whole * 100, 4) if whole else None
        names = {"date": pair[0], "against": pair[1], "opening": called.get(one.opening, one.opening)}
        names["closing"] = called.get(one.closing, one.closing)
        rows.append({**names, "loans": one.loans, "amount_usd": _weight(one), "share": share})
    return rows


def _weight(transition: Transition) -> Decimal:
    return transition.usd["opening" if transition.opening in LATENESS else "closing"]


def _sum(amounts) -> Decimal:
    return sum(amounts, Decimal("0.00"))
