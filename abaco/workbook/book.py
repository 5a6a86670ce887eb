"""The workbook itself: sheets with frozen headings, number formats, and cells that are never run."""

import datetime as dt
import math
from collections.abc import Sequence
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

from xlsxwriter import Workbook
from xlsxwriter.format import Format
from xlsxwriter.utility import xl_rowcol_to_cell
from xlsxwriter.worksheet import Worksheet

from abaco.core import currencies
from abaco.core.quoting import plain_cell
from abaco.page.language import phrase

ROWS = 20_000  # of one sheet; a longer table ends with a line that says so
LONGEST_TEXT = 32_000  # characters; a cell holds 32,767
LONGEST_SHOWN = 600  # of a text, all of which the line of input shows
WIDEST, NARROWEST = 60, 8  # characters of a column
HEIGHT = 15.0  # of a line, in points
# groups of two digits, which a format can only have for amounts above a limit
LAKH = "[>=10000000]{0}##\\,##\\,##\\,##0{1};[>=100000]{0}##\\,##\\,##0{1};{0}#,##0{1}"
HEADING = {"bold": True, "bottom": 1, "text_wrap": True, "valign": "top"}


class Book:
    """An open workbook, with a style for each kind of cell.

    Parameters
    ----------
    path
        The file to write.
    day
        The day that its properties name as the one it was made on: the same report gives the same bytes.
    title
        The title in its properties.
    """

    def __init__(self, path: Path, day: dt.date, title: str):
        self._book = Workbook(str(path), {"in_memory": True})
        self._book.set_properties({"title": title, "created": dt.datetime(day.year, day.month, day.day)})
        self._styles: dict[tuple, Format] = {}

    def __enter__(self) -> "Book":
        return self

    def __exit__(self, *error) -> None:
        if error == (None, None, None):
            self._book.close()

    def style(self, **properties: Any) -> Format:
        """Return a style, one object for the same properties."""
        key = tuple(sorted(properties.items()))
        if key not in self._styles:
            self._styles[key] = self._book.add_format(properties)
        return self._styles[key]

    def number(self, unit: str, decimals: int, **properties: Any) -> Format:
        """Return the style of a number: an amount with its currency, any other with thousands separators."""
        return self.style(num_format=number_format(unit, decimals), valign="top", **properties)

    @cached_property
    def text(self) -> Format:
        """The style of texts, of which long ones take several lines."""
        return self.style(text_wrap=True, valign="top", align="left", indent=1)

    @cached_property
    def date(self) -> Format:
        """The style of dates, ISO as in all other files of a report."""
        return self.style(num_format="yyyy-mm-dd", align="left", valign="top")

    def sheet(self, title: str, headings: Sequence[str], widths: Sequence[int], frozen: int = 1) -> Worksheet:
        """Add a sheet with a heading row that stays on the screen and is repeated on each printed page."""
        sheet = self._book.add_worksheet(phrase(title))
        for place, (heading, width) in enumerate(zip(headings, widths, strict=True)):
            sheet.write_string(0, place, heading, self.style(**HEADING))
            sheet.set_column(place, place, min(max(width, NARROWEST), WIDEST))
        if headings:
            sheet.freeze_panes(1, frozen)
            sheet.repeat_rows(0)
        sheet.set_landscape()
        sheet.fit_to_pages(1, 0)
        sheet.set_footer("&L&A&R&P / &N")
        return sheet


def number_format(unit: str, decimals: int) -> str:
    """Return the number format of a unit: of amounts that of the currency, as `currencies.amount` writes it.

    Examples
    --------
    >>> number_format("%", 4), number_format("loans", 0)
    ('#,##0.0000', '#,##0')
    >>> number_format("USD", 2), number_format("JPY", 2), number_format("EUR", 2)
    ('#,##0.00 "USD"', '#,##0 "JPY"', '"€ "#,##0.00')
    """
    if unit not in currencies.CODES:
        return f"#,##0{_places(decimals)}"
    places = _places(min(decimals, currencies.decimals(unit)))
    sign = currencies.SYMBOLS.get(unit)
    before, after = (f'"{sign} "', "") if sign else ("", f' "{unit}"')
    if unit in currencies.LAKH:
        return LAKH.format(before, places + after)
    return f"{before}#,##0{places}{after}"


def _places(decimals: int) -> str:
    return f".{'0' * decimals}" if decimals else ""


def put(sheet: Worksheet, row: int, column: int, value: Any, style: Format | None = None) -> None:
    """Write a value as what it is: a number, a date, true or false, or a text that no spreadsheet computes."""
    if value is None:
        return
    if isinstance(value, bool):
        sheet.write_boolean(row, column, value, style)
    elif isinstance(value, dt.date):
        sheet.write_datetime(row, column, dt.datetime(value.year, value.month, value.day), style)
    elif isinstance(value, int | float | Decimal):
        sheet.write_number(row, column, float(value), style)
    else:
        sheet.write_string(row, column, plain_cell(str(value))[:LONGEST_TEXT], style)


def put_row(sheet: Worksheet, row: int, values: Sequence[Any], styles: Sequence[Format]) -> None:
    """Write a row of values, high enough for its longest text."""
    for column, (value, style) in enumerate(zip(values, styles, strict=True)):
        put(sheet, row, column, value, style)
    longest = max((len(value) for value in values if isinstance(value, str)), default=0)
    if longest > WIDEST:
        sheet.set_row(row, HEIGHT * math.ceil(min(longest, LONGEST_SHOWN) / (WIDEST - 4)))


def compute(sheet: Worksheet, row: int, column: int, formula: str, value: Any, style: Format | None = None) -> None:
    """Write a formula with the published value as its stored result, which readers that do not compute show."""
    sheet.write_formula(row, column, f"={formula}", style, float(value))


def place(row: int, column: int, sheet: str = "", fixed: bool = False) -> str:
    """Return the name of a cell, of another sheet with the sheet's.

    Examples
    --------
    >>> place(0, 2), place(4, 1, "Roll rates"), place(1, 0, fixed=True)
    ('C1', "'Roll rates'!B5", '$A$2')
    """
    cell = xl_rowcol_to_cell(row, column, row_abs=fixed, col_abs=fixed)
    return f"'{sheet}'!{cell}" if sheet else cell
