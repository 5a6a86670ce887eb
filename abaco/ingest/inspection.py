"""Inspection: what tables a file holds, where each begins and ends, and why one is not known."""

import contextlib
import tempfile
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from pathlib import Path
from typing import Any

from abaco import engines
from abaco.core.errors import InputError
from abaco.core.files import sha256
from abaco.core.quoting import is_value, shown, visible
from abaco.engines.base import PrivateFiles, UnreadableError
from abaco.ingest import cell_dates, extent, json_lists, mappings, rate_periods, reshaping, said_currencies, workbooks
from abaco.ingest.columns import normalise
from abaco.ingest.containers import TableFile, unpacked
from abaco.ingest.credit_columns import check_balances
from abaco.ingest.csv_records import check_unquoted
from abaco.ingest.extent import Header, Row
from abaco.ingest.fingerprint import SAMPLE, decoded, fingerprint, first_rows, head
from abaco.ingest.recognition import UnknownFormatError, fitting, load_all, recognise
from abaco.ingest.sources import STAMPS, Source
from abaco.ingest.stated_scales import check_scale, last_rows, names_of, notes_in
from abaco.ingest.unknown_tables import MAX_COLUMNS, MAX_HEADING, UnknownTable

Found = tuple[Header, dict[str, Any]]
FIRST_ROWS = 100  # of a Parquet or JSON file, by which its columns are known


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
            return [Source.from_dict(one) for one in former]
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
        mapping = self._mappings[form["mapping_name"]]
        if mapping.is_known and (repeated := mapping.known.repeated([normalise(h) for h in headings])):
            raise InputError(f"{name} has the column {repeated[0]} more than once: keep one of them")
        if "sha256" not in form:
            form["sha256"] = self._hashes[table.path] = self._hashes.get(table.path) or sha256(table.path)
        source = Source(
            name=name, path=str(table.path), kind=table.kind, format_name=mapping.format.name, member=table.member,
            headings=tuple(reshaping.long_headings(headings) if mapping.wide else headings), first_line=header.line,
            mapping_sha256=mappings.digest(form["mapping_name"]), **form,
        )  # fmt: skip
        source.check_mentioned()
        return source

    def _of_text(self, table: TableFile) -> Found:
        """Return the header of a text, and how it is written."""
        sample, form, rows = self.read_text(table)
        tail = form.pop("tail")
        if header := extent.find(rows, self.fits):
            above = decoded(sample, form["encoding"], "replace").split("\n")[: header.line - 1]
            below = extent.lines_below(tail, form["delimiter"])
            form["last_rows"] = last_rows(tail, form["delimiter"], form["lines"])
            form["lines"] -= len(below)
            for text in ("\n".join(above), "\n".join(below)):
                form["delimiters"] -= sum(part.count(form["delimiter"]) for part in text.split('"')[::2])
            form |= {"below": len(below)} | ({"last_line": form["lines"]} if below else {})
            return self._placed(table.name, header, form, rows)
        if rows and (name := self._without_header(table.name, rows[0][1])):
            headings = [str(number) for number in range(1, len(rows[0][1]) + 1)]
            form["delimiters"] += len(headings) - 1  # of the header that a copy gets
            return Header(headings, 0), form | {"mapping_name": name}
        if header := self._sideways(rows):
            if len(sample) >= SAMPLE:
                raise InputError(f"{table.name} has its loans in columns, and is too large to be turned: transpose it")
            return self._placed(table.name, header, form | {"shape": reshaping.TRANSPOSED}, rows)
        raise UnknownTable(self._mappings, self.fits).error(table.name, rows)

    def _placed(
        self, name: str, header: Header, form: dict[str, Any], rows: Sequence[Row] = (), left: int = 0
    ) -> Found:
        """Return a header and how its table is written, with what its mapping says of it.

        Parameters
        ----------
        rows
            The first rows of the file.
        left
            The position of their first column.
        """
        is_column = form.get("shape") == reshaping.TRANSPOSED
        among = self._among(header, form.get("sheet"), is_column)
        form["mapping_name"] = recognise([visible(heading) for heading in header.headings], name, among=among)
        mapping, last = self._mappings[form["mapping_name"]], form.pop("last_rows", ())
        if mapping.is_known:
            check_scale(f"{name}: its name", names_of(name, form.get("sheet")))
        if not is_column:
            form["above"] = _above(name, rows, header, is_certain=mapping.header_row is not None)
            for line, note in () if mapping.header_row else notes_in(last, header.line, len(header.headings)):
                check_scale(f"{name}: line {line}", note)
        if mapping.shape:  # its copy has other lines
            form |= {"shape": mapping.shape, "lines": None, "delimiters": None, "signs": ()}
        titles = [] if is_column else extent.above(rows, header)
        below = [cells for line, cells in rows if line > header.line]
        place = f"{name}/{shown(sheet)}" if (sheet := form.get("sheet")) else name
        if form.get("delimiter") == ",":
            check_unquoted(mapping, header.headings, below, name)
        rate_periods.check(mapping, header.headings, below, name)
        check_balances(mapping, header.headings, below, name)
        form |= said_currencies.stated(mapping, header.headings, [cells for _, cells in titles], below, place)
        above = [] if mapping.format.is_dated else titles
        if mapping.cell or above:
            with engines.start() as engine:
                if mapping.cell:
                    form["cell_date"] = cell_dates.date_of(mapping, rows, left, name, engine)
                form["said_date"] = cell_dates.said_in(above, engine)
        if form.get("said_date") is None:
            form["named_date"] = next(filter(None, map(cell_dates.named_in, (form.get("sheet") or "", name))), None)
        return header, form

    def _among(self, header: Header, sheet: str | None, is_column: bool) -> dict[str, mappings.Mapping]:
        """Return the mappings whose header may stand there."""
        return {name: one for name, one in self._mappings.items() if one.is_at(sheet, header.line, is_column)}

    def _sideways(self, rows: Sequence[Row], sheet: str | None = None) -> Header | None:
        """Return the header in a column that a mapping of transposed tables has."""
        return extent.find(extent.transposed(rows), partial(self.fits, sheet=sheet, is_column=True))

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

    def read_typed(self, table: TableFile, private: PrivateFiles) -> tuple[list[str], str | None, list[Row]]:
        """Return columns and first rows of a Parquet or JSON file, and the keys that lead to its list of rows."""
        path, rows_in = unpacked(table, private, "unpacked"), None

        def fits(keys: list[str]) -> bool:
            return self.fits(Header(keys, 1))

        if table.kind == "json" and (inner := json_lists.inner_list(path, table.name, fits)):
            path, rows_in = json_lists.written(path, inner, private.path("rows"), table.name), inner.name
        with engines.start() as engine:
            try:
                headings, rows = engine.headings(path), engine.first_rows(path, FIRST_ROWS)
            except UnreadableError as error:
                raise InputError(f"{table.name} cannot be read to its end: export it again") from error
            except InputError as error:
                if path == table.path:
                    raise
                what = f"{table.name} cannot be read as {table.kind}"
                raise InputError(f"{what}: it is damaged, or of another kind; export it again") from error
        if table.kind == "json" and headings == ["json"]:
            raise UnknownFormatError(f"{table.name} holds no table: write a list of objects, one a row")
        return headings, rows_in, list(enumerate(rows, 2))

    def _of_workbook(self, table: TableFile, path: Path) -> list[Found]:
        """Return the header of each sheet that is read: the one that is known, or several that are different exports.

        Raises
        ------
        InputError
            When two sheets are the same kind of export, and not each named after a month, or none is known.
        """
        sheets, hidden = workbooks.visible_sheets(workbooks.Workbook(path, table.kind, table.name))
        found = []
        for sheet in sheets:
            form, given = {"sheet": sheet.name, "last_line": sheet.last_line}, (sheet.rows, sheet.left)
            signs = tuple((place, sign) for place in sorted(sheet.signs) for sign in sorted(sheet.signs[place]))
            if header := extent.find(sheet.rows, partial(self.fits, sheet=sheet.name)):
                hidden_rows = sum(header.line < row <= (sheet.last_line or sheet.end) for row in sheet.hidden_rows)
                form |= {"signs": signs, "last_rows": sheet.last_rows, "hidden_rows": hidden_rows}
                found.append(self._placed(table.name, header, form, *given))
            elif header := self._sideways(sheet.rows, sheet.name):
                form = {"sheet": sheet.name, "shape": reshaping.TRANSPOSED}
                found.append(self._placed(table.name, header, form, *given))
        if not found:
            raise UnknownTable(self._mappings, self.fits).error_of_sheets(table.name, sheets)
        found = [one for one in found if self._mappings[one[1]["mapping_name"]].sheet] or found
        alike = defaultdict(list)
        for _, form in found:
            alike[self._mappings[form["mapping_name"]].title].append(shown(form["sheet"]))
        for title, names in alike.items():
            if len(names) > 1 and len(extent.months(names, 2)) < len(names):
                raise InputError(
                    f"{table.name} has several sheets of {title}, {' and '.join(names[:2])}: keep the one that is "
                    "meant; or name each after its month; or, where each has a part of the book, save each as a file "
                    "and give INPUT their folder"
                )
        is_1904 = workbooks.SINCE_1904[table.kind](path)
        for _, form in found:
            form["is_1904"] = is_1904
        found[0][1].update(other_sheets=len(sheets) - len(found), hidden_sheets=len(hidden))
        return found

    def _of_typed(self, table: TableFile, private: PrivateFiles) -> Found:
        """Return the columns of a Parquet or JSON file."""
        headings, rows_in, rows = self.read_typed(table, private)
        header = Header(headings, 1)
        if not self.fits(header):
            raise UnknownTable(self._mappings, self.fits).error(table.name, [(1, headings)])
        header, form = self._placed(table.name, header, {"rows_in": rows_in}, rows)
        if "shape" in form:
            raise InputError(f"{table.name} is {form['shape']}, as its mapping says: export it as CSV or as a workbook")
        return header, form

    def fits(self, header: Header, sheet: str | None = None, is_column: bool = False) -> bool:
        """Return whether a header is that of an export.

        Parameters
        ----------
        sheet
            The name of the sheet, of a workbook.
        is_column
            It is a column, of a transposed table.
        """
        headings = header.headings
        if len(headings) > MAX_COLUMNS or max(map(len, headings), default=0) > MAX_HEADING:
            return False
        try:
            names = [normalise(visible(heading)) for heading in headings]
            return fitting(names, "", self._among(header, sheet, is_column)) is not None
        except InputError:
            return False


def _above(name: str, rows: Sequence[Row], header: Header, is_certain: bool) -> int:
    """Return how many rows with cells stand above a header.

    Parameters
    ----------
    is_certain
        The mapping says where the header is.

    Raises
    ------
    InputError
        When one of them looks like a row of a table, or says that amounts are in thousands.
    """
    above = [row for row in extent.above(rows, header) if not extent.is_separator(row[1])]
    width = sum(bool(heading.strip()) for heading in header.headings)
    for line, cells in () if is_certain else above:
        filled = [cell for cell in cells if cell.strip()]
        if 4 * len(filled) >= 3 * width and 2 * sum(map(is_value, filled)) >= len(filled):
            raise InputError(
                f"{name}: line {line} looks like a row of a table, and stands above the header in line {header.line}: "
                "keep one table in the file, with its header above its rows"
            )
        check_scale(f"{name}: line {line}", cells)
    return len(above)
