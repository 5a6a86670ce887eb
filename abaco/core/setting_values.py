"""Settings that are a schedule, an address or a folder of blobs, and what is wrong with one that cannot be used."""

import re
from urllib.parse import urlsplit

from abaco.core.net import is_loopback

WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
# of each field of a schedule: its name, the least and the greatest number, and the words
FIELDS = (
    ("minute", 0, 59, ()),
    ("hour", 0, 23, ()),
    ("day", 1, 31, ("last",)),
    ("month", 1, 12, MONTHS),
    ("weekday", 1, 0, WEEKDAYS),  # no numbers: cron and APScheduler count them differently
)
PART = re.compile(r"(?:\*|(\w+)(?:-(\w+))?)(?:/[1-9]\d*)?")
MAX_PREFIX = 500  # characters, of the 1,024 that the name of a blob may have


def cron(text: str) -> str:
    """Return a schedule in five fields, or an empty one.

    Raises
    ------
    ValueError
        Naming the field that cannot be read.
    """
    fields = text.split()
    if fields and len(fields) != len(FIELDS):
        raise ValueError("write five fields, such as 0 2 * * *, or nothing")
    for field, (name, least, most, words) in zip(fields, FIELDS, strict=False):
        for part in field.split(","):
            found = PART.fullmatch(part)
            ends = [end.lower() for end in found.groups() if end is not None] if found else [""]
            if not all(end in words or (end.isdecimal() and least <= int(end) <= most) for end in ends):
                known = ", ".join(words) if name == "weekday" else f"a number from {least} to {most}"
                raise ValueError(f"its {name} is neither * nor {known}")
    return text


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
