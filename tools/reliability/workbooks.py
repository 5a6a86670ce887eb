"""Small workbooks of OpenDocument and Excel 97, written without the programs that write them."""

import struct
import zipfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from xml.sax.saxutils import escape, quoteattr

SECTOR, FREE, END, OF_TABLE = 512, 0xFFFFFFFF, 0xFFFFFFFE, 0xFFFFFFFD
LEAST = 4096  # a shorter stream would lie elsewhere
NAMES = "".join(
    f' xmlns:{name}="urn:oasis:names:tc:opendocument:xmlns:{name}:1.0"' for name in ("office", "table", "text")
)
Rows = Iterable[Sequence[object]]


def write_ods(path: Path, rows: Rows) -> None:
    """Write rows as the only sheet of an OpenDocument workbook."""
    table = "".join(f"<table:table-row>{''.join(map(_ods_cell, row))}</table:table-row>" for row in rows)
    body = f'<office:body><office:spreadsheet><table:table table:name="S">{table}</table:table></office:spreadsheet>'
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("mimetype", "application/vnd.oasis.opendocument.spreadsheet")
        archive.writestr(
            "content.xml", f"<office:document-content{NAMES}>{body}</office:body></office:document-content>"
        )
        archive.writestr(
            "META-INF/manifest.xml",
            '<manifest:manifest xmlns:manifest="urn:oasis:names:tc:opendocument:xmlns:manifest:1.0"/>',
        )


def _ods_cell(cell: object) -> str:
    if cell is None:
        return "<table:table-cell/>"
    if isinstance(cell, int | float):
        return f'<table:table-cell office:value-type="float" office:value={quoteattr(repr(cell))}/>'
    return f'<table:table-cell office:value-type="string"><text:p>{escape(str(cell))}</text:p></table:table-cell>'


def write_xls(path: Path, rows: Rows) -> None:
    """Write rows as the only sheet of a workbook of Excel 97."""
    begin = struct.pack("<HHHHIII", 0x0600, 5, 0, 0, 0, 0, 0)[:16]
    sheet = _record(0x0809, begin[:2] + b"\x10\0" + begin[4:])
    for number, row in enumerate(rows):
        for column, cell in enumerate(row):
            place = struct.pack("<HHH", number, column, 0)
            if isinstance(cell, int | float):
                sheet += _record(0x0203, place + struct.pack("<d", cell))
            elif cell is not None:
                text = str(cell).encode("utf-16-le")
                sheet += _record(0x0204, place + struct.pack("<HB", len(text) // 2, 1) + text)
    style, of_sheet = _record(0x00E0, bytes(20)), struct.pack("<IBBBBB", 0, 0, 0, 1, 0, ord("S"))
    length = len(_record(0x0809, begin) + style + _record(0x0085, of_sheet) + _record(0x000A, b""))
    of_sheet = struct.pack("<I", length) + of_sheet[4:]
    book = _record(0x0809, begin) + style + _record(0x0085, of_sheet) + _record(0x000A, b"")
    path.write_bytes(_ole(book + sheet + _record(0x000A, b"")))


def _record(kind: int, data: bytes) -> bytes:
    return struct.pack("<HH", kind, len(data)) + data


def _ole(stream: bytes) -> bytes:
    """Return a file with one stream, the workbook: sectors of the table first, then the folder and the stream."""
    stream = stream.ljust(LEAST, b"\0")
    count = -(-len(stream) // SECTOR)
    tables = 1
    while tables * SECTOR // 4 < tables + 1 + count:
        tables += 1
    first = tables + 1
    follows = [OF_TABLE] * tables + [END] + [*range(first + 1, first + count), END]
    follows += [FREE] * (tables * SECTOR // 4 - len(follows))
    folder = _entry("Root Entry", 5, END, 0, child=1) + _entry("Workbook", 2, first, len(stream)) + bytes(256)
    header = bytes.fromhex("d0cf11e0a1b11ae1") + bytes(16) + struct.pack("<HHHHH", 0x3E, 3, 0xFFFE, 9, 6) + bytes(10)
    header += struct.pack("<IIIIIIIII", tables, tables, 0, LEAST, END, 0, END, 0, 0)
    header += struct.pack(f"<{108}I", *[*range(1, tables), *[FREE] * (109 - tables)])
    data = struct.pack(f"<{len(follows)}I", *follows) + folder + stream
    return header + data.ljust(-(-len(data) // SECTOR) * SECTOR, b"\0")


def _entry(name: str, kind: int, start: int, length: int, child: int = FREE) -> bytes:
    text = f"{name}\0".encode("utf-16-le")
    entry = text.ljust(64, b"\0") + struct.pack("<HBBIII", len(text), kind, 1, FREE, FREE, child)
    return entry + bytes(36) + struct.pack("<IQ", start, length)
