"""An independent reader of exports: what a row says, by the csv and json modules, openpyxl and decimals, or nothing."""

import csv
import gzip
import io
import json
import re
import zipfile
from collections.abc import Iterator
from datetime import date, datetime
from decimal import ROUND_HALF_UP, Decimal
from itertools import accumulate, pairwise
from typing import Any

import openpyxl
import pyarrow.parquet as pq

from tools.reliability.inputs import FORMATS, MONEY, Case

CENT, ZERO = Decimal("0.01"), Decimal(0)
NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?", re.ASCII)
GROUPED = re.compile(r"[+-]?[1-9]\d{0,2}(,\d{3})+(\.\d+)?", re.ASCII)
APART = re.compile(r"[1-9]\d{0,2}([ '\u00a0]\d{3})+(\.\d+)?", re.ASCII)
IN_PARENTHESES = re.compile(r"\((\d[^()]*)\)", re.ASCII)
DAY = re.compile(r"(\d{4})[-/](\d{1,2})[-/](\d{1,2})([ T]\d{1,2}:.*)?", re.ASCII)
# a day above 12 tells the order of the others
BY_PARTS = re.compile(r"(\d{1,2})[-/. ](\d{1,2})[-/. ](\d{4})", re.ASCII)
IN_A_ROW = re.compile(r"(\d{4})(\d\d)(\d\d)", re.ASCII)
# a point before one zero parts no thousands
DAYS = re.compile(r"([+-]?\d{1,9})(?:\s*(days?|d[ií]as?)|\.0)", re.ASCII | re.IGNORECASE)
NOTHING = {"", "null"}
ERRORS = ("#REF!", "#N/A", "#¡VALOR!")  # of spreadsheets: no text
BOUNDS = (0, 7, 30, 60, 90)


# Cells


def number(cell: Any, mark: str) -> Decimal | None:
    """Return the number that a cell says, or None."""
    if isinstance(cell, bool) or cell is None:
        return None
    if isinstance(cell, int | float | Decimal):
        found = Decimal(str(cell))
        return found if found.is_finite() else None
    text = re.sub(r"^(?:\$|USD) ?| ?(?:\$|USD)$", "", str(cell).strip())
    if mark == ",":
        text = text.translate(str.maketrans(",.", ".,"))
    if bare := IN_PARENTHESES.fullmatch(text):
        text = f"-{bare[1]}"
    elif text[:1].isdigit() and text.endswith("-"):
        text = f"-{text[:-1]}"
    if APART.fullmatch(text.lstrip("-")):
        text = re.sub("[ '\u00a0]", "", text)
    if GROUPED.fullmatch(text):
        text = text.replace(",", "")
    return Decimal(text) if NUMBER.fullmatch(text) else None


def cents(cell: Any, mark: str) -> Decimal | None:
    """Return the amount that a cell says, in whole cents, half a cent away from zero."""
    found = number(cell, mark)
    if found is None or abs(found) >= Decimal(10) ** 16:
        return None
    return found.quantize(CENT, ROUND_HALF_UP)


def day(cell: Any) -> date | None:
    """Return the day that a cell says, on the clock of whoever wrote it."""
    if isinstance(cell, datetime):
        return cell.date()
    if isinstance(cell, date):
        return cell
    text = str(cell).strip()
    if parts := DAY.fullmatch(text) or IN_A_ROW.fullmatch(text):
        year, month, day_ = map(int, parts.groups()[:3])
    elif parts := BY_PARTS.fullmatch(text):
        first, second, year = map(int, parts.groups())
        month, day_ = (second, first) if first > 12 else (first, second)
        if day_ <= 12:
            return None
    else:
        return None
    try:
        return date(year, month, day_)
    except ValueError:
        return None


def days(cell: Any, mark: str) -> int | None:
    """Return the whole number of days that a cell says, with or without their unit."""
    if found := DAYS.fullmatch(str(cell).strip()):
        return int(found[1])
    found = number(cell, mark)
    return int(found) if found is not None and found == found.to_integral_value() else None


def is_nothing(cell: Any) -> bool:
    """Return whether a cell says that there is no value."""
    return cell is None or str(cell).strip().lower() in NOTHING


# Rows


def meaning(case: Case, row: dict[str, Any]) -> tuple | None:
    """Return what a row says, as `fuzz` lists accepted rows; None for a row that nobody may accept."""
    kinds, mark = FORMATS[case.format], case.mark
    found: dict[str, Any] = {}
    for heading, kind in kinds.items():
        cell = row.get(heading.lower().replace(" ", "_"))
        if kind in ("id", "type", "metric"):
            text = str(cell).strip()
            found[heading] = None if is_nothing(cell) or text in ERRORS else text
            continue
        if kind in ("date", "statement date"):
            found[heading] = day(cell)
        elif kind == "days":
            found[heading] = days(cell, _mark_of_days(case, heading))
        elif kind in MONEY:
            found[heading] = cents(cell, mark)
            if found[heading] is None and (kind == "extra" or (is_nothing(cell) and kind == "amount")):
                continue  # an amount that is not known, or not given
        if kind not in ("personal", "rate") and found[heading] is None:
            return None
    return _AS_ROWS.get(case.format, _flow)(found)


def _mark_of_days(case: Case, heading: str) -> str:
    """Return the decimal mark of days: a point that parts no thousands, as in 35.0, proves it for all of them."""
    return "." if any(re.fullmatch(r"\d+\.\d", row[heading]) for row in case.rows) else case.mark


def _snapshot(row: dict[str, Any]) -> tuple | None:
    owed = row["total_receivable_usd"]
    buckets = [value for name, value in row.items() if name.startswith("dpd_")]
    if owed >= 0 and min(buckets) < 0:
        return None
    return row["loan_id"], row["measurement_date"], max(owed, ZERO), *(max(one, ZERO) for one in buckets)


def _par(row: dict[str, Any]) -> tuple | None:
    amounts = [value for name, value in row.items() if name.endswith("balance_usd")]
    if amounts[0] >= 0 and min(amounts) < 0:
        return None
    if any(narrow - max(wide, ZERO) > CENT for wide, narrow in pairwise(amounts)):
        return None
    owed, *late = (max(one, ZERO) for one in amounts)
    past = [min(owed, one) for one in list(accumulate(reversed(late), max))[::-1]]
    steps = [owed, *past, ZERO]
    return row["loan_id_raw"], row["reporting_date"], owed, *(a - b for a, b in pairwise(steps))


def _loan(row: dict[str, Any]) -> tuple | None:
    owed, late = row["outstanding_balance"], max(row["dpd"], 0)  # days until a due date are not late
    place = max(i for i, first in enumerate(BOUNDS) if late >= first)
    buckets = [max(owed, ZERO) if i == place else ZERO for i in range(5)]
    return row["loan_id"], date(2025, 12, 31), max(owed, ZERO), *buckets


def _mapped(row: dict[str, Any]) -> tuple | None:
    found = {"loan_id": row["Ref"], "dpd": row["Late"], "outstanding_balance": row["Drawn"] - row["Repaid"]}
    loan, _, *amounts = _loan(found)
    return loan, row["As At"], *amounts


def _flow(row: dict[str, Any]) -> tuple:
    return tuple(row.values())


_AS_ROWS = {"snapshot": _snapshot, "par_balances": _par, "loans": _loan, "mapped": _mapped}


# Files


def read(case: Case) -> list[list[dict[str, Any]]]:
    """Return the rows of a file, in each way in which it can be read; none when it cannot."""
    try:
        return list(_READERS[case.kind](case))
    except Exception:  # whatever a damaged file does to these readers, they do not know what it says
        return []


def _csv(case: Case) -> Iterator[list[dict[str, Any]]]:
    data = case.path.read_bytes()
    if case.kind == "gz":
        data = gzip.decompress(data)
    elif case.kind == "zip":
        with zipfile.ZipFile(case.path) as archive:
            data = archive.read(archive.namelist()[0])
    for encoding in ("utf-8-sig", "cp1252", "latin-1"):
        try:
            text = data.decode(encoding)
        except UnicodeDecodeError:
            continue
        yield _records(csv.reader(io.StringIO(text, newline=""), delimiter=case.delimiter))
        lines = text.splitlines(keepends=True)
        alone = (next(csv.reader([line], delimiter=case.delimiter), []) for line in lines)
        yield _records(alone)


def _records(rows: Iterator[list[str]]) -> list[dict[str, Any]]:
    headings = [_plain(heading) for heading in next(rows)]
    return [dict(zip(headings, row, strict=True)) for row in rows if len(row) == len(headings)]


def _plain(heading: Any) -> str:
    return re.sub(r"[^a-z0-9]+", "_", str(heading).strip().lower()).strip("_")


def _json(case: Case) -> Iterator[list[dict[str, Any]]]:
    text = case.path.read_text(encoding="utf-8")
    values = json.JSONDecoder(parse_float=Decimal)
    try:
        rows = values.decode(text)
        rows = rows if isinstance(rows, list) else [rows]
    except ValueError:  # one object a line
        rows = [values.decode(line) for line in text.splitlines() if line.strip()]
    yield [{_plain(key): cell for key, cell in row.items()} for row in rows if isinstance(row, dict)]


def _xlsx(case: Case) -> Iterator[list[dict[str, Any]]]:
    sheet = openpyxl.load_workbook(case.path, read_only=True, data_only=True).worksheets[0]
    headings, *rows = sheet.iter_rows(values_only=True)
    names = [_plain(heading) for heading in headings]
    yield [dict(zip(names, row, strict=False)) for row in rows]


def _parquet(case: Case) -> Iterator[list[dict[str, Any]]]:
    yield [{_plain(key): cell for key, cell in row.items()} for row in pq.read_table(case.path).to_pylist()]


def _as_written(case: Case) -> Iterator[list[dict[str, Any]]]:
    yield [{_plain(key): cell for key, cell in row.items()} for row in case.cells]


_READERS = {
    "csv": _csv, "zip": _csv, "gz": _csv, "json": _json, "jsonl": _json, "xlsx": _xlsx, "xls": _as_written,
    "ods": _as_written, "parquet": _parquet,
}  # fmt: skip
