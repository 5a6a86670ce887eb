"""How a file is written: its hash, its encoding, delimiter and decimal mark, read in one pass."""

import codecs
import contextlib
import csv
import hashlib
import io
import re
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np

from abaco.core.errors import InputError

CHUNK = 1 << 19  # it stays in a core's cache while it is examined
SAMPLE = 1 << 18
LARGE = 1 << 27
NO_TEXT = "{} is neither UTF-8 nor Windows-1252 text: export it again as CSV in UTF-8"


def fingerprint(path: Path, text: bool) -> dict:
    """Read a file once: SHA-256 and, of text, encoding, delimiter, lines, and delimiters outside quotes."""
    digest, decoder = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")()
    encoding, delimiter, lines, delimiters, quoted, last = "utf-8", b"", 0, 0, 0, b""
    count = bytes.count if path.stat().st_size < LARGE else _count_many
    with path.open("rb") as file, ThreadPoolExecutor(1) as beside:
        hashed = beside.submit(bytes)
        while chunk := file.read(CHUNK):
            hashed.result()
            hashed = beside.submit(digest.update, chunk)  # hashing runs beside the search of the text
            if not text:
                continue
            if b"\0" in chunk:
                raise InputError(
                    f"{path.name} is not a text file (it holds binary data): export it again as CSV in UTF-8"
                )
            delimiter = delimiter or max((b",", b";", b"\t"), key=chunk.split(b"\n", 1)[0].count)
            lines, last = lines + count(chunk, b"\n"), chunk[-1:]
            parts = chunk.split(b'"') if b'"' in chunk else [chunk]  # every other part is within quotes
            delimiters += count(b"".join(parts[quoted::2]), delimiter)
            quoted ^= (len(parts) - 1) % 2
            if encoding == "utf-8" and not (chunk.isascii() and not decoder.getstate()[0]):
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError:
                    encoding = "cp1252"
    if not text:
        return {"sha256": digest.hexdigest()}
    if encoding == "utf-8" and decoder.getstate()[0]:
        encoding = "cp1252"
    lines += last != b"\n"
    form = {"encoding": encoding, "delimiter": delimiter.decode(), "lines": lines, "delimiters": delimiters}
    return {"sha256": digest.hexdigest(), **form}


def _count_many(text: bytes, byte: bytes) -> int:
    return int(np.count_nonzero(np.frombuffer(text, np.uint8) == byte[0]))


def read_header(path: Path, encoding: str, delimiter: str) -> tuple[list[str], str]:
    with path.open("rb") as file:
        sample = file.read(SAMPLE)
    try:
        text = sample.decode(
            "utf-8-sig" if encoding == "utf-8" else encoding, errors="ignore" if encoding == "utf-8" else "strict"
        )
    except UnicodeDecodeError:
        raise InputError(NO_TEXT.format(path.name)) from None
    rows = []
    with contextlib.suppress(csv.Error):  # a quote that is never closed: the rows before it tell enough
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            rows.append(row)
    complete = rows[1:] if len(sample) < SAMPLE else rows[1:-1]
    return rows[0] if rows else [], _decimal_mark(complete)


def _decimal_mark(rows: list[list[str]]) -> str:
    """Return ``,`` when numbers of a sample are only right with a decimal comma, else ``.``."""
    comma = re.compile(r"^\s*[+-]?(\d+,(\d{1,2}|\d{4,})|0,\d+|\d{1,3}(\.\d{3})+,\d+|\d{1,3}(\.\d{3}){2,})\s*$")
    point = re.compile(r"^\s*[+-]?(\d*\.(\d{1,2}|\d{4,})|0?\.\d+|\d{1,3}(,\d{3})+\.\d+|\d{1,3}(,\d{3}){2,})\s*$")
    cells = [cell for row in rows for cell in row if "," in cell or "." in cell]
    with_comma = sum(bool(comma.match(cell)) for cell in cells if "," in cell or cell.count(".") > 1)
    return "," if with_comma and with_comma > sum(map(bool, map(point.match, cells))) else "."


def write_utf8(path: Path, encoding: str, target: Path) -> None:
    with path.open(encoding=encoding, newline="") as old, target.open("w", encoding="utf-8", newline="") as new:
        try:
            while chunk := old.read(CHUNK):
                new.write(chunk)
        except UnicodeDecodeError:
            raise InputError(NO_TEXT.format(path.name)) from None
