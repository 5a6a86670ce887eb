"""Excel workbooks: the first visible sheet that has cells, as rows of text."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetVisibleEnum

from abaco.core.errors import InputError
from abaco.core.quoting import file_name
from abaco.ingest.worksheets import worksheets

# a sheet, and its cells without a value by row and column
Sheet = tuple[CalamineSheet, dict[int, dict[int, str]]]
THREE_DECIMALS = re.compile(r"^-?[1-9]\d{0,2}\.\d{3}$")


@dataclass(frozen=True)
class Header:
    """The first row of a workbook that has cells, its number, and how many other sheets with cells are not read."""

    headings: list[str]
    first_line: int
    other_sheets: int
    hidden_sheets: int


def read_header(path: Path) -> Header:
    """Return the header of a workbook.

    Raises
    ------
    InputError
        When the file is not a workbook, or no visible sheet has cells.
    """
    visible, hidden = _sheets(path)
    sheet, without_value = visible[0]
    return Header(next(_rows(sheet, without_value)), sheet.start[0] + 1, len(visible) - 1, len(hidden))


def write_csv(path: Path, target: Path) -> None:
    """Write the cells of a workbook as CSV in UTF-8, a blank line for a row without cells."""
    visible, _ = _sheets(path)
    with target.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(row if any(row) else [] for row in _rows(*visible[0]))


def _sheets(path: Path) -> tuple[list[Sheet], list[Sheet]]:
    """Return the sheets with cells that are visible, and those that are not; names of sheets may be personal."""
    name = file_name(path)
    checked = {sheet.name: sheet.without_value for sheet in worksheets(path)}
    filled: dict[bool, list[Sheet]] = {True: [], False: []}
    try:
        book = CalamineWorkbook.from_path(str(path))
        for meta in book.sheets_metadata:
            if meta.name in checked and (sheet := book.get_sheet_by_name(meta.name)).height:
                filled[meta.visible == SheetVisibleEnum.Visible].append((sheet, checked[meta.name]))
    except (CalamineError, ValueError, OverflowError) as error:
        raise InputError(f"{name} cannot be read as xlsx: save it again as an Excel workbook") from error
    if not filled[True] and filled[False]:
        raise InputError(f"{name} has cells on hidden sheets only: show the sheet that is meant, and save it again")
    if not filled[True]:
        raise InputError(f"{name} has no sheet with cells: export it again")
    return filled[True], filled[False]


def _rows(sheet: CalamineSheet, without_value: dict[int, dict[int, str]]) -> Iterator[list[str]]:
    """Yield the rows of a sheet from its first to its last one; a cell without a value has a text that says so."""
    first, left = sheet.start
    last = max(without_value, default=0)
    rows = chain(islice(sheet.iter_rows(), first, None), repeat([""] * sheet.width, last - sheet.end[0]))
    for number, row in enumerate(rows, first):
        texts = [_text(cell) for cell in row]  # from the first column with a cell
        for column, text in without_value.get(number, {}).items():
            if 0 <= column - left < len(texts):
                texts[column - left] = texts[column - left] or text
        yield texts


def _text(cell: Any) -> str:
    if not isinstance(cell, float):
        return str(cell)
    # Excel has only floats: 1001 comes as 1001.0
    text = str(int(cell)) if cell.is_integer() else str(cell)
    # nor does it group by thousands: a fourth decimal says that the point is none of a text such as 1.125
    return f"{text}0" if THREE_DECIMALS.match(text) else text
