"""Worksheets of a workbook, looked at before it is read: their size, their extent, and their cells without a value.

A workbook is a ZIP archive of XML files. The reader of workbooks holds a sheet in memory, every place up to the last
cell, and takes errors such as ``#REF!`` for empty cells.
"""

import posixpath
import re
import xml.etree.ElementTree as ET
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path, PurePosixPath

from abaco.core.errors import InputError
from abaco.ingest.number_formats import signs_of_styles

CHUNK = 1 << 20
MAX_PARTS = 10_000
MAX_UNPACKED = 4 << 30  # a sheet of a million rows with 40 columns has about 2 GiB
MAX_TEXTS = 1 << 29  # texts of all sheets, which are in memory together
MAX_RATIO = 250  # sheets shrink to a tenth, or a fiftieth where most cells are alike
MIN_BOMB = 1 << 26  # small files may shrink as they like
MAX_CELL = 1 << 24
MAX_ROWS, MAX_COLUMNS = 1 << 20, 1 << 14  # of Excel
MAX_PLACES, FEW_PLACES = 50_000_000, 1_000_000
MAX_PLACES_A_CELL = 100
MAX_WITHOUT_VALUE = 1_000_000
NO_VALUE = "#NO VALUE!"  # a formula that the program which wrote the file never computed
# column and style of a cell with a value, whose attributes stand in any order
STYLED = rb"""<%sc\b(?=[^>]*?\sr=["']([A-Za-z]+))[^>]*?\ss=["'](\d{1,6})["'](?:[^>]*[^>/])?>"""
HIDDEN = (
    rb"""<%srow\b(?=[^>]*\shidden=["'](?:1|true)["'])[^>]*?\sr=["']([0-9]{1,7})["'][^>]*(?<!/)>"""  # a row with cells
)
RELATION = "{http://schemas.openxmlformats.org/officeDocument/2006/relationships}id"
BOOK, STYLES = "xl/workbook.xml", "xl/styles.xml"
BROKEN = (zipfile.BadZipFile, zlib.error, ET.ParseError, KeyError, RuntimeError, EOFError, OSError, ValueError)


@dataclass(frozen=True)
class Worksheet:
    """One sheet: its name, and by row and column the text of its errors and of its formulas without a value.

    `signs` are those of currencies in the number formats of its columns, by column from 0; `hidden_rows` are the rows
    that are hidden, from 1.
    """

    name: str
    without_value: dict[int, dict[int, str]] = field(default_factory=dict)
    signs: dict[int, set[str]] = field(default_factory=dict)
    hidden_rows: set[int] = field(default_factory=set)


def worksheets(path: Path, name: str) -> list[Worksheet]:
    """Return the sheets of a workbook that can be read without harm.

    Raises
    ------
    InputError
        When the file is not a workbook, or one that is far larger than it looks.
    """
    try:
        with zipfile.ZipFile(path) as archive:
            check_parts(archive, name)
            styles = signs_of_styles(_xml(archive, STYLES)) if STYLES in archive.namelist() else {}
            return [_worksheet(archive, sheet, part, name, styles) for sheet, part in _parts(archive)]
    except BROKEN as error:
        raise InputError(f"{name} cannot be read as xlsx: save it again as an Excel workbook") from error


def counts_from_1904(path: Path) -> bool:
    """Return whether the days of a workbook, which `worksheets` has looked at, count from 1904, as some of Macs do."""
    with zipfile.ZipFile(path) as archive:
        settings = (node for node in _xml(archive, BOOK).iter() if node.tag.rpartition("}")[2] == "workbookPr")
        return any(node.get("date1904") in ("1", "true", "on") for node in settings)


def check_parts(archive: zipfile.ZipFile, name: str) -> None:
    parts = archive.infolist()
    if len(parts) > MAX_PARTS or len({part.filename for part in parts}) < len(parts):
        raise zipfile.BadZipFile("too many parts, or a part twice")
    texts = sum(part.file_size for part in parts if "sharedstrings" in part.filename.lower())
    for part in parts:
        if part.file_size > max(MIN_BOMB, MAX_RATIO * part.compress_size):
            raise InputError(
                f"{name} unpacks to {part.file_size >> 20} MiB from {part.compress_size >> 10} KiB, which no sheet "
                "does: save it again as an Excel workbook, or export it as CSV"
            )
    if sum(part.file_size for part in parts) > MAX_UNPACKED or texts > MAX_TEXTS:
        raise InputError(f"{name} is too large for a workbook: export it as CSV")


def _parts(archive: zipfile.ZipFile) -> Iterator[tuple[str, str]]:
    """Yield the name and the part of each sheet. All other parts that are XML are read to their end, too."""
    if BOOK not in (part for kind, part in _relations(archive, "").values() if kind == "officeDocument"):
        raise zipfile.BadZipFile(f"{BOOK} is not the workbook")  # the reader would look there all the same
    relations, found = _relations(archive, BOOK), []
    for sheet in _xml(archive, BOOK).iter():
        kind, part = relations.get(sheet.get(RELATION), ("", ""))
        if sheet.tag.rpartition("}")[2] == "sheet" and kind == "worksheet":
            found.append((sheet.get("name"), part))
    others = {p.filename for p in archive.infolist() if p.filename.lower().endswith((".xml", ".rels"))}
    for other in sorted(others - {part for _, part in found}):  # its size may be more than the archive says
        with archive.open(other) as file:
            while file.read(CHUNK):
                pass
    yield from found


def _relations(archive: zipfile.ZipFile, part: str) -> dict[str, tuple[str, str]]:
    """Return by its id the kind of each relation of a part, or of the archive, and the part that it leads to."""
    place = PurePosixPath("/") / part
    names = {name.lower(): name for name in archive.namelist()}
    relations = _xml(archive, names[f"{place.parent / '_rels' / place.name if part else '/_rels/'}.rels".lower()[1:]])
    found = {}
    for relation in relations.iter():
        if target := relation.get("Target"):
            path = posixpath.normpath(place.parent / target if part else f"/{target}").lstrip("/")
            found[relation.get("Id")] = (relation.get("Type", "").rpartition("/")[2], names.get(path.lower(), path))
    return found


def _xml(archive: zipfile.ZipFile, part: str) -> ET.Element:
    return ET.fromstring(b"".join(chunks(archive, part)))


def chunks(archive: zipfile.ZipFile, part: str) -> Iterator[bytes]:
    """Yield the text of a part; UTF-8 without declarations, as programs write it, which could multiply its content."""
    with archive.open(part) as file:
        while chunk := file.read(CHUNK):
            if b"\0" in chunk or b"<!" in chunk.replace(b"<!--", b""):
                raise zipfile.BadZipFile(f"{part} has declarations, or is not UTF-8")
            yield chunk


def _worksheet(archive: zipfile.ZipFile, sheet: str, part: str, name: str, styles: dict[int, str]) -> Worksheet:
    """Return a sheet after checking its extent."""
    made, cells, rows, columns = Worksheet(sheet), 0, set(), set()
    found = made.without_value
    for tag, text in _cells(archive, part):
        place = rb"<%sc\b[^>]*?\sr=[\"']([A-Za-z]+)([0-9]+)[\"']" % tag
        places = re.findall(place, text)
        cells += len(places)
        columns |= {column for column, _ in places}
        longest = max((len(row) for _, row in places), default=0)
        rows.add(max((row for _, row in places if len(row) == longest), default=b"0"))
        _check_extent(max(map(int, rows)), max(map(_number, columns), default=0), cells, name)
        made.hidden_rows.update(map(int, re.findall(HIDDEN % tag, text)))
        for row, column, value in _unreadable(tag, text):
            found.setdefault(row - 1, {})[column - 1] = value
        for column, style in set(re.findall(STYLED % tag, text)) if styles else ():
            if currency := styles.get(int(style)):
                made.signs.setdefault(_number(column) - 1, set()).add(currency)
        if sum(map(len, found.values())) > MAX_WITHOUT_VALUE:
            raise InputError(f"{name} has more than {MAX_WITHOUT_VALUE:,} cells with errors: correct its formulas")
    _check_extent(max(map(int, rows), default=0), max(map(_number, columns), default=0), cells, name, is_whole=True)
    return made


def _check_extent(rows: int, columns: int, cells: int, name: str, is_whole: bool = False) -> None:
    places = rows * columns
    is_sparse = is_whole and places > max(FEW_PLACES, MAX_PLACES_A_CELL * cells)
    if rows > MAX_ROWS or columns > MAX_COLUMNS or is_sparse:
        far = f"row {rows:,}" if rows / MAX_ROWS >= columns / MAX_COLUMNS else f"column {columns:,}"
        raise InputError(f"{name} has a cell in {far}, far from the others: delete what is there, and save it again")
    if is_whole and places > MAX_PLACES:
        raise InputError(f"{name} has {rows:,} rows and {columns:,} columns, too many for a workbook: export it as CSV")


def _cells(archive: zipfile.ZipFile, part: str) -> Iterator[tuple[bytes, bytes]]:
    """Yield pieces of a sheet that hold whole cells, each with the prefix of the tags, such as ``x:``."""
    tag, rest = None, b""
    for chunk in chunks(archive, part):
        rest += chunk
        if tag is None:
            root = re.search(rb"<([\w.-]+:)?worksheet\b", rest)
            tag = root and (root[1] or b"")
        if tag is None or len(rest) > MAX_CELL:
            raise zipfile.BadZipFile(f"{part} is not a sheet, or has a cell of {MAX_CELL >> 20} MiB")
        cut = rest.rfind(b"<%sc" % tag)
        if cut > 0:
            yield tag, rest[:cut]
            rest = rest[cut:]
    yield tag or b"", rest


def _unreadable(tag: bytes, text: bytes) -> Iterator[tuple[int, int, str]]:
    """Yield row, column and text of the cells with an error, and of those with a formula that was never computed."""
    if b"<%sf" % tag not in text and not re.search(rb"""\st=["']e["']""", text):
        return
    start = rb"<%sc\b([^>]*)>\s*" % tag
    formula = rb"<%sf\b[^>]*?(?:/>|>[^<]*</%sf>)\s*" % (tag, tag)
    empty = rb"(<%sv\s*/>|<%sv>\s*</%sv>)?\s*</%sc>" % (tag, tag, tag, tag)
    for cell in re.finditer(start + formula + empty, text):
        if not (cell[2] and re.search(rb"""\st=["']str["']""", cell[1])):  # a text may be empty
            yield from _placed(cell[1], NO_VALUE)
    error = rb"(?:%s)?<%sv>([^<]{1,20})</%sv>" % (formula, tag, tag)
    for cell in re.finditer(rb"<%sc\b([^>]*\st=[\"']e[\"'][^>]*)>\s*" % tag + error, text):
        yield from _placed(cell[1], cell[2].decode())


def _placed(attributes: bytes, text: str) -> Iterator[tuple[int, int, str]]:
    if place := re.search(rb"""\sr=["']([A-Za-z]+)([0-9]+)["']""", attributes):
        yield int(place[2]), _number(place[1]), text


def _number(letters: bytes) -> int:
    """Return the number, from 1, of a column such as ``AB``.

    Examples
    --------
    >>> [_number(letters) for letters in (b"A", b"Z", b"AB", b"XFD")]
    [1, 26, 28, 16384]
    """
    number = 0
    for letter in letters.upper()[:8]:
        number = 26 * number + letter - 64
    return number
