"""Worksheets of an Excel 97 workbook, looked at before it is read: the errors of its cells, and its number formats.

An XLS file is a file system of sectors (OLE), in which a stream holds records (BIFF): of the workbook first, with its
number formats and styles, then those of each sheet.
"""

import struct
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

from abaco.core.errors import InputError
from abaco.ingest.number_formats import sign
from abaco.ingest.worksheets import Worksheet

SIGNATURE = bytes.fromhex("d0cf11e0a1b11ae1")
END = 0xFFFFFFFA  # this and greater numbers are no sectors
SMALL, SMALL_SECTOR = 4096, 64  # shorter streams lie in small sectors, within a stream of their own
STREAMS, EXCEL_97 = ("Workbook", "Book"), 0x0600
BOF, EOF, SHEET, FORMAT, STYLE, DAYS = 0x0809, 0x000A, 0x0085, 0x041E, 0x00E0, 0x0022
FORMULA, NUMBER, SHORT_NUMBER, SHORT_NUMBERS, ERROR = 0x0006, 0x0203, 0x027E, 0x00BD, 0x0205
OWN_FORMATS = 164  # the first number of formats that are not built in
ERRORS = {
    0x00: "#NULL!", 0x07: "#DIV/0!", 0x0F: "#VALUE!", 0x17: "#REF!", 0x1D: "#NAME?", 0x24: "#NUM!", 0x2A: "#N/A",
}  # fmt: skip


def worksheets(path: Path, name: str) -> list[Worksheet]:
    """Return the sheets of a workbook.

    Raises
    ------
    InputError
        When it is damaged, or not one.
    """
    try:
        return list(_worksheets(_stream(path.read_bytes())))
    except (struct.error, IndexError, ValueError, StopIteration, RuntimeError) as error:
        raise InputError(f"{name} cannot be read as xls: save it again as a workbook, or export it as CSV") from error


def counts_from_1904(path: Path) -> bool:
    """Return whether the days of a workbook, which `worksheets` has looked at, count from 1904."""
    return any(kind == DAYS and data[:1] == b"\1" for kind, data in _records(_stream(path.read_bytes()), 0))


def _stream(data: bytes) -> bytes:
    """Return the stream of the workbook."""
    if not data.startswith(SIGNATURE):
        raise ValueError("not an OLE file")
    size = 1 << min(struct.unpack_from("<H", data, 30)[0], 12)
    first, more = struct.unpack_from("<I", data, 48)[0], struct.unpack_from("<I", data, 68)[0]

    def sector(number: int) -> bytes:
        return data[(number + 1) * size : (number + 2) * size]

    def numbers(part: bytes) -> tuple[int, ...]:
        return struct.unpack(f"<{len(part) // 4}I", part[: len(part) // 4 * 4])

    table = list(struct.unpack_from("<109I", data, 76))
    for _ in range(len(data) // size):  # files beyond 7 MB list the rest elsewhere
        if more >= END:
            break
        *listed, more = numbers(sector(more))
        table += listed
    follows = [number for place in table if place < END for number in numbers(sector(place))]

    folder = _chained(first, follows, sector)
    entries = [folder[at : at + 128] for at in range(0, len(folder) - 127, 128)]
    lengths = [max(0, struct.unpack_from("<H", entry, 64)[0] - 2) for entry in entries]
    streams = {entry[:length].decode("utf-16-le"): entry for entry, length in zip(entries, lengths, strict=True)}
    entry = next(streams[name] for name in STREAMS if name in streams)
    start, length = struct.unpack_from("<II", entry, 116)
    if length >= SMALL:
        return _chained(start, follows, sector)[:length]
    within = _chained(struct.unpack_from("<I", folder, 116)[0], follows, sector)
    small = numbers(_chained(struct.unpack_from("<I", data, 60)[0], follows, sector))
    parts = [within[at : at + SMALL_SECTOR] for at in range(0, len(within), SMALL_SECTOR)]
    return _chained(start, small, parts.__getitem__)[:length]


def _chained(number: int, follows: Sequence[int], sector: Callable[[int], bytes]) -> bytes:
    """Return the sectors that follow each other, from one on."""
    parts = []
    while number < END:
        if len(parts) > len(follows):
            raise ValueError("sectors follow in a circle")
        parts.append(sector(number))
        number = follows[number]
    return b"".join(parts)


def _records(stream: bytes, place: int) -> Iterator[tuple[int, bytes]]:
    """Yield the records of one part of the stream, without those of charts in it."""
    depth = 0
    while place + 4 <= len(stream):
        kind, length = struct.unpack_from("<HH", stream, place)
        depth += (kind == BOF) - (kind == EOF)
        if depth == 1 or kind == BOF:
            yield kind, stream[place + 4 : place + 4 + length]
        if not depth:
            return
        place += 4 + length


def _worksheets(stream: bytes) -> Iterator[Worksheet]:
    signs, styles, places, is_97 = {}, [], {}, True
    for kind, data in _records(stream, 0):
        if kind == BOF:
            is_97 = struct.unpack_from("<H", data)[0] == EXCEL_97
        elif kind == FORMAT:
            number = struct.unpack_from("<H", data)[0]
            if number >= OWN_FORMATS:
                signs[number] = sign(_text(data[2:], 2 if is_97 else 1, is_97))
        elif kind == STYLE:
            styles.append(struct.unpack_from("<H", data, 2)[0])
        elif kind == SHEET and not data[5]:  # neither a chart nor a macro
            places[_text(data[6:], 1, is_97)] = struct.unpack_from("<I", data)[0]
    for name, place in places.items():
        made = Worksheet(name)
        for kind, data in _records(stream, place):
            for row, column, style, error in _cells(kind, data):
                if error:
                    made.without_value.setdefault(row, {})[column] = error
                elif found := signs.get(styles[style]):
                    made.signs.setdefault(column, set()).add(found)
        yield made


def _text(data: bytes, width: int, is_97: bool) -> str:
    """Return a text with its length before it, of so many bytes."""
    length, rest = int.from_bytes(data[:width], "little"), data[width:]
    if is_97:
        return rest[1 : 1 + 2 * length].decode("utf-16-le") if rest[0] & 1 else rest[1 : 1 + length].decode("latin-1")
    return rest[:length].decode("cp1252", "replace")


def _cells(kind: int, data: bytes) -> Iterator[tuple[int, int, int, str | None]]:
    """Yield row, column and style of the cells of a record that hold numbers, and the text of errors."""
    if kind in (NUMBER, SHORT_NUMBER, FORMULA, ERROR):
        row, column, style = struct.unpack_from("<HHH", data)
        error = None
        if kind == ERROR:
            if not data[7]:
                return
            error = ERRORS.get(data[6], "#ERROR!")
        elif kind == FORMULA and data[12:14] == b"\xff\xff":
            if data[6] != 2:  # a text, a truth value, or nothing
                return
            error = ERRORS.get(data[8], "#ERROR!")
        yield row, column, style, error
    elif kind == SHORT_NUMBERS:
        row, column = struct.unpack_from("<HH", data)
        for number in range((len(data) - 6) // 6):
            yield row, column + number, struct.unpack_from("<H", data, 4 + 6 * number)[0], None
