"""Excel workbooks: the first visible sheet that has cells, as rows of text."""

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetVisibleEnum

from abaco.core.errors import InputError
from abaco.core.quoting import file_name

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
    sheet, *others = _sheets(path, visible=True)
    return Header(next(_rows(sheet)), sheet.start[0] + 1, len(others), len(_sheets(path, visible=False)))


def write_csv(path: Path, target: Path) -> None:
    """Write the cells of a workbook as CSV in UTF-8, a blank line for a row without cells."""
    with target.open("w", encoding="utf-8", newline="") as file:
        csv.writer(file, lineterminator="\n").writerows(
            row if any(row) else [] for row in _rows(_sheets(path, visible=True)[0])
        )


def _sheets(path: Path, visible: bool) -> list[CalamineSheet]:
    """Return the sheets with cells that are visible, or those that are not; names of sheets may be personal."""
    name = file_name(path)
    try:
        book = CalamineWorkbook.from_path(str(path))
        filled = {True: [], False: []}
        for meta in book.sheets_metadata:
            if (sheet := book.get_sheet_by_name(meta.name)).height:
                filled[meta.visible == SheetVisibleEnum.Visible].append(sheet)
    except CalamineError as error:
        raise InputError(f"{name} cannot be read as xlsx: save it again as an Excel workbook") from error
    if not filled[True] and filled[False]:
        raise InputError(f"{name} has cells on hidden sheets only: show the sheet that is meant, and save it again")
    if not filled[True]:
        raise InputError(f"{name} has no sheet with cells: export it again")
    return filled[visible]


def _rows(sheet: CalamineSheet) -> Iterator[list[str]]:
    return ([_text(cell) for cell in row] for row in sheet.to_python())


def _text(cell: Any) -> str:
    if not isinstance(cell, float):
        return str(cell)
    # Excel has only floats: 1001 comes as 1001.0
    text = str(int(cell)) if cell.is_integer() else str(cell)
    # nor does it group by thousands: a fourth decimal says that the point is none of a text such as 1.125
    return f"{text}0" if THREE_DECIMALS.match(text) else text
