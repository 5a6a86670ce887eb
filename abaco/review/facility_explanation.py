"""Explanation of a facility in a finished report: its verdict, its borrowing base, covenants, and what moved it."""

import datetime as dt
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import narwhals as nw

from abaco.core import files, text
from abaco.core.dates import parse_date
from abaco.core.errors import InputError
from abaco.core.files import read_rows
from abaco.core.phases import FACTS, scraps_of
from abaco.core.precision import covenant_decimals
from abaco.core.secrets import masking_key
from abaco.engines.duckdb import DuckDB
from abaco.kpis import open_book
from abaco.kpis.facilities import availability, borrowing_base, eligibility, facility
from abaco.page.facilities import lasting
from abaco.run import manifest

Rows = list[Mapping[str, Any]]
NO_LINE = {"amount_usd": object()}  # on a date on which the facility is not open any more


def explain_facility(key: str, folder: Path, figures: Mapping[str, Any], against: str | None = None) -> Iterator[str]:
    """Yield lines that explain a facility.

    Parameters
    ----------
    key
        The facility's key.
    folder
        The report's.
    figures
        The content of its metrics.json.
    against
        An earlier date of the report to compare with; by default the one before.

    Raises
    ------
    InputError
        When the facility has no borrowing base on that date, or its terms have changed since the report.
    """
    moved, loans = _moved(key, folder, figures, against)  # before anything is said
    one, day = figures["facilities"][key], dt.date.fromisoformat(figures["date"])
    yield f"{key}: {one['title']}, {one['lender']}, on {day}"
    yield from one["verdict"]
    yield ""
    lines = _rows(folder, "borrowing_base", key, day)
    yield from text.table(("line", "", "USD", "loans"), [_line(row) for row in lines], texts=2)
    if covenants := _rows(folder, "covenants", key, day):
        yield ""
        known = {name: {"precision": entry["precision"]} for name, entry in one["covenants"].items()}
        heads = ("covenant", "of", "level", "value", "limit", "headroom", "USD", "months")
        yield from text.table(heads, [_covenant(row | known[row["covenant"]]) for row in covenants], texts=3)
    if moved:
        yield ""
        yield f"Since {moved[0]['against']}:"
        yield from text.table(("cause", "", "USD", "loans"), [_cause(row) for row in moved], texts=2)
    if loans:
        yield ""
        heads = ("loan", "cause", "", "before", "now", "change")
        yield from text.table(heads, [_loan(row) for row in loans], texts=3)


def _moved(key: str, folder: Path, figures: Mapping[str, Any], against: str | None) -> tuple[Rows, Rows]:
    """Return the bridge and the loans of the report, or of another pair of dates, computed from its tables."""
    day = dt.date.fromisoformat(figures["date"])
    moved, loans = (_rows(folder, f"availability_{name}", key, day) for name in ("bridges", "loans"))
    if against is None:
        return moved, loans
    since, known = parse_date(against, "--against"), _availability(folder, key)
    if since not in known or since >= day:
        dates = ", ".join(str(date) for date in sorted(known) if date < day)
        raise InputError(
            f"{key} has no borrowing base before {day} on {since}; it has one on {dates or 'no other date'}"
        )
    if moved and moved[0]["against"] == since:
        return moved, loans
    if unknown := [str(date) for date in (since, day) if known[date] is None]:
        raise InputError(f"The availability of {key} on {' and '.join(unknown)} is not known: add what is drawn then")
    terms = files.read_object(folder / manifest.NAME, "parameters")["parameters"]["run"]["facilities"]
    facts = scraps_of(folder / "notebooks" / "01_ingestion.ipynb")[FACTS]
    with DuckDB() as engine, tempfile.TemporaryDirectory(prefix="abaco-") as work:
        book = open_book.open_book(folder / "tables", engine, facts)
        tape = book.tape.filter(nw.col("measurement_date").is_in([since, day]))
        book = replace(book, tape=tape, dates=[since, day])
        formats, wanted = eligibility.formats(facts["inputs"]), {key: facility.load(terms).get(key)}
        if wanted[key] is None:
            raise _changed(terms, key, day)
        (base,) = borrowing_base.bases(wanted, book, engine, Path(work), formats, facts["currency"])
        if any(base.lines.get(date, [NO_LINE])[-1]["amount_usd"] != known[date] for date in (since, day)):
            raise _changed(terms, key, day)
        return availability.bridge(base, since, day), availability.largest([base], day, masking_key()).to_pylist()


def _changed(terms: str, key: str, day: dt.date) -> InputError:
    return InputError(f"{key} of {terms} is not what it was in the report of {day}: run make report DATE={day} again")


def _availability(folder: Path, key: str) -> dict[dt.date, Decimal | None]:
    path = folder / "tables" / "borrowing_base.parquet"
    rows: Iterable[Mapping[str, Any]] = read_rows(path) if path.exists() else ()
    return {row["date"]: row["amount_usd"] for row in rows if row["facility"] == key and row["kind"] == "availability"}


def _rows(folder: Path, table: str, key: str, day: dt.date) -> Rows:
    path = folder / "tables" / f"{table}.parquet"
    rows: Iterable[Mapping[str, Any]] = read_rows(path) if path.exists() else ()
    return [row for row in rows if row["facility"] == key and row["date"] == day]


def _line(row: Mapping[str, Any]) -> tuple[str, ...]:
    name = "" if row["line"] == row["kind"] else row["line"]
    return row["kind"].replace("_", " "), name, _amount(row["amount_usd"]), _count(row["loans"])


def _covenant(row: Mapping[str, Any]) -> tuple[str, ...]:
    shown = row["covenant"], row["measured"], row["level"]
    if row["value"] is None:
        return *shown, *"–––––"
    limit = f"{row['headroom_to']} {row[row['headroom_to'] + '_at'].normalize():,f}"
    decimals, of_headroom = covenant_decimals(row)
    return (
        *shown, f"{row['value']:,.{decimals}f}", limit, f"{row['headroom_points']:,.{of_headroom}f}",
        _amount(row["headroom_usd"]), lasting(row["headroom_months"]),
    )  # fmt: skip


def _cause(row: Mapping[str, Any]) -> tuple[str, ...]:
    return row["term"].replace("_", " "), row["line"] or "", _amount(row["amount_usd"]), _count(row["loans"])


def _loan(row: Mapping[str, Any]) -> tuple[str, ...]:
    usd = (_amount(row[f"{side}_usd"]) for side in ("before", "after", "change"))
    return str(row["loan"]), row["term"], row["line"] or "", *usd


def _amount(usd: Decimal | None) -> str:
    return "–" if usd is None else f"{usd:,}"


def _count(loans: int | None) -> str:
    return "" if loans is None else f"{loans:,}"
