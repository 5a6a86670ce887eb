"""Tables of other shapes: transposed ones, and histories with columns for each month, as a row per loan and month."""

import calendar
import csv
import re
from collections.abc import Iterable, Iterator, Sequence
from itertools import zip_longest
from pathlib import Path

from abaco.core.errors import InputError
from abaco.ingest.extent import MONTH

TRANSPOSED, WIDE = "transposed", "wide"
MONTH_HEADING, VALUE_HEADING = "month", "value"  # what a wide table calls its months, and what has no other heading
MAX_TRANSPOSED = 1 << 26  # bytes; it is turned in memory
MONTHS = (
    "jan ene", "feb fev", "mar", "apr abr", "may mai", "jun", "jul", "aug ago", "sep set", "oct out", "nov",
    "dec dic dez",
)  # fmt: skip
NUMBERS = {name: number for number, names in enumerate(MONTHS, 1) for name in names.split()}
AROUND = " -_/.:()[]'"


def month_in(heading: str) -> str | None:
    """Return the date that a heading names, of a month its last day; None: it names no month of a year.

    Examples
    --------
    >>> [month_in(text) for text in ("Balance 2025-11", "DPD Nov-25", "Saldo dez/2025", "20251115", "nov", "Loan 7")]
    ['2025-11-30', '2025-11-30', '2025-12-31', '2025-11-15', None, None]
    """
    found = MONTH.search(heading)
    if not found:
        return None
    text, digits = found[0].lower(), re.sub(r"\D", "", found[0])
    if name := re.match(r"[^\W\d_]{3}", text):
        digits = digits and f"{digits if len(digits) == 4 else f'20{digits}'}{NUMBERS[name[0]]:02}"
    elif not text.startswith(("19", "20")):
        digits = digits[2:] + digits[:2]
    if not digits:
        return None
    year, month, day = int(digits[:4]), int(digits[4:6]), int(digits[6:8] or 31)
    return f"{year}-{month:02}-{min(day, calendar.monthrange(year, month)[1]):02}"


def long_headings(headings: Sequence[str]) -> list[str] | None:
    """Return the headings of a wide table as one with a row per loan and month; None: it is not one.

    What stands beside a month in the headings is the heading of a column. The last column has the line of each row.

    Examples
    --------
    >>> long_headings(["Loan", "Balance 2025-10", "DPD 2025-10", "Balance 2025-11", "DPD 2025-11"])
    ['Loan', 'month', 'Balance', 'DPD', '']
    >>> long_headings(["Loan", "Lent 2025-10"])
    """
    fixed, columns = _parted(headings)
    if len({month for month, _ in columns.values()}) < 2:
        return None
    return [*(headings[i] for i in fixed), MONTH_HEADING, *dict.fromkeys(stem for _, stem in columns.values()), ""]


def _parted(headings: Sequence[str]) -> tuple[list[int], dict[int, tuple[str, str]]]:
    """Return the positions of the headings without a month, and month and rest of each other one."""
    months = {i: (month, _stem(heading)) for i, heading in enumerate(headings) if (month := month_in(heading))}
    return [i for i in range(len(headings)) if i not in months], months


def _stem(heading: str) -> str:
    return " ".join(MONTH.sub(" ", heading, count=1).strip(AROUND).split()) or VALUE_HEADING


def long_rows(rows: Iterator[list[str]], first_line: int) -> Iterator[list[str]]:
    """Yield a wide table as one with a row per loan and month, header first; months in which a row is blank are none.

    Parameters
    ----------
    first_line
        The line of the header.
    """
    header = next(rows)
    yield long_headings(header)
    fixed, columns = _parted(header)
    stems = list(dict.fromkeys(stem for _, stem in columns.values()))
    places: dict[str, dict[str, int]] = {}
    for place, (month, stem) in columns.items():
        places.setdefault(month, {})[stem] = place
    for line, row in enumerate(rows, first_line + 1):
        row = [*row, *[""] * (len(header) - len(row))]
        for month, of_month in sorted(places.items()):
            cells = [row[of_month[stem]] if stem in of_month else "" for stem in stems]
            if any(map(str.strip, cells)):
                yield [*(row[i] for i in fixed), month, *cells, str(line)]


def turned_rows(rows: Iterable[Sequence[str]], first: int) -> Iterator[Sequence[str]]:
    """Yield the columns of a table as its rows, from a column on, without those that are blank."""
    columns = zip_longest(*rows, fillvalue="")
    return (column for i, column in enumerate(columns, 1) if i >= first and any(map(str.strip, column)))


def write(shape: str, table: Path, delimiter: str, first: int, target: Path) -> None:
    """Write a table of another shape as CSV, a row per loan, or per loan and month.

    Parameters
    ----------
    table
        The table as CSV in UTF-8: of a wide one from its header on, of a transposed one whole.
    first
        The line of the header, or of a transposed table its column.

    Raises
    ------
    InputError
        When a transposed table is too large to be turned.
    """
    if shape == TRANSPOSED and table.stat().st_size > MAX_TRANSPOSED:
        raise InputError("A table with its loans in columns is too large to be turned: transpose it")
    with table.open(encoding="utf-8-sig", newline="") as old, target.open("w", encoding="utf-8", newline="") as new:
        rows = csv.reader(old, delimiter=delimiter)
        made = turned_rows(rows, first) if shape == TRANSPOSED else long_rows(rows, first)
        csv.writer(new, delimiter=delimiter, lineterminator="\n").writerows(made)
