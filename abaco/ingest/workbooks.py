"""Workbooks, of Excel and OpenDocument: the visible sheets that have cells, as rows of text."""

import csv
from collections import deque
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, repeat
from pathlib import Path

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, SheetVisibleEnum

from abaco.core.errors import InputError
from abaco.ingest import excel_97, extent, open_document, workbook_process, worksheets
from abaco.ingest.workbook_process import TextSheet, text_of
from abaco.ingest.worksheets import Worksheet

# the cells of a sheet without a value, by row and column
WithoutValue = dict[int, dict[int, str]]
SAMPLE_ROWS = 200
CHECKS = {"xlsx": worksheets.worksheets, "xls": excel_97.worksheets, "ods": open_document.worksheets}
SINCE_1904 = {
    "xlsx": worksheets.counts_from_1904, "xls": excel_97.counts_from_1904, "ods": open_document.counts_from_1904,
}  # fmt: skip
KINDS = tuple(CHECKS)
MAX_XLS = 1 << 29  # 65,536 rows a sheet need less


@dataclass(frozen=True)
class Workbook:
    """A workbook: where it is, its kind, and how it is called in messages."""

    path: Path
    kind: str
    name: str


@dataclass(frozen=True)
class Sheet:
    """A sheet with cells: its name, its first rows with their numbers from 1, its end, and where a footer begins.

    `last_line` is the last row before a footer; None where there is none. `last_rows` are the last of all. `left` is
    the position of the first column.
    `signs` are those of currencies in number formats, by the place of a cell in its row; `hidden_rows` are hidden.
    """

    name: str
    rows: list[extent.Row]
    end: int
    last_line: int | None
    left: int
    signs: dict[int, set[str]]
    last_rows: list[extent.Row]
    hidden_rows: set[int]


def visible_sheets(book: Workbook) -> tuple[list[Sheet], list[str]]:
    """Return the visible sheets with cells of a workbook, and the names of the hidden ones with cells.

    Raises
    ------
    InputError
        When the file is not a workbook, or no visible sheet has cells.
    """
    found, hidden = [], []
    for sheet, is_visible, checked in _sheets(book):
        if not is_visible:
            hidden.append(sheet.name)
            continue
        first, left, without_value = sheet.start[0] + 1, sheet.start[1], checked.without_value
        rows = [(first + n, row) for n, row in enumerate(islice(_rows(sheet, without_value), SAMPLE_ROWS))]
        signs = {column - left: signs for column, signs in checked.signs.items()}
        last = _last_rows(sheet, without_value)
        last_line = _last_line(sheet, last) if max(without_value, default=0) <= sheet.end[0] else None
        found.append(Sheet(sheet.name, rows, sheet.end[0] + 1, last_line, left, signs, last, checked.hidden_rows))
    if not found and hidden:
        raise InputError(
            f"{book.name} has cells on hidden sheets only: show the sheet that is meant, and save it again"
        )
    if not found:
        raise InputError(f"{book.name} has no sheet with cells: export it again")
    return found, hidden


def _last_rows(sheet: CalamineSheet | TextSheet, without_value: WithoutValue) -> list[extent.Row]:
    last = deque(enumerate(sheet.iter_rows()), extent.MAX_BELOW)
    return [(number + 1, [*map(text_of, row), *without_value.get(number, {}).values()]) for number, row in last]


def _last_line(sheet: CalamineSheet | TextSheet, last: Sequence[extent.Row]) -> int | None:
    """Return the last row of a sheet's table where a footer follows."""
    below = extent.rows_below([row for _, row in last])
    return sheet.end[0] + 1 - below if below else None


def write_csv(book: Workbook, target: Path, sheet: str, first_line: int = 1, last_line: int | None = None) -> None:
    """Write the cells of a sheet as CSV in UTF-8, from its header on, a blank line for a row without cells."""
    for found, _, checked in _sheets(book):
        if found.name == sheet:
            above = found.start[0]
            first = max(0, first_line - 1 - above)
            rows = islice(_rows(found, checked.without_value), first, last_line and last_line - above)
            with target.open("w", encoding="utf-8", newline="") as file:
                csv.writer(file, lineterminator="\n").writerows(row if any(row) else [] for row in rows)


def _sheets(book: Workbook) -> Iterator[tuple[CalamineSheet | TextSheet, bool, Worksheet]]:
    """Yield the sheets with cells, one at a time, whether each is visible, and what was found when it was checked."""
    try:
        if book.kind == "xls" and book.path.stat().st_size > MAX_XLS:
            raise InputError(f"{book.name} is too large for a workbook: export it as CSV")
        checked = {sheet.name: sheet for sheet in CHECKS[book.kind](book.path, book.name)}
        if book.kind == "xlsx":
            with book.path.open("rb") as file:
                content = CalamineWorkbook.from_filelike(file)
                for meta in content.sheets_metadata:
                    if meta.name in checked and (sheet := content.get_sheet_by_name(meta.name)).height:
                        yield sheet, meta.visible == SheetVisibleEnum.Visible, checked[meta.name]
            return
        for sheet in workbook_process.sheets(book.path):
            yield sheet, sheet.is_visible, checked[sheet.name]
    except (KeyError, CalamineError, ValueError, OverflowError) as error:
        raise InputError(
            f"{book.name} cannot be read as {book.kind}: save it again as a workbook, or export it as CSV"
        ) from error


def _rows(sheet: CalamineSheet | TextSheet, without_value: WithoutValue) -> Iterator[list[str]]:
    """Yield the rows of a sheet from its first to its last one; a cell without a value has a text that says so."""
    first, left = sheet.start
    last = max(without_value, default=0)
    rows = chain(islice(sheet.iter_rows(), first, None), repeat([""] * sheet.width, last - sheet.end[0]))
    for number, row in enumerate(rows, first):
        texts = [text_of(cell) for cell in row]  # from the first column with a cell
        for column, text in without_value.get(number, {}).items():
            if 0 <= column - left < len(texts):
                texts[column - left] = texts[column - left] or text
        yield texts
