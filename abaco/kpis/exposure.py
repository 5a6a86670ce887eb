"""What hangs on single borrowers: how the largest came to be, and what PAR30 would be without their payments."""

from decimal import Decimal

import narwhals as nw
import pyarrow as pa

from abaco.kpis.book import Book
from abaco.kpis.concentration import placed, shown
from abaco.kpis.ratios import Totals, rounded, totals
from abaco.kpis.segments import AT_RISK

PATHS = pa.schema(
    [("date", pa.date32()), ("borrower", pa.string()), ("amount_usd", pa.decimal128(38, 2)),
     ("share", pa.decimal128(9, 4))]
)  # fmt: skip
STOPPED = pa.schema(
    [("borrowers", pa.int64()), ("last", pa.string()), ("loans", pa.int64()), ("amount_usd", pa.decimal128(38, 2)),
     ("late_usd", pa.decimal128(38, 2)), ("par30", pa.decimal128(9, 4))]
)  # fmt: skip


def paths(book: Book, largest: int) -> pa.Table:
    """How the share of today's largest borrowers in the book grew, one row a date and borrower that owes then.

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
    owed = book.borrowers.lazy().filter(nw.col("borrower").is_in(list(places)))
    found = owed.collect("pyarrow").to_native().to_pylist()
    rows = [
        {
            "date": row["measurement_date"],
            "borrower": shown(row),
            "amount_usd": row["balance_usd"],
            "share": _share(row["balance_usd"], whole[row["measurement_date"]]),
        }
        for row in sorted(found, key=lambda row: (row["measurement_date"], places[row["borrower"]]))
    ]
    return pa.Table.from_pylist(rows, schema=PATHS)


def stopped(book: Book, largest: int) -> pa.Table:
    """What PAR30 would be if the largest borrowers stopped paying, one row a number of them, from none on.

    Stopped means that all that a borrower owes becomes 30 days late; what is late already counts once. Everything else
    stays as it is on the book's date: the book does not grow, and nobody follows.

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
    total = totals(
        book.tape.filter(nw.col("measurement_date") == book.date), ["total_receivable_usd", *AT_RISK["par30"]]
    )
    sums, names = total[book.date].sums, _largest(book, largest)
    if not names or None in sums.values() or sums["total_receivable_usd"] <= 0:
        return STOPPED.empty_table()
    late = sum((sums[bucket] for bucket in AT_RISK["par30"]), Decimal(0))
    rows = [{"borrowers": 0, "par30": _share(late, total[book.date])}]
    for i, row in enumerate(names, start=1):
        late += row["balance_usd"] - row["par_30_usd"]
        rows.append(
            {"borrowers": i, "last": shown(row), "loans": row["loans"], "amount_usd": row["balance_usd"],
             "late_usd": row["par_30_usd"], "par30": _share(late, total[book.date])}
        )  # fmt: skip
    return pa.Table.from_pylist(rows, schema=STOPPED)


def _largest(book: Book, largest: int) -> list[dict]:
    if book.borrowers is None:
        return []
    first = placed(book).filter((nw.col("measurement_date") == book.date) & (nw.col("place") <= largest))
    return first.sort("place").collect("pyarrow").to_native().to_pylist()


def _share(part: Decimal, total: Totals) -> Decimal | None:
    whole = total.sums["total_receivable_usd"]
    return rounded(part / whole * 100, 4) if whole else None
