"""Lines of a text file: whether each holds a whole record, and where a record stands in the file."""

import csv
from collections.abc import Iterable
from pathlib import Path

from abaco.sources import CHUNK, Source


def is_whole(source: Source, total: int, broken_text: Iterable[str]) -> bool:
    """Return whether every record has as many delimiters as the header, as far as counting can tell.

    DuckDB drops a surplus empty field at a line's end, and with it the proof that the line's columns have shifted.

    Parameters
    ----------
    total
        Records that could be split into columns.
    broken_text
        The lines that could not.
    """
    if source.delimiters is None:
        return True
    in_broken = sum(part.count(source.delimiter) for line in broken_text for part in line.split('"')[::2])
    return source.delimiters - in_broken == (len(source.headings) - 1) * (total + 1)


def split_lines(source: Source, text: Path, work: Path) -> tuple[Path, list[tuple[int, str]]]:
    """Write a copy of a text file with its whole lines only, and return it with the number and fault of the others.

    One record after the other, so slower by far: for files in which `is_whole` found something wrong.
    """
    copy, broken, width = work / f"{text.name}.whole.csv", [], len(source.headings)
    with (
        text.open(encoding="utf-8-sig", newline="") as old,
        copy.open("w", encoding="utf-8", newline="") as new,
    ):
        reader, writer, end = (
            csv.reader(old, delimiter=source.delimiter),
            csv.writer(new, delimiter=source.delimiter),
            0,
        )
        for row in reader:
            start, end = end + 1, reader.line_num
            if len(row) == width:
                writer.writerow(row)
            elif row:
                broken.append((start, "too many columns" if len(row) > width else "missing columns"))
    return copy, broken


def broken_line_numbers(text: Path, positions: list[int]) -> list[int]:
    """Return the line, from 1, at each byte position (ascending) of a text file."""
    numbers, line, offset = [], 1, 0
    with text.open("rb") as file:
        for position in positions:
            while offset < position:
                chunk = file.read(min(CHUNK, position - offset))
                line, offset = line + chunk.count(b"\n"), offset + len(chunk)
            numbers.append(line)
    return numbers


def line_numbers(
    source: Source, text: Path, records: list[int], total: int, broken: list[int]
) -> dict[int, int]:
    """Return the line, from 1, of each record of a text file.

    Parameters
    ----------
    records
        Positions, from 0, among the `total` records that could be split into columns.
    broken
        Lines that could not be split, ascending.
    """
    if source.lines == 1 + total + len(
        broken
    ):  # a line a record: no blank lines, no line breaks within quotes
        numbers = {}
        before = 0
        for record in sorted(records):
            while before < len(broken) and broken[before] <= record + 2 + before:
                before += 1
            numbers[record] = record + 2 + before
        return numbers
    numbers, wanted, record, skip = {}, set(records), -1, set(broken)
    with text.open(encoding="utf-8", newline="") as file:
        reader, end = csv.reader(file, delimiter=source.delimiter or ","), 0
        for row in reader:
            start, end = end + 1, reader.line_num
            if start == 1 or not row or len(row) != len(source.headings) or start in skip:
                continue
            record += 1
            if record in wanted:
                numbers[record] = start
            if len(numbers) == len(wanted):
                break
    return numbers
