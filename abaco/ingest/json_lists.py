"""Lists within JSON: a file whose rows are a list inside of an object, such as ``{"pageItems": […]}``, or hold objects.

Objects within a row become columns of their own, ``{"balance": {"amount": 1}}`` the column ``balance.amount``, and a
list of year, month and day a date.
"""

import json
import re
from collections.abc import Callable, Iterator
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
FIRST_ROWS = 100  # that show whether rows hold objects
DAY = re.compile(r"(?:19|20)\d{2}-\d{1,2}-\d{1,2}")
BLANKS = re.compile(r"[ \t\r\n]*")


@dataclass(frozen=True)
class JsonList:
    """A list of objects in a JSON text: the keys that lead to it, where it begins and ends, and its rows.

    `name` is empty where the whole text is rows, which hold objects (`is_nested`).
    """

    name: str
    begin: int = 0
    end: int | None = None
    rows: int = 0
    is_nested: bool = True


def inner_list(path: Path, name: str, fits: Callable[[list[str]], bool] | None = None) -> JsonList | None:
    """Return the list of rows inside of the one object of a JSON file; None where the file is rows as they are read.

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
        return JsonList("") if path.stat().st_size <= MAX_TEXT and any(map(_is_nested, _first(start))) else None
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


def written(path: Path, found: JsonList, target: Path, name: str) -> Path:
    """Write the list by itself, as it stands in the file but for objects in its rows, and return where it is.

    Raises
    ------
    InputError
        When the rows cannot be read, or have a column twice.
    """
    text = path.read_text(encoding="utf-8-sig", errors="replace")[found.begin : found.end]
    if found.is_nested:
        try:
            rows = _rows(text)
        except (ValueError, RecursionError) as error:
            raise InputError(f"{name} cannot be read as json: it is damaged; export it again") from error
        text = json.dumps([_flat(row, name) for row in rows], ensure_ascii=False)
    target.write_text(text, encoding="utf-8")
    return target


def lists_within(path: Path) -> list[str]:
    """Return the keys under which the first rows of a file hold lists of objects."""
    with path.open("rb") as file:
        rows = list(_first(file.read(HEAD)))
    return list(
        dict.fromkeys(key for row in rows if isinstance(row, dict) for key, value in row.items() if _is_list(value))
    )


def _is_list(value: Any) -> bool:
    """Return whether a value is a list of objects."""
    return isinstance(value, list) and bool(value) and all(isinstance(row, dict) for row in value)


def _rows(text: str) -> list[dict[str, Any]]:
    """Return the objects of a list, or of a row each, with numbers as they are written."""
    as_written = {"parse_float": str, "parse_int": str}
    if text.lstrip().startswith("["):
        return json.loads(text, **as_written)
    return [json.loads(line, **as_written) for line in text.splitlines() if line.strip()]


def _flat(row: Any, name: str) -> dict[str, Any]:
    """Return a row with a column for each value of the objects in it."""
    cells = list(_cells(row, ()))
    if len(cells) > len(flat := dict(cells)):
        twice = next(key for i, (key, _) in enumerate(cells) if key in dict(cells[:i]))
        raise InputError(f"{name} has the column {shown(twice)} more than once in a row: keep one of them")
    return flat


def _cells(value: Any, keys: tuple[str, ...]) -> Iterator[tuple[str, Any]]:
    if isinstance(value, dict) and (value or not keys):
        for key, inner in value.items():
            yield from _cells(inner, (*keys, key))
    elif _is_day(value):
        yield ".".join(keys), "-".join(f"{int(part):02}" for part in value)
    else:
        yield ".".join(keys), value


def _is_day(value: Any) -> bool:
    return isinstance(value, list) and len(value) == len("ymd") and bool(DAY.fullmatch("-".join(map(str, value))))


def _is_nested(row: Any) -> bool:
    """Return whether a row has objects or days as its values."""
    return isinstance(row, dict) and any(isinstance(value, dict) or _is_day(value) for value in row.values())


def _first(start: bytes) -> Iterator[Any]:
    """Yield the first rows of a list, or of a row each, as far as they are there."""
    decoder, text = json.JSONDecoder(), start.decode("utf-8-sig", "ignore")
    at = _skip(text, 0) + text.lstrip().startswith("[")
    try:
        for _ in range(FIRST_ROWS):
            row, at = decoder.raw_decode(text, _skip(text, at))
            yield row
            at = _skip(text, at)
            at += text[at : at + 1] == ","
    except (ValueError, RecursionError):
        return


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
            if _is_list(value):
                found.append(JsonList(".".join(map(shown, path)), begin, at, len(value), any(map(_is_nested, value))))
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
