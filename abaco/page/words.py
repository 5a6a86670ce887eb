"""Figures in words: numbers, money, dates and lists as the page's readers expect them, in English."""

import datetime
from decimal import ROUND_HALF_UP, Decimal

NBSP = "\u00a0"
MINUS = "\u2212"
NOTHING = "–"
MONTHS = (
    "January", "February", "March", "April", "May", "June",
    "July", "August", "September", "October", "November", "December",
)  # fmt: skip


def number(value, decimals: int) -> str:
    """Return `value` rounded half up, with thousands separators and a true minus sign.

    >>> number(1234.565, 2)
    '1,234.57'
    """
    rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    return f"{rounded or abs(rounded):,f}".replace("-", MINUS)


def plain(value) -> str:
    """Return `value` with as many decimals as it has, and no more: a threshold is 5, not 5.00.

    >>> plain(5.0), plain(1.50)
    ('5', '1.5')
    """
    return f"{Decimal(str(value)).normalize():,f}".replace("-", MINUS)


def count(value) -> str:
    """Return a whole number with thousands separators; a dash for one that is not known."""
    return NOTHING if value is None else number(value, 0)


def money(amount) -> str:
    """Return a dollar amount without its unit, to the cent; a dash for one that is not known."""
    return NOTHING if amount is None else number(amount, 2)


def usd(amount) -> str:
    """Return a dollar amount with its unit, to the cent."""
    return NOTHING if amount is None else f"{number(amount, 2)}{NBSP}USD"


def percent(value, decimals: int = 2) -> str:
    """Return a share of 100 with its sign; a dash for one that is not known."""
    return NOTHING if value is None else f"{number(value, decimals)}{NBSP}%"


def day(date) -> str:
    """Return an ISO date, or a date, as people write it.

    >>> day("2025-12-31").replace(NBSP, " ")
    '31 December 2025'
    """
    date = datetime.date.fromisoformat(str(date)[:10])
    return f"{date.day}{NBSP}{MONTHS[date.month - 1]}{NBSP}{date.year}"


def plural(amount: int, one: str, many: str | None = None) -> str:
    """Return `amount` with its noun.

    >>> plural(1, "row").replace(NBSP, " "), plural(2, "loss", "losses").replace(NBSP, " ")
    ('1 row', '2 losses')
    """
    return f"{count(amount)}{NBSP}{one if amount == 1 else many or one + 's'}"


def listing(items) -> str:
    """Return a list as a sentence has it.

    >>> listing(["a", "b", "c"])
    'a, b and c'
    """
    *most, last = [str(item) for item in items]
    return f"{', '.join(most)} and {last}" if most else last
