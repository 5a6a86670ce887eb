"""The loans that contributed most to the change of a PAR between two dates, under anonymous names."""

import datetime as dt
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from itertools import count
from typing import Any

import narwhals as nw
import pyarrow as pa

from abaco.core.decimals import rounded
from abaco.core.errors import NotComputableError
from abaco.core.parquet import arrow_schema
from abaco.core.tables import COUNT, DATE, SUM, TEXT, Field, Table
from abaco.ingest import masking
from abaco.kpis.absences import absences
from abaco.kpis.balances import late_totals
from abaco.kpis.book import Book
from abaco.kpis.bridge import TABLE as BRIDGES
from abaco.kpis.bridge import bridge, first_day, terms
from abaco.kpis.buckets import Buckets, known_days
from abaco.kpis.catalog import Definition
from abaco.kpis.totals import Totals
from abaco.kpis.transitions import WHOLE, as_transition, find_transitions, moves

Rows = list[dict[str, Any]]
LIMIT = 10
SEGMENTS = ("company", "product")
TABLE = Table(
    "bridge_loans",
    "one row per portfolio at risk and loan that moved it",
    (
        Field("date", DATE, "the measurement date"),
        Field("against", DATE, "the date before"),
        Field("kpi", TEXT, "the portfolio at risk"),
        Field("rank", COUNT, "the loan's place by change, from 1"),
        Field("loan", TEXT, "the loan's token, or a number without a masking key"),
        Field("company", TEXT, "the company that lent"),
        Field("product", TEXT, "the product"),
        Field("term", TEXT, "the cause of the change"),
        Field("before_usd", SUM, "its balance at risk on the date before", "USD"),
        Field("after_usd", SUM, "its balance at risk on the date", "USD"),
        Field("change_usd", SUM, "the difference", "USD"),
        Field("points", "decimal(18, 6)", "by how much it moved the portfolio at risk", "percentage points"),
    ),
)


def largest(moved: nw.LazyFrame, days: int, limit: int = LIMIT) -> list[dict[str, Any]]:
    """Return the loans whose balance at risk changed most between two dates, the largest change first.

    Parameters
    ----------
    moved
        The loans on both dates with `SEGMENTS` (see `transitions.moves`).
    days
        Days past due from which a balance is at risk.

    Returns
    -------
    list of dict
        ``loan_id``, ``company``, ``product``, the ``term`` of the bridge that most of the change belongs to, and
        what was at risk ``before_usd`` and ``after_usd``; of equal changes the first loan id comes first.
    """
    moved = moved.with_columns(size=nw.col(f"rise_{days}") + nw.col(f"fall_{days}")).filter(nw.col("size") > 0)
    first = moved.sort("size", "loan_id", descending=[True, False]).head(limit).collect("pyarrow")
    return [
        {
            **{name: row[name] for name in ("loan_id", *SEGMENTS)},
            "term": _term(row, days),
            "before_usd": row[f"before_{days}"],
            "after_usd": row[f"after_{days}"],
            "change_usd": row[f"after_{days}"] - row[f"before_{days}"],
        }
        for row in first.to_native().to_pylist()
    ]


def _term(row: Mapping[str, Any], days: int) -> str:
    parts = terms([as_transition(row, [days], knows_written_off=True)], days)
    return max(parts, key=lambda term: abs(parts[term]))


def names(loan_ids: Iterable[str], key: bytes | None, noun: str = "Loan") -> dict[str, str]:
    """Return the name of each loan in a report: a token, or without a key a number in the order given.

    Parameters
    ----------
    noun
        What stands before the numbers: two tables of a report that number loans apart have two.

    Examples
    --------
    >>> names(["ABF - 7", "ABF - 3", "ABF - 7"], None)
    {'ABF - 7': 'Loan 1', 'ABF - 3': 'Loan 2'}
    """
    number = count(1)
    return {loan: masking.token(loan, key) if key else f"{noun} {next(number)}" for loan in dict.fromkeys(loan_ids)}


def bridge_loans(
    definitions: Mapping[str, Definition],
    tape: nw.LazyFrame,
    bridges: Iterable[Mapping[str, Any]],
    totals: Mapping[dt.date, Totals],
    key: bytes | None,
    limit: int = LIMIT,
    absent: nw.LazyFrame | None = None,
    buckets: Buckets = WHOLE,
) -> pa.Table:
    """Return the loans that contributed most to each bridge, ten unless told otherwise, one row per KPI and loan.

    Parameters
    ----------
    bridges
        The bridges to explain: rows of `bridge.bridges` of one date, or of `bridge.bridge` with the pair and the KPI.
    totals
        Measures by date.
    key
        The masking key; without one loans have numbers, the same loan the same number in every bridge.
    absent
        The loans whose row a date lacks (see `absences.absences`).
    buckets
        The aging buckets that the tape can tell apart.
    """
    rows, ends = [], [row for row in bridges if row["term"] == "closing"]
    days = sorted({first_day(definitions[end["kpi"]]) for end in ends})
    pairs = dict.fromkeys((end["date"], end["against"]) for end in ends)
    moved = {(date, former): moves(tape, {former: date}, days, SEGMENTS, absent, buckets) for date, former in pairs}
    for end in ends:
        kpi, pair = definitions[end["kpi"]], (end["date"], end["against"])
        book = totals[end["date"]].sums["total_receivable_usd"]
        for rank, loan in enumerate(largest(moved[pair], first_day(kpi), limit), start=1):
            points = rounded(loan["change_usd"] / book * 100, kpi.precision)
            rows.append(
                {"date": pair[0], "against": pair[1], "kpi": end["kpi"], "rank": rank, "points": points, **loan}
            )
    called = names((row["loan_id"] for row in rows), key)
    return pa.Table.from_pylist([{**row, "loan": called[row["loan_id"]]} for row in rows], schema=arrow_schema(TABLE))


def between(
    kpi: Definition,
    name: str,
    tape: nw.LazyFrame,
    date: dt.date,
    against: dt.date,
    limit: int = LIMIT,
    key: bytes | None = None,
    absent: nw.LazyFrame | None = None,
) -> tuple[Rows, Rows]:
    """Return the bridge of a PAR between any two dates of a tape, and the loans that contributed most to it.

    Parameters
    ----------
    key
        The masking key.
    absent
        The loans whose row a date lacks (see `absences.absences`).

    Raises
    ------
    NotComputableError
        See `bridge.bridge`.
    """
    rows = tape.filter(nw.col("measurement_date").is_in([against, date]))
    sums, buckets = late_totals(rows), Buckets(known_days(rows))
    moved = find_transitions(rows, [(date, against)], [first_day(kpi)], absent, buckets)
    transitions = moved.get((date, against), [])
    pair = {"date": date, "against": against, "kpi": name}
    steps = [{**pair, **step} for step in bridge(kpi, transitions, sums[against], sums[date])]
    return steps, bridge_loans({name: kpi}, rows, steps, sums, key, limit, absent, buckets).to_pylist()


def bridged(
    book: Book, kpi: Definition, name: str, against: dt.date | None, limit: int = LIMIT, key: bytes | None = None
) -> tuple[pa.Table, pa.Table]:
    """Return the same from an earlier date to the book's, as tables: empty ones without a date, or a bridge."""
    steps, loans = [], []
    if against is not None:
        absent = absences(replace(book, dates=[against, book.date]))
        with suppress(NotComputableError):
            steps, loans = between(kpi, name, book.tape, book.date, against, limit, key, absent)
    return (
        pa.Table.from_pylist(steps, schema=arrow_schema(BRIDGES)),
        pa.Table.from_pylist(loans, schema=arrow_schema(TABLE)),
    )
