"""Currencies by their codes, how exports write them, and how amounts in them are written."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import ROUND_HALF_UP, Decimal
from typing import Any

USD = "USD"
ENGLISH = "en"
_reporting: ContextVar[str | None] = ContextVar("currency", default=None)
_language: ContextVar[str] = ContextVar("language of amounts", default=ENGLISH)
# The codes of ISO 4217 for money that is in use.
CODES = frozenset((
    "AED", "AFN", "ALL", "AMD", "AOA", "ARS", "AUD", "AWG", "AZN", "BAM", "BBD", "BDT", "BGN", "BHD", "BIF", "BMD",
    "BND", "BOB", "BRL", "BSD", "BTN", "BWP", "BYN", "BZD", "CAD", "CDF", "CHF", "CLF", "CLP", "CNY", "COP", "CRC",
    "CUP", "CVE", "CZK", "DJF", "DKK", "DOP", "DZD", "EGP", "ERN", "ETB", "EUR", "FJD", "FKP", "GBP", "GEL", "GHS",
    "GIP", "GMD", "GNF", "GTQ", "GYD", "HKD", "HNL", "HTG", "HUF", "IDR", "ILS", "INR", "IQD", "IRR", "ISK", "JMD",
    "JOD", "JPY", "KES", "KGS", "KHR", "KMF", "KPW", "KRW", "KWD", "KYD", "KZT", "LAK", "LBP", "LKR", "LRD", "LSL",
    "LYD", "MAD", "MDL", "MGA", "MKD", "MMK", "MNT", "MOP", "MRU", "MUR", "MVR", "MWK", "MXN", "MXV", "MYR", "MZN",
    "NAD", "NGN", "NIO", "NOK", "NPR", "NZD", "OMR", "PAB", "PEN", "PGK", "PHP", "PKR", "PLN", "PYG", "QAR", "RON",
    "RSD", "RUB", "RWF", "SAR", "SBD", "SCR", "SDG", "SEK", "SGD", "SHP", "SLE", "SOS", "SRD", "SSP", "STN", "SVC",
    "SYP", "SZL", "THB", "TJS", "TMT", "TND", "TOP", "TRY", "TTD", "TWD", "TZS", "UAH", "UGX", "USD", "UYU", "UZS",
    "VED", "VES", "VND", "VUV", "WST", "XAF", "XCD", "XOF", "XPF", "YER", "ZAR", "ZMW", "ZWG",
))  # fmt: skip
ALIASES = {"US$": "USD", "USD$": "USD", "RMB": "CNY"}
# What a sign beside an amount says; a sign of several currencies says that it is one of them.
DOLLARS = frozenset((
    "USD", "ARS", "AUD", "BBD", "BMD", "BND", "BSD", "BZD", "CAD", "CLP", "COP", "CRC", "DOP", "FJD", "GYD", "HKD",
    "JMD", "KYD", "LRD", "MXN", "NAD", "NIO", "NZD", "SBD", "SGD", "SRD", "SVC", "TTD", "TWD", "UYU", "XCD",
))  # fmt: skip
SIGNS = {
    "$": DOLLARS, "€": {"EUR"}, "£": {"GBP"}, "¥": {"JPY", "CNY"}, "₹": {"INR"}, "Rs": {"INR", "PKR", "LKR"},
    "Rs.": {"INR", "PKR", "LKR"}, "₡": {"CRC", "SVC"}, "₱": {"PHP"}, "₦": {"NGN"}, "₲": {"PYG"}, "₵": {"GHS"},
    "₩": {"KRW"}, "₫": {"VND"}, "₽": {"RUB"}, "₺": {"TRY"}, "₴": {"UAH"}, "₸": {"KZT"}, "₪": {"ILS"}, "฿": {"THB"},
    "S/": {"PEN"}, "S/.": {"PEN"}, "R$": {"BRL"}, "C$": {"NIO", "CAD"}, "RD$": {"DOP"}, "MX$": {"MXN"}, "KSh": {"KES"},
}  # fmt: skip
_BY_SIGN = {sign.lower(): codes for sign, codes in SIGNS.items()}
_LONGEST_FIRST = "|".join(map(re.escape, sorted((*ALIASES, *SIGNS), key=len, reverse=True)))
_SIGNS = re.compile(rf"(?<![^\W\d_])(?:{_LONGEST_FIRST})(?![^\W\d_])")
# Without decimals, by ISO 4217. Others have two here: amounts are kept in hundredths.
WHOLE = frozenset((
    "BIF", "CLP", "DJF", "GNF", "ISK", "JPY", "KMF", "KRW", "PYG", "RWF", "UGX", "VND", "VUV", "XAF", "XOF", "XPF",
))  # fmt: skip
SYMBOLS = {"EUR": "€", "GBP": "£", "INR": "₹"}  # those of one currency only: $ and ¥ are of several
LAKH = frozenset(("BDT", "INR", "NPR"))  # grouped as 5,00,010.00
# The marks of thousands and decimals in Spanish where they are not as in El Salvador, by the Unicode CLDR.
SPANISH = dict.fromkeys(("ARS", "BOB", "CLP", "COP", "EUR", "PYG", "UYU", "VES"), (".", ",")) | {"CRC": ("\u00a0", ",")}


def current() -> str:
    """Return the currency of the report that is written; US dollars until it is known."""
    return _reporting.get() or USD


def known() -> str | None:
    """Return the currency of the report that is written, or None until it is known."""
    return _reporting.get()


def use(currency: str | None, language: str = ENGLISH) -> None:
    """Set the currency of all amounts that are written from now on, and the language that they are written in."""
    _reporting.set(currency)
    _language.set(language)


@contextmanager
def using(currency: str, language: str = ENGLISH) -> Iterator[None]:
    """Set both for the length of a ``with`` block."""
    before = known(), _language.get()
    use(currency, language)
    try:
        yield
    finally:
        use(*before)


def decimals(currency: str) -> int:
    """Return how many decimals the amounts of a currency are written with."""
    return 0 if currency in WHOLE else 2


def number(value: Any, decimals: int, currency: str | None = None) -> str:
    """Return a number rounded half up, with the marks of a currency, by default the report's, and of the language.

    Examples
    --------
    >>> number("1234.565", 2), number(500010, 0, "INR")
    ('1,234.57', '5,00,010')
    >>> with using("EUR", "es"):
    ...     number(1234.5, 2)
    '1.234,50'
    """
    currency = currency or current()
    rounded = Decimal(str(value)).quantize(Decimal(1).scaleb(-decimals), rounding=ROUND_HALF_UP)
    text = f"{rounded or abs(rounded):,f}"
    if currency in LAKH:
        whole, point, rest = f"{rounded or abs(rounded):f}".partition(".")
        return _in_lakh(whole) + point + rest
    if _language.get() == "es" and currency in SPANISH:
        thousands, mark = SPANISH[currency]
        return text.translate({ord(","): thousands, ord("."): mark})
    return text


def _in_lakh(digits: str) -> str:
    """Return whole digits with a group of three at the end, and groups of two before it."""
    sign, digits = ("-", digits[1:]) if digits.startswith("-") else ("", digits)
    rest, last = digits[:-3], digits[-3:]
    pairs = [rest[max(end - 2, 0) : end] for end in range(len(rest), 0, -2)]
    return sign + ",".join([*reversed(pairs), last])


def amount(value: Any, decimals_: int | None = None, currency: str | None = None, blank: str = " ") -> str:
    """Return an amount with its currency.

    Parameters
    ----------
    decimals_
        By default those of the currency.
    currency
        By default the report's.
    blank
        What stands between figure and currency.

    Examples
    --------
    >>> amount("7275898.35"), amount(-500010, currency="INR"), amount(1234.5, currency="JPY")
    ('7,275,898.35 USD', '-₹ 5,00,010.00', '1,235 JPY')
    >>> with using("EUR", "es"):
    ...     amount("1234.56")
    '1.234,56 €'
    """
    currency = currency or current()
    most = decimals(currency)
    figure = number(value, most if decimals_ is None else min(decimals_, most), currency)
    symbol = SYMBOLS.get(currency)
    if symbol and _language.get() == ENGLISH:
        sign = "-" if figure.startswith("-") else ""
        return f"{sign}{symbol}{blank}{figure.removeprefix(sign)}"
    return f"{figure}{blank}{symbol or currency}"


def in_current(text: str) -> str:
    """Return a text about US dollars as one about the report's currency."""
    return text if current() == USD else text.replace(USD, current())


def code(text: str) -> str | None:
    """Return the code of a currency as an export writes it; None for text that is not a code.

    Examples
    --------
    >>> code(" usd "), code("US$"), code("dollars")
    ('USD', 'USD', None)
    """
    plain = text.strip().upper()
    plain = ALIASES.get(plain, plain)
    return plain if plain in CODES else None


def is_sign(text: str) -> bool:
    """Return whether a text is the code or the sign of a currency."""
    return code(text) is not None or text.strip().lower() in _BY_SIGN


def of_sign(text: str) -> set[str]:
    """Return the codes that a currency's code or sign beside an amount may mean.

    Examples
    --------
    >>> of_sign("inr"), of_sign("€"), sorted(of_sign("c$"))
    ({'INR'}, {'EUR'}, ['CAD', 'NIO'])
    """
    known = code(text)
    return {known} if known else set(_BY_SIGN[text.strip().lower()])


def signs_in(heading: str) -> list[str]:
    """Return the signs of currencies in a heading.

    Examples
    --------
    >>> signs_in("Saldo (S/.)"), signs_in("Balance US$"), signs_in("Principals/Fees")
    (['S/.'], ['US$'], [])
    """
    return _SIGNS.findall(heading)


def without_signs(heading: str) -> str:
    """Return a heading without signs of currencies."""
    return _SIGNS.sub(" ", heading)


def of_heading(heading: str) -> tuple[str, str] | None:
    """Return a heading without its currency, and the currency; None without one.

    Examples
    --------
    >>> of_heading("outstanding_balance_eur"), of_heading("discounted_balance")
    (('outstanding_balance', 'EUR'), None)
    """
    stem, _, end = heading.rpartition("_")
    return (stem, end.upper()) if stem and end.upper() in CODES else None
