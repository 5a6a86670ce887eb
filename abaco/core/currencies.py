"""Currencies by their codes, and how exports write them."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

USD = "USD"
_reporting: ContextVar[str] = ContextVar("currency", default=USD)
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


def current() -> str:
    """Return the currency of the report that is written."""
    return _reporting.get()


def use(currency: str) -> None:
    """Set the currency of all amounts that are written from now on."""
    _reporting.set(currency)


@contextmanager
def using(currency: str) -> Iterator[None]:
    """Set the currency for the length of a ``with`` block."""
    before = current()
    use(currency)
    try:
        yield
    finally:
        use(before)


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


def of_sign(text: str) -> set[str]:
    """Return the codes that a currency's code or sign beside an amount may mean.

    Examples
    --------
    >>> of_sign("inr"), of_sign("€"), sorted(of_sign("c$"))
    ({'INR'}, {'EUR'}, ['CAD', 'NIO'])
    """
    known = code(text)
    return {known} if known else set(_BY_SIGN[text.strip().lower()])


def of_heading(heading: str) -> tuple[str, str] | None:
    """Return a heading without its currency, and the currency; None without one.

    Examples
    --------
    >>> of_heading("outstanding_balance_eur"), of_heading("discounted_balance")
    (('outstanding_balance', 'EUR'), None)
    """
    stem, _, end = heading.rpartition("_")
    return (stem, end.upper()) if stem and end.upper() in CODES else None
