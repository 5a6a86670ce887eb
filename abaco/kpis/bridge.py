"""The bridge of a PAR from one date to another: terms that sum to its change exactly."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from decimal import ROUND_HALF_EVEN, Decimal, localcontext
from itertools import pairwise
from typing import Any

import pyarrow as pa

from abaco.core.decimals import rounded
from abaco.core.errors import NotComputableError
from abaco.core.parquet import arrow_schema
from abaco.core.tables import DATE, SUM, TEXT, Field, Table
from abaco.ingest.columns import BUCKETS, FIRST_DAY
from abaco.kpis.absences import GONE, REJECTED
from abaco.kpis.book import Book
from abaco.kpis.catalog import Definition
from abaco.kpis.totals import Totals
from abaco.kpis.transitions import LATENESS, Transition, book_transitions
from abaco.kpis.values import evaluate, summed

BRIDGED = ("PAR30", "PAR90")
BOOK = ("total_receivable_usd",)
MOVED = ("new arrears", "rolled on", "cured", "paid", "written off", REJECTED, GONE)
UNUSUAL = (REJECTED, GONE)  # left out where they are 0
GROWTH = "book growth"
TABLE = Table(
    "bridges",
    "one row per date, portfolio at risk and cause",
    (
        Field("date", DATE, "the measurement date"),
        Field("against", DATE, "the date before"),
        Field("kpi", TEXT, "the portfolio at risk"),
        Field("term", TEXT, "the cause of the change; opening and closing are the balances at risk themselves"),
        Field("amount_usd", SUM, "the balance of the cause", "USD"),
        Field("points", "decimal(18, 6)", "its part in the portfolio at risk", "percentage points"),
    ),
)


def first_day(kpi: Definition) -> int | None:
    """Return the days past due from which a PAR counts a balance; None for another KPI, which has no bridge."""
    for i, bucket in enumerate(BUCKETS[1:], start=1):
        if set(kpi.numerator) == set(BUCKETS[i:]) and kpi.denominator == BOOK:
            return FIRST_DAY[bucket]
    return None


def terms(transitions: Iterable[Transition], days: int) -> dict[str, Decimal | None]:
    """Return what moved the balance at risk, in USD, by cause.

    Parameters
    ----------
    transitions
        The transitions of the loans between the two dates.
    days
        Days past due from which a balance is at risk.

    Returns
    -------
    dict
        ``new arrears``: at risk now, and less than 7 days late or not there before. ``rolled on``: at risk now, and
        late but not yet at risk before, and what more is at risk of loans that were before. ``cured``: what was at
        risk and is still owed, but at risk no more. ``paid``: what was at risk and is not owed any more, or not by
        loans that still are at risk. ``written off``: that part of a fall by which the loan's written-off balance rose,
        less what came back by reversed write-offs. ``rejected``: at risk on one of the dates, of loans whose row of the
        other was rejected. ``gone without payment``: see `absences.absences`. They sum to the change. Without
        written-off balances, that term is None and part of ``paid``.
    """
    sums: dict[str, Decimal | None] = dict.fromkeys(MOVED, Decimal("0.00"))
    for transition in transitions:
        rise, fall, written, cured, back = (
            transition.usd[f"{name}_{days}"] for name in ("rise", "fall", "written", "cured", "reversed")
        )
        if transition.knows_written_off:
            sums["written off"] += back - written
        else:
            written, back, sums["written off"] = Decimal(0), Decimal(0), None
        sums[_risen(transition.opening)] += rise - back
        sums["cured"] -= cured
        sums[transition.closing if transition.closing in UNUSUAL else "paid"] -= fall - written - cured
    return sums


def _risen(opening: str) -> str:
    if opening == REJECTED:
        return REJECTED
    return "rolled on" if opening in LATENESS[1:] else "new arrears"


def apportioned(exact: Sequence[Decimal], whole: Decimal, precision: int) -> list[Decimal]:
    """Return figures rounded so that they add up to a published whole.

    Each is rounded half up; what is then left over goes, a last digit each, to those that rounding moved furthest the
    other way, the first of equals. A figure that needs no rounding is left as it is.

    Examples
    --------
    >>> [str(part) for part in apportioned([Decimal("0.4"), Decimal("0.4"), Decimal("1")], Decimal("2"), 0)]
    ['1', '0', '1']
    """
    parts = [rounded(value, precision) for value in exact]
    left = whole - sum(parts, Decimal(0))
    unit = Decimal(1).scaleb(-precision).copy_sign(left)
    lost = sorted(range(len(exact)), key=lambda i: (parts[i] - exact[i]) * unit)
    for i in lost[: int(left / unit)]:
        parts[i] += unit
    return parts


def bridge(kpi: Definition, transitions: Iterable[Transition], before: Totals, now: Totals) -> list[dict[str, Any]]:
    """Return the bridge of a PAR between two dates: opening, the terms and the book's growth, closing.

    Parameters
    ----------
    transitions
        The transitions of the loans between them.
    before, now
        Balances of the two dates.

    Returns
    -------
    list of dict
        ``term``, ``amount_usd`` and ``points``. The terms' points are their USD against the book of the later date;
        the book's growth has no USD and is what the opening balance at risk weighs less in a larger book. They sum to
        the published change (see `apportioned`).

    Raises
    ------
    NotComputableError
        When the PAR of either date is not computable, or loans cannot be told apart.
    """
    (risk_before, book_before), (risk, book) = (_sums(kpi, total) for total in (before, now))
    if not (transitions := list(transitions)):
        raise NotComputableError("loans_not_distinct")
    usd = terms(transitions, first_day(kpi))
    with localcontext(prec=60, rounding=ROUND_HALF_EVEN):
        opening, closing = (rounded(r / b * 100, kpi.precision) for r, b in ((risk_before, book_before), (risk, book)))
        exact = [(usd[term] or 0) / book * 100 for term in MOVED]
        exact.append((risk_before / book - risk_before / book_before) * 100)
        points = apportioned(exact, closing - opening, kpi.precision)
    moved = [
        {"term": term, "amount_usd": usd[term], "points": None if usd[term] is None else part}
        for term, part in zip(MOVED, points[:-1], strict=True)
        if usd[term] != 0 or term not in UNUSUAL
    ]
    return [
        {"term": "opening", "amount_usd": risk_before, "points": opening},
        *moved,
        {"term": GROWTH, "amount_usd": None, "points": points[-1]},
        {"term": "closing", "amount_usd": risk, "points": closing},
    ]


def _sums(kpi: Definition, total: Totals) -> tuple[Decimal, Decimal]:
    risk, book = (summed(total, names) for names in (kpi.numerator, BOOK))
    if book <= 0:
        raise NotComputableError("risk_unknown")
    return risk, book


def bridges(definitions: Mapping[str, Definition], book: Book, totals: Mapping[dt.date, Totals]) -> pa.Table:
    """Return the bridges of PAR30 and PAR90 from every date to the next, one row per date, KPI and term.

    Parameters
    ----------
    totals
        Measures by date.
    """
    moved = book.cached(book_transitions)
    rows = []
    for against, date in pairwise(book.dates):
        for name in (n for n in BRIDGED if n in definitions and first_day(definitions[n])):
            pair = {"date": date, "against": against, "kpi": name}
            try:
                found = bridge(definitions[name], moved.get((date, against), []), totals[against], totals[date])
            except NotComputableError:
                continue
            rows += [{**pair, **row} for row in found]
    return pa.Table.from_pylist(rows, schema=arrow_schema(TABLE))


def gaps(
    rows: Iterable[Mapping[str, Any]], definitions: Mapping[str, Definition], totals: Mapping[dt.date, Totals]
) -> list[str]:
    """Return the bridges that do not lead from one published value to the other, in USD or in points.

    Parameters
    ----------
    rows
        Of the table of bridges.
    totals
        Measures by date, which the ends are held against.
    """
    found: dict[tuple[str, dt.date, dt.date], list[Mapping[str, Any]]] = {}
    for row in rows:
        found.setdefault((row["kpi"], row["against"], row["date"]), []).append(row)
    wrong = []
    for (name, against, date), steps in found.items():
        ends = [evaluate({name: definitions[name]}, totals[day], day)[name] for day in (against, date)]
        for column, published in (("amount_usd", "numerator"), ("points", "value")):
            whole = sum((step[column] or 0 for step in steps[:-1]), Decimal(0))
            if (steps[0][column], whole) != tuple(end[published] for end in ends):
                wrong.append(f"{name} from {against} to {date}")
    return list(dict.fromkeys(wrong))
