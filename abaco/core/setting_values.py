"""Settings that are an address, a path, a folder of blobs or percentages, and what is wrong with those that are not."""

import re
from typing import Any
from urllib.parse import urlsplit

from abaco.core.net import is_loopback

CONTAINER = re.compile(r"[a-z0-9](-?[a-z0-9]){2,62}")
LONGEST_PATH, LONGEST_NAME = 4_000, 255  # bytes that file systems take
MAX_PREFIX = 500  # characters, of the 1,024 that the name of a blob may have


def address(text: str) -> str:
    """Return the address of a download, or an empty one. The errors never hold it: it may have a password.

    Raises
    ------
    ValueError
        When it is not valid, or others could read a token on the way.
    """
    try:
        parts = urlsplit(text)
        _ = parts.port
    except ValueError:
        raise ValueError("it is not a valid address") from None
    if "@" in parts.netloc:
        raise ValueError("it holds a user or a password: take it out, the token alone signs in")
    is_safe = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
    if text and not (parts.hostname and is_safe):
        raise ValueError("write https://host/…, or the token could be read on the way")
    return text


def container(text: str) -> str:
    """Return the name of a container of blobs.

    Raises
    ------
    ValueError
        When Azure knows no such names.
    """
    if not CONTAINER.fullmatch(text):
        raise ValueError("write 3 to 63 small letters, digits and single hyphens between them")
    return text


def prefix(text: str) -> str:
    """Return the folder of blobs, such as ``reports/2025``.

    Raises
    ------
    ValueError
        When no blob may lie there.
    """
    if len(text) > MAX_PREFIX:
        raise ValueError(f"it has more than {MAX_PREFIX} characters")
    folders = text.strip("/").split("/") if text else []
    if "\\" in text or any(not folder or folder.endswith(".") for folder in folders):
        raise ValueError("write folders with / between them, none of which is empty or ends in a point")
    return text


def percentages(value: Any) -> Any:
    """Return five percentages as their text, or an empty one.

    Raises
    ------
    ValueError
        When they are not five, or not from 0 to 100.
    """
    parts = value.split(",") if isinstance(value, str) else [str(value)] * bool(value)
    if value != "" and (len(parts) != 5 or not all(_is_pct(part) for part in parts)):
        raise ValueError('in a file of settings, write five numbers from 0 to 100, such as "0.5, 2, 10, 30, 100"')
    return value


def _is_pct(text: str) -> bool:
    try:
        return 0 <= float(text) <= 100
    except ValueError:
        return False


def place(text: str) -> str:
    """Return a path, unless it is too long for a file system."""
    if len(text.encode()) > LONGEST_PATH or any(len(name.encode()) > LONGEST_NAME for name in text.split("/")):
        raise ValueError("it is longer than a path can be: shorten it")
    return text
