"""Tables that fit no mapping: the error that says what was found, in the headings of the file, and the way out."""

from collections.abc import Mapping, Sequence

from abaco.core.errors import InputError
from abaco.core.quoting import shown, visible
from abaco.ingest import extent, mappings, workbooks
from abaco.ingest.extent import Fits, Row
from abaco.ingest.recognition import UnknownFormatError, recognise

MAX_COLUMNS, MAX_HEADING = 5_000, 1_000  # of an export; a workbook has 16,384 at most
ROWS_BELOW = 100  # that show whether a row is a header


class UnknownTable:
    """Makes the errors for tables that fit no mapping.

    Parameters
    ----------
    known
        All mappings by name.
    fits
        Whether a header is that of one of them.
    """

    def __init__(self, known: Mapping[str, mappings.Mapping], fits: Fits):
        self._mappings, self._fits = known, fits

    def error(self, name: str, rows: Sequence[Row], place: str = "") -> InputError:
        """Return the error for a table whose header is not known: the row that looks like one, and its shape."""
        name = shown(name, is_known=False)
        filled = next(((line, row) for line, row in rows if any(map(str.strip, row))), None)
        likely = extent.likely(rows)
        if filled is None or (likely is None and filled != rows[0]):
            return InputError(f"{name} has no header line: the first line must name the columns")
        line, cells = (likely.line, likely.headings) if likely else filled
        if len(cells) > MAX_COLUMNS:
            return InputError(f"{name} has {len(cells):,} columns, more than {MAX_COLUMNS:,}: export the ones of loans")
        if (longest := max(map(len, cells))) > MAX_HEADING:
            return InputError(f"{name} has a heading of {longest:,} characters: the first line must name the columns")
        if sideways := extent.find(extent.transposed(rows[: extent.MAX_ABOVE]), self._fits):
            return UnknownFormatError(
                f"{name}{place} stands on its side, with its headings in column {sideways.line}: transpose it, or "
                "draft a mapping of it, make map INPUT=…"
            )
        where = f"{name}{place}{f', line {line},' if line > 1 else ''}"
        below = [row for number, row in rows if number > line][:ROWS_BELOW]
        try:
            found = recognise([visible(cell) for cell in cells], where, below, self._mappings)
        except InputError as error:
            wide = extent.months(cells)
            hint = f"; it has a column for each month ({', '.join(wide[:2])} …), of which the draft makes rows"
            is_of_loans = isinstance(error, UnknownFormatError) and error.is_of_loans
            return UnknownFormatError(f"{error}{hint if wide else ''}", is_of_loans)
        said = {key: getattr(self._mappings[found], key) for key in ("sheet", "header_row", "transposed")}
        keys = ", ".join(f"{key}: {value}" for key, value in said.items() if value)
        return UnknownFormatError(
            f"{where} has the headings of {mappings.FOLDER}/{found}.yml, which looks for them elsewhere ({keys}): "
            "correct the mapping, or the file"
        )

    def error_of_sheets(self, name: str, sheets: Sequence[workbooks.Sheet]) -> InputError:
        """Return the error for a workbook without a known sheet: that of the sheet that looks most like a table."""
        best = max(sheets, key=lambda sheet: (extent.likely(sheet.rows) is not None, _cells(sheet)))
        if len(sheets) == 1:
            return self.error(name, best.rows)
        names = ", ".join(shown(sheet.name, is_known=False) for sheet in sheets)
        return self.error(name, best.rows, f" (sheet {shown(best.name, is_known=False)} of {names})")


def _cells(sheet: workbooks.Sheet) -> int:
    return sum(bool(cell.strip()) for _, row in sheet.rows for cell in row)
