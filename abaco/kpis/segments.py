"""The book by segment on each date: what each company, product, region or size of loan owes, and how late it is."""

import datetime as dt
from collections.abc import Collection, Mapping
from decimal import Decimal

import narwhals as nw
import pyarrow as pa

from abaco.kpis.book import Book
from abaco.kpis.ratios import Totals, rounded
from abaco.kpis.totals import Measure

COLUMNS = ("company", "product", "segment", "region")
# Lower bounds, inclusive, of the bands of what was disbursed in USD and of the term in days.
TICKETS = ((0, "below 1,000"), (1_000, "1,000–5,000"), (5_000, "5,000–10,000"), (10_000, "10,000–25,000"),
           (25_000, "25,000–50,000"), (50_000, "50,000 and more"))  # fmt: skip
TERMS = ((0, "0–30"), (31, "31–60"), (61, "61–90"), (91, "91–180"), (181, "181–360"), (361, "above 360"))
DIMENSIONS = (*COLUMNS, "ticket", "term")
UNKNOWN = "not given"
AT_RISK = {
    "par30": ("dpd_30_60_usd", "dpd_60_90_usd", "dpd_90_plus_usd"),
    "par90": ("dpd_90_plus_usd",),
}
MEASURES = {
    f"largest_{name}_usd": Measure(
        f"the balance of the largest {name}", f"a column {name} in the tape, or the loans export with it"
    )
    for name in COLUMNS
}
SCHEMA = pa.schema(
    [("date", pa.date32()), ("dimension", pa.string()), ("value", pa.string()), ("loans", pa.int64()),
     ("outstanding_usd", pa.decimal128(38, 2)), ("share", pa.decimal128(9, 4)), ("par30", pa.decimal128(38, 4)),
     ("par90", pa.decimal128(38, 4))]
)  # fmt: skip


def band(amount: nw.Expr, bands: Collection[tuple[int, str]]) -> nw.Expr:
    """Return the name of the band that an amount lies in; null stays null."""
    (_, name), *others = bands
    found = nw.when(~amount.is_null()).then(nw.lit(name))
    for low, name in others:
        found = nw.when(amount >= low).then(nw.lit(name)).otherwise(found)
    return found


def cells(book: Book) -> list[dict]:
    """Return balances by date and every combination of segments, small enough to be added up here, from one scan."""
    sums = ("total_receivable_usd", *AT_RISK["par30"])
    rows = book.tape.lazy().with_columns(
        ticket=band(nw.col("disbursed_usd"), TICKETS), term=band(nw.col("term_days"), TERMS),
        loans=((nw.col("total_receivable_usd") > 0) & ~nw.col("loan_id").is_null()).cast(nw.Int64()),
    )  # fmt: skip
    grouped = rows.group_by("measurement_date", *DIMENSIONS).agg(
        nw.col(name).sum() for name in (*sums, "loans")
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
    for cell in book.remembered(cells):
        values = found.setdefault(cell["measurement_date"], {})
        sums = values.setdefault(cell[dimension] or UNKNOWN, {"loans": 0})
        for name in ("total_receivable_usd", "loans", *AT_RISK["par30"]):
            sums[name] = sums.get(name, Decimal(0)) + (cell[name] or 0)
    return {
        day: dict(sorted(values.items(), key=lambda item: (-item[1]["total_receivable_usd"], item[0])))
        for day, values in sorted(found.items())
        if set(values) != {UNKNOWN}
    }


def measure(book: Book, names: Collection[str], _: Mapping[dt.date, Totals]) -> dict[dt.date, Totals]:
    """Return what the largest company, product, segment or region owes on every date."""
    found = {day: Totals(0, dict.fromkeys(names), dict.fromkeys(names, 0)) for day in book.dates}
    for name in names:
        for day, values in by_value(book, name.removeprefix("largest_").removesuffix("_usd")).items():
            known = {value: sums for value, sums in values.items() if value != UNKNOWN}
            found[day].sums[name] = max(sums["total_receivable_usd"] for sums in known.values())
            found[day].counts[name] = int(sum(sums["loans"] for sums in known.values()))
    return found


def segments(book: Book) -> pa.Table:
    """Return the book by segment, one row a date, dimension and value, largest value first.

    Returns
    -------
    pyarrow.Table
        ``outstanding_usd``, its ``share`` of the date in per cent, ``loans`` with a balance, and ``par30`` and
        ``par90`` of the segment in per cent (null where it owes nothing).
    """
    rows = []
    for dimension in DIMENSIONS:
        for day, values in by_value(book, dimension).items():
            whole = sum(sums["total_receivable_usd"] for sums in values.values())
            for value, sums in values.items():
                owed = sums["total_receivable_usd"]
                late = {kpi: sum(sums[bucket] for bucket in buckets) for kpi, buckets in AT_RISK.items()}
                rates = {kpi: rounded(usd / owed * 100, 4) if owed > 0 else None for kpi, usd in late.items()}
                share = rounded(owed / whole * 100, 4) if whole > 0 else None
                row = {"date": day, "dimension": dimension, "value": value, "loans": int(sums["loans"])}
                rows.append({**row, "outstanding_usd": owed, "share": share, **rates})
    order = {dimension: place for place, dimension in enumerate(DIMENSIONS)}
    rows.sort(key=lambda row: (row["date"], order[row["dimension"]]))
    return pa.Table.from_pylist(rows, schema=SCHEMA)
