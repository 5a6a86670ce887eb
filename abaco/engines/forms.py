"""How numbers and dates stand in text: patterns that both engines, and Python, read alike.

They are for text in lower case without blanks at its ends, and match it from its beginning to its end.
"""

from dataclasses import dataclass

from abaco.core.currencies import ALIASES, CODES, SIGNS


@dataclass(frozen=True)
class Writing:
    """How a column is written; by default as programs write it: ``1500.50`` or ``1,500.50``, and ``2025-12-31``.

    Parameters
    ----------
    decimal_mark
        ``.`` or ``,``.
    is_dressed
        Its numbers may have a currency, a minus at the end, parentheses, or groups of other forms (see `dressed`).
    dates
        Empty for ``2025-12-31`` alone; ``any`` also for other forms that can be read in one way only, ``ymd``, ``dmy``
        or ``mdy`` also for numbers in that order; ``serial`` for the days of a spreadsheet.
    months
        The day that a month such as ``Dec-2025`` is: ``first`` or ``last``; empty: it is not a date.
    """

    decimal_mark: str = "."
    is_dressed: bool = False
    dates: str = ""
    months: str = ""


PLAIN = Writing()

# Numbers

BLANK = " \u00a0\u2007\u2009\u202f"
APART = BLANK + "'\u2019"  # what groups thousands beside a point or comma
MINUS = "\u2212\u2013"  # signs that stand for a minus
# A currency's code or sign; where a number has one, this takes its place.
CURRENCY_SIGN = "\u00a4"
FLAT_SIGN = "\u00ac"  # the same of `FLAT`


def _either(words) -> str:
    """Return a pattern of any of the words, the longest first; no letter in it is a sign of patterns."""
    plain = sorted({word.lower() for word in words}, key=lambda word: (-len(word), word))
    return "|".join("".join(f"\\x{ord(c):02x}" if c in "$./" else c for c in word) for word in plain)


CURRENCY = f"(?:{_either((*CODES, *ALIASES, *SIGNS))})"
# What stands behind an amount without decimals: 1,000/=, 1000/-, 1.000,- and 1000.-
FLAT = f"(?:/[=-]|[.,][-{MINUS}]{{1,2}})"
DRESS = f"(?:{CURRENCY}|{FLAT})"


def dressed(decimal_mark: str) -> str:
    """Return the pattern of a number with a currency (as `CURRENCY_SIGN`), groups, and a sign on either side."""
    group = "\\x2e" if decimal_mark == "," else ","
    point = "," if decimal_mark == "," else "\\x2e"
    digits = (
        rf"(?:[0-9]+(?:{point}[0-9]*)?|{point}[0-9]+|[1-9][0-9]{{0,2}}(?:{group}[0-9]{{3}})+(?:{point}[0-9]+)?"
        rf"|[1-9][0-9]{{0,2}}(?:[{APART}][0-9]{{3}})+(?:{point}[0-9]+)?"
        rf"|[1-9][0-9]?(?:{group}[0-9]{{2}})+{group}[0-9]{{3}}(?:{point}[0-9]+)?)"
    )
    room = f"[{BLANK}{CURRENCY_SIGN}{FLAT_SIGN}]*"
    return rf"^(?:{room}[-+]?{room}{digits}{room}|{room}{digits}{room}-|{room}\({room}{digits}{room}\){room})$"


# Dates

MONTHS = (
    "jan|january|ene|enero|janeiro", "feb|february|febrero|fev|fevereiro", "mar|march|marzo|março|marco",
    "apr|april|abr|abril", "may|mayo|mai|maio", "jun|june|junio|junho", "jul|july|julio|julho",
    "aug|august|ago|agosto", "sep|sept|september|set|septiembre|setiembre|setembro",
    "oct|october|octubre|out|outubro", "nov|november|noviembre|novembro", "dec|december|dic|diciembre|dez|dezembro",
)  # fmt: skip
MONTH = rf"(?:^|[^a-z])({_either('|'.join(MONTHS).split('|'))})(?:[^a-z]|$)"
# Where the first three letters of a month's name stand in this text tells its number.
NAME_WIDTH = 12
NAMES = "".join(
    "".join(f".{name}" for name in sorted({word[:3] for word in words.split("|")})).ljust(NAME_WIDTH, ".")
    for words in MONTHS
)
_TIME = "(?:[t ,:]+[0-9]{1,2}:.*)?$"
_BETWEEN = "(?:[-/., ]|de|del)*"
_YEAR, _ANY_YEAR = "([12][0-9]{3})", "([12][0-9]{3}|[0-9]{2})"
_PARTS = f"^([0-9]{{1,2}})[-/. ]([0-9]{{1,2}})[-/. ]{_ANY_YEAR}{_TIME}"
# A date's pattern and its groups in the order of year, month and day; {02} stands for a month that is named.
WITH_NAMES = (
    (rf"^([0-9]{{1,2}}){_BETWEEN}\{{([0-9]{{2}})\}}{_BETWEEN}{_ANY_YEAR}{_TIME}", (3, 2, 1)),
    (rf"^\{{([0-9]{{2}})\}}{_BETWEEN}([0-9]{{1,2}})(?:st|nd|rd|th)?[, ]+{_YEAR}{_TIME}", (3, 1, 2)),
    (rf"^{_YEAR}{_BETWEEN}\{{([0-9]{{2}})\}}{_BETWEEN}([0-9]{{1,2}}){_TIME}", (1, 2, 3)),
)
IN_ANY_ORDER = (
    (f"^{_YEAR}[-/.]([0-9]{{1,2}})[-/.]([0-9]{{1,2}}){_TIME}", (1, 2, 3)),
    (f"^((?:19|20)[0-9]{{2}})([0-9]{{2}})([0-9]{{2}})(?:\\x2e0+)?{_TIME}", (1, 2, 3)),
)
BY_ORDER = {
    "any": (),
    "dmy": ((_PARTS, (3, 2, 1)),),
    "mdy": ((_PARTS, (3, 1, 2)),),
    "ymd": ((f"^([0-9]{{2}})[-/.]([0-9]{{1,2}})[-/.]([0-9]{{1,2}}){_TIME}", (1, 2, 3)),),
}
# The same of months: year and month.
OF_MONTHS = (
    (rf"^\{{([0-9]{{2}})\}}{_BETWEEN}{_ANY_YEAR}$", (2, 1)),
    (rf"^{_YEAR}{_BETWEEN}\{{([0-9]{{2}})\}}$", (1, 2)),
    ("^((?:19|20)[0-9]{2})[-/.]?(0[1-9]|1[0-2])(?:\\x2e0+)?$", (1, 2)),
    ("^(0?[1-9]|1[0-2])[-/.]((?:19|20)[0-9]{2})$", (2, 1)),
)
# Days since 30 December 1899: of 1954 to 2119.
SERIAL = "^([2-7][0-9]{4})(?:\\x2e0+)?$"
# Two digits of a year up to these are of this century. Source: POSIX.
LAST_SHORT_YEAR = "68"


def dates(writing: Writing) -> tuple[tuple[str, tuple[int, ...]], ...]:
    """Return the patterns of the days that a column of that writing may hold."""
    return (*IN_ANY_ORDER, *BY_ORDER[writing.dates], *WITH_NAMES)
