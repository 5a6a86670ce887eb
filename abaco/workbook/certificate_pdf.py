"""The compliance certificate as a PDF, which is the same on every machine: its fonts are in the file."""

import datetime as dt
from collections.abc import Sequence
from pathlib import Path

from fpdf import FPDF

from abaco.core import currencies
from abaco.page.svg import font_file
from abaco.page.words import MINUS, number
from abaco.workbook.certificate import SIGNED, WIDTHS, Cell, Row

MARGIN, HEIGHT, TO_SIGN = 12, 4.2, 11  # mm: of a page, of a line, and of a row that somebody signs in
BOTTOM = 14  # mm
FONT, SIZE, TITLE_SIZE = "DejaVu", 7.5, 14  # points
GREY = 150
BOLD = ("title", "heads", "total", "signatures")


class Document(FPDF):
    """A PDF whose pages end with its title and their number."""

    def footer(self) -> None:
        """Write the last line of a page."""
        self.set_y(-MARGIN)
        self.set_font(FONT, size=SIZE)
        self.cell(0, HEIGHT, self.title)
        self.set_x(MARGIN)
        self.cell(0, HEIGHT, f"{self.page_no()} / {{nb}}", align="R")


def write_pdf(rows: Sequence[Row], path: Path, day: dt.date, title: str) -> Path:
    """Write a certificate as a PDF.

    Parameters
    ----------
    day
        The day that its properties name as the one it was made on: the same report gives the same bytes.
    """
    pdf = Document("landscape", "mm", "A4")
    pdf.set_creation_date(dt.datetime(day.year, day.month, day.day, tzinfo=dt.UTC))
    pdf.set_title(title)
    for style in ("", "B"):
        pdf.add_font(FONT, style, font_file(bold=bool(style)))
    pdf.set_margin(MARGIN)
    pdf.set_auto_page_break(False)
    pdf.c_margin = 0.8
    pdf.add_page()
    for place, row in enumerate(rows):
        together = rows[place:] if place == len(rows) - SIGNED else [row]
        if pdf.get_y() + sum(_laid(pdf, one)[-1] for one in together) > pdf.h - BOTTOM:
            pdf.add_page()
        _write(pdf, row)
    pdf.output(str(path))
    return path


def _laid(pdf: Document, row: Row) -> tuple[list[str], list[float], float]:
    """Return the texts of a row, the widths of its cells, and its height; the font is set to its own."""
    pdf.set_font(FONT, "B" if row.look in BOLD else "", TITLE_SIZE if row.look == "title" else SIZE)
    scale = pdf.epw / sum(WIDTHS)
    is_alone = len(row.cells) == 1 and row.look != "signature"
    widths = [pdf.epw] if is_alone else [width * scale for width in WIDTHS[: len(row.cells)]]
    texts = [shown(cell) for cell in row.cells]
    heights = [_height(pdf, text, width) for text, width in zip(texts, widths, strict=True)]
    height = {"signature": TO_SIGN, "title": 2 * HEIGHT}.get(row.look, max(heights, default=HEIGHT / 2))
    return texts, widths, height


def _write(pdf: Document, row: Row) -> None:
    texts, widths, height = _laid(pdf, row)
    top, left = pdf.get_y(), pdf.l_margin
    for text, width in zip(texts, widths, strict=True):
        pdf.set_xy(left, top)
        is_left = left == pdf.l_margin or row.look == "signatures"
        pdf.multi_cell(width, HEIGHT, text, align="L" if is_left else "R")
        left += width
    _rule(pdf, row, top, height)
    pdf.set_xy(pdf.l_margin, top + height)


def _height(pdf: Document, text: str, width: float) -> float:
    return HEIGHT * max(len(pdf.multi_cell(width, HEIGHT, text, dry_run=True, output="LINES")), 1)


def _rule(pdf: Document, row: Row, top: float, height: float) -> None:
    if row.look not in ("heads", "total", "signatures", "signature"):
        return
    pdf.set_draw_color(GREY if row.look == "total" else 0)
    y = top if row.look == "total" else top + height
    pdf.line(pdf.l_margin, y, pdf.l_margin + pdf.epw, y)


def shown(cell: Cell) -> str:
    """Return the text of a cell.

    >>> shown(Cell(1234.5)), shown(Cell(dt.date(2025, 12, 31))), shown(Cell())
    ('1,234.50', '2025-12-31', '')
    """
    if cell.value is None or isinstance(cell.value, str | dt.date):
        return str(cell.value or "")
    return currencies.amount(cell.value).replace("-", MINUS) if cell.unit else number(cell.value, cell.decimals)
