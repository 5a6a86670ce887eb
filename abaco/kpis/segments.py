"""The book by segment on each date: balance and arrears of each company, product, region, ticket and term."""

import datetime as dt
from collections.abc import Collection, Mapping, Sequence
from decimal import Decimal

import narwhals as nw
import pyarrow as pa

from abaco.core.bands import TERMS, TICKETS, UNKNOWN, Band
from abaco.core.decimals import rounded
from abaco.core.parquet import arrow_schema
from abaco.core.tables import COUNT, DATE, SUM, TEXT, Field, Table
from abaco.ingest.lateness import late_by
from abaco.kpis.book import Book
from abaco.kpis.totals import Measure, Totals
from abaco.kpis.transitions import moves

COLUMNS = ("company", "product", "segment", "region")
DIMENSIONS = (*COLUMNS, "ticket", "term")
AT_RISK = {"par30": 30, "par90": 90}
LARGEST = {
    "company": "the balance lent by the largest of the lender's companies",
    "product": "the balance lent as the largest product",
    "segment": "the balance that borrowers of the largest segment owe",
    "region": "the balance that borrowers in the largest region owe",
}
MEASURES = {
    f"largest_{name}_usd": Measure(title, f"a column {name} in the tape, or the loans export with it")
    for name, title in LARGEST.items()
}
TABLE = Table(
    "segments",
    "one row per date, dimension and value",
    (
        Field("date", DATE, "the measurement date"),
        Field("dimension", TEXT, "company, product, segment, region, ticket or term"),
        Field("value", TEXT, "the part of the book"),
        Field("loans", COUNT, "loans with a balance", "loans"),
        Field("outstanding_usd", SUM, "the outstanding balance", "USD"),
        Field("share", "decimal(9, 4)", "its part of the outstanding balance of the book", "%"),
        Field("par30", "decimal(38, 4)", "the part of its balance that is 30 or more days late", "%"),
        Field("par90", "decimal(38, 4)", "the part of its balance that is 90 or more days late", "%"),
    ),
)

RISE_DIMENSIONS = ("product", "company", "region")
RISE = pa.schema(
    [("dimension", pa.string()), ("value", pa.string()), ("loans_risen", pa.int64()),
     ("risen_usd", pa.decimal128(38, 2)), ("share_of_rise", pa.decimal128(9, 2)),
     ("share_of_book", pa.decimal128(9, 2)), ("fallen_usd", pa.decimal128(38, 2)),
     ("change_usd", pa.decimal128(38, 2))]
)  # fmt: skip


def band(amount: nw.Expr, bands: Sequence[Band]) -> nw.Expr:
    """Return the name of the band that an amount lies in; null stays null."""
    first, *others = bands
    name = nw.when(~amount.is_null()).then(nw.lit(first.name))
    for other in others:
        name = nw.when(amount >= other.start).then(nw.lit(other.name)).otherwise(name)
    return name


def cells(book: Book) -> list[dict]:
    """Return balances by date and every combination of segments, small enough to be added up here, from one scan."""
    late = {name: nw.col(name).sum() for name in AT_RISK} | {f"{name}_known": nw.col(name).count() for name in AT_RISK}
    rows = book.tape.lazy().with_columns(
        ticket=band(nw.col("disbursed_usd"), TICKETS), term=band(nw.col("term_days"), TERMS),
        loans=((nw.col("total_receivable_usd") > 0) & ~nw.col("loan_id").is_null()).cast(nw.Int64()),
        **{name: late_by(days) for name, days in AT_RISK.items()},
    )  # fmt: skip
    grouped = rows.group_by("measurement_date", *DIMENSIONS).agg(
        nw.col("total_receivable_usd", "loans").sum(), nw.len().alias("rows"), **late
    )
    return grouped.collect("pyarrow").to_native().to_pylist()


def by_value(book: Book, dimension: str) -> dict[dt.date, dict[str, dict[str, Decimal]]]:
    """Return the sums by date and value of one dimension, largest first; nothing where no row has a value.

    Parameters
    ----------
    dimension
        One of `DIMENSIONS`.
    """
    found: dict[dt.date, dict[str, dict[str, Decimal]]] = {}
    for cell in book.cached(cells):
        values = found.setdefault(cell["measurement_date"], {})
        sums = values.setdefault(cell[dimension] or UNKNOWN, {"loans": 0})
        for name in ("total_receivable_usd", "loans", *AT_RISK):
            sums[name] = sums.get(name, Decimal(0)) + (cell[name] or 0)
        for name in AT_RISK:  # what is not known of every row
            sums["unknown"] = sums.get("unknown", set()) | ({name} if cell[f"{name}_known"] < cell["rows"] else set())
    return {
        day: dict(sorted(values.items(), key=lambda item: (-item[1]["total_receivable_usd"], item[0])))
        for day, values in sorted(found.items())
        if set(values) != {UNKNOWN}
    }


def measure(book: Book, names: Collection[str], _: Mapping[dt.date, Totals]) -> dict[dt.date, Totals]:
    """Return the balance of the largest company, product, segment or region on every date."""
    found = {day: Totals(0, dict.fromkeys(names), dict.fromkeys(names, 0)) for day in book.dates}
    for name in names:
        for day, values in by_value(book, name.removeprefix("largest_").removesuffix("_usd")).items():
            known = {value: sums for value, sums in values.items() if value != UNKNOWN}
            found[day].sums[name] = max(sums["total_receivable_usd"] for sums in known.values())
            found[day].counts[name] = int(sum(sums["loans"] for sums in known.values()))
    return found


def segments(book: Book) -> pa.Table:
    """Return the book by segment, one row per date, dimension and value, largest value first.

    Returns
    -------
    pyarrow.Table
        ``outstanding_usd``, its ``share`` of the date in per cent, ``loans`` with a balance, and ``par30`` and
        ``par90`` of the segment in per cent (null where it owes nothing, or its lateness is unknown).
    """
    rows = []
    for dimension in DIMENSIONS:
        for day, values in by_value(book, dimension).items():
            whole = sum(sums["total_receivable_usd"] for sums in values.values())
            for value, sums in values.items():
                owed = sums["total_receivable_usd"]
                known = {kpi: owed > 0 and kpi not in sums["unknown"] for kpi in AT_RISK}
                rates = {kpi: rounded(sums[kpi] / owed * 100, 4) if known[kpi] else None for kpi in AT_RISK}
                share = rounded(owed / whole * 100, 4) if whole > 0 else None
                row = {"date": day, "dimension": dimension, "value": value, "loans": int(sums["loans"])}
                rows.append({**row, "outstanding_usd": owed, "share": share, **rates})
    order = {dimension: place for place, dimension in enumerate(DIMENSIONS)}
    rows.sort(key=lambda row: (row["date"], order[row["dimension"]]))
    return pa.Table.from_pylist(rows, schema=arrow_schema(TABLE))


def rise_by_segment(
    book: Book, date: dt.date, against: dt.date | None, days: int, dimensions: Sequence[str] = RISE_DIMENSIONS
) -> pa.Table:
    """Return the rise and fall of the balance at risk by part of the book, one row per dimension and value.

    Parameters
    ----------
    date, against
        The later date and the earlier one; without an earlier one, or where lateness is unknown, the table is empty.
    days
        Days past due from which a balance is at risk.
    dimensions
        Columns of the tape; one that has no value in any row is left out.

    Returns
    -------
    pyarrow.Table
        Rise and fall of the balance at risk of its loans, in USD; the number of loans that rose; its share of the whole
        rise in per cent, beside its share of the later date's book: a larger share of the rise is more than its size
        explains.
        The largest rise of a dimension comes first.
    """
    if against is None or days not in book.buckets.known:
        return RISE.empty_table()
    moved = moves(book.tape, {against: date}, [days], dimensions, buckets=book.buckets).select(
        *dimensions,
        "closing",
        risen=nw.col(f"rise_{days}"),
        fallen=nw.col(f"fall_{days}"),
        loans=(nw.col(f"rise_{days}") > 0).cast(nw.Int64()),
    )
    cells = moved.group_by(*dimensions).agg(nw.col("risen", "fallen", "loans", "closing").sum())
    found = cells.collect("pyarrow").to_native().to_pylist()
    rows = [row for dimension in dimensions for row in _of_dimension(found, dimension)]
    return pa.Table.from_pylist(rows, schema=RISE)


def _of_dimension(cells: list[dict], dimension: str) -> list[dict]:
    values: dict[str, dict] = {}
    for cell in cells:
        sums = values.setdefault(cell[dimension] or UNKNOWN, dict.fromkeys(("risen", "fallen", "loans", "closing"), 0))
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
