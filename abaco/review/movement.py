"""What moved a PAR between two dates, as text: the bridge that the report keeps, or one worked out from its tape."""

import datetime as dt
from collections.abc import Iterator
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import narwhals as nw
import pyarrow as pa
import pyarrow.parquet as pq

from abaco.core.errors import NotComputableError
from abaco.core.text import aligned
from abaco.engines import DuckDB
from abaco.ingest import masking
from abaco.ingest.formats import BUCKETS
from abaco.kpis.book import Book
from abaco.kpis.bridge import SCHEMA, bridge, first_day
from abaco.kpis.catalog import Definition
from abaco.kpis.contributors import LIMIT, bridge_loans, largest
from abaco.kpis.contributors import SCHEMA as LOANS
from abaco.kpis.ratios import totals
from abaco.kpis.transitions import transitions
from abaco.review import lookup
from abaco.run import folders

Rows = list[dict[str, Any]]


def why(
    kpi: Definition, name: str, folder: Path, date: dt.date, against: dt.date, lines: bool = False
) -> Iterator[str]:
    """Yield the bridge of a PAR and the loans that contributed most to it, a line each.

    Parameters
    ----------
    folder
        A finished report.
    lines
        Whether to add where each loan stands in the exports that the report was made from.
    """
    steps = _kept(folder, "bridges", kpi=name, date=date, against=against)
    loans = _kept(folder, "bridge_loans", kpi=name, date=date, against=against)
    if not steps:
        try:
            steps, loans = _worked_out(kpi, name, folder / "tables" / "tape.parquet", date, against)
        except NotComputableError as error:
            yield f"What moved it cannot be said: {error}."
            return
    yield ""
    ends = ("opening", "closing")
    bridged = [
        (
            row["term"],
            _amount(row["amount_usd"], row["term"] in ends),
            _figure(row["points"], kpi, row["term"] in ends),
        )
        for row in steps
    ]
    yield from table(("", "USD", "points"), bridged, texts=1)
    yield ""
    yield "new arrears: less than 7 days late before, or not there; rolled on: late before, and later or owing more now"
    yield f"cured: less than {first_day(kpi)} days late again and still owing; paid: paid off, or paid down while late"
    if loans:
        yield ""
        names = ("loan", "company", "product", "term")
        if lines:
            names = (*names, "stands in")
            loans = [
                {**row, "stands in": place}
                for row, place in zip(loans, _places(kpi, folder, loans), strict=True)
            ]
        headings = (*names, "USD before", "after", "change", "points")
        yield from table(headings, [_loan(row, names, kpi) for row in loans], texts=len(names))


def _places(kpi: Definition, folder: Path, loans: Rows) -> list[str]:
    """Return where the loans of a bridge, which lack their ids, stand in the exports; "" for what has no line."""
    date, against = loans[0]["date"], loans[0]["against"]
    with DuckDB() as engine:
        moved = largest(
            engine.scan(folder / "tables" / "tape.parquet"), (date, against), first_day(kpi), len(loans)
        )
        ids = [row["loan_id"] for row in moved]
        inputs = folders.read_json(folder / "manifest.json")["inputs"]
        known = {item["name"]: item["sha256"] for item in inputs}
        source = Path(folders.read_json(folder / "run.json")["input"])
        found = lookup.places(source, ids, [date, against], known, engine)
    return [found.get(loan, "") for loan in ids]


def _kept(folder: Path, table: str, **wanted: Any) -> Rows:
    filters = [(column, "=", value) for column, value in wanted.items()]
    return pq.read_table(folder / "tables" / f"{table}.parquet", filters=filters).to_pylist()


def _worked_out(kpi: Definition, name: str, tape: Path, date: dt.date, against: dt.date) -> tuple[Rows, Rows]:
    with DuckDB() as engine:
        return between(kpi, name, engine.scan(tape), date, against)


def between(
    kpi: Definition,
    name: str,
    tape: nw.LazyFrame,
    date: dt.date,
    against: dt.date,
    limit: int = LIMIT,
) -> tuple[Rows, Rows]:
    """Return the bridge of a PAR between any two dates of a tape, and the loans that contributed most to it.

    Raises
    ------
    NotComputableError
        See `bridge.bridge`.
    """
    rows = tape.filter(nw.col("measurement_date").is_in([against, date]))
    sums = totals(rows, ["total_receivable_usd", *BUCKETS])
    ways = transitions(rows, [(date, against)], [first_day(kpi)]).get((date, against), [])
    pair = {"date": date, "against": against, "kpi": name}
    steps = [{**pair, **step} for step in bridge(kpi, ways, sums[against], sums[date])]
    return steps, bridge_loans({name: kpi}, rows, steps, sums, masking.key(), limit).to_pylist()


def bridged(
    book: Book, kpi: Definition, name: str, against: dt.date | None, limit: int = LIMIT
) -> tuple[pa.Table, pa.Table]:
    """Return the same from an earlier date to the book's, as tables: empty ones without a date, or a bridge."""
    steps, loans = [], []
    if against is not None:
        with suppress(NotComputableError):
            steps, loans = between(kpi, name, book.tape, book.date, against, limit)
    return pa.Table.from_pylist(steps, schema=SCHEMA), pa.Table.from_pylist(loans, schema=LOANS)


def finding(steps: pa.Table) -> str:
    """Return in a sentence what a bridge says: how far the PAR moved, and which cause moved it most; none for none.

    Examples
    --------
    >>> day = {"date": dt.date(2025, 2, 28), "against": dt.date(2025, 1, 31), "kpi": "PAR30"}
    >>> points = {"opening": "3.50", "new arrears": "1.00", "paid": "-0.25", "closing": "4.25"}
    >>> rows = [{**day, "term": term, "points": Decimal(value)} for term, value in points.items()]
    >>> finding(pa.Table.from_pylist(rows, schema=SCHEMA))
    'PAR30 moved by +0.75 points, from 3.50 % on 2025-01-31 to 4.25 % on 2025-02-28; most by new arrears (+1.00).'
    """
    if not steps.num_rows:
        return ""
    opening, *causes, closing = steps.to_pylist()
    change = closing["points"] - opening["points"]
    most = max(causes, key=lambda row: abs(row["points"] or 0))
    return (
        f"{closing['kpi']} moved by {signed(change, 2)} points, from {opening['points']:.2f} % on "
        f"{opening['against']} to {closing['points']:.2f} % on {closing['date']}; "
        f"most by {most['term']} ({signed(most['points'], 2)})."
    )


def _loan(row: dict[str, Any], names: tuple[str, ...], kpi: Definition) -> tuple[str, ...]:
    usd = (
        _amount(row[column], column != "change_usd") for column in ("before_usd", "after_usd", "change_usd")
    )
    return (*(row[name] or "" for name in names), *usd, signed(row["points"], kpi.precision))


def _amount(usd: Decimal | None, is_balance: bool) -> str:
    if usd is None:
        return ""
    return f"{usd:,.2f}" if is_balance else signed(usd, 2)


def _figure(points: Decimal | None, kpi: Definition, is_value: bool) -> str:
    if points is None:
        return "unknown"
    return f"{points:,.{kpi.precision}f}" if is_value else signed(points, kpi.precision)


def signed(value: Decimal, decimals: int) -> str:
    """Return a change with its sign, which nothing has that did not change.

    Examples
    --------
    >>> signed(Decimal("1234.5"), 2), signed(Decimal("-0.0450"), 4), signed(Decimal("0.00"), 2)
    ('+1,234.50', '-0.0450', '0.00')
    """
    return f"{value:+,.{decimals}f}" if value else f"{0:.{decimals}f}"


def table(headings: tuple[str, ...], rows: list[tuple[str, ...]], texts: int) -> list[str]:
    """Return rows in columns that line up; all but the first `texts` of them are figures, which end below each other.

    Examples
    --------
    >>> table(("", "USD"), [("paid", "9.00"), ("cured", "10.00")], texts=1)
    ['         USD', 'paid    9.00', 'cured  10.00']
    """
    columns = list(zip(headings, *rows, strict=True))
    right = [[cell.rjust(max(map(len, column))) for cell in column] for column in columns[texts:]]
    return aligned(zip(*columns[:texts], *right, strict=True))
