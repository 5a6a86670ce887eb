"""Explanation of a facility in a finished report: its verdict, its borrowing base, covenants, and what moved it."""

import datetime as dt
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from abaco.core import text
from abaco.core.files import read_rows

Rows = list[Mapping[str, Any]]


def explain_facility(key: str, folder: Path, figures: Mapping[str, Any]) -> Iterator[str]:
    """Yield lines that explain a facility.

    Parameters
    ----------
    key
        The facility's key.
    folder
        The report's.
    figures
        The content of its metrics.json.
    """
    one, day = figures["facilities"][key], dt.date.fromisoformat(figures["date"])
    yield f"{key}: {one['title']}, {one['lender']}, on {day}"
    yield from one["verdict"]
    yield ""
    lines = _rows(folder, "borrowing_base", key, day)
    yield from text.table(("line", "", "USD", "loans"), [_line(row) for row in lines], texts=2)
    if covenants := _rows(folder, "covenants", key, day):
        yield ""
        heads = ("covenant", "of", "level", "value", "limit", "headroom", "USD", "months")
        yield from text.table(heads, [_covenant(row) for row in covenants], texts=3)
    if moved := _rows(folder, "availability_bridges", key, day):
        yield ""
        yield f"Since {moved[0]['against']}:"
        yield from text.table(("cause", "", "USD", "loans"), [_cause(row) for row in moved], texts=2)
    if loans := _rows(folder, "availability_loans", key, day):
        yield ""
        heads = ("loan", "cause", "", "before", "now", "change")
        yield from text.table(heads, [_loan(row) for row in loans], texts=3)


def _rows(folder: Path, table: str, key: str, day: dt.date) -> Rows:
    path = folder / "tables" / f"{table}.parquet"
    rows: Iterable[Mapping[str, Any]] = read_rows(path) if path.exists() else ()
    return [row for row in rows if row["facility"] == key and row["date"] == day]


def _line(row: Mapping[str, Any]) -> tuple[str, ...]:
    name = "" if row["line"] == row["kind"] else row["line"]
    return row["kind"].replace("_", " "), name, _amount(row["amount_usd"]), _count(row["loans"])


def _covenant(row: Mapping[str, Any]) -> tuple[str, ...]:
    limit = row["headroom_to"] and f"{row['headroom_to']} {_plain(row[row['headroom_to'] + '_at'])}"
    return (
        row["covenant"], row["measured"], row["level"], _plain(row["value"]), limit or "–",
        _plain(row["headroom_points"]), _amount(row["headroom_usd"]), _plain(row["headroom_months"]),
    )  # fmt: skip


def _cause(row: Mapping[str, Any]) -> tuple[str, ...]:
    return row["term"].replace("_", " "), row["line"] or "", _amount(row["amount_usd"]), _count(row["loans"])


def _loan(row: Mapping[str, Any]) -> tuple[str, ...]:
    usd = (_amount(row[f"{side}_usd"]) for side in ("before", "after", "change"))
    return str(row["loan"]), row["term"], row["line"] or "", *usd


def _amount(usd: Decimal | None) -> str:
    return "–" if usd is None else f"{usd:,}"


def _plain(value: Decimal | None) -> str:
    return "–" if value is None else f"{value.normalize():,f}"


def _count(loans: int | None) -> str:
    return "" if loans is None else f"{loans:,}"
