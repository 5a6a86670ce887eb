"""What moved a PAR between two dates, as text: the bridge that the report keeps, or one worked out from its tape."""

import datetime as dt
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from abaco.core import files
from abaco.core.errors import NotComputableError
from abaco.core.secrets import masking_key
from abaco.core.text import signed, table
from abaco.engines.duckdb import DuckDB
from abaco.kpis.bridge import first_day
from abaco.kpis.catalog import Definition
from abaco.kpis.contributors import between, largest
from abaco.review import lookup

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
        inputs = files.read_json(folder / "manifest.json")["inputs"]
        known = {item["name"]: item["sha256"] for item in inputs}
        source = Path(files.read_json(folder / "run.json")["input"])
        found = lookup.places(source, ids, [date, against], known, engine)
    return [found.get(loan, "") for loan in ids]


def _kept(folder: Path, table: str, **wanted: Any) -> Rows:
    filters = [(column, "=", value) for column, value in wanted.items()]
    return pq.read_table(folder / "tables" / f"{table}.parquet", filters=filters).to_pylist()


def _worked_out(kpi: Definition, name: str, tape: Path, date: dt.date, against: dt.date) -> tuple[Rows, Rows]:
    with DuckDB() as engine:
        return between(kpi, name, engine.scan(tape), date, against, key=masking_key())


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
