"""Candidates: the tables that a file may hold, for somebody who describes them in a mapping.

Of the cells, only those of a row that stands above values, as headings do, are given.
"""

import contextlib
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from abaco.engines.base import PrivateFiles
from abaco.ingest import extent, workbooks
from abaco.ingest.containers import TableFile, unpacked
from abaco.ingest.extent import Header, Row
from abaco.ingest.inspection import Inspector

TABLE, SIDEWAYS, MONTHS = "table", "sideways", "months"


@dataclass(frozen=True)
class Candidate:
    """A table that a file may hold.

    Parameters
    ----------
    file, sheet
        Where it lies.
    headings
        Its headings, as they stand; none where no row looks like a header.
    first_line, header_rows
        The line, from 1, of its header (of two rows the second one), 0 where there is none, and how many rows it has.
    first_column
        The number, from 1, of the first column with a heading.
    rows
        How many lines follow its header; None where only reading the file would tell.
    shape
        ``table``; ``sideways`` where the headings are in a column; ``months`` where each month has columns of its own.
    """

    file: TableFile
    sheet: str | None
    headings: tuple[str, ...]
    first_line: int
    header_rows: int
    first_column: int
    rows: int | None
    shape: str


def of_file(table: TableFile, inspector: Inspector) -> list[Candidate]:
    """Return the tables that a file may hold, the one with most headings first; hidden sheets are not looked at.

    Raises
    ------
    InputError
        When the file is broken.
    """
    with contextlib.closing(PrivateFiles(tempfile.gettempdir())) as private:
        if table.kind == "csv":
            _, form, rows = inspector.read_text(table)
            last = form["lines"] - len(extent.lines_below(form["tail"], form["delimiter"]))
            return [_candidate(table, None, rows, last, inspector)]
        if table.kind in workbooks.KINDS:
            path = unpacked(table, private, "unpacked")
            found = _of_sheets(table, path, inspector)
            return sorted(found, key=lambda one: -len(one.headings))
        headings, _ = inspector.read_typed(table, private)
        return [Candidate(table, None, tuple(headings), 1, 1, 1, None, _shape(headings))]


def _of_sheets(table: TableFile, path: Path, inspector: Inspector) -> list[Candidate]:
    sheets, _ = workbooks.visible_sheets(workbooks.Workbook(path, table.kind, table.name))
    return [_candidate(table, one.name, one.rows, one.last_line or one.end, inspector) for one in sheets]


def _candidate(table: TableFile, sheet: str | None, rows: Sequence[Row], last: int, inspector: Inspector) -> Candidate:
    upright = extent.find(rows, inspector.fits) or extent.likely(rows)
    aside = extent.transposed(rows[: extent.MAX_ABOVE])
    sideways = None if upright else extent.find(aside, inspector.fits) or extent.likely(aside)
    header = upright or sideways or Header([], 0, 0)
    first = next((n for n, heading in enumerate(header.headings, 1) if heading.strip()), 1)
    if sideways:
        return Candidate(table, sheet, tuple(header.headings), first, 1, header.line, len(rows), SIDEWAYS)
    count = max(last - header.line, 0)
    return Candidate(
        table, sheet, tuple(header.headings), header.line, header.rows, first, count, _shape(header.headings)
    )


def _shape(headings: Sequence[str]) -> str:
    return MONTHS if extent.months(headings) else TABLE
