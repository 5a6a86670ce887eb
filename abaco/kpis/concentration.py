"""Concentration on each date: how much of the book a few borrowers owe."""

import datetime as dt
from collections.abc import Collection, Mapping
from decimal import Decimal
from typing import Any

import narwhals as nw
import pyarrow as pa

from abaco.core.decimals import rounded
from abaco.core.errors import NotComputableError
from abaco.core.parquet import arrow_schema
from abaco.core.reasons import Reason
from abaco.core.tables import COUNT, DATE, SUM, TEXT, Field, Table
from abaco.ingest.lateness import at_risk, late_by
from abaco.kpis.book import Book
from abaco.kpis.totals import Measure, Totals, totals

LARGEST, PARTS = 10, 64
TENS = "top_10_borrowers_usd"
SQUARES, MOST_SQUARES = "borrower_squares", 10**30  # USD², beyond the digits of the table of measures
BORROWER = (
    "customer_id for every loan with a balance, in the tape or in the loans export, as a name may be that of several"
)
MEASURES = {
    "active_borrowers": Measure("the number of borrowers with a balance", BORROWER, "borrowers"),
    "top_borrower_usd": Measure("the balance of the largest borrower", BORROWER),
    TENS: Measure("the balance of the ten largest borrowers", BORROWER),
    SQUARES: Measure("the squares of what borrowers owe", BORROWER, "USD²"),
}
DIGITS = {"active_borrowers": 0, SQUARES: 4}
NEEDS = ("total_receivable_usd",)
TABLE = Table(
    "concentration",
    "one row per date and large borrower",
    (
        Field("date", DATE, "the measurement date"),
        Field("rank", COUNT, "the borrower's place by balance, from 1"),
        Field("borrower", TEXT, "the borrower's token, or a number without a masking key"),
        Field("loans", COUNT, "loans with a balance", "loans"),
        Field("amount_usd", SUM, "the outstanding balance", "USD"),
        Field("share", "decimal(9, 4)", "its part of the outstanding balance of the book", "%"),
        Field("late_usd", SUM, "the part of it that is 30 or more days late", "USD"),
    ),
)

PATHS = pa.schema(
    [("date", pa.date32()), ("borrower", pa.string()), ("amount_usd", pa.decimal128(38, 2)),
     ("share", pa.decimal128(9, 4))]
)  # fmt: skip
STOPPED = pa.schema(
    [("borrowers", pa.int64()), ("last", pa.string()), ("loans", pa.int64()), ("amount_usd", pa.decimal128(38, 2)),
     ("late_usd", pa.decimal128(38, 2)), ("par30", pa.decimal128(9, 4))]
)  # fmt: skip


def herfindahl(borrower_squares: Decimal, total_receivable_usd: Decimal) -> Decimal:
    """How concentrated the book is, in points: the sum of all borrowers' squared shares of it in per cent.

    Parameters
    ----------
    borrower_squares
        Σ of the square of what each borrower owes, in USD².
    total_receivable_usd
        The outstanding balance.

    Returns
    -------
    Decimal
        Above 0, for countless small borrowers, up to 10,000, for a single one. Source: Herfindahl–Hirschman index.

    Raises
    ------
    NotComputableError
        When nothing is outstanding.

    Examples
    --------
    >>> herfindahl(Decimal("5000.00"), Decimal("100.00"))  # two borrowers of 50.00
    Decimal('5000.0')
    """
    if total_receivable_usd <= 0:
        raise NotComputableError("nothing_outstanding")
    return borrower_squares / total_receivable_usd**2 * 10_000


def borrower_label(row: Mapping[str, Any]) -> str:
    """Return the name of a borrower in a report: a token, or a number where ids are redacted."""
    return f"Borrower {row['borrower']}" if row["borrower_id"] == "redacted" else row["borrower_id"]


def large(rows: nw.LazyFrame, amount: str, number: str, count: int) -> nw.LazyFrame:
    """Return the rows that may be among the largest of their date: far fewer than all, which are slow to rank.

    Numbers fall into parts by their remainders. Of the parts' largest amounts, the one in place `count` is an amount
    that so many rows reach.

    Parameters
    ----------
    amount
        The column of what each row owes.
    number
        A column of whole numbers, one a row of each date.
    """
    day, top = "measurement_date", nw.col("top")
    part = nw.col(number) - nw.col(number) // PARTS * PARTS  # pandas has no remainders
    parts = rows.select(day, part=part, top=amount).group_by(day, "part").agg(top.max())
    parts = parts.with_columns(less=-top)
    place = top.cum_count().over(day, order_by=["less", "part"])
    reached = parts.with_columns(place=place).filter(nw.col("place") == count).select(day, reached="top")
    found = rows.join(reached, on=day, how="left")
    return found.filter(nw.col("reached").is_null() | (nw.col(amount) >= nw.col("reached"))).drop("reached")


def placed(book: Book, count: int = LARGEST) -> nw.LazyFrame:
    """Return the `count` largest borrowers of each date with their ``place``, the largest first, and some others."""
    # pandas sorts by a column that is counted as if it were true everywhere
    place = nw.col("balance_usd").cum_count().over("measurement_date", order_by=["less", "borrower"])
    rows = large(book.export("borrowers"), "balance_usd", "borrower", count)
    return rows.with_columns(less=-nw.col("balance_usd")).with_columns(place=place)


def sums(book: Book) -> dict[dt.date, dict]:
    """Return, by date, how many borrowers owe how much: all of them, and the largest."""
    owed = nw.col("balance_usd")
    whole = {"active_borrowers": nw.len(), "known": owed.sum(), "top_borrower_usd": owed.max()}
    return _by_day(book.export("borrowers").group_by("measurement_date").agg(**whole))


def tens(book: Book) -> dict[dt.date, dict]:
    """Return, by date, what the ten largest borrowers owe."""
    first = placed(book).filter(nw.col("place") <= LARGEST).group_by("measurement_date")
    return _by_day(first.agg(nw.col("balance_usd").sum().alias(TENS)))


def _by_day(rows: nw.LazyFrame) -> dict[dt.date, dict]:
    return {row["measurement_date"]: row for row in rows.collect("pyarrow").to_native().to_pylist()}


def squares(book: Book) -> dict[dt.date, dict]:
    """Return ``borrower_squares`` by date, without those on which they could have too many digits to be kept."""
    owed, day = nw.col("balance_usd"), "measurement_date"
    by_day = book.cached(sums).items()
    small = [date for date, row in by_day if row["top_borrower_usd"] * row["known"] < MOST_SQUARES]
    if not small:
        return {}
    # 37 digits, as engines have 38 for a product; four places of one factor, or Polars drops two
    square = owed.cast(nw.Decimal(19, 4)) * owed.cast(nw.Decimal(18, 2))
    rows = book.export("borrowers").filter(nw.col(day).is_in(small)).select(day, square=square)
    return _by_day(rows.group_by(day).agg(nw.col("square").sum().alias(SQUARES)))


def measure(book: Book, names: Collection[str], before: Mapping[dt.date, Totals]) -> dict[dt.date, Totals]:
    """Return the named measures on every date on which the borrower of every balance is known.

    Where some are not known, one of them may be the largest.
    """
    has_borrowers = book.export("borrowers") is not None
    known = book.cached(sums) if has_borrowers else {}
    more = [book.cached(of) for name, of in ((TENS, tens), (SQUARES, squares)) if has_borrowers and name in names]
    found = {}
    for day, total in before.items():
        row = known.get(day)
        whole = row is not None and row["known"] == total.sums.get("total_receivable_usd")
        cells = row | {name: cell for by_day in more for name, cell in by_day.get(day, {}).items()} if whole else {}
        values = {name: rounded(Decimal(cells[name]), DIGITS.get(name, 2)) if name in cells else None for name in names}
        count = row["active_borrowers"] if whole else 0
        reasons = {}
        if whole and SQUARES in names and SQUARES not in cells:
            reasons[SQUARES] = Reason("squares_too_large")
        if row is not None and not whole and total.sums.get("total_receivable_usd") is not None:
            unknown = total.sums["total_receivable_usd"] - row["known"]
            reasons = dict.fromkeys(names, Reason("borrower_unknown", usd=unknown))
        found[day] = Totals(total.rows, values, dict.fromkeys(names, count), reasons)
    return found


def concentration(book: Book, totals: Mapping[dt.date, Totals]) -> pa.Table:
    """Return the ten largest borrowers of every date, one row each, largest first.

    Parameters
    ----------
    totals
        ``total_receivable_usd`` by date.

    Returns
    -------
    pyarrow.Table
        ``borrower`` is a token, or a number where ids are redacted; ``share`` is per cent of the outstanding balance.
    """
    if book.export("borrowers") is None:
        return arrow_schema(TABLE).empty_table()
    rows = placed(book).filter(nw.col("place") <= LARGEST).sort("measurement_date", "place")
    found = []
    for row in rows.collect("pyarrow").to_native().to_pylist():
        whole = totals[row["measurement_date"]].sums["total_receivable_usd"]
        found.append(
            {"date": row["measurement_date"], "rank": row["place"], "borrower": borrower_label(row),
             "loans": row["loans"], "amount_usd": row["balance_usd"],
             "share": rounded(row["balance_usd"] / whole * 100, 4), "late_usd": row["par_30_usd"]}
        )  # fmt: skip
    return pa.Table.from_pylist(found, schema=arrow_schema(TABLE))


def paths(book: Book, largest: int) -> pa.Table:
    """Return the share of the largest borrowers on every date, one row per date and borrower with a balance.

    Parameters
    ----------
    largest
        How many borrowers, by what they owe on the book's date.

    Returns
    -------
    pyarrow.Table
        Borrowers as a report calls them, the largest of today first on each date; ``share`` in per cent.
    """
    places = {row["borrower"]: i for i, row in enumerate(_largest(book, largest))}
    if not places:
        return PATHS.empty_table()
    whole = totals(book.tape, ["total_receivable_usd"])
    owed = book.export("borrowers").filter(nw.col("borrower").is_in(list(places)))
    found = owed.collect("pyarrow").to_native().to_pylist()
    rows = [
        {
            "date": row["measurement_date"],
            "borrower": borrower_label(row),
            "amount_usd": row["balance_usd"],
            "share": _share(row["balance_usd"], whole[row["measurement_date"]]),
        }
        for row in sorted(found, key=lambda row: (row["measurement_date"], places[row["borrower"]]))
    ]
    return pa.Table.from_pylist(rows, schema=PATHS)


def stopped(book: Book, largest: int) -> pa.Table:
    """Return PAR30 if the largest borrowers stopped paying, one row per number of them, from none on.

    The whole balance of a borrower that stops becomes 30 days late; its late part counts once. Everything else stays as
    it is on the book's date: the book does not grow, and no other borrower stops.

    Parameters
    ----------
    largest
        The most borrowers that stop.

    Returns
    -------
    pyarrow.Table
        How many ``borrowers`` stop, the ``last`` of them, what that one owes and how much of it is late already, and
        ``par30`` in per cent. Empty when borrowers, or what is late, are not known.
    """
    rows = book.tape.filter(nw.col("measurement_date") == book.date)
    late = late_by(30).alias(at_risk(30))
    total = totals(rows.select("measurement_date", "total_receivable_usd", late), ["total_receivable_usd", at_risk(30)])
    found, names = total[book.date], _largest(book, largest)
    late, is_known = found.sums[at_risk(30)], set(found.counts.values()) == {found.rows}
    if not names or not is_known or found.sums["total_receivable_usd"] <= 0:
        return STOPPED.empty_table()
    rows = [{"borrowers": 0, "par30": _share(late, total[book.date])}]
    for i, row in enumerate(names, start=1):
        late += row["balance_usd"] - row["par_30_usd"]
        rows.append(
            {"borrowers": i, "last": borrower_label(row), "loans": row["loans"], "amount_usd": row["balance_usd"],
             "late_usd": row["par_30_usd"], "par30": _share(late, total[book.date])}
        )  # fmt: skip
    return pa.Table.from_pylist(rows, schema=STOPPED)


def _largest(book: Book, largest: int) -> list[dict]:
    if book.export("borrowers") is None:
        return []
    first = placed(book, largest).filter((nw.col("measurement_date") == book.date) & (nw.col("place") <= largest))
    return first.sort("place").collect("pyarrow").to_native().to_pylist()


def _share(part: Decimal, total: Totals) -> Decimal | None:
    whole = total.sums["total_receivable_usd"]
    return rounded(part / whole * 100, 4) if whole else None
