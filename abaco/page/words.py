"""Figures in words: numbers, money, dates and lists as the page's readers expect them, in their language.

All numbers of a page have the marks of its currency and language: 1,234.56 in dollars, as English and the Spanish of El
Salvador write it, and 1.234,56 in euros in Spanish (see `core.currencies`).
"""

import datetime
import re
from collections.abc import Iterable
from decimal import Decimal

from abaco.core import currencies
from abaco.ingest.masking import TOKEN
from abaco.page.language import phrase, spoken

NBSP = "\u00a0"
MINUS = "\u2212"
NOTHING = "–"
MONTHS = {
    "en": (
        "January", "February", "March", "April", "May", "June",
        "July", "August", "September", "October", "November", "December",
    ),
    "es": (
        "enero", "febrero", "marzo", "abril", "mayo", "junio",
        "julio", "agosto", "septiembre", "octubre", "noviembre", "diciembre",
    ),
}  # fmt: skip
JOINER = "\u2060"
DAY = {"en": f"{{day}}{NBSP}{{month}}{NBSP}{{year}}", "es": f"{{day}}{NBSP}de{NBSP}{{month}} de{NBSP}{{year}}"}
# how names of figures begin in Spanish, and their article
ARTICLES = ((r"\w+ado\b", "lo"), (r"(mayor )?\w+(a|ión|dad)\b", "la"), (r"diez |\w+[oe]s\b|días\b", "los"), (r"", "el"))
QUARTER = {"en": "{year} Q{quarter}", "es": "T{quarter} {year}"}


def number(value, decimals: int) -> str:
    """Return `value` rounded half up, with thousands separators and a true minus sign.

    >>> number(1234.565, 2)
    '1,234.57'
    """
    return currencies.number(value, decimals).replace("-", MINUS)


def plain(value) -> str:
    """Return `value` with as many decimals as it has, and no more: a threshold is 5, not 5.00.

    >>> plain(5.0), plain(1.50)
    ('5', '1.5')
    """
    exponent = Decimal(str(value)).normalize().as_tuple().exponent
    return number(value, max(-exponent, 0))


def count(value) -> str:
    """Return a whole number with thousands separators; a dash for one that is not known."""
    return NOTHING if value is None else number(value, 0)


def money(amount) -> str:
    """Return an amount without its currency, to the cent if it has cents; a dash for one that is not known."""
    return NOTHING if amount is None else number(amount, currencies.decimals(currencies.current()))


def usd(amount, decimals: int | None = None) -> str:
    """Return an amount with its currency, to the cent if it has cents; a dash for one that is not known."""
    return NOTHING if amount is None else currencies.amount(amount, decimals, blank=NBSP).replace("-", MINUS)


def percent(value, decimals: int = 2) -> str:
    """Return a share of 100 with its sign; a dash for one that is not known."""
    return NOTHING if value is None else f"{number(value, decimals)}{NBSP}%"


def _date(date) -> datetime.date:
    return datetime.date.fromisoformat(str(date)[:10])


def day(date) -> str:
    """Return an ISO date, or a date, as people write it.

    >>> day("2025-12-31").replace(NBSP, " ")
    '31 December 2025'
    """
    date = _date(date)
    name = month_name(date)
    return DAY[spoken()].format(day=date.day, month=name, year=date.year)


def month(date, year: bool = True) -> str:
    """Return the month of a date, short enough for an axis.

    >>> month("2025-12-31").replace(NBSP, " "), month("2025-12-31", year=False)
    ('Dec 2025', 'Dec')
    """
    date = _date(date)
    name = MONTHS[spoken()][date.month - 1][:3]
    return f"{name}{NBSP}{date.year}" if year else name


def month_name(date) -> str:
    """Return the name of a date's month.

    >>> month_name("2025-12-31")
    'December'
    """
    return MONTHS[spoken()][_date(date).month - 1]


def short_day(date) -> str:
    """Return a date short enough for an axis.

    >>> short_day("2025-12-31").replace(NBSP, " ")
    '31 Dec 25'
    """
    date = _date(date)
    return f"{date.day}{NBSP}{month(date, year=False)}{NBSP}{date:%y}"


def quarter(name: str) -> str:
    """Return a quarter as people write it: '2024 Q1', in Spanish 'T1 2024'; another text as it is."""
    year, is_quarter, number = name.partition(" Q")
    return QUARTER[spoken()].format(year=year, quarter=number).replace(" ", NBSP) if is_quarter else name


def bucket(name: str, others: Iterable[str] = ()) -> str:
    """Return an aging bucket in days, which no line breaks; one that ends where another begins ends a day earlier.

    >>> [bucket(name, ("7–30", "30–60", "90+")).replace(NBSP, " ").replace(JOINER, "") for name in ("7–30", "90+")]
    ['7–29 days', '90+ days']
    >>> bucket("7–30", ("0–6", "7–30", "31+")).replace(NBSP, " ").replace(JOINER, "")
    '7–30 days'
    """
    low, dash, high = name.partition("–")
    if dash and any(re.match(rf"{high}\b", other) for other in others):
        name = f"{low}–{int(high) - 1}"
    return f"{name.replace('–', f'{JOINER}–{JOINER}')}{NBSP}{phrase('days')}"


def code(identity: str) -> str:
    """Return an id short enough for a table: of a keyed token its first eight digits, another as it is."""
    return f"{identity.removeprefix(TOKEN)[:8]}…" if identity.startswith(TOKEN) else identity


def plural(amount: int, one: str, many: str | None = None) -> str:
    """Return `amount` with its noun.

    >>> plural(1, "row").replace(NBSP, " "), plural(2, "loss", "losses").replace(NBSP, " ")
    ('1 row', '2 losses')
    """
    return f"{count(amount)}{NBSP}{phrase(one if amount == 1 else many or one + 's')}"


def listing(items) -> str:
    """Return a list as a sentence has it.

    >>> listing(["a", "b", "c"])
    'a, b and c'
    """
    *most, last = [str(item) for item in items]
    joint = "and"
    if spoken() == "es":
        joint = "e" if re.match(r"h?i(?![aeou])", last, re.IGNORECASE) else "y"
    return f"{', '.join(most)} {joint} {last}" if most else last


def the(name: str) -> str:
    """Return the name of a figure for a sentence: in Spanish with its article, by the form of its first words."""
    if spoken() != "es":
        return name
    article = next(article for pattern, article in ARTICLES if re.match(pattern, name, re.IGNORECASE))
    return f"{article} {name}"
