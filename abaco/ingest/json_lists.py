"""Lists within JSON: a file whose rows are a list inside of an object, such as ``{"pageItems": […]}``."""

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from abaco.core.errors import InputError
from abaco.core.quoting import shown

MAX_TEXT = 1 << 28  # the objects of a list are in memory together while it is looked for
MAX_DEPTH = 5
HEAD = 1 << 20
# Keys beside a list by which it says how many rows there are in all, or that there are more pages; only letters count.
ROWS = "(?:records?|rows?|items?|elements?|results?|loans?)"
COUNT = re.compile(f"total(?:filtered)?(?:{ROWS}|counts?|hits)|{ROWS}(?:total|count)")
COUNT_OF_PAGES = re.compile(r"total|count|numfound")  # such a number beside the one of a page
PAGE = re.compile(r"(?:current|per|total|last)?pages?(?:no|number|size|index|count)?|offset|limit|skip|cursor")
PAGES = re.compile(r"totalpages?|pages?(?:count|total)|lastpage|numpages|numberofpages|pages")
MORE = re.compile(r"(?:has|is)?(?:more|next(?:page)?)(?:rows|records|items|results|pages)?|truncated|ispartial|partial"
                  r"|next(?:link|url|token|cursor|pagetoken|pageurl)|odatanextlink")  # fmt: skip
BLANKS = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True)
class JsonList:
    """A list of objects in a JSON text: the keys that lead to it, where it begins and ends, and its rows."""

    name: str
    begin: int
    end: int
    rows: int


def inner_list(path: Path, name: str, fits: Callable[[list[str]], bool] | None = None) -> JsonList | None:
    """Return the list of rows inside of the one object of a JSON file; None where the file itself is the rows.

    Parameters
    ----------
    fits
        Whether the keys of the object are those of a row, so that it is one.

    Raises
    ------
    InputError
        When there are several lists, naming their keys, the file is too large to look for one, or it says itself that
        the list is a part of all rows.
    """
    with path.open("rb") as file:
        start = file.read(HEAD)
    if not start.removeprefix(b"\xef\xbb\xbf").lstrip().startswith(b"{") or _is_of_lines(start):
        return None
    if path.stat().st_size > MAX_TEXT:
        raise InputError(f"{name} is one object of {path.stat().st_size >> 20} MiB: write its list of rows by itself")
    try:
        text = path.read_text(encoding="utf-8-sig")
        end = _collect(text, _skip(text, 0), (), lists := [], beside := {})
    except (ValueError, RecursionError):  # damaged, or a row a line: the engine tells
        return None
    if text[end:].strip() or not lists or (fits and fits(list(json.loads(text)))):
        return None
    if len(lists) > 1:
        both = " and ".join(one.name for one in lists[:2])
        raise InputError(f"{name} has several lists of objects, {both}: write the one of the loans by itself")
    _check_whole(name, lists[0].rows, beside)
    return lists[0]


def _check_whole(name: str, rows: int, beside: dict[tuple[str, ...], Any]) -> None:
    """Raise when what stands beside a list says that it is a part of all rows.

    Parameters
    ----------
    beside
        The single values of the file, by the keys that lead to them.
    """
    plain = [(re.sub(r"[^a-z]", "", keys[-1].lower()), keys, value) for keys, value in beside.items()]
    counts = [
        (key, keys, value) for key, keys, value in plain if isinstance(value, int) and not isinstance(value, bool)
    ]
    is_paged = any(PAGE.fullmatch(key) for key, _, _ in counts)
    said = [v for key, _, v in counts if COUNT.fullmatch(key) or (is_paged and COUNT_OF_PAGES.fullmatch(key))]
    if said and max(said) > rows:
        raise InputError(f"{name} says {max(said):,} rows, and holds {rows:,}: export all pages into one file")
    if said and max(said) == rows:
        return
    pages = max((value for key, _, value in counts if PAGES.fullmatch(key)), default=1)
    more = [keys for key, keys, value in plain if value and (MORE.fullmatch(key) or "next" in keys)]
    more += [keys for key, keys, value in plain if key == "last" and value is False]
    if pages > 1 or more:
        what = f"{pages:,} pages" if pages > 1 else f"more rows ({'.'.join(map(shown, more[0]))})"
        raise InputError(f"{name} says that there are {what}, and holds {rows:,} rows: export all pages into one file")


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


def _collect(
    text: str, at: int, keys: tuple[str, ...], found: list[JsonList], beside: dict[tuple[str, ...], Any]
) -> int:
    """Add the lists of objects and the single values of the object that begins at a place; return where it ends."""
    decoder = json.JSONDecoder()
    at = _skip(text, at + 1)
    while text[at : at + 1] != "}":
        key, at = decoder.raw_decode(text, at)
        at = _skip(text, at)
        if not isinstance(key, str) or text[at : at + 1] != ":":
            raise ValueError(f"no key at {at}")
        begin, path = _skip(text, at + 1), (*keys, key)
        if text[begin : begin + 1] == "{" and len(path) < MAX_DEPTH:
            at = _collect(text, begin, path, found, beside)
        else:
            value, at = decoder.raw_decode(text, begin)
            if isinstance(value, list) and value and all(isinstance(row, dict) for row in value):
                found.append(JsonList(".".join(map(shown, path)), begin, at, len(value)))
            elif not isinstance(value, (list, dict)):
                beside[path] = value
        at = _skip(text, at)
        if text[at : at + 1] == ",":
            at = _skip(text, at + 1)
        elif text[at : at + 1] != "}":
            raise ValueError(f"no end at {at}")
    return at + 1


def _skip(text: str, at: int) -> int:
    return BLANKS.match(text, at).end()
