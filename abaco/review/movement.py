"""What moved a PAR between two dates, as text: the bridge of the report, or one computed from its tape."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from abaco.core import currencies, files
from abaco.core.currencies import USD
from abaco.core.errors import NotComputableError
from abaco.core.files import read_rows
from abaco.core.secrets import masking_key
from abaco.core.text import signed, table
from abaco.engines.duckdb import DuckDB
from abaco.kpis.absences import absences
from abaco.kpis.book import Book
from abaco.kpis.bridge import first_day
from abaco.kpis.catalog import Definition
from abaco.kpis.contributors import SEGMENTS, between, largest
from abaco.kpis.open_book import EXPORTS
from abaco.kpis.transitions import moves
from abaco.page.bridge import naming, reading
from abaco.page.language import phrase, say, speak, spoken
from abaco.review import lookup

Rows = list[dict[str, Any]]
POINTS = 2  # decimals, as on the page
PLACE = "place"  # file and line
HEADINGS = {
    "loan": "Loan", "company": "Company", "product": "Product", "term": "What happened", PLACE: "Stands in",
}  # fmt: skip


def why(
    kpi: Definition, name: str, folder: Path, date: dt.date, against: dt.date, lines: bool = False
) -> Iterator[str]:
    """Yield lines about the bridge of a PAR and the loans that contributed most to it.

    Parameters
    ----------
    folder
        A finished report.
    lines
        Whether to add the line of each loan in the exports that the report was made from.
    """
    steps = _rows(folder, "bridges", kpi=name, date=date, against=against)
    loans = _rows(folder, "bridge_loans", kpi=name, date=date, against=against)
    if not steps:
        try:
            with DuckDB() as engine:
                book = _book(folder, date, against, engine)
                absent = absences(book)
                steps, loans = between(kpi, name, book.tape, date, against, key=masking_key(), absent=absent)
        except NotComputableError as error:
            yield say("What moved it cannot be said: {reason}.", reason=error)
            return
    yield ""
    bridged, ends = [], {"opening": str(against), "closing": str(date)}
    for row in steps:
        is_end = row["term"] in ends
        called = ends.get(row["term"]) or phrase(naming(row)[0])
        bridged.append((called, _amount(row["amount_usd"], is_end), _figure(row["points"], is_end)))
    currency = files.read_json(folder / "metrics.json").get("currency", USD)
    speak(spoken(), currency)
    yield from table(("", currency, phrase("points")), bridged, texts=1)
    yield ""
    yield reading(name, (row["term"] for row in steps))
    if loans:
        yield ""
        loans = [{**row, "term": phrase(naming(row)[0])} for row in loans]
        names = ("loan", "company", "product", "term")
        if lines:
            names = (*names, PLACE)
            places = _places(kpi, folder, loans)
            loans = [{**row, PLACE: place} for row, place in zip(loans, places, strict=True)]
        days = first_day(kpi)
        late = [say(form, days=days) for form in ("{days}+ days late before, USD", "{days}+ days late now, USD")]
        headings = (*(phrase(HEADINGS[name]) for name in names), *late, phrase("Change"), phrase("Points"))
        yield from table(headings, [_loan(row, names) for row in loans], texts=len(names))


def _places(kpi: Definition, folder: Path, loans: Rows) -> list[str]:
    """Return ``file:line`` of the loans of a bridge, which have no ids there; "" for a loan without a line."""
    date, against = loans[0]["date"], loans[0]["against"]
    with DuckDB() as engine:
        tape = engine.scan(folder / "tables" / "tape.parquet")
        days = first_day(kpi)
        ids = [row["loan_id"] for row in largest(moves(tape, {against: date}, [days], SEGMENTS), days, len(loans))]
        inputs = files.read_object(folder / "manifest.json", "inputs")["inputs"]
        known = {item["name"]: item["sha256"] for item in inputs}
        source = Path(files.read_object(folder / "run.json", "input")["input"])
        places = lookup.places(source, ids, [date, against], known, engine)
    return [places.get(loan, "") for loan in ids]


def _book(folder: Path, date: dt.date, against: dt.date, engine: DuckDB) -> Book:
    """Return the book of a finished report, as if it had only two dates."""
    tables = folder / "tables"
    exports = {n: engine.scan(path) for n in EXPORTS if (path := tables / f"{n}.parquet").exists()}
    as_of = files.read_json(folder / "metrics.json")["as_of"]
    tape = engine.scan(tables / "tape.parquet")
    return Book(tape, [against, date], dt.date.fromisoformat(as_of) if as_of else date, exports)


def _rows(folder: Path, table: str, **wanted: Any) -> Rows:
    rows = read_rows(folder / "tables" / f"{table}.parquet")
    return [row for row in rows if all(row[column] == value for column, value in wanted.items())]


def _loan(row: dict[str, Any], names: tuple[str, ...]) -> tuple[str, ...]:
    columns = ("before_usd", "after_usd", "change_usd")
    usd = (_amount(row[column], column != "change_usd") for column in columns)
    return (*(row[name] or "" for name in names), *usd, signed(row["points"], POINTS))


def _amount(usd: Decimal | None, is_balance: bool) -> str:
    if usd is None:
        return ""
    places = currencies.decimals(currencies.current())
    return currencies.number(usd, places) if is_balance else signed(usd, places)


def _figure(points: Decimal | None, is_value: bool) -> str:
    if points is None:
        return phrase("unknown")
    return currencies.number(points, POINTS) if is_value else signed(points, POINTS)
