"""Lines of a text file: whether each holds a whole record, where it stands in the file, and amounts that it cuts."""

import csv
import re
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from pathlib import Path

from abaco.core.errors import InputError
from abaco.core.quoting import visible
from abaco.ingest.columns import normalise
from abaco.ingest.mappings import Mapping
from abaco.ingest.reshaping import WIDE
from abaco.ingest.sources import Source

OUT_OF_PLACE = "a quote is out of place or never closed"
TOO_LONG = f"a cell has more than {csv.field_size_limit():,} characters"
# The two cells of an amount such as 1,000 without quotes, and in how many rows they stand at least.
UNQUOTED, LEAST = (re.compile(r"-?[1-9]\d{0,2}"), re.compile(r"\d{3}(?:\.\d+)?")), 2
FEWEST = 5  # columns of a file in which an address of two lines has not as many commas as a row


class _Lines:
    """Lines of an open file, some of which can be given back."""

    def __init__(self, file):
        self._file, self._waiting, self.taken = file, deque(), []

    def __iter__(self):
        return self

    def __next__(self):
        self.taken.append(self._waiting.popleft() if self._waiting else next(self._file))
        return self.taken[-1]

    def give_back_all_but_first(self):
        self._waiting.extendleft(reversed(self.taken[1:]))
        del self.taken[1:]


def records(source: Source, text: Path) -> Iterator[tuple[int, list[str], str | None]]:
    """Yield the line, the fields and the fault, if any, of each record of a text file, the header first.

    Blank lines are none. A quote that is never closed costs its own line only, not all that follow.

    Parameters
    ----------
    text
        Where the text is in UTF-8, from the header on. Of a workbook, rows are counted instead of lines.

    Raises
    ------
    InputError
        When a quote swallows whole rows.
    """
    width, line = len(source.headings), source.first_line
    with text.open(encoding="utf-8-sig", newline="") as file:
        lines = _Lines(file)
        reader = csv.reader(lines, delimiter=source.delimiter or ",", strict=True)
        while True:
            lines.taken.clear()
            try:
                fields, fault = next(reader), None
                if len(lines.taken) > 1 and source.kind == "csv" and not source.shape:
                    _check_swallowed(source, line, fields)
                if len(fields) != width:
                    fault = "too many columns" if len(fields) > width else "missing columns"
            except StopIteration:
                return
            except csv.Error:
                is_long = max(map(len, lines.taken)) > csv.field_size_limit()
                lines.give_back_all_but_first()
                fields, fault = lines.taken[:], TOO_LONG if is_long else OUT_OF_PLACE
            if fields:
                # rows of a wide table end with their line
                yield int(fields[-1]) if source.shape == WIDE and fields[-1].isdigit() else line, fields, fault
            line += 1 if source.is_workbook or source.shape else len(lines.taken)


def _check_swallowed(source: Source, line: int, fields: Sequence[str]) -> None:
    """Raise when the lines of a cell have delimiters as if it began in one row of the file and ended in another."""
    width = len(source.headings)
    for place, cell in enumerate(fields if width >= FEWEST else ()):
        first, *between = [part.count(source.delimiter or ",") for part in cell.splitlines()] or [0]
        last = between.pop() if between else 0
        if max(between, default=0) >= width - 1 or (first, last) == (width - 1 - place, place):
            at = line + sum(len(before.splitlines()) - 1 for before in fields[:place] if before)
            raise InputError(
                f"{source.name}: a quote opens in line {at} and closes in another row: take it out, or "
                "export the file again with every quote within a text doubled"
            )


def is_whole(source: Source, total: int, broken: Iterable[str]) -> bool:
    """Return whether a text file is fully accounted for, as far as counting lines and delimiters can tell.

    DuckDB drops a surplus empty field at a line's end, and with it the proof that the columns have shifted;
    and it takes all that follows a quote that is never closed for one broken line.

    Parameters
    ----------
    total
        Records that could be split into columns.
    broken
        The lines that could not.
    """
    if source.delimiters is None:
        return True
    broken = list(broken)
    if broken and source.lines != source.first_line + total + len(broken):
        return False
    in_broken = sum(part.count(source.delimiter) for line in broken for part in line.split('"')[::2])
    return source.delimiters - in_broken == (len(source.headings) - 1) * (total + 1)


def split_lines(source: Source, text: Path, copy: Path) -> tuple[int, list[tuple[int, str]]]:
    """Write a copy of a text file with its whole records only.

    One record after the other, so slower by far: for files in which `is_whole` found something wrong.

    Returns
    -------
    tuple
        How many records the copy holds, and line and fault of each other record.
    """
    broken, written = [], -1
    with copy.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=source.delimiter, lineterminator="\n")
        for line, fields, fault in records(source, text):
            if fault:
                broken.append((line, fault))
            else:
                writer.writerow(fields)
                written += 1
    return written, broken


def excerpt(text: Path, wanted: list[int], copy: Path) -> None:
    """Write a copy of a text file with its first line and the wanted ones, ascending, each a whole record."""
    among = {1, *wanted}
    with text.open("rb") as old, copy.open("wb") as new:
        new.writelines(line for number, line in enumerate(islice(old, max(among)), 1) if number in among)


def line_numbers(source: Source, text: Path, wanted: list[int], total: int, broken: list[int]) -> dict[int, int]:
    """Return the line, from 1, of each wanted record of a text file.

    Parameters
    ----------
    wanted
        Positions, from 0, among the `total` records that could be split into columns.
    broken
        Lines that could not be split, ascending.
    """
    if not wanted:
        return {}
    if source.lines == source.first_line + total + len(
        broken
    ):  # a line a record: no blank lines, no line breaks within quotes
        return _counted(wanted, broken, source.first_line + 1)
    whole = (line for line, _, fault in records(source, text) if not fault)
    next(whole)
    up_to_last = enumerate(islice(whole, max(wanted) + 1))
    among = set(wanted)
    return {position: line for position, line in up_to_last if position in among}


def _counted(wanted: list[int], broken: list[int], first: int) -> dict[int, int]:
    numbers, before = {}, 0
    for record in sorted(wanted):
        while before < len(broken) and broken[before] <= record + first + before:
            before += 1
        numbers[record] = record + first + before
    return numbers


def check_unquoted(mapping: Mapping, named: Sequence[str], rows: Sequence[Sequence[str]], name: str) -> None:
    """Raise when the rows of a text with commas that reach to a column without a heading have an amount in two cells.

    Parameters
    ----------
    named
        The headings.
    rows
        The first rows below.
    """
    if not mapping.is_known or not named or named[-1].strip():
        return
    given, kinds = mapping.known.assign([*map(normalise, named)]), {c.name: c.kind for c in mapping.format.columns}
    wide = [row for row in rows if len(row) == len(named) and row[-1].strip()]
    for place in (place for column, place in given.items() if kinds[column] == "amount" and len(wide) >= LEAST):
        cells = [(row[place].strip(), row[place + 1].strip()) for row in wide]
        if all(UNQUOTED[0].fullmatch(first) and UNQUOTED[1].fullmatch(rest) for first, rest in cells):
            raise InputError(
                f"{name} has commas within amounts of {visible(named[place]).strip()}, which are not in quotes: "
                "export it again with amounts in quotes, or with semicolons"
            )
