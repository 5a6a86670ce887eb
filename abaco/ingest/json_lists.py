"""Lists within JSON: a file whose rows are a list inside of an object, such as ``{"pageItems": […]}``."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from abaco.core.errors import InputError
from abaco.core.quoting import shown

MAX_TEXT = 1 << 28  # the objects of a list are in memory together while it is looked for
MAX_DEPTH = 5
HEAD = 1 << 20
BLANKS = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True)
class JsonList:
    """A list of objects in a JSON text: the keys that lead to it, and where it begins and ends."""

    name: str
    begin: int
    end: int


def inner_list(path: Path, name: str, fits: Callable[[list[str]], bool] | None = None) -> JsonList | None:
    """Return the list of rows inside of the one object of a JSON file; None where the file itself is the rows.

    Parameters
    ----------
    fits
        Whether the keys of the object are those of a row, so that it is one.

    Raises
    ------
    InputError
        When there are several lists, naming their keys, or the file is too large to look for one.
    """
    with path.open("rb") as file:
        start = file.read(HEAD)
    if not start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{") or _is_of_lines(start):
        return None
    if path.stat().st_size > MAX_TEXT:
        raise InputError(f"{name} is one object of {path.stat().st_size >> 20} MiB: write its list of rows by itself")
    try:
        text = path.read_text(encoding="utf-8-sig")
        end = _collect(text, _skip(text, 0), (), lists := [])
    except (ValueError, RecursionError):  # damaged, or a row a line: the engine tells
        return None
    if text[end:].strip() or not lists or (fits and fits(list(json.loads(text)))):
        return None
    if len(lists) > 1:
        both = " and ".join(one.name for one in lists[:2])
        raise InputError(f"{name} has several lists of objects, {both}: write the one of the loans by itself")
    return lists[0]


def written(path: Path, found: JsonList, target: Path) -> Path:
    """Write the list by itself, as it stands in the file, and return where it is."""
    text = path.read_text(encoding="utf-8-sig")
    target.write_text(text[found.begin : found.end], encoding="utf-8")
    return target


def _is_of_lines(start: bytes) -> bool:
    """Return whether the first two lines are an object each."""
    lines = [line for line in start.removeprefix(b"\xef\xbb\xbf").split(b"\n") if line.strip()]
    try:
        return len(lines) > 1 and all(isinstance(json.loads(line), dict) for line in lines[:2])
    except ValueError:
        return False


def _collect(text: str, at: int, keys: tuple[str, ...], found: list[JsonList]) -> int:
    """Add the lists of objects in the object that begins at a place, and return where it ends."""
    decoder = json.JSONDecoder()
    at = _skip(text, at + 1)
    while text[at : at + 1] != "}":
        key, at = decoder.raw_decode(text, at)
        at = _skip(text, at)
        if not isinstance(key, str) or text[at : at + 1] != ":":
            raise ValueError(f"no key at {at}")
        begin, path = _skip(text, at + 1), (*keys, key)
        if text[begin : begin + 1] == "{" and len(path) < MAX_DEPTH:
            at = _collect(text, begin, path, found)
        else:
            value, at = decoder.raw_decode(text, begin)
            if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
                found.append(JsonList(".".join(map(shown, path)), begin, at))
        at = _skip(text, at)
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
        elif text[at : at + 1] != "}":
            raise ValueError(f"no end at {at}")
    return at + 1


def _skip(text: str, at: int) -> int:
    return BLANKS.match(text, at).end()
