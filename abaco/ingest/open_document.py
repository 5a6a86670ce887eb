"""OpenDocument sheets, looked at before they are read: their size, the cells that they repeat, and their errors.

An ODS file is a ZIP archive with one XML file for all sheets, in which a cell or a row may be repeated any number of
times; the reader of workbooks holds each of them in memory.
"""

import html
import re
import zipfile
from pathlib import Path

from abaco.core.errors import InputError
from abaco.ingest.number_formats import sign
from abaco.ingest.worksheets import BROKEN, CHUNK, MAX_COLUMNS, MAX_PLACES, Worksheet, check_parts, chunks

CONTENT = "content.xml"
TAG = re.compile(rb"<(table:table(?:-row)?|table:(?:covered-)?table-cell)(?=[\s/>])([^>]*?)(/?)>")
REPEATED = {kind: re.compile(rb"""table:number-%s-repeated=["'](\d{1,9})""" % kind) for kind in (b"rows", b"columns")}
NAME = re.compile(rb"""\stable:name=["']([^"']*)["']""")
CURRENCY = re.compile(rb"""\soffice:currency=["']([A-Z]{3})["']""")
SINCE_1904 = re.compile(rb"""<table:null-date\s[^>]*table:date-value=["']1904""")
SHOWN = re.compile(rb"\s*<text:p>([^<]{1,60})")
DIGITS = re.compile(rb"[\d.,\s()-]+")
ERROR = re.compile(rb"""calcext:value-type=["']error["']""")
UNCOMPUTED = re.compile(rb"""\stable:formula=(?!.*\soffice:value-type=)""", re.DOTALL)


def worksheets(path: Path, name: str) -> list[Worksheet]:
    """Return the sheets of a workbook that can be read without harm, and has no cells with errors.

    Raises
    ------
    InputError
        When it is not one, is far larger than it looks, or has errors, which the reader takes for empty cells.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            check_parts(archive, name)
            cells, errors, sheets = _places(archive)
    except BROKEN as error:
        raise InputError(f"{name} cannot be read as ods: save it again as a workbook, or export it as CSV") from error
    if cells > MAX_PLACES:
        raise InputError(f"{name} has {cells:,} places for cells, too many for a workbook: export it as CSV")
    if errors:
        raise InputError(f"{name} has cells with errors or without a value ({errors}), which look empty: correct them")
    return sheets


def counts_from_1904(path: Path) -> bool:
    """Return whether the days of a workbook, which `worksheets` has looked at, count from 1904."""
    with zipfile.ZipFile(path) as archive:
        above, _, _ = next(chunks(archive, CONTENT)).partition(b"<table:table ")
    return bool(SINCE_1904.search(above))


def _places(archive: zipfile.ZipFile) -> tuple[int, int, list[Worksheet]]:
    """Return how many places the sheets have, up to the last row and column with a value, the errors, the sheets."""
    total, errors, rest, sheets = 0, 0, b"", []
    rows, last, width, row, waiting, times = 0, 0, 0, 0, 0, 1
    for chunk in chunks(archive, CONTENT):
        rest += chunk
        end = 0
        for tag in TAG.finditer(rest):
            end = tag.end()
            if tag[1] == b"table:table":
                total, rows, last, width = total + last * width, 0, 0, 0
                named = NAME.search(tag[2])
                sheets.append(Worksheet(html.unescape(named[1].decode()) if named else ""))
            elif tag[1] == b"table:table-row":
                row, waiting, times = 0, 0, _times(b"rows", tag[2])
                rows += times
            elif tag[3] and not UNCOMPUTED.search(tag[2]):  # an empty cell counts when another follows
                waiting += _times(b"columns", tag[2])
            else:
                first, times_across = row + waiting, _times(b"columns", tag[2])
                row, waiting = first + times_across, 0
                if currency := _currency(tag[2], SHOWN.match(rest, end)):
                    for column in range(first, min(row, MAX_COLUMNS)):
                        sheets[-1].signs.setdefault(column, set()).add(currency)
                last, width = rows, max(width, row)
                errors += bool(ERROR.search(tag[2]) or UNCOMPUTED.search(tag[2]))
        rest = rest[max(end, len(rest) - CHUNK) :]
    return total + last * width, errors, sheets


def _currency(attributes: bytes, shown: re.Match | None) -> str | None:
    """Return the currency of a cell with a number: what it says, or the sign that its format shows."""
    if named := CURRENCY.search(attributes):
        return named[1].decode()
    if not shown or b'office:value="' not in attributes:
        return None
    beside = DIGITS.sub(b"", shown[1])
    return sign(html.unescape(beside.decode())) if beside else None


def _times(kind: bytes, attributes: bytes) -> int:
    found = REPEATED[kind].search(attributes)
    return int(found[1]) if found else 1
