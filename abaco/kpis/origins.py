"""Where a balance at risk came from and where it went: its rise and fall between two dates, by segment."""

import datetime as dt
from collections.abc import Sequence
from decimal import Decimal

import narwhals as nw
import pyarrow as pa

from abaco.kpis.book import Book
from abaco.kpis.ratios import rounded
from abaco.kpis.segments import UNKNOWN
from abaco.kpis.transitions import moves

DIMENSIONS = ("product", "company", "region")
SCHEMA = pa.schema(
    [("dimension", pa.string()), ("value", pa.string()), ("loans_risen", pa.int64()),
     ("risen_usd", pa.decimal128(38, 2)), ("share_of_rise", pa.decimal128(9, 2)),
     ("share_of_book", pa.decimal128(9, 2)), ("fallen_usd", pa.decimal128(38, 2)),
     ("change_usd", pa.decimal128(38, 2))]
)  # fmt: skip


def origins(
    book: Book, date: dt.date, against: dt.date | None, days: int, dimensions: Sequence[str] = DIMENSIONS
) -> pa.Table:
    """In which parts of the book the balance at risk rose and fell, one row a dimension and value.

    Parameters
    ----------
    date, against
        The later date and the earlier one; without an earlier one there is no row.
    days
        Days past due from which a balance is at risk.
    dimensions
        Columns of the tape; one that has no value in any row is left out.

    Returns
    -------
    pyarrow.Table
        By how much what is at risk of each loan rose and fell, in USD; how many loans rose; the part of the whole rise
        in per cent, beside the part of the later date's book: what is far above it rose more than its size explains.
        The largest rise of a dimension comes first.
    """
    if against is None:
        return SCHEMA.empty_table()
    moved = moves(book.tape, {against: date}, [days], dimensions).select(
        *dimensions,
        "closing",
        risen=nw.col(f"rise_{days}"),
        fallen=nw.col(f"fall_{days}"),
        loans=(nw.col(f"rise_{days}") > 0).cast(nw.Int64()),
    )
    cells = moved.group_by(*dimensions).agg(nw.col("risen", "fallen", "loans", "closing").sum())
    found = cells.collect("pyarrow").to_native().to_pylist()
    rows = [row for dimension in dimensions for row in _of_dimension(found, dimension)]
    return pa.Table.from_pylist(rows, schema=SCHEMA)


def _of_dimension(cells: list[dict], dimension: str) -> list[dict]:
    values: dict[str, dict] = {}
    for cell in cells:
        sums = values.setdefault(
            cell[dimension] or UNKNOWN, dict.fromkeys(("risen", "fallen", "loans", "closing"), 0)
        )
        for name in sums:
            sums[name] += cell[name]
    if set(values) <= {UNKNOWN}:
        return []
    risen, book = (sum(sums[name] for sums in values.values()) for name in ("risen", "closing"))
    return [
        {
            "dimension": dimension,
            "value": value,
            "loans_risen": int(sums["loans"]),
            "risen_usd": sums["risen"],
            "share_of_rise": _share(sums["risen"], risen),
            "share_of_book": _share(sums["closing"], book),
            "fallen_usd": sums["fallen"],
            "change_usd": sums["risen"] - sums["fallen"],
        }
        for value, sums in sorted(values.items(), key=lambda item: (-item[1]["risen"], item[0]))
    ]


def _share(part: Decimal, whole: Decimal) -> Decimal | None:
    return rounded(part / whole * 100, 2) if whole > 0 else None
