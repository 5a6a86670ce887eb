"""Workbooks of Excel 97 and OpenDocument, read in a process of their own.

Their reader ends its process where a damaged file makes it ask for more memory than there is, and tells it otherwise on
the screen of the user. Run as a program, this module reads a workbook and writes a line of JSON per sheet.
"""

import io
import json
import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from python_calamine import CalamineWorkbook, SheetVisibleEnum

TIMEOUT_SECONDS = 600  # the largest sheets take one minute
THREE_DECIMALS = re.compile(r"^-?[1-9]\d{0,2}\.\d{3}$")


@dataclass(frozen=True)
class TextSheet:
    """A sheet as text, with what the reader of workbooks tells of one: all rows, from the first row and column on."""

    name: str
    is_visible: bool
    start: tuple[int, int]
    rows: list[list[str]]

    @property
    def end(self) -> tuple[int, int]:
        """Row and column, from 0, of the last cell."""
        return len(self.rows) - 1, self.start[1] + self.width - 1

    @property
    def width(self) -> int:
        """How many columns it has."""
        return max(map(len, self.rows), default=0)

    def iter_rows(self) -> Iterator[list[str]]:
        """Return the rows, those above the first cell too."""
        return iter(self.rows)


def sheets(path: Path) -> list[TextSheet]:
    """Return the sheets with cells of a workbook.

    Raises
    ------
    ValueError
        When it cannot be read.
    """
    with path.open("rb") as file:
        try:
            done = subprocess.run(
                [sys.executable, "-m", "abaco.ingest.workbook_process"],
                stdin=file, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=TIMEOUT_SECONDS, check=True,
            )  # fmt: skip
        except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
            raise ValueError(f"the reader ended: {error}") from error
    return [TextSheet(**json.loads(line)) for line in done.stdout.splitlines()]


def text_of(cell: Any) -> str:
    """Return a cell as text, as Excel would show it without a format."""
    if not isinstance(cell, float):
        return str(cell)
    # Excel has only floats: 1001 comes as 1001.0
    text = str(int(cell)) if cell.is_integer() else str(cell)
    # nor does it group by thousands: a fourth decimal says that the point is none of a text such as 1.125
    return f"{text}0" if THREE_DECIMALS.match(text) else text


def _main() -> None:
    book = CalamineWorkbook.from_filelike(io.BytesIO(sys.stdin.buffer.read()))
    for meta in book.sheets_metadata:
        sheet = book.get_sheet_by_name(meta.name)
        if sheet.height:
            rows = [[text_of(cell) for cell in row] for row in sheet.iter_rows()]
            visible = meta.visible == SheetVisibleEnum.Visible
            found = {"name": meta.name, "is_visible": visible, "start": sheet.start, "rows": rows}
            sys.stdout.write(json.dumps(found) + "\n")


if __name__ == "__main__":
    _main()
