"""OpenDocument sheets, looked at before they are read: their size, the cells that they repeat, and their errors.

An ODS file is a ZIP archive with one XML file for all sheets, in which a cell or a row may be repeated any number of
times; the reader of workbooks holds each of them in memory.
"""

import re
import zipfile
from pathlib import Path

from abaco.core.errors import InputError
from abaco.ingest.worksheets import BROKEN, CHUNK, MAX_PLACES, check_parts, chunks

CONTENT = "content.xml"
TAG = re.compile(rb"<(table:table(?:-row)?|table:(?:covered-)?table-cell)(?=[\s/>])([^>]*?)(/?)>")
REPEATED = {kind: re.compile(rb"""table:number-%s-repeated=["'](\d{1,9})""" % kind) for kind in (b"rows", b"columns")}
ERROR = re.compile(rb"""calcext:value-type=["']error["']""")
UNCOMPUTED = re.compile(rb"""\stable:formula=(?!.*\soffice:value-type=)""", re.DOTALL)


def check(path: Path, name: str) -> None:
    """Check that a workbook can be read without harm, and has no cells with errors.

    Raises
    ------
    InputError
        When it is not one, is far larger than it looks, or has errors, which the reader takes for empty cells.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            check_parts(archive, name)
            cells, errors = _places(archive)
    except BROKEN as error:
        raise InputError(f"{name} cannot be read as ods: save it again as a workbook, or export it as CSV") from error
    if cells > MAX_PLACES:
        raise InputError(f"{name} has {cells:,} places for cells, too many for a workbook: export it as CSV")
    if errors:
        raise InputError(f"{name} has cells with errors or without a value ({errors}), which look empty: correct them")


def _places(archive: zipfile.ZipFile) -> tuple[int, int]:
    """Return how many places the sheets have, each up to its last row and column with a value, and how many errors."""
    total, errors, rest = 0, 0, b""
    rows, last, width, row, waiting, times = 0, 0, 0, 0, 0, 1
    for chunk in chunks(archive, CONTENT):
        rest += chunk
        end = 0
        for tag in TAG.finditer(rest):
            end = tag.end()
            if tag[1] == b"table:table":
                total, rows, last, width = total + last * width, 0, 0, 0
            elif tag[1] == b"table:table-row":
                row, waiting, times = 0, 0, _times(b"rows", tag[2])
                rows += times
            elif tag[3] and not UNCOMPUTED.search(tag[2]):  # an empty cell counts when another follows
                waiting += _times(b"columns", tag[2])
            else:
                row, waiting = row + waiting + _times(b"columns", tag[2]), 0
                last, width = rows, max(width, row)
                errors += bool(ERROR.search(tag[2]) or UNCOMPUTED.search(tag[2]))
        rest = rest[max(end, len(rest) - CHUNK) :]
    return total + last * width, errors


def _times(kind: bytes, attributes: bytes) -> int:
    found = REPEATED[kind].search(attributes)
    return int(found[1]) if found else 1
