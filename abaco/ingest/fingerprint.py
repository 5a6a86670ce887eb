"""How a text file is written: its hash, its encoding and its delimiter, read in one pass, and its first rows."""

import codecs
import contextlib
import csv
import hashlib
import io
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from abaco.core.errors import InputError
from abaco.core.quoting import file_name

CHUNK = 1 << 19  # it stays in a core's cache while it is examined
SAMPLE = 1 << 18
NO_TEXT = "{} is neither UTF-8, UTF-16 nor Windows-1252 text: export it again as CSV in UTF-8"


def fingerprint(path: Path, text: bool) -> dict:
    """Read a file once: SHA-256 and, of text, encoding, delimiter, lines, and delimiters outside quotes."""
    digest, decoder = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")()
    wide, delimiter, lines, delimiters, quoted, last = None, b"", 0, 0, 0, b""
    encoding = "utf-8"
    with path.open("rb") as file, ThreadPoolExecutor(1) as beside:
        hashed = beside.submit(bytes)
        while chunk := file.read(CHUNK):
            hashed.result()
            hashed = beside.submit(digest.update, chunk)  # hashing runs beside the search of the text
            if not text:
                continue
            if not delimiter and chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                encoding, wide = "utf-16", codecs.getincrementaldecoder("utf-16")(errors="replace")
            if wide:
                chunk = wide.decode(chunk).encode()
            if b"\0" in chunk:
                raise InputError(
                    f"{file_name(path)} is not a text file (it holds binary data): export it again as CSV in UTF-8"
                )
            delimiter = delimiter or max((b",", b";", b"\t", b"|"), key=chunk.split(b"\n", 1)[0].count)
            lines, last = lines + chunk.count(b"\n"), chunk[-1:]
            parts = chunk.split(b'"') if b'"' in chunk else [chunk]  # every other part is within quotes
            delimiters += b"".join(parts[quoted::2]).count(delimiter)
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


def sample_rows(path: Path, encoding: str, delimiter: str) -> tuple[list[list[str]], bool]:
    """Return the first whole rows of a text file, the header first, and whether they are all of its rows."""
    with path.open("rb") as file:
        sample = file.read(SAMPLE)
    try:
        text = sample.decode(
            "utf-8-sig" if encoding == "utf-8" else encoding, errors="strict" if encoding == "cp1252" else "ignore"
        )
    except UnicodeDecodeError:
        raise InputError(NO_TEXT.format(file_name(path))) from None
    rows, is_whole = [], len(sample) < SAMPLE
    with contextlib.suppress(csv.Error):  # a quote that is never closed: the rows before it tell enough
        for row in csv.reader(io.StringIO(text, newline=""), delimiter=delimiter):
            rows.append(row)
    if not is_whole and (not rows or "\n" not in text):
        raise InputError(
            f"{file_name(path)} has a first line of more than {SAMPLE >> 10} KiB: it must name the columns, and no more"
        )
    return rows if is_whole else [*rows[:1], *rows[1:-1]], is_whole


def write_utf8(path: Path, encoding: str, target: Path) -> None:
    with path.open(encoding=encoding, newline="") as old, target.open("w", encoding="utf-8", newline="") as new:
        try:
            while chunk := old.read(CHUNK):
                new.write(chunk)
        except UnicodeDecodeError:
            raise InputError(NO_TEXT.format(file_name(path))) from None
