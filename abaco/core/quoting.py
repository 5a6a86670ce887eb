"""Text of strangers: what a message may quote of somebody else's file, without controls, formulas or personal values.

Headings, names of files and cells may hold escape sequences, which rule a terminal; marks that turn the direction of
text; and what a spreadsheet takes for a formula. Wherever such text is shown or written for people, it goes through
`visible`, and where a spreadsheet opens it, through `plain_cell`.
"""

import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from abaco.core.people import HIDDEN, without_people

_MONTH = (
    "jan|ene|gen|feb|fev|fév|mar|mär|mrt|apr|abr|avr|may|mai|mag|mei|jun|giu|jul|lug|aug|ago|aoû|sep|set|o[ckt]t|out"
    "|nov|dec|dic|dez|déc"
)
DATE = re.compile(rf"(?i)^\s*(?:{_MONTH})[^\W\d]{{0,7}}\.?[\s/.-]*\d{{2,4}}\s*$|\d[-/.\s][^\W\d]{{3,10}}[-/.\s]\d")
EMAIL = re.compile(r"[^\s@]+@[^\s@]+")
PHONE = re.compile(r"\+\d[\d\s().-]{5,}\d")
# without a country, in names: not a year and another number, and not a date
_NO_YEAR = r"(?!(?:19|20)\d\d(?!\d))"
LOCAL_PHONE = re.compile(
    rf"(?<!\d)(?:{_NO_YEAR}\d{{3,4}}[-. ]{_NO_YEAR}\d{{4}}|\d{{3}}[-. ]\d{{3}}[-. ]\d{{4}}|[67]\d{{7}})(?!\d)"
)
# of nine digits and more, and not a day with or without its time
LONG_NUMBER = re.compile(
    r"(?<![^\W_])(?!(?:19|20)\d\d(?:0[1-9]|1[0-2])|(?:[0-2]\d|3[01])(?:0[1-9]|1[0-2])(?:19|20)\d\d)\d{9,15}(?![^\W_])"
)
# Numbers of tax payers and of identity cards in the Americas and India.
TAX_NUMBER = re.compile(
    r"\d{8}-\d|\d{4}-\d{6}-\d{3}-\d|\d{3}-\d{2}-\d{4}|[A-Z]{4}\d{6}(?:\w{3}|[A-Z]{6}\w\d)|[A-Z]{5}\d{4}[A-Z]"
    r"|\d{1,2}\.\d{3}\.\d{3}-[\dkK]|\d{3}\.\d{3}\.\d{3}-\d{2}|\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2}"
    r"|\d{4}[- ]\d{4,5}[- ]\d{4,5}|\d{3}-\d{6}-\d{4}[A-Z]|\d{3}-\d{7}-\d|\d-\d{4}-\d{4}"
)
# What stands among products and regions and identifies somebody, in the syntax of every engine; beside it, bands of
# numbers and years.
PERSONAL_VALUE = (
    rf"{EMAIL.pattern}|{PHONE.pattern}|^\s*(?:{TAX_NUMBER.pattern}"
    r"|\(?\d{3}\)?[-. ]?\d{3}[-. ]\d{4}|\d{3,4}[-. ]\d{4}|[67]\d{7}|\d{9,13})\s*$"
)
# The same among the numbers of loans, which may be long and in groups.
PERSONAL_ID = (
    rf"{EMAIL.pattern}|{PHONE.pattern}|^\s*(?:\d{{3}}-\d{{2}}-\d{{4}}|[A-Z]{{4}}\d{{6}}[HM][A-Z]{{5}}\w\d|[A-Z]{{5}}\d{{4}}[A-Z]"
    r"|\d{1,2}\.\d{3}\.\d{3}-[\dkK]|\d{3}\.\d{3}\.\d{3}-\d{2}|\d{2}\.\d{3}\.\d{3}/\d{4}-\d{2})\s*$"
)
BAND = r"^\s*(?:(?:19|20)\d\d[-. ](?:19|20)\d\d|\d*[01][-. ]\d*[09])\s*$"
# Line ends and tabs, which may part words; and what cannot be seen: controls, marks of direction, zero-width blanks.
BLANKS = "\t\n\x0b\x0c\r\x85\u2028\u2029"
INVISIBLE = (
    "\x00-\x08\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u061c\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb"
)
UNSEEN = "\N{REPLACEMENT CHARACTER}"
FREQUENT, MANY_DIGITS = 3, 5  # so many rows have a category, and so many digits no category has
_BLANK = re.compile(f"[{BLANKS}]")
_INVISIBLE = re.compile(f"[{INVISIBLE}\ud800-\udfff\U000e0000-\U000e007f]")
# How a cell begins that a spreadsheet computes, unless it is a number.
FORMULA = re.compile(r"\s*[=+\-@\t\r\uff1d\uff0b\uff0d\uff20]")
NUMBER = re.compile(r"[+-]?[\d.,]+(?:[eE][+-]?\d+)?%?")


def visible(text: str) -> str:
    r"""Return text on one line, without characters that rule a terminal or cannot be seen.

    Examples
    --------
    >>> visible("ok \x1b[31mred\x1b[0m"), visible("two\nlines"), visible("gnp.\u202exslx")
    ('ok �[31mred�[0m', 'two lines', 'gnp.�xslx')
    """
    return _INVISIBLE.sub(UNSEEN, _BLANK.sub(" ", text))


def visible_lines(text: str) -> str:
    """Return text as `visible` does, with its lines and tabs."""
    return _INVISIBLE.sub(UNSEEN, text)


def plain_cell(text: str) -> str:
    """Return text as a cell that no spreadsheet computes; numbers stay numbers.

    Examples
    --------
    >>> [plain_cell(text) for text in ("=SUM(A1)", "-1.50", "ABF - 1", "-")]
    ["'=SUM(A1)", '-1.50', 'ABF - 1', "'-"]
    """
    text = visible(text)
    return f"'{text}" if FORMULA.match(text) and not NUMBER.fullmatch(text) else text


def is_value(text: str) -> bool:
    """Return whether a cell of a header looks like a value: an address, digits mostly, or a date.

    Examples
    --------
    >>> [is_value(text) for text in ("ana@example.org", "+503 5550-0001", "L001", "15-Feb-2025", "dpd_0_7_usd")]
    [True, True, True, True, False]
    """
    digits, letters = sum(map(str.isdigit, text)), sum(map(str.isalpha, text))
    return "@" in text or 0 < digits >= letters or bool(DATE.search(text))


def quotable(headings: Sequence[str], known: Sequence[bool], rows: Iterable[Sequence[str]] = ()) -> list[str]:
    """Return the headings that a message may show, without stray blanks.

    A first line that is not a header holds values. With no more known headings than cells that look like values, none
    is shown. Where the rows below do not prove the first line a header, and most of it is unknown, the known ones are.

    Parameters
    ----------
    known
        Whether a contract knows each heading.
    rows
        The first rows below.

    Examples
    --------
    >>> quotable(["Ana", "cash", "Lima"], [False, True, False], [["Eva", "cash", "Lima"]])
    ['cash']
    >>> quotable(["Broker", "cash", "City"], [False, True, False], [["Eva", "12.50", "Lima"]])
    ['Broker', 'cash', 'City']
    >>> quotable(["Ana", "n/a", "n/a"], [False] * 3, [["Eva", "12.50", "7"]])
    []
    >>> quotable(["Ana", "cash", "principal", "7"], [False, True, True, False], [["Eva", "cash", "interest", "7"]])
    ['cash', 'principal']
    """
    cells = [(heading.strip(), is_known) for heading, is_known in zip(headings, known, strict=True) if heading.strip()]
    shown = [(cell, is_known) for cell, is_known in cells if not is_value(cell)]
    rows = list(rows)
    if sum(known) <= len(cells) - len(shown):
        return []
    is_known_file = 2 * sum(known) >= len(cells) == len(shown)
    is_header = is_known_file or _columns_of_values(headings, rows) > 0
    return [cell for cell, is_known in shown
            if is_known or (is_header and cell == without_people(cell, any_case=not is_known_file))]  # fmt: skip


def _columns_of_values(headings: Sequence[str], rows: list[Sequence[str]]) -> int:
    """Return how many headings stand above a column of values."""
    columns = zip(headings, *(row for row in rows if len(row) == len(headings)), strict=True)
    filled = ([cell for cell in column if cell.strip()] for column in columns)
    return sum(len(cells) > 1 and not is_value(cells[0]) and all(map(is_value, cells[1:])) for cells in filled)


def word(text: str) -> str:
    """Return a word of a cell, or ``…`` where it may be a name or a number: words with capitals or digits.

    Examples
    --------
    >>> [word(text) for text in ("PAYMENT", "Late fee", "Ana Lima", "to account 7777-8888")]
    ['PAYMENT', 'Late fee', '…', '…']
    """
    first, *more = text.split() or [""]
    is_word = len(more) < 3 and re.fullmatch(r"[^\W\d]+(?:-[^\W\d]+)?", first) and all(map(str.islower, more))
    return text if is_word else HIDDEN


def frequent_word(text: str, rows: int) -> str:
    """Return a word of a cell that so many rows have: a category, which several words with capitals may not be.

    Examples
    --------
    >>> [frequent_word(text, 3) for text in ("M0", "C/O", "Ana de Lima", "DUI 01234567-8")]
    ['M0', 'C/O', '…', '…']
    >>> frequent_word("M0", 1)
    '…'
    """
    digits = sum(map(str.isdigit, text))
    is_name, is_number = not digits and sum(part[0].isupper() for part in text.split()) > 1, digits >= MANY_DIGITS
    is_personal = is_name or is_number or "@" in text or without_people(text, any_case=True) != text
    return word(text) if rows < FREQUENT or is_personal else text


def file_name(path: Path) -> str:
    """Return the name of a file as it may be shown, without email addresses, phone numbers and names of people.

    Examples
    --------
    >>> file_name(Path("exports/ana@example.org.csv")), file_name(Path("of +503 5550-0001.csv"))
    ('….csv', 'of ….csv')
    >>> file_name(Path("of 7890-1234.csv")), file_name(Path("2024-2025 20251231.csv")), file_name(Path("JoseArias.csv"))
    ('of ….csv', '2024-2025 20251231.csv', '….csv')
    >>> [file_name(Path(f"tape {number}.csv")) for number in ("254712345678", "202512311530", "31122025153000")]
    ['tape ….csv', 'tape 202512311530.csv', 'tape 31122025153000.csv']
    """
    return shown(path.stem) + visible(path.suffix)


def shown(name: str, is_known: bool = True) -> str:
    """Return the name of a sheet, a folder or a member of an archive as a message may show it.

    Parameters
    ----------
    is_known
        Whether a format knows the table; in other names words in lower case may be a person's, too.
    """
    for personal in (EMAIL, PHONE, LOCAL_PHONE, LONG_NUMBER):
        name = personal.sub(HIDDEN, name)
    return visible(without_people(name, any_case=not is_known, camel_case=True))
