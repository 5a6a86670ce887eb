"""Excel workbooks: the first sheet that has cells, as rows of text."""

import csv
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook

from abaco.core.errors import InputError


def read_header(path: Path) -> tuple[list[str], int]:
    """Return the cells of the first row that has any, and its number.

    Raises
    ------
    InputError
        When the file is not a workbook, or has no cells.
    """
    sheet = _sheet(path)
    return next(_rows(sheet)), sheet.start[0] + 1


def write_csv(path: Path, target: Path) -> None:
    """Write the cells of a workbook as CSV in UTF-8, a blank line for a row without cells."""
    with target.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(row if any(row) else [] for row in _rows(_sheet(path)))


def _sheet(path: Path) -> CalamineSheet:
    try:
        book = CalamineWorkbook.from_path(str(path))
        sheets = [book.get_sheet_by_name(name) for name in book.sheet_names]
    except CalamineError as error:
        raise InputError(f"{path.name} cannot be read as xlsx: {error}; save it again as an Excel workbook") from error
    for sheet in sheets:
        if sheet.height:
            return sheet
    raise InputError(f"{path.name} has no sheet with cells: export it again")


def _rows(sheet: CalamineSheet) -> Iterator[list[str]]:
    return ([_text(cell) for cell in row] for row in sheet.to_python())


def _text(cell: Any) -> str:
    # Excel has only floats: 1001 comes as 1001.0
    return str(int(cell)) if isinstance(cell, float) and cell.is_integer() else str(cell)
