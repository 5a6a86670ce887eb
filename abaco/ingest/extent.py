"""Where the table is in a file: rows above its header, a header in two rows, what stands below, and other shapes."""

import csv
import io
import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from itertools import islice, pairwise, takewhile

from abaco.core.quoting import is_value
from abaco.ingest.columns import normalise

DELIMITERS = (",", ";", "\t", "|", "^", "~", "\x01", "\x1f")
MAX_ABOVE = 50  # rows that may stand above a header
MAX_BELOW = 50  # rows that may stand below a table
SEP_LINE = re.compile(r"\ufeff?sep=(.)\r?\n", re.IGNORECASE)
# How a line begins that stands below a table, alone in its row.
BELOW = re.compile(
    r"[\s\"*=_-]*(?:(?:grand |sub)?totals?\b|total general|sources?\b|fuentes?\b|notes?\b|notas?\b|generated|generado"
    r"|printed|impreso|prepared by|elaborado por|report\b|reporte\b|informe\b|end of|fin de|page \d|página \d"
    r"|confidential|confidencial|records?\b|registros?\b|rows?\b|filas?\b|\d+ (?:records|rows|registros|filas)\b)",
    re.IGNORECASE,
)
WORD = re.compile(r"[^\W\d_]{2,}")
FEW_WORDS = 4  # of a sentence, which is the number of no loan
MONTH = re.compile(
    r"(?<!\d)(?:19|20)\d\d[-_./ ]?(?:0[1-9]|1[0-2])(?:[-_./ ]?[0-3]\d)?(?!\d)"
    r"|(?<!\d)(?:0[1-9]|1[0-2])[-_./ ](?:19|20)\d\d(?!\d)"
    r"|(?<![^\W\d_])(?:jan(?:uary|eiro)?|ene(?:ro)?|feb(?:ruary|rero)?|fev(?:ereiro)?|mar(?:ch|zo|[cç]o)?|apr(?:il)?"
    r"|abr(?:il)?|mayo?|maio?|june?|jun[ih]o|july?|jul[ih]o|aug(?:ust)?|ago(?:sto)?|sept?(?:ember|iembre)?"
    r"|set(?:iembre|embro)?|oct(?:ober|ubre)?|outubro|out(?=[-_./' ]*\d)|nov(?:ember|iembre|embro)?|dec(?:ember)?"
    r"|dic(?:iembre)?|dez(?:embro)?)[-_./' ]*(?:\d\d){0,2}(?![^\W_])",
    re.IGNORECASE,
)
FEW_MONTHS, FEW_CELLS = 3, 3
Row = tuple[int, list[str]]  # the line, from 1, and the cells


@dataclass(frozen=True)
class Header:
    """The header of a table: its headings, its last line, from 1, and how many lines it has."""

    headings: list[str]
    line: int
    rows: int = 1


Fits = Callable[[Header], bool]  # whether a header is known


def rows_of(text: str, delimiter: str, limit: int | None = None) -> list[Row]:
    """Return the rows of a text with their first lines, up to one with a quote that is never closed."""
    reader, found, line = csv.reader(io.StringIO(text, newline=""), delimiter=delimiter), [], 1
    with suppress(csv.Error):
        for row in islice(reader, limit):
            found.append((line, row))
            line = reader.line_num + 1
    return found


def find(rows: Sequence[Row], fits: Fits) -> Header | None:
    """Return the first header that is known, in one row or in two; None: there is none.

    Examples
    --------
    >>> find([(1, ["ACME"]), (2, ["id", "due"]), (3, ["1", "x"])], lambda header: "due" in header.headings)
    Header(headings=['id', 'due'], line=2, rows=1)
    """
    return next((header for header in _candidates(rows) if fits(header)), None)


def best(rows: Sequence[Row], score: Callable[[Header], int], least: int) -> Header | None:
    """Return the header with the highest score, in one row or in two, the first of those alike; None below `least`."""
    header = max(_candidates(rows), key=score, default=None)
    return header if header and score(header) >= least else None


def _candidates(rows: Sequence[Row]) -> Iterator[Header]:
    filled = [row for row in rows[:MAX_ABOVE] if any(map(str.strip, row[1]))]
    yield from (Header(cells, line) for line, cells in filled)
    for (_, upper), (line, lower) in pairwise(filled):
        if len(upper) == len(lower) >= FEW_CELLS:
            joined, named = _joined(upper, lower), [*map(normalise, lower)]
            yield Header(joined, line, 2)
            if any(one and named.count(one) > 1 for one in named):  # of which the upper row tells those alike apart
                pairs = zip(joined, lower, named, strict=True)
                yield Header([one if named.count(name) > 1 else cell for one, cell, name in pairs], line, 2)


def _joined(upper: Sequence[str], lower: Sequence[str]) -> list[str]:
    """Return the headings of two rows of which the upper one has merged cells.

    Examples
    --------
    >>> _joined(["Loan", "", "Balance"], ["id", "date", ""])
    ['Loan id', 'Loan date', 'Balance']
    """
    group, found = "", []
    for above, below in zip(upper, lower, strict=True):
        group = above.strip() or (group if below.strip() else "")
        found.append(f"{group} {below.strip()}".strip())
    return found


def above(rows: Sequence[Row], header: Header) -> list[Row]:
    """Return the rows with cells that stand above a header."""
    return [row for row in rows if row[0] <= header.line - header.rows and any(map(str.strip, row[1]))]


def is_separator(cells: Sequence[str]) -> bool:
    """Return whether a row is one of Excel's that says what separates the cells, such as ``sep=;``."""
    return bool(cells) and cells[0].lstrip("\ufeff").lower().startswith("sep=") and not any(cells[1:])


def delimiter_of(text: str, fits: Fits) -> str:
    """Return what separates the cells of a text: what its ``sep=`` line says, gives known headings, or even rows."""
    if declared := SEP_LINE.match(text):
        return declared[1]
    first = text.split("\n", 1)[0]
    some = sorted((d for d in DELIMITERS if d in text), key=first.count, reverse=True) or [","]
    rows = {delimiter: rows_of(text, delimiter, MAX_ABOVE + 10) for delimiter in some}
    known = next((d for d in some if find(rows[d], fits)), None)
    return known or (some[0] if some[0] in first else max(some, key=lambda d: _evenness(rows[d])))


def _evenness(rows: Sequence[Row]) -> int:
    widths = [len(row) for _, row in rows if len(row) > 1]
    return max(map(widths.count, widths), default=0)


def likely(rows: Sequence[Row]) -> Header | None:
    """Return the row that looks most like a header: words above values, as many cells as the rows have."""
    usual = sorted(sum(map(bool, map(str.strip, row))) for _, row in rows)
    width = usual[len(usual) * 3 // 4] if usual else 0
    for n, (line, cells) in enumerate(rows[:MAX_ABOVE]):
        filled = [cell for cell in cells if cell.strip()]
        is_full = len(filled) > 1 and 4 * len(filled) >= 3 * width
        if is_full and len({*map(normalise, filled)}) == len(filled) and not any(map(_is_cell, filled)):
            below = [row for _, row in rows[n + 1 :] if len(row) == len(cells)]
            if sum(_is_above_values(i, below) for i, cell in enumerate(cells) if cell.strip()) > 1:
                return Header(cells, line)
    return None


def _is_cell(text: str) -> bool:
    """Return whether a cell looks like a value, and not like the heading of a month."""
    return is_value(text) and not MONTH.search(text)


def _is_above_values(place: int, below: Iterable[Sequence[str]]) -> bool:
    cells = [row[place] for row in below if row[place].strip()]
    return len(cells) > 1 and sum(map(is_value, cells)) * 10 >= 9 * len(cells)


def transposed(rows: Sequence[Row]) -> list[Row]:
    """Return rows as they would be if columns were rows."""
    width = max((len(row) for _, row in rows), default=0)
    return [(i + 1, [row[i] if i < len(row) else "" for _, row in rows]) for i in range(min(width, 200))]


def months(headings: Iterable[str], least: int = FEW_MONTHS) -> list[str]:
    """Return the headings that name a month, where there are so many that each month has a column of its own.

    Examples
    --------
    >>> months(["Loan", "Balance 2025-10", "Balance 2025-11", "Balance 2025-12"])
    ['Balance 2025-10', 'Balance 2025-11', 'Balance 2025-12']
    """
    found = [heading.strip() for heading in headings if MONTH.search(heading)]
    return found if len({MONTH.search(heading)[0].lower() for heading in found}) >= least else []


def is_below(cells: Sequence[str]) -> bool:
    """Return whether a row may stand below a table: it is blank, or has one cell that is a sentence or begins like one.

    Examples
    --------
    >>> is_below(["Total amount funded in policy code 1: 1"]), is_below(["", ""]), is_below(["L010"])
    (True, True, False)
    >>> is_below(["Written-off loans are not in this list", ""]), is_below(["Written-off loans", ""])
    (True, False)
    """
    filled = [cell for cell in cells if cell.strip()]
    is_note = BELOW.match(cells[0]) or len(WORD.findall(cells[0])) >= FEW_WORDS if cells else False
    return not filled or (len(filled) == 1 and bool(cells[0].strip()) and bool(is_note))


def rows_below(rows: Sequence[Sequence[str]]) -> int:
    """Return how many of the last rows stand below the table; blank ones count only with others.

    Examples
    --------
    >>> rows_below([["L1", "2", "3"], ["", "", ""], ["Source: ledger", "", ""]]), rows_below([["L1", "2", "3"], [""]])
    (2, 0)
    """
    below = list(takewhile(is_below, reversed(rows)))[:MAX_BELOW]
    has_width = max(map(len, rows), default=0) >= FEW_CELLS
    return len(below) if has_width and any(any(map(str.strip, row)) for row in below) else 0


def whole_lines(tail: str) -> list[str]:
    """Return the last lines of a text that are records: quotes of one that goes over several lines do not close."""
    lines = tail.removesuffix("\n").split("\n")[1:]
    return list(takewhile(lambda line: line.count('"') % 2 == 0, reversed(lines)))[::-1]


def lines_below(tail: str, delimiter: str) -> list[str]:
    """Return the last lines of a text that stand below its table."""
    whole = whole_lines(tail)
    below = rows_below([next(csv.reader([line], delimiter=delimiter), []) for line in whole])
    return whole[len(whole) - below :]
