"""Tables of files that no mapping knows: their headings, their first rows, and all of their cells as text."""

import datetime as dt
from collections.abc import Callable, Iterator, Mapping, Sequence, Set
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import narwhals as nw

from abaco.core.errors import InputError
from abaco.core.people import without_people
from abaco.core.quoting import file_name, quotable, shown, visible
from abaco.engines import Engine
from abaco.engines.forms import BY_ORDER
from abaco.ingest import cell_dates, extent, json_lists, reshaping, said_currencies, workbooks
from abaco.ingest.bucket_words import first_days
from abaco.ingest.containers import TableFile, is_input, table_files, unpacked
from abaco.ingest.extent import Header
from abaco.ingest.fingerprint import decoded, fingerprint, first_rows, head
from abaco.ingest.heading_words import Dictionary
from abaco.ingest.origins import date_in
from abaco.ingest.reading import cells
from abaco.ingest.scales import stated
from abaco.ingest.sources import Source
from abaco.ingest.stated_scales import last_rows, names_of, notes_in, whole_texts

SAMPLE_ROWS = 1_000
# How names of files and folders may have dates.
IN_NAMES = ("{year}-{month}-{day}", "{year}_{month}_{day}", "{year}{month}{day}", "{year}-{month}", "{year}_{month}",
            "{year}{month}", *(f"{{month_name}}{sign}{{year}}" for sign in " -_"), "{month_name}{year}")  # fmt: skip
FEW = 2  # headings that mean something, at least, of a header


@dataclass(frozen=True)
class Table:
    """A table whose headings mean nothing yet; its columns are called ``c0``, ``c1`` and so on.

    Parameters
    ----------
    name
        What to call it in messages: the file, and its sheet or member.
    headings
        As they stand in the file.
    rows
        All rows as text, in the file's order.
    sample
        The first rows.
    shape
        ``transposed`` or ``wide``, where the file has it in another shape (see `reshaping`).
    line
        The line of its header.
    scales
        The units of its amounts that cells above or below it, or a name, say, and whether surely.
    dates
        The dates in cells above it: by the cell, such as ``cell B2``, with the order where it has several readings.
    said_currencies
        The codes, signs and words of currencies that cells above it or its name say.
    unnamed
        The places of columns with values and without a heading, which are not looked at.
    left_out
        How many rows are not looked at, as they are not those of loans.
    without_id
        The first of them that have no number of a loan, and no label of a total either.
    """

    name: str
    path: Path
    headings: tuple[str, ...]
    rows: nw.LazyFrame
    sample: tuple[dict[str, str | None], ...]
    shape: str = ""
    line: int = 1
    scales: Mapping[str, bool] = field(default_factory=dict)
    dates: Mapping[str, dt.date] = field(default_factory=dict)
    said_currencies: Set[str] = frozenset()
    unnamed: tuple[int, ...] = ()
    left_out: int = 0
    without_id: Sequence[Mapping[str, str | None]] = ()

    @staticmethod
    def column(place: int) -> str:
        """Return what the column at a place is called."""
        return f"c{place}"

    def cells(self, place: int) -> list[str]:
        """Return the first cells of the column at a place."""
        return [row[self.column(place)] or "" for row in self.sample]

    def dates_elsewhere(self) -> Iterator[tuple[str, tuple[dict[str, str], str]]]:
        """Yield dates that no column has: how each is answered, what it is made of, and what it is."""
        names = {"file_name": (self.path.name, "file"), "folder": (self.path.parent.name, "folder")}
        for key, (name, what) in names.items():
            if pattern := next((pattern for pattern in IN_NAMES if date_in(pattern, name)), None):
                year, month, day = date_in(pattern, name)
                day = f"-{day:02}" if day else ", its last day"
                yield key, ({key: pattern}, f"{year}-{month:02}{day}, as the {what}'s name says")
        for key, day in self.dates.items():
            _, cell, *order = key.split()
            yield key, ({"cell": cell} | ({"dates": order[0]} if order else {}), f"{day}, as cell {cell} says")


def open_table(path: Path, words: Dictionary, engine: Engine) -> Table:
    """Return the table of a file: the one whose headings mean most, or that looks most like one.

    Raises
    ------
    InputError
        When the file is not there, holds several files or no table, has no header, or two columns of one heading.
    """
    name = shown(file_name(path), is_known=False)
    if path.is_dir():
        files = [file for file in sorted(path.iterdir()) if is_input(file)]
        if len(files) != 1:
            raise InputError(f"{path} is a folder: draft a mapping of one of its files, make map INPUT={path}/…")
        return open_table(files[0], words, engine)
    if not path.is_file():
        raise InputError(f"Input file not found: {path}: check INPUT")
    if not is_input(path):
        raise InputError(f"{name} is not a table: export it as CSV, Parquet, JSON or a workbook")
    tables, _ = table_files(path, name)
    if len(tables) != 1:
        raise InputError(f"{name} holds {len(tables)} tables: unpack it, and draft a mapping of one of them")
    [file] = tables

    def meant(header: Header) -> int:
        columns = {column for heading in header.headings for column in words.columns_of(heading)[:1]}
        buckets = len(first_days(header.headings, words))
        return len(columns) + (buckets if buckets > FEW else 0)  # a row of values has few

    if file.kind == "csv":
        header, form, below = _of_text(file, meant)
    elif file.kind in workbooks.KINDS:
        header, form, below = _of_workbook(file, meant, engine)
    else:
        header, form, below = _of_typed(file, meant, engine)
    above, last = form.pop("cells_above", {}), form.pop("last_rows", ())
    headings = tuple(visible(heading).strip() for heading in header.headings) if header else ()
    buckets = first_days(headings, words)
    known = [bool(words.columns_of(heading)) or heading in buckets for heading in headings]
    if not any(known):  # each may be a person
        headings = tuple(h if h == without_people(h, any_case=True) else "" for h in headings)
    if not quotable(headings, known, [row for _, row in below]) and not _is_proven(header, below):
        raise InputError(
            f"{name} has no header: write the names of the columns into its first line, or a mapping by their numbers "
            "(without_header, as params/mappings/freddie_mac.yml has it)"
        )
    twice = {heading for heading in headings if headings.count(heading) > 1}
    if meant := [
        heading for heading in headings if heading in twice and (words.columns_of(heading) or heading in buckets)
    ]:
        raise InputError(f"{name} has the column {meant[0]} more than once: keep one of them")
    headings = tuple("" if heading in twice else heading for heading in headings)
    if not form.get("shape") and (long := reshaping.long_headings(headings)) and extent.months(headings, 2):
        headings, form["shape"] = tuple(long), reshaping.WIDE
    if (shape := form.get("shape", "")) and file.kind != "csv" and file.kind not in workbooks.KINDS:
        raise InputError(f"{name} has a column for each month: export it as CSV or as a workbook")
    source = Source(
        name=name, path=str(path), kind=file.kind, format_name="", headings=headings, bytes=0, modified_ns=0,
        changed_ns=0, member=file.member, first_line=header.line, **{"sha256": "", **form},
    )  # fmt: skip
    places = {Table.column(place): place for place, heading in enumerate(headings) if heading}
    rows = cells(source, engine, places).with_columns(nw.col(*places).cast(nw.String()))
    sample = rows.head(SAMPLE_ROWS).collect("pyarrow").to_native().to_pylist()
    title = f"{name}, sheet {shown(form['sheet'], is_known=False)}" if form.get("sheet") else name
    notes = notes_in(last, header.line, len(headings)) if not form.get("shape") else ()
    texts = [*above.values(), *(cell for _, note in notes for cell in note)]
    scales = stated((*whole_texts(texts), *names_of(file.name, form.get("sheet"))))
    dates = {key: day for at, cell in above.items() for key, day in _dates(f"cell {at}", cell, engine)}
    said = {word for cell in above.values() for word in said_currencies.in_title(cell)}
    said |= said_currencies.in_name(f"{path.name} {form.get('sheet') or ''}")
    filled = {place for _, row in below for place, cell in enumerate(row) if cell.strip()}
    unnamed = tuple(place for place in sorted(filled) if place < len(headings) and not headings[place])
    more = (shape, header.line, scales, dates, frozenset(said), unnamed)
    return Table(title, path, headings, rows, tuple(sample), *more)


Meant = Callable[[Header], int]  # how many of our columns a header means
Found = tuple[Header | None, dict[str, Any], Sequence[extent.Row]]


def _header(rows: Sequence[extent.Row], meant: Meant) -> tuple[Header | None, str]:
    """Return the header and the shape of its table: the header that means most, of rows or of columns, or looks so.

    Without one, it is the first row.
    """
    if header := extent.best(rows, meant, FEW):
        return header, ""
    if header := extent.best(extent.transposed(rows), meant, FEW):
        return header, reshaping.TRANSPOSED
    first = next((Header(cells, line) for line, cells in rows if any(map(str.strip, cells))), None)
    return extent.likely(rows) or first, ""


def _above(rows: Sequence[extent.Row], header: Header | None, shape: str, left: int = 0) -> dict[str, str]:
    """Return the filled cells above a header by their addresses; `left` is the position of the first column."""
    above = extent.above(rows, header) if header and not shape else []
    cells = ((line, left + place, cell.strip()) for line, row in above for place, cell in enumerate(row))
    return {f"{_letters(place)}{line}": cell for line, place, cell in cells if cell}


def _dates(key: str, cell: str, engine: Engine) -> Iterator[tuple[str, dt.date]]:
    """Yield the date in a cell, or each of its readings with the order of its parts."""
    if len(found := cell_dates.dates_in(cell, None, engine)) == 1:
        yield key, found[0]
    for order in BY_ORDER if len(found) > 1 else ():
        yield from ((f"{key} {order}", day) for day in cell_dates.dates_in(cell, order, engine))


def _letters(place: int) -> str:
    """Return the letters of a column of a spreadsheet by its position."""
    return (_letters(place // 26 - 1) if place > 25 else "") + chr(65 + place % 26)


def _below(rows: Sequence[extent.Row], header: Header | None, shape: str) -> list[extent.Row]:
    """Return the rows below a header, as far as they are known."""
    return [row for row in rows if header and not shape and row[0] > header.line]


def _is_proven(header: Header | None, below: Sequence[extent.Row]) -> bool:
    """Return whether a row of unknown headings is full and stands above rows of values, without a value of its own."""
    if header is None or not all(map(str.strip, header.headings)):
        return False
    likely = extent.likely([(header.line, header.headings), *below])
    return likely is not None and likely.line == header.line


def _of_text(file: TableFile, meant: Meant) -> Found:
    sample = head(file)
    encoding = "utf-16" if sample.startswith((b"\xff\xfe", b"\xfe\xff")) else "utf-8"
    form = fingerprint(file, extent.delimiter_of(decoded(sample, encoding, "replace"), lambda one: meant(one) >= FEW))
    rows = first_rows(sample, form["encoding"], form["delimiter"], file.name)
    header, shape = _header(rows, meant)
    tail = form.pop("tail")
    below = len(extent.lines_below(tail, form["delimiter"]))
    form["last_rows"] = last_rows(tail, form["delimiter"], form["lines"])
    form["cells_above"] = _above(rows, header, shape)
    form |= {"shape": shape} if shape else {"below": below, "last_line": form["lines"] - below if below else None}
    return header, form, _below(rows, header, shape)


def _of_workbook(file: TableFile, meant: Meant, engine: Engine) -> Found:
    path = unpacked(file, engine.private, "unmapped")
    sheets, _ = workbooks.visible_sheets(workbooks.Workbook(path, file.kind, file.name))
    turned = [sheet for sheet in sheets if extent.best(extent.transposed(sheet.rows), meant, FEW)]
    known = [sheet for sheet in sheets if extent.best(sheet.rows, meant, FEW)] or turned
    sheet = (known or [s for s in sheets if extent.likely(s.rows)] or sheets)[0]
    header, shape = _header(sheet.rows, meant)
    form = {"sheet": sheet.name, "last_line": None if shape else sheet.last_line, "shape": shape}
    form |= {"cells_above": _above(sheet.rows, header, shape, sheet.left), "last_rows": sheet.last_rows}
    return header, form, _below(sheet.rows, header, shape)


def _of_typed(file: TableFile, meant: Meant, engine: Engine) -> Found:
    path, rows_in = unpacked(file, engine.private, "unmapped"), None
    if file.kind == "json" and (inner := json_lists.inner_list(path, file.name)):
        path, rows_in = json_lists.written(path, inner, engine.private.path("unmapped rows"), file.name), inner.name
    headings = engine.headings(path)
    within = json_lists.lists_within(path) if file.kind == "json" and meant(Header(headings, 1)) < FEW else []
    if within:
        lists = " and ".join(shown(key, is_known=False) for key in within)
        raise InputError(
            f"{file.name} has lists within its rows, {lists}: write one list of the loans, each with what it needs of "
            "the row that its list is in"
        )
    return Header(headings, 1), {"rows_in": rows_in}, []
