"""What a message may quote of somebody else's file: its headings and its name, but nothing personal in them."""

import re
from collections.abc import Iterable
from pathlib import Path

DATE = re.compile(r"^\s*[^\W\d]{3,10}\.?[\s/.-]*\d{2,4}\s*$|\d[-/.\s][^\W\d]{3,10}[-/.\s]\d")
EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
PHONE = re.compile(r"\+\d[\d\s().-]{5,}\d")
HIDDEN = "…"


def is_value(text: str) -> bool:
    """Return whether a cell of a header looks like a value: an address, digits mostly, or a date.

    Examples
    --------
    >>> [is_value(text) for text in ("ana@example.org", "+503 5550-0001", "L001", "15-Feb-2025", "dpd_0_7_usd")]
    [True, True, True, True, False]
    """
    digits, letters = sum(map(str.isdigit, text)), sum(map(str.isalpha, text))
    return "@" in text or 0 < digits >= letters or bool(DATE.search(text))


def quotable(headings: Iterable[str], known: int) -> list[str]:
    """Return the headings that a message may show, without stray blanks.

    A first line that is not a header holds values: without a known heading, or with no more of them than cells that
    look like values, none is shown.

    Parameters
    ----------
    known
        How many of the headings a contract knows.
    """
    cells = [heading.strip() for heading in headings]
    shown = [cell for cell in cells if cell and not is_value(cell)]
    return shown if known > len([cell for cell in cells if cell]) - len(shown) else []


def file_name(path: Path) -> str:
    """Return the name of a file, without email addresses and phone numbers.

    Examples
    --------
    >>> file_name(Path("exports/ana@example.org.csv")), file_name(Path("of +503 5550-0001.csv"))
    ('….csv', 'of ….csv')
    """
    return PHONE.sub(HIDDEN, EMAIL.sub(HIDDEN, path.stem)) + path.suffix
