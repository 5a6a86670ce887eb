"""Sheets of the tables: their rows, headings in words, and formulas for what follows from other columns."""

import datetime as dt
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from abaco.core.currencies import USD, current, in_current
from abaco.core.decimals import rounded
from abaco.core.tables import DATE, TEXT, Table
from abaco.ingest.masking import TOKEN
from abaco.kpis.dictionary import TABLES
from abaco.page.bridge import naming
from abaco.page.column_names import capital
from abaco.page.concentration import label
from abaco.page.language import phrase, say
from abaco.page.roll_rates import state
from abaco.page.segments import part
from abaco.page.words import JOINER, NBSP, quarter
from abaco.workbook.book import ROWS, Book, compute, place, put, put_row
from abaco.workbook.formulas import Formula, Rows, difference, ratio, share, total


@dataclass(frozen=True)
class Sheet:
    """A table of the report as a sheet.

    Parameters
    ----------
    title
        The sheet's name.
    table
        The table's name.
    headings
        The heading of each column that is shown, in the table's order.
    formulas
        How a column follows from others, by its name.
    """

    title: str
    table: str
    headings: Mapping[str, str]
    formulas: Mapping[str, Formula] = field(default_factory=dict)


BUCKETS = ("bucket", "opening", "closing")
DAY, SHARE, BEFORE = "Date", "Share, %", "Date before"
SHEETS = (
    Sheet(
        "Aging", "aging",
        {"date": DAY, "bucket": "Days past due", "amount": "Balance", "share": SHARE},
        {"share": share("amount", "date")},
    ),
    Sheet(
        "Roll rates", "roll_rates",
        {"date": DAY, "against": BEFORE, "opening": "Was", "closing": "Is", "loans": "Loans", "amount_usd": "Balance",
         "share": SHARE},
        {"share": share("amount_usd", "date", "opening")},
    ),
    Sheet(
        "Vintages", "vintages",
        {"cohort": "Quarter", "months_on_book": "Months since disbursement", "loans": "Loans",
         "disbursed_usd": "Disbursed", "defaulted_usd": "Defaulted", "share": SHARE},
        {"share": ratio("defaulted_usd", "disbursed_usd")},
    ),
    Sheet(
        "Parts of the book", "segments",
        {"date": DAY, "dimension": "Divided by", "value": "Part of the book", "loans": "Loans",
         "outstanding_usd": "Balance", "share": SHARE, "par30": "PAR30, %", "par90": "PAR90, %"},
        {"share": share("outstanding_usd", "date", "dimension")},
    ),
    Sheet(
        "Largest borrowers", "concentration",
        {"date": DAY, "rank": "Place", "borrower": "Borrower", "loans": "Loans", "amount_usd": "Balance",
         "share": SHARE},
    ),
    Sheet(
        "Movements", "bridges",
        {"date": DAY, "against": BEFORE, "kpi": "Figure", "term": "What happened", "amount_usd": "Balance",
         "points": "Points"},
        {"points": total("points", "date", "kpi")},
    ),
    Sheet(
        "Loans that moved", "bridge_loans",
        {"date": DAY, "against": BEFORE, "kpi": "Figure", "rank": "Place", "loan": "Loan", "company": "Company",
         "product": "Product", "term": "What happened", "before_usd": "Late before", "after_usd": "Late now",
         "change_usd": "Change", "points": "Points"},
        {"change_usd": difference("after_usd", "before_usd")},
    ),
    Sheet(
        "Collection", "collections",
        {"month": "Month", "due_usd": "Due", "paid_usd": "Paid", "rate": "Paid, % of due",
         "principal_due_usd": "Principal due", "principal_paid_usd": "Of it paid on time",
         "principal_rate": "Paid on time, %", "paid_30_rate": "Paid within 30 days, %",
         "paid_60_rate": "Paid within 60 days, %", "is_partial": "Partial month"},
        {"rate": ratio("paid_usd", "due_usd"), "principal_rate": ratio("principal_paid_usd", "principal_due_usd")},
    ),
    Sheet(
        "Rejected rows", "quarantine",
        {"file": "File", "line": "Line", "reasons": "Reason", "amount_usd": "Amount", "original": "As in the file"},
    ),
)  # fmt: skip


def read(tables: Path, name: str) -> list[dict[str, Any]]:
    """Return the rows of a table; none where the run did not write it."""
    path = tables / f"{name}.parquet"
    return pq.read_table(path).to_pylist() if path.exists() else []


def add_table(book: Book, sheet: Sheet, rows: Rows) -> None:
    """Add the sheet of a table; of one that is longer than a sheet, its last rows."""
    fields = [one for one in TABLES[sheet.table].fields if one.name in sheet.headings]
    headings = [phrase(sheet.headings[one.name]) for one in fields]
    shown = rows[-ROWS:]
    buckets = {row[name] for row in shown for name in BUCKETS if name in row}
    cells = [[_shown(sheet, one.name, row, buckets) for one in fields] for row in shown]
    added = book.sheet(sheet.title, headings, widths(headings, cells))
    columns = {one.name: column for column, one in enumerate(fields)}
    styles = [_style(book, one.type, one.unit) for one in fields]
    decimals = {one.name: _decimals(one.type) for one in fields}
    for at, values in enumerate(cells):
        put_row(added, at + 1, values, styles)
        for name, formula in sheet.formulas.items():
            value, found = shown[at][name], formula(shown, at)
            if value is not None and found and rounded(found[1], decimals[name]) == value:
                text = f"ROUND({_filled(found[0], columns, at)},{decimals[name]})"
                compute(added, at + 1, columns[name], text, value, styles[columns[name]])
    if shown:
        added.autofilter(0, 0, len(shown), len(fields) - 1)
    if len(rows) > len(shown):
        text = say("The last {shown} of {rows} rows; all are in tables/{name}.parquet.",
                   shown=f"{len(shown):,}", rows=f"{len(rows):,}", name=sheet.table)  # fmt: skip
        put(added, len(shown) + 1, 0, text)


def _shown(sheet: Sheet, name: str, row: Mapping[str, Any], buckets: Iterable[str]) -> Any:
    """Return a value in the words of the page; tokens and numbers as they are."""
    value = row[name]
    if not isinstance(value, str):
        return value
    if name in BUCKETS:
        return state(value, buckets).replace(NBSP, " ").replace(JOINER, "")
    if name in ("term", "dimension"):
        return phrase(capital(naming(row)[0] if name == "term" else value))
    if name == "value":
        return part(row)
    if name in ("company", "product"):
        return value.replace("_", " ")
    if name in ("borrower", "loan") and not value.startswith(TOKEN):
        return label(value)
    if name == "cohort":
        return quarter(value).replace(NBSP, " ")
    return value


def _filled(formula: str, columns: Mapping[str, int], at: int) -> str:
    """Return a formula with the cells of its row, or of several rows, below the heading."""
    for name, column in columns.items():
        formula = formula.replace(f"{{{name}}}", place(at + 1, column))
        while f"{{{name}:" in formula:
            before, _, rest = formula.partition(f"{{{name}:")
            rows, _, after = rest.partition("}")
            first, last = (place(int(row) + 1, column) for row in rows.split(":"))
            formula = f"{before}{first}:{last}{after}"
    return formula


def _decimals(type_: str) -> int:
    return int(type_.rpartition(", ")[2].rstrip(")")) if type_.startswith("decimal") else 0


def _style(book: Book, type_: str, unit: str) -> Any:
    if type_ == DATE:
        return book.date
    return book.text if type_ == TEXT else book.number(current() if unit == USD else unit, _decimals(type_))


def widths(headings: Sequence[str], rows: Sequence[Sequence[Any]]) -> list[int]:
    """Return how many characters wide each column is to be."""
    columns = zip(headings, *rows[:1000], strict=True)
    return [max(_width(value) for value in column) + 2 for column in columns]


def _width(value: Any) -> int:
    if isinstance(value, dt.date):
        return len("2025-12-31")
    if isinstance(value, float | Decimal):
        return len(f"{value:,.2f}") + len(current())
    return len(str(value))


def add_dictionary(book: Book, sheets: Sequence[Sheet]) -> None:
    """Add the data dictionary: what the rows and the columns of each table mean."""
    rows = [row for sheet in sheets for row in _entries(sheet, TABLES[sheet.table])]
    headings = [phrase(heading) for heading in ("Sheet", "Column", "Unit", "Meaning", "In the files")]
    added = book.sheet("Dictionary", headings, widths(headings, rows), frozen=2)
    for at, row in enumerate(rows, 1):
        put_row(added, at, row, [book.text] * len(row))


def _entries(sheet: Sheet, table: Table) -> list[tuple[str, ...]]:
    """Return a row for the grain of a table, and one for each column."""
    title = phrase(sheet.title)
    grain = phrase(table.grain)
    rows = [(title, "", "", capital(grain), f"tables/{table.name}.parquet")]
    for one in table.fields:
        if one.name in sheet.headings:
            unit = current() if one.unit == USD else phrase(one.unit)
            meaning = capital(in_current(phrase(one.meaning)))
            rows.append((title, phrase(sheet.headings[one.name]), unit, meaning, one.name))
    return rows
