"""Inspection: what tables a file holds, where each begins and ends, and why one is not known."""

import contextlib
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from abaco import engines
from abaco.core.errors import InputError
from abaco.core.files import sha256
from abaco.core.quoting import is_value, shown, visible
from abaco.engines.base import PrivateFiles
from abaco.ingest import extent, json_lists, mappings, workbooks, worksheets
from abaco.ingest.columns import normalise
from abaco.ingest.containers import TableFile, unpacked
from abaco.ingest.extent import Header, Row
from abaco.ingest.fingerprint import decoded, fingerprint, first_rows, head
from abaco.ingest.recognition import UnknownFormatError, fitting, load_all, recognise
from abaco.ingest.sources import STAMPS, Source

MAX_COLUMNS, MAX_HEADING = 5_000, 1_000  # of an export; a workbook has 16,384 at most
ROWS_BELOW = 100  # that show whether a row is a header
Found = tuple[Header, dict[str, Any]]


class Inspector:
    """Finds the tables of files, one file after the other.

    Parameters
    ----------
    known
        Sources of an earlier inspection, as dicts: a file of the same size and times is not read again.
    """

    def __init__(self, known: Iterable[Mapping[str, Any]] = ()):
        self._mappings, self._hashes, self._known = load_all(), {}, defaultdict(list)
        for one in known:
            self._known[one["path"], one["member"], *(one[stamp] for stamp in STAMPS)].append(one)

    def tables(self, table: TableFile) -> list[Source]:
        """Return the tables of a file: one, or a sheet each.

        Raises
        ------
        UnknownFormatError
            When the file can be read, and has no table that is known.
        InputError
            When it cannot be read, or in two ways.
        """
        stat = table.path.stat()
        stamps = {"bytes": stat.st_size, "modified_ns": stat.st_mtime_ns, "changed_ns": stat.st_ctime_ns}
        if former := self._known.get((str(table.path), table.member, *stamps.values())):
            return [Source(**{**one, "headings": tuple(one["headings"])}) for one in former]
        if not stat.st_size:
            raise InputError(f"{table.name} is empty (0 bytes): export it again")
        with contextlib.closing(PrivateFiles(tempfile.gettempdir())) as private:
            if table.kind == "csv":
                found = [self._of_text(table)]
            elif table.kind in workbooks.KINDS:
                found = self._of_workbook(table, unpacked(table, private, "unpacked"))
            else:
                found = [self._of_typed(table, private)]
        return [self._source(table, header, {**stamps, **form}, len(found) > 1) for header, form in found]

    def _source(self, table: TableFile, header: Header, form: dict[str, Any], is_sheet: bool) -> Source:
        name = f"{table.name}/{shown(form['sheet'])}" if is_sheet else table.name
        headings = [visible(heading) for heading in header.headings]
        mapping_name = form.pop("mapping_name", None) or recognise(headings, name, among=self._mappings)
        mapping = self._mappings[mapping_name]
        if mapping.is_known and (repeated := mapping.known.repeated([normalise(h) for h in headings])):
            raise InputError(f"{name} has the column {repeated[0]} more than once: keep one of them")
        if "sha256" not in form:
            form["sha256"] = self._hashes[table.path] = self._hashes.get(table.path) or sha256(table.path)
        return Source(
            name=name, path=str(table.path), kind=table.kind, format_name=mapping.format.name, headings=tuple(headings),
            first_line=header.line, member=table.member, mapping_name=mapping_name,
            mapping_sha256=mappings.digest(mapping_name), **form,
        )  # fmt: skip

    def _of_text(self, table: TableFile) -> Found:
        """Return the header of a text, and how it is written."""
        sample, form, rows = self.read_text(table)
        header = extent.find(rows, self.fits)
        if header is None and rows and (name := self._without_header(table.name, rows[0][1])):
            headings = [str(number) for number in range(1, len(rows[0][1]) + 1)]
            form["delimiters"] += len(headings) - 1  # of the header that a copy gets
            return Header(headings, 0), {key: form[key] for key in form if key != "tail"} | {"mapping_name": name}
        if header is None:
            raise self._unknown(table.name, rows)
        above = decoded(sample, form["encoding"], "replace").split("\n")[: header.line - 1]
        below = extent.lines_below(form.pop("tail"), form["delimiter"])
        form["lines"] -= len(below)
        for text in ("\n".join(above), "\n".join(below)):
            form["delimiters"] -= sum(part.count(form["delimiter"]) for part in text.split('"')[::2])
        form |= {"below": len(below), "above": _above(table.name, rows, header)}
        return header, form | ({"last_line": form["lines"]} if below else {})

    def _without_header(self, file: str, cells: Sequence[str]) -> str | None:
        """Return the name of the mapping of a file without a header.

        Raises
        ------
        InputError
            When two are its.
        """
        names = [name for name, mapping in self._mappings.items() if mapping.is_of(file, cells)]
        if len(names) > 1:
            raise InputError(
                f"{file} fits the mappings {' and '.join(names)} alike: make without_header more exact in one"
            )
        return names[0] if names else None

    def read_text(self, table: TableFile) -> tuple[bytes, dict[str, Any], list[Row]]:
        """Return how a text begins, how it is written, and its first rows."""
        if not (sample := head(table)):
            raise InputError(f"{table.name} is empty (0 bytes): export it again")
        encoding = "utf-16" if sample.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
        form = fingerprint(table, extent.delimiter_of(decoded(sample, encoding, "replace"), self.fits))
        return sample, form, first_rows(sample, form["encoding"], form["delimiter"], table.name)

    def read_typed(self, table: TableFile, private: PrivateFiles) -> tuple[list[str], str | None]:
        """Return the columns of a Parquet or JSON file, and the keys that lead to its list of rows, if it has one."""
        path, rows_in = unpacked(table, private, "unpacked"), None
        if table.kind == "json" and (inner := json_lists.inner_list(path, table.name, self.fits)):
            path, rows_in = json_lists.written(path, inner, private.path("rows")), inner.name
        with engines.start() as engine:
            try:
                headings = engine.headings(path)
            except InputError as error:
                if path == table.path:
                    raise
                what = f"{table.name} cannot be read as {table.kind}"
                raise InputError(f"{what}: it is damaged, or of another kind; export it again") from error
        if table.kind == "json" and headings == ["json"]:
            raise UnknownFormatError(f"{table.name} holds no table: write a list of objects, one a row")
        return headings, rows_in

    def _of_workbook(self, table: TableFile, path: Path) -> list[Found]:
        """Return the header of each sheet that is read: the one that is known, or several that are different exports.

        Raises
        ------
        InputError
            When two sheets are the same kind of export, and not each named after a month, or none is known.
        """
        sheets, hidden = workbooks.visible_sheets(workbooks.Workbook(path, table.kind, table.name))
        found = [(sheet, header) for sheet in sheets if (header := extent.find(sheet.rows, self.fits))]
        if not found:
            raise self._unknown_sheets(table.name, sheets)
        alike = defaultdict(list)
        for sheet, header in found:
            mapping = self._mappings[recognise(header.headings, table.name, among=self._mappings)]
            alike[mapping.title].append(shown(sheet.name))
        for title, names in alike.items():
            if len(names) > 1 and len(extent.months(names, 2)) < len(names):
                raise InputError(
                    f"{table.name} has several sheets of {title}, {' and '.join(names[:2])}: keep the one that is "
                    "meant, or name each after its month"
                )
        is_1904 = table.kind == "xlsx" and worksheets.counts_from_1904(path)
        others = {"other_sheets": len(sheets) - len(found), "hidden_sheets": len(hidden)}
        tables = []
        for sheet, header in found:
            form = {"sheet": sheet.name, "last_line": sheet.last_line, "above": _above(table.name, sheet.rows, header)}
            form["is_1904"] = is_1904
            tables.append((header, form | ({} if tables else others)))
        return tables

    def _of_typed(self, table: TableFile, private: PrivateFiles) -> Found:
        """Return the columns of a Parquet or JSON file."""
        headings, rows_in = self.read_typed(table, private)
        if not self.fits(headings):
            raise self._unknown(table.name, [(1, headings)])
        return Header(headings, 1), {"rows_in": rows_in}

    def fits(self, headings: Sequence[str]) -> bool:
        """Return whether headings are those of an export."""
        if len(headings) > MAX_COLUMNS or max(map(len, headings), default=0) > MAX_HEADING:
            return False
        try:
            return fitting([normalise(visible(heading)) for heading in headings], "", self._mappings) is not None
        except InputError:
            return False

    def _unknown(self, name: str, rows: Sequence[Row], place: str = "") -> InputError:
        """Return the error for a table whose header is not known: the row that looks like one, and its shape."""
        filled = next(((line, row) for line, row in rows if any(map(str.strip, row))), None)
        likely = extent.likely(rows)
        if filled is None or (likely is None and filled != rows[0]):
            return InputError(f"{name} has no header line: the first line must name the columns")
        line, cells = (likely.line, likely.headings) if likely else filled
        if len(cells) > MAX_COLUMNS:
            return InputError(f"{name} has {len(cells):,} columns, more than {MAX_COLUMNS:,}: export the ones of loans")
        if (longest := max(map(len, cells))) > MAX_HEADING:
            return InputError(f"{name} has a heading of {longest:,} characters: the first line must name the columns")
        if sideways := extent.find(extent.transposed(rows[: extent.MAX_ABOVE]), self.fits):
            return UnknownFormatError(
                f"{name}{place} stands on its side, with its headings in column {sideways.line}: transpose it, so that "
                "each row is a loan"
            )
        where = f"{name}{place}{f', line {line},' if line > 1 else ''}"
        below = [row for number, row in rows if number > line][:ROWS_BELOW]
        try:
            recognise([visible(cell) for cell in cells], where, below, self._mappings)
        except InputError as error:
            wide = extent.months(cells)
            hint = f"; it has a column for each month ({', '.join(wide[:2])} …): write a row per loan and month"
            return UnknownFormatError(f"{error}{hint if wide else ''}")
        return UnknownFormatError(f"{where} fits no known format")

    def _unknown_sheets(self, name: str, sheets: Sequence[workbooks.Sheet]) -> InputError:
        """Return the error for a workbook without a known sheet: that of the sheet that looks most like a table."""
        best = max(sheets, key=lambda sheet: (extent.likely(sheet.rows) is not None, _cells(sheet)))
        if len(sheets) == 1:
            return self._unknown(name, best.rows)
        names = ", ".join(shown(sheet.name) for sheet in sheets)
        return self._unknown(name, best.rows, f" (sheet {shown(best.name)} of {names})")


def _cells(sheet: workbooks.Sheet) -> int:
    return sum(bool(cell.strip()) for _, row in sheet.rows for cell in row)


def _above(name: str, rows: Sequence[Row], header: Header) -> int:
    """Return how many rows with cells stand above a header.

    Raises
    ------
    InputError
        When one of them looks like a row of a table.
    """
    above = [row for row in extent.above(rows, header) if not extent.is_separator(row[1])]
    width = sum(bool(heading.strip()) for heading in header.headings)
    for line, cells in above:
        filled = [cell for cell in cells if cell.strip()]
        if 4 * len(filled) >= 3 * width and 2 * sum(map(is_value, filled)) >= len(filled):
            raise InputError(
                f"{name}: line {line} looks like a row of a table, and stands above the header in line {header.line}: "
                "keep one table in the file, with its header above its rows"
            )
    return len(above)
