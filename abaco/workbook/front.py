"""The first sheet: the day, the verdict, the key figures, what is past a limit, and where every row went."""

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any

from markupsafe import Markup
from xlsxwriter.worksheet import Worksheet

from abaco.core.currencies import current
from abaco.core.precision import shown_decimals
from abaco.core.text import STATES
from abaco.page.conclusion import concluded
from abaco.page.kpi_text import FIRST_KPIS, change, in_order, limits
from abaco.page.language import phrase
from abaco.page.masthead import as_of, sample, title
from abaco.page.quality import went
from abaco.workbook.book import HEADING, HEIGHT, Book, compute, place, put
from abaco.workbook.figures import Figures

FRONT = "Front page"
WIDTHS = (44, 22, 14, 18, 30, 44)
COLUMNS = len(WIDTHS)
LINE = 160  # characters that one line of the sheet holds


def add_front(
    book: Book,
    metrics: Mapping[str, Any],
    figures: Figures,
    history: Sequence[Mapping[str, Any]],
    tables: Mapping[str, Sequence[Mapping[str, Any]]],
) -> None:
    """Add the front page.

    Parameters
    ----------
    metrics
        The content of metrics.json, in words.
    figures
        Knows the cells of the figures.
    history, tables
        The rows of the tables that the conclusion is drawn from.
    """
    sheet = book.sheet(FRONT, (), ())
    for column, width in enumerate(WIDTHS):
        sheet.set_column(column, column, width)
    sheet.write_string(0, 0, _text(title(metrics)), book.style(bold=True, font_size=16))
    given = (_floats(tables[name]) for name in ("bridges", "segments", "concentration"))
    told = concluded(metrics, _floats(history), *given)
    verdict = f"{told['word']}: {told['verdict']}"
    lines = [sample(metrics), as_of(metrics), verdict, *told["alarms"], " ".join(map(str, told["sentences"]))]
    row = 1
    for text in (*filter(None, lines), *(f"• {point}" for point in told["points"])):
        row = _paragraph(book, sheet, row, _text(text))
    row = _kpis(book, sheet, row + 1, metrics, figures)
    _reconciliation(book, sheet, row + 1, metrics)


def _text(told: object) -> str:
    """Return a sentence of the page without its marks, and with ordinary blanks."""
    return " ".join(Markup(told).striptags().replace("\u2060", "").split())


def _floats(rows: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    return [
        {name: float(value) if isinstance(value, Decimal) else value for name, value in row.items()} for row in rows
    ]


def _paragraph(book: Book, sheet: Worksheet, row: int, text: str) -> int:
    sheet.merge_range(row, 0, row, COLUMNS - 1, "", book.style(text_wrap=True, valign="top"))
    put(sheet, row, 0, text, book.style(text_wrap=True, valign="top"))
    sheet.set_row(row, HEIGHT * (1 + len(text) // LINE))
    return row + 1


def _heads(book: Book, sheet: Worksheet, row: int, *heads: str) -> int:
    for column, head in enumerate(heads):
        sheet.write_string(row, column, head, book.style(**HEADING))
    return row + 1


def _kpis(book: Book, sheet: Worksheet, row: int, metrics: Mapping[str, Any], figures: Figures) -> int:
    """Write the four first figures and those past a limit, each leading to its cell among the figures."""
    past = {*metrics["verdict"]["critical"], *metrics["verdict"]["warning"]}
    row = _heads(book, sheet, row, *map(phrase, ("Key figures", "Value", "Unit", "Status", "Change", "Limits")))
    for name, kpi in in_order(metrics):
        if name not in FIRST_KPIS and name not in past:
            continue
        put(sheet, row, 0, kpi["title"] if name in kpi["title"] else f"{kpi['title']} ({name})")
        if kpi["value"] is not None:
            style = book.number(kpi["unit"], shown_decimals(kpi), bold=True)
            compute(sheet, row, 1, figures.value_of(name), kpi["value"], style)
        put(sheet, row, 2, kpi["unit"], book.text)
        put(sheet, row, 3, phrase(STATES[kpi["status"]]), book.text)
        if moved := change(kpi):
            put(sheet, row, 4, _text(", ".join(filter(None, (moved["amount"], moved["judgement"])))), book.text)
        put(sheet, row, 5, kpi["reason"] or limits(kpi), book.text)
        row += 1
    return row


def _reconciliation(book: Book, sheet: Worksheet, row: int, metrics: Mapping[str, Any]) -> None:
    """Write where every row went: the parts, and their sums as formulas."""
    rows = metrics["reconciliation"]
    heads = ("Where every row went", "Balances of all dates", "Rows")
    first = row = _heads(book, sheet, row, *map(phrase, heads))
    for name, found, amount in went(metrics):
        put(sheet, row, 0, _text(name))
        put(sheet, row, 1, Decimal(amount or 0), book.number(current(), 2))
        put(sheet, row, 2, found, book.number("", 0))
        row += 1
    put(sheet, row, 0, phrase("Came in"), book.style(bold=True))
    for column, unit, name in ((1, current(), "amount_in"), (2, "", "rows_in")):
        formula = f"SUM({place(first, column)}:{place(row - 1, column)})"
        compute(sheet, row, column, formula, rows[name] or 0, book.number(unit, 2 if unit else 0, bold=True))
