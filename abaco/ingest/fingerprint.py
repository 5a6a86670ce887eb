"""How a text file is written: its hash, its encoding and its lines, read in one pass, and its first rows."""

import codecs
import hashlib
import io
import os
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from abaco.core.errors import InputError
from abaco.core.quoting import file_name
from abaco.ingest.containers import TableFile, opened
from abaco.ingest.extent import Row, rows_of

CHUNK = 1 << 19  # it stays in a core's cache while it is examined
SAMPLE = 1 << 18
TAIL = 1 << 14  # of what may stand below a table
NO_TEXT = "{} is neither UTF-8, UTF-16 nor Windows-1252 text: export it again as CSV in UTF-8"


def fingerprint(file: TableFile, delimiter: str) -> dict:
    """Read a text once: SHA-256 unless it is packed, encoding, lines, delimiters outside quotes, and its end."""
    digest, decoder = hashlib.sha256(), codecs.getincrementaldecoder("utf-8")()
    wide, mark, lines, delimiters, quoted, tail, begun = None, delimiter.encode(), 0, 0, 0, b"", False
    encoding = "utf-8"
    with opened(file) as content, ThreadPoolExecutor(1) as beside:
        hashed = beside.submit(bytes)
        while chunk := content.read(CHUNK):
            hashed.result()
            if not file.is_packed:
                hashed = beside.submit(digest.update, chunk)  # hashing runs beside the search of the text
            if not begun and chunk.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
                encoding, wide = "utf-16", codecs.getincrementaldecoder("utf-16")(errors="replace")
            begun = True
            if wide:
                chunk = wide.decode(chunk).encode()
            if b"\0" in chunk:
                raise InputError(
                    f"{file.name} is not a text file (it holds binary data, or UTF-16 without its mark): "
                    "export it again as CSV in UTF-8"
                )
            lines, tail = lines + chunk.count(b"\n"), (tail + chunk[-TAIL:])[-TAIL:]
            parts = chunk.split(b'"') if b'"' in chunk else [chunk]  # every other part is within quotes
            delimiters += b"".join(parts[quoted::2]).count(mark)
            quoted ^= (len(parts) - 1) % 2
            if encoding == "utf-8" and not (chunk.isascii() and not decoder.getstate()[0]):
                try:
                    decoder.decode(chunk)
                except UnicodeDecodeError:
                    encoding = "cp1252"
    if encoding == "utf-8" and decoder.getstate()[0]:
        encoding = "cp1252"
    lines += tail[-1:] != b"\n"
    form = {"encoding": encoding, "delimiter": delimiter, "lines": lines, "delimiters": delimiters}
    text = tail.decode("utf-8" if wide else encoding, errors="replace")
    return form | {"tail": text} | ({} if file.is_packed else {"sha256": digest.hexdigest()})


def head(file: TableFile) -> bytes:
    """Return how a file begins."""
    with opened(file) as content:
        return content.read(SAMPLE)


def decoded(sample: bytes, encoding: str, errors: str) -> str:
    return sample.decode("utf-8-sig" if encoding == "utf-8" else encoding, errors=errors)


def first_rows(sample: bytes, encoding: str, delimiter: str, name: str) -> list[Row]:
    """Return the first whole rows of a text file with their lines."""
    try:
        text = decoded(sample, encoding, "strict" if encoding == "cp1252" else "ignore")
    except UnicodeDecodeError:
        raise InputError(NO_TEXT.format(name)) from None
    rows, is_whole = rows_of(text, delimiter), len(sample) < SAMPLE
    if not is_whole and (not rows or "\n" not in text):
        raise InputError(
            f"{name} has a first line of more than {SAMPLE >> 10} KiB: it must name the columns, and no more"
        )
    return rows if is_whole else [*rows[:1], *rows[1:-1]]


def sample_rows(path: Path, encoding: str, delimiter: str) -> tuple[list[list[str]], bool]:
    """Return the first whole rows of a text file, the header first, and whether they are all of its rows."""
    with path.open("rb") as file:
        sample = file.read(SAMPLE)
    return [row for _, row in first_rows(sample, encoding, delimiter, file_name(path))], len(sample) < SAMPLE


def write_utf8(
    file: TableFile, encoding: str, target: Path, first_line: int = 1, below: int = 0, header: str = ""
) -> None:
    """Write a text file in UTF-8, from the line of its header on, or below one; without the lines below its table."""
    with opened(file) as content, target.open("w", encoding="utf-8", newline="") as new:
        old = io.TextIOWrapper(content, encoding="utf-8-sig" if encoding == "utf-8" else encoding, newline="")
        new.write(header)
        try:
            for _ in range(first_line - 1):
                old.readline()
            while chunk := old.read(CHUNK):
                new.write(chunk)
        except UnicodeDecodeError:
            raise InputError(NO_TEXT.format(file.name)) from None
    if below:
        _cut_off(target, below)


def _cut_off(path: Path, lines: int) -> None:
    """Take the last lines off a file."""
    with path.open("r+b") as file:
        begin = max(0, file.seek(0, os.SEEK_END) - 4 * TAIL)  # UTF-8 may be longer than what it was made of
        file.seek(begin)
        kept = file.read().removesuffix(b"\n").rsplit(b"\n", lines)[0]
        file.truncate(begin + len(kept) + 1)
