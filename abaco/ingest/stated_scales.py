"""Scales that a table states beside its headings: above and below it, and in the names of its file and sheet."""

import csv
import re
from collections.abc import Iterable, Iterator, Sequence

from abaco.core.errors import InputError
from abaco.ingest.extent import MAX_BELOW, Row, whole_lines
from abaco.ingest.scales import scales_in

FEW = 2  # cells that a note has at most: one, or two with a comma in it


def check_scale(place: str, texts: Iterable[str]) -> None:
    """Raise when a title, a note or a name says that amounts are in thousands or cents."""
    if scales := scales_in(whole_texts(texts)):
        raise InputError(
            f"{place} says that amounts are in {' or '.join(scales)}: write whole amounts, or draft a mapping that "
            "multiplies them, or takes them as whole, make map INPUT=…"
        )


def whole_texts(cells: Iterable[str]) -> list[str]:
    """Return the texts of a row of which a comma within a number, without quotes, may have parted one.

    Examples
    --------
    >>> whole_texts(["Unit: 1", "000", "", "December"])
    ['Unit: 1,000', '', 'December']
    """
    found: list[str] = []
    for cell in cells:
        if found and re.search(r"\d$", found[-1]) and re.match(r"\d{3}(?!\d)", cell):
            found[-1] += f",{cell}"
        else:
            found.append(cell)
    return found


def names_of(file: str, sheet: str | None) -> tuple[str, ...]:
    """Return the names of a table in which a scale may stand: a sheet may be called by the scale alone."""
    return (file, f"({sheet})") if sheet else (file,)


def last_rows(tail: str, delimiter: str, lines: int) -> list[Row]:
    """Return the last rows of a text, of one line each.

    Parameters
    ----------
    lines
        How many the text has.
    """
    found = whole_lines(tail)[-MAX_BELOW:]
    first = lines - len(found) + 1
    return [(line, next(csv.reader([text], delimiter=delimiter), [])) for line, text in enumerate(found, first)]


def notes_in(rows: Sequence[Row], line: int, width: int) -> Iterator[Row]:
    """Yield what may be notes below a table: rows of one cell, or two, of many.

    Parameters
    ----------
    line
        The last line of the header.
    width
        How many headings the table has.

    Examples
    --------
    >>> rows = [(1, ["id", "on", "pos", "dpd"]), (2, ["L1", "", "5", "0"]), (3, ["in thousands", "", "", ""])]
    >>> list(notes_in(rows, 1, 4))
    [(3, ['in thousands'])]
    """
    for number, cells in rows:
        filled = [cell for cell in cells if cell.strip()]
        if number > line and filled and len(filled) <= FEW and 2 * len(filled) <= width:
            yield number, filled
