"""Writes the compliance certificate of each facility beside the report: as a workbook with formulas, and as a PDF."""

import datetime as dt
import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from xlsxwriter.worksheet import Worksheet

from abaco.page.column_names import in_words
from abaco.page.language import phrase, speaking
from abaco.workbook.book import HEIGHT, Book, compute, number_format, put
from abaco.workbook.certificate import WIDTHS, Cell, Row, certificate
from abaco.workbook.tables import read

COLUMNS = len(WIDTHS)
LINE = sum(WIDTHS)  # characters that fit into the width of the sheet
HEIGHTS = {"title": 26.0, "heads": 20.0, "signatures": 20.0, "signature": 28.0}  # points
LOOKS = {
    "title": {"bold": True, "font_size": 16}, "heads": {"bold": True, "bottom": 1}, "total": {"bold": True, "top": 4},
    "signatures": {"bold": True, "bottom": 1}, "signature": {"bottom": 1},
}  # fmt: skip


def certify(metrics: Mapping[str, Any], folder: Path, *, language: str = "en") -> list[Path]:
    """Write the certificates of a report's facilities into its folder; the same report gives the same bytes.

    Parameters
    ----------
    metrics
        The content of metrics.json.
    folder
        The folder of the report, with its tables.
    language
        The language of the report.

    Returns
    -------
    list of Path
        ``certificate_<facility>.xlsx`` and ``.pdf`` of each; none without facilities.
    """
    if not metrics.get("facilities"):
        return []
    # it takes longer to import than to use, and most reports have no facility
    from abaco.workbook.certificate_pdf import write_pdf

    day = dt.date.fromisoformat(metrics["date"])
    tables = {name: read(folder / "tables", name) for name in ("borrowing_base", "covenant_inputs")}
    written = []
    with speaking(language, metrics["currency"]):
        words = in_words(dict(metrics))
        for key, one in metrics["facilities"].items():
            own = ([row for row in rows if (row["facility"], row["date"]) == (key, day)] for rows in tables.values())
            rows = certificate(key, words, *own)
            path = folder / f"certificate_{key}"
            title = f"{phrase('Compliance certificate')}, {one['title']}"
            written += [
                write_workbook(rows, path.with_suffix(".xlsx"), day, title),
                write_pdf(rows, path.with_suffix(".pdf"), day, title),
            ]
    return written


def write_workbook(rows: Sequence[Row], path: Path, day: dt.date, title: str) -> Path:
    """Write a certificate as a workbook of one sheet.

    Parameters
    ----------
    day
        The day that its properties name as the one it was made on.
    """
    with Book(path, day, title) as book:
        sheet = book.sheet("Certificate", (), ())
        sheet.set_paper(9)  # A4
        sheet.hide_gridlines(2)
        for column, width in enumerate(WIDTHS):
            sheet.set_column(column, column, width)
        for at, row in enumerate(rows):
            _write(book, sheet, at, row)
    return path


def _write(book: Book, sheet: Worksheet, at: int, row: Row) -> None:
    if row.look in HEIGHTS:
        sheet.set_row(at, HEIGHTS[row.look])
    if row.cells and len(row.cells) == 1 and row.look != "signature":
        text, style = row.cells[0].value, book.style(**LOOKS.get(row.look, {}), text_wrap=True, valign="top")
        sheet.merge_range(at, 0, at, COLUMNS - 1, "", style)
        put(sheet, at, 0, text, style)
        if (lines := 1 + len(text) // LINE) > 1:
            sheet.set_row(at, HEIGHT * lines)
        return
    if row.cells and len(str(row.cells[0].value or "")) > WIDTHS[0]:
        sheet.set_row(at, HEIGHT * math.ceil(len(str(row.cells[0].value)) / WIDTHS[0]))
    is_ruled = row.look in LOOKS
    for column in range(COLUMNS if is_ruled and row.cells else len(row.cells)):
        cell = row.cells[column] if column < len(row.cells) else Cell()
        style = _style(book, cell, row.look, column)
        if cell.value is None:
            sheet.write_blank(at, column, None, style)
        elif not cell.formula:
            put(sheet, at, column, cell.value, style)
        elif isinstance(cell.value, str):
            sheet.write_formula(at, column, f"={cell.formula}", style, cell.value)
        else:
            compute(sheet, at, column, cell.formula, cell.value, style)


def _style(book: Book, cell: Cell, look: str, column: int) -> Any:
    more = {"valign": "vcenter" if look == "signature" else "top"} | LOOKS.get(look, {})
    if isinstance(cell.value, dt.date):
        more |= {"num_format": "yyyy-mm-dd"}
    elif cell.value is not None and not isinstance(cell.value, str):
        more |= {"num_format": number_format(cell.unit, cell.decimals)}
    is_left = column == 0 or look == "signatures"
    return book.style(**more, align="left" if is_left else "right", text_wrap=column == 0)
