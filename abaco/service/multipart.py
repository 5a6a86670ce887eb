"""A form with files, as its bytes arrive: the files go to the disk, and only its short fields are kept in memory."""

import hmac
import os
import unicodedata
from pathlib import Path, PurePosixPath, PureWindowsPath
from typing import BinaryIO

from fastapi import HTTPException
from python_multipart import MultipartParser
from python_multipart.multipart import parse_options_header

from abaco.core.errors import InputError
from abaco.core.quoting import visible
from abaco.ingest.containers import KINDS, PACKED, is_input

FORM = b"multipart/form-data"
MAX_NAME, MAX_FIELD = 200, 200  # bytes
STALE = "This page is no longer current, or another site sent the form: open the page again"


class Form:
    """Takes a form with a field ``token`` first, and then files.

    Parameters
    ----------
    content_type
        The header of the request, which names the boundary of the parts.
    folder
        Where the files go.
    token
        What the field must say.
    """

    def __init__(self, content_type: str, folder: Path, token: str):
        kind, options = parse_options_header(content_type)
        if kind != FORM or not options.get(b"boundary"):
            raise HTTPException(415, "An upload is a form with files: use the page")
        self.files: list[Path] = []
        self._folder, self._token = folder, token
        self._headers: dict[bytes, bytes] = {}
        self._name, self._value, self._field = b"", b"", b""
        self._is_genuine, self._is_file, self._is_whole = False, False, False
        self._file: BinaryIO | None = None
        self._parser = MultipartParser(options[b"boundary"], {
            "on_part_begin": self._begin, "on_header_field": self._header_name, "on_header_value": self._header_value,
            "on_header_end": self._end_header, "on_headers_finished": self._open, "on_part_data": self._take,
            "on_part_end": self._end, "on_end": self._see_end,
        })  # fmt: skip

    def write(self, chunk: bytes) -> None:
        """Take the next bytes.

        Raises
        ------
        InputError, HTTPException
            When the form cannot be accepted, with the reason in one line.
        """
        self._parser.write(chunk)

    def finish(self) -> None:
        """Check that the form has come to its end.

        Raises
        ------
        InputError, HTTPException
            When it has not, or its token is another one.
        """
        if not self._is_whole:
            raise InputError("The upload is not a whole form: send it again")
        if not self._is_genuine:
            raise HTTPException(403, STALE)

    def close(self) -> None:
        """Close the file that is being written, if any."""
        if self._file:
            self._file.close()
            self._file = None

    def _begin(self) -> None:
        self._headers, self._field, self._is_file = {}, b"", False

    def _header_name(self, data: bytes, start: int, end: int) -> None:
        self._name += data[start:end]

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._value += data[start:end]

    def _end_header(self) -> None:
        self._headers[self._name.lower()] = self._value
        self._name, self._value = b"", b""

    def _open(self) -> None:
        _, options = parse_options_header(self._headers.get(b"content-disposition"))
        self._is_file = b"filename" in options
        if not self._is_file:
            return
        if not self._is_genuine:
            raise HTTPException(403, STALE)
        if name := options[b"filename"]:  # a browser sends an empty one where nothing was chosen
            path = self._folder / plain_name(name, [path.name for path in self.files])
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            self._file = os.fdopen(descriptor, "wb")
            self.files.append(path)

    def _take(self, data: bytes, start: int, end: int) -> None:
        if self._file:
            self._file.write(memoryview(data)[start:end])
        elif self._is_file and end > start:
            raise InputError("A file has no name: give it one")
        elif len(self._field) <= MAX_FIELD:
            self._field += data[start:end]

    def _end(self) -> None:
        if not self._is_file and hmac.compare_digest(self._field, self._token.encode()):
            self._is_genuine = True
        self.close()

    def _see_end(self) -> None:
        self._is_whole = True


def plain_name(name: bytes, taken: list[str]) -> str:
    """Return the name of a file that is to be written, which leads nowhere else and that no other file has.

    Raises
    ------
    InputError
        When it is not the plain name of an export.

    Examples
    --------
    >>> plain_name(b"loans.csv", [])
    'loans.csv'
    """
    try:
        text = unicodedata.normalize("NFC", name.decode())
    except UnicodeDecodeError:
        raise InputError("The name of a file is not UTF-8: rename it") from None
    is_plain = text == PurePosixPath(text).name == PureWindowsPath(text).name == visible(text).strip(" .")
    if not is_plain or text.startswith("~") or len(text.encode()) > MAX_NAME:
        raise InputError(f"{visible(text)[:60]} is not a plain file name: rename it")
    if not is_input(Path(text)):
        raise InputError(f"{text} is not one of {', '.join((*KINDS, *PACKED))}: export it in one of these forms")
    if text.casefold() in (other.casefold() for other in taken):
        raise InputError(f"Two files are named {text}: rename one")
    return text
