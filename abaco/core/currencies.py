"""Currencies by their codes, how exports write them, and how amounts in them are written."""

import csv
import functools
import re
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from decimal import ROUND_HALF_UP, Decimal
from pathlib import Path
from typing import Any

USD = "USD"
ENGLISH = "en"
_reporting: ContextVar[str | None] = ContextVar("currency", default=None)
_language: ContextVar[str] = ContextVar("language of amounts", default=ENGLISH)
# The codes of ISO 4217 for money that is in use, each with its number.
_ISO = (
    "AED784 AFN971 ALL008 AMD051 AOA973 ARS032 AUD036 AWG533 AZN944 BAM977 BBD052 BDT050 BGN975 BHD048 BIF108 BMD060 "
    "BND096 BOB068 BRL986 BSD044 BTN064 BWP072 BYN933 BZD084 CAD124 CDF976 CHF756 CLF990 CLP152 CNY156 COP170 CRC188 "
    "CUP192 CVE132 CZK203 DJF262 DKK208 DOP214 DZD012 EGP818 ERN232 ETB230 EUR978 FJD242 FKP238 GBP826 GEL981 GHS936 "
    "GIP292 GMD270 GNF324 GTQ320 GYD328 HKD344 HNL340 HTG332 HUF348 IDR360 ILS376 INR356 IQD368 IRR364 ISK352 JMD388 "
    "JOD400 JPY392 KES404 KGS417 KHR116 KMF174 KPW408 KRW410 KWD414 KYD136 KZT398 LAK418 LBP422 LKR144 LRD430 LSL426 "
    "LYD434 MAD504 MDL498 MGA969 MKD807 MMK104 MNT496 MOP446 MRU929 MUR480 MVR462 MWK454 MXN484 MXV979 MYR458 MZN943 "
    "NAD516 NGN566 NIO558 NOK578 NPR524 NZD554 OMR512 PAB590 PEN604 PGK598 PHP608 PKR586 PLN985 PYG600 QAR634 RON946 "
    "RSD941 RUB643 RWF646 SAR682 SBD090 SCR690 SDG938 SEK752 SGD702 SHP654 SLE925 SOS706 SRD968 SSP728 STN930 SVC222 "
    "SYP760 SZL748 THB764 TJS972 TMT934 TND788 TOP776 TRY949 TTD780 TWD901 TZS834 UAH980 UGX800 USD840 UYU858 UZS860 "
    "VED926 VES928 VND704 VUV548 WST882 XAF950 XCD951 XOF952 XPF953 YER886 ZAR710 ZMW967 ZWG924 "
)
BY_NUMBER = {entry[3:]: entry[:3] for entry in _ISO.split()}
CODES = frozenset(BY_NUMBER.values())
# Codes that are words or names as well, in small letters or as the one value of a column.
NEVER = frozenset(("ALL", "TOP", "TRY"))  # words first, also in capital letters
ALSO_WORDS = NEVER | {"BAM", "CUP", "GEL", "MAD", "MOP", "RON", "SOS"}
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
    "S/": {"PEN"}, "S/.": {"PEN"}, "R$": {"BRL"}, "C$": {"NIO", "CAD"}, "kr": {"DKK", "ISK", "NOK", "SEK"},
    "Kč": {"CZK"}, "zł": {"PLN"}, "RD$": {"DOP"}, "MX$": {"MXN"}, "Rp": {"IDR"}, "Rp.": {"IDR"},
    **{shilling: {"KES"} for shilling in ("KSh", "Ksh", "Kshs", "KSh.", "Ksh.", "Kshs.")},
    "TSh": {"TZS"}, "TSh.": {"TZS"}, "USh": {"UGX"}, "USh.": {"UGX"},
}  # fmt: skip
# Names of each in English, Spanish, Portuguese and French, as the Unicode CLDR has them. The last word of the English
# one, which is first, says the currency alone, and so do the first words of the others.
NAMES = Path(__file__).with_name("currency_names.csv")
# Words in names of currencies that are ambiguous on their own; and irregular plurals.
NOT_ALONE = frozenset(("gold", "marco", "nouveau", "novo", "nuevo", "or", "oro", "ouro", "som", "sum", "u"))
MORE_WORDS = {"reai": {"BRL"}, "lei": {"MDL", "RON"}, "xelin": {"KES", "SOS", "TZS", "UGX"}}
_BY_SIGN = {sign.lower(): codes for sign, codes in SIGNS.items()}
_LONGEST_FIRST = "|".join(map(re.escape, sorted((*ALIASES, *SIGNS), key=len, reverse=True)))
_SIGNS = re.compile(rf"(?:(?<![^\W\d_])|(?<=\b[kKtT])(?=\W))(?:{_LONGEST_FIRST})(?![^\W\d_])")
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


def of_cell(text: str, is_named: bool = True) -> set[str]:
    """Return the codes that a cell of a column of currencies may mean: a code, a number of ISO 4217, a sign or a word.

    Parameters
    ----------
    is_named
        Whether the heading says that the column holds currencies. Otherwise a number is none, nor letters for a sign,
        nor a word in the singular: ``RS`` and ``Córdoba`` are places, too.

    Examples
    --------
    >>> of_cell("840"), of_cell("Quetzales"), of_cell("USD - dólar"), of_cell("Córdoba"), of_cell("High")
    ({'USD'}, {'GTQ'}, {'USD'}, {'NIO'}, set())
    >>> [of_cell(text, is_named=False) for text in ("840", "RS", "Córdoba", "córdobas", "€", "EUR")]
    [set(), set(), set(), {'NIO'}, {'EUR'}, {'EUR'}]
    >>> sorted(of_cell("Pesos")), of_cell("pesos mexicanos")
    (['ARS', 'CLP', 'COP', 'CUP', 'DOP', 'MXN', 'PHP', 'UYU'], {'MXN'})
    """
    text = text.strip()
    if is_sign(text) and (is_named or code(text) or not text.strip(".").isalpha()):
        return of_sign(text)
    if text.isdecimal():
        found = BY_NUMBER.get(text.zfill(3)) if is_named else None
        return {found} if found else set()
    plain = _plain(text)
    if is_named and (codes := {word for word in re.findall(r"[A-Za-z]+", plain) if word in CODES}):
        return codes
    if not is_named and not plain.lower().endswith("s"):
        return set()
    return set(_by_words().get(_singular(plain), ()))


def _plain(text: str) -> str:
    return unicodedata.normalize("NFKD", text).encode("ascii", "ignore").decode()


def _singular(text: str) -> str:
    """Return the words of a text without accents, without the s of the plural.

    Examples
    --------
    >>> _singular("pesos mexicanos"), _singular("Colones")
    ('peso mexicano', 'colon')
    """
    return " ".join(re.sub(r"(?<=[^aeiou])es$|s$", "", word) for word in re.findall("[a-z]+", text.lower()))


@functools.lru_cache(1)
def _by_words() -> dict[str, set[str]]:
    """Return the codes that the names of currencies mean, and the words in them that say a currency alone."""
    found = {word: set(codes) for word, codes in MORE_WORDS.items()}
    for known, *names in csv.reader(NAMES.read_text(encoding="utf-8").splitlines()):
        for place, words in enumerate(_singular(_plain(name)) for name in names):
            for said in {words, words.split()[0 if place else -1]} - NOT_ALONE:
                found.setdefault(said, set()).add(known)
    return found


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
    """Return a heading without signs of currencies and words of several, such as pesos.

    Examples
    --------
    >>> without_signs("Saldo (pesos)"), without_signs("Balance US$")
    ('Saldo ( )', 'Balance  ')
    """
    return re.sub(r"[^\W\d_]+s\b", lambda found: " " if of_cell(found[0], is_named=False) else found[0],
                  _SIGNS.sub(" ", heading))  # fmt: skip


def of_heading(heading: str) -> tuple[str, str] | None:
    """Return a heading without its currency, and the currency; None without one.

    Examples
    --------
    >>> of_heading("outstanding_balance_eur"), of_heading("discounted_balance")
    (('outstanding_balance', 'EUR'), None)
    """
    stem, _, end = heading.rpartition("_")
    return (stem, end.upper()) if stem and end.upper() in CODES else None
