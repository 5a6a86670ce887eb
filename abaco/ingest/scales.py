"""Scales: headings and titles that say that amounts are in cents, thousands, lakhs, millions, crores or billions."""

import functools
import re
from collections.abc import Iterable, Iterator
from decimal import Decimal

from pydantic import BaseModel, RootModel

from abaco.core import currencies, project
from abaco.ingest.words import STRICT, validated

NO_LETTER, NO_MORE = r"(?<![^\W\d_])", r"(?![^\W\d_])"
# Codes that are words or names as well count in capital letters.
_WORDS = currencies.ALSO_WORDS | {"BOB", "PEN"}
_SIGNS = "|".join(map(re.escape, sorted((*currencies.SIGNS, *currencies.ALIASES), key=len, reverse=True)))
_CODES = "|".join(sorted(currencies.CODES - _WORDS))
_OTHER_CODES = "|".join(sorted(_WORDS - currencies.NEVER))
SIGN = rf"(?:(?!r[sp])(?:{_SIGNS})|{_CODES}|(?-i:{_OTHER_CODES}))"  # rs ends Mrs, and rp MRP
# What a currency before "000" is: its code or sign.
CURRENCY = rf"(?:(?:{_SIGNS})\.?|[a-z]{{3}})[ _]*"
IN = rf"{NO_LETTER}(?:in|en|em|dalam)[ _]+"
UNIT = "(?:(?:units?|unidad(?:es)?|unité|einheit)[ _]*[:=]|(?:scale|escala)(?:[ _]factor)?[ _]*[:=]?)[ _]*"
DIVIDED = "(?:divided by|dividido (?:por|entre)|(?:(?<=[^\\W\\d_] )|(?<=[^\\W\\d_]))/)[ _]?"
ZEROS = rf"(?:[(\[]|{NO_LETTER}{CURRENCY})'?000s?(?![\w.,])|['’]000s?(?![\w.,])"
# In Portuguese, where a name has it elsewhere.
MIL = (
    rf"(?:{NO_LETTER}em[ _]+(?:{CURRENCY})?|[(\[](?:{CURRENCY})?|{NO_LETTER}(?:r\$|brl)[ _]*)mil"
    r"(?=[ _]*(?:$|[^\w ]|reais|d[oó]lares|euros))"
)
MOST_WORDS = 4  # of a title that says little but its unit
# Words before a unit that is none: dollars and cents, sin centavos, per cent, mil millones.
NO_UNIT = ("and", "y", "e", "et", "und", "con", "with", "without", "sin", "sem", "sans", "ohne", "no", "to", "a", "per",
           "pour", "por", "mil")  # fmt: skip
# Nor is one behind a number but 1, such as 10 cents.
NOT_AFTER = "".join(rf"(?<!(?<![^\W_]){word})" for word in NO_UNIT) + r"(?<![02-9])(?<!\d1)"
CAMEL_CASE = "(?-i:(?<=[a-z])(?=[A-Z]))"


def _in_digits(zeros: str, power: int) -> str:
    """Return the pattern of 1,000 as in "x 1,000", "in 1.000 EUR" and "Unit: KES 1,000", and of 10^3."""
    digits = rf"(?:1{zeros}(?![.,' ]?\d)|1e0?{power})(?:'?s)?"
    end = rf"(?=[ _]*(?:$|[)\]]|{SIGN}{NO_MORE}))"
    before = rf"(?:{NO_LETTER}(?:(?:in|en|em)[ _]+|{UNIT}(?:{CURRENCY})?)|{DIVIDED})"
    return rf"(?<!\w)[x×][ _]?{digits}|{before}{digits}{end}|(?<![\w.])10(?:\^|\*\*){power}(?!\w)"


# What no word says.
OTHERS = {
    "thousands": "|".join((ZEROS, MIL, _in_digits("[.,' ]?000", 3))),
    "millions": _in_digits("(?:[.,' ]?000){2}", 6),
}


class Scale(BaseModel):
    """A unit of amounts, and the words that say it."""

    model_config = STRICT
    power: int
    words: list[str] = []
    named: list[str] = []
    bare: list[str] = []
    before_currency: list[str] = []
    after_currency: list[str] = []

    @property
    def factor(self) -> int | Decimal:
        """What amounts are multiplied by."""
        return 10**self.power if self.power > 0 else Decimal(1).scaleb(self.power)


class Scales(RootModel[dict[str, Scale]]):
    """The content of params/scales.yml: scales by their names."""

    @functools.cached_property
    def pattern(self) -> re.Pattern:
        """What a text is searched for: each way has the group of a list of words, or of the scale that no word says."""
        small = rf"(?:(?!(?:{'|'.join(NO_UNIT)})[ _]){CURRENCY})?"
        ways = [
            rf"(?:{IN}|{NOT_AFTER}(?:[(\[_ :-]|{CAMEL_CASE})){small}{self._any('words')}(?=$|[^\w']|_)",
            rf"(?:{IN}|(?<!^)[(\[]){small}{self._any('named')}(?=$|[)\]]|[ _]+(?:(?:de|of)|{SIGN}){NO_MORE})",
            rf"(?:{IN}|[(\[ _])(?-i:{self._any('bare')})(?=$|[)\]])",
            rf"{NOT_AFTER}(?:_|{CAMEL_CASE}){self._any('named', 'end', 3)}$",
            rf"{NO_LETTER}{self._any('before_currency')}[ _]?{SIGN}(?=$|[\W_])",
            rf"{NO_LETTER}(?:{SIGN}|r[sp]\.?)[ _]?{self._any('after_currency')}(?=$|[\W_])",
            *(f"(?P<{scale}>{way})" for scale, way in OTHERS.items()),
        ]
        return re.compile("|".join(ways), re.IGNORECASE)

    def _any(self, words: str, group: str = "", least: int = 1) -> str:
        """Return the pattern of a list of words, the longest first, as a group."""
        listed = {word for scale in self.root.values() for word in getattr(scale, words) if len(word) >= least}
        forms = ("[ _]".join(map(re.escape, word.split())) for word in sorted(listed, key=len, reverse=True))
        cased = (form if form.islower() else f"(?-i:{form})" for form in forms)
        return f"(?P<{group or words}>{'|'.join(cased)})"

    def said(self, text: str) -> Iterator[tuple[str, str]]:
        """Yield each scale that a text says, and how: of a word of several scales each; capitals count as such."""
        for found in self.pattern.finditer(text):
            group, word = found.lastgroup, found[found.lastgroup].replace("_", " ")
            for name, scale in self.root.items():
                listed = getattr(scale, "named" if group == "end" else group, ())
                if name == group or {word, word.lower()} & {*listed}:
                    yield name, found[0]


def _load() -> Scales:
    return validated(project.root() / "params" / "scales.yml", Scales)


def scales_in(texts: Iterable[str]) -> list[str]:
    """Return the units of amounts that headings or titles say; of several one is meant, or one for some amounts each.

    Examples
    --------
    >>> [*map(scales_in, (["Balance (in thousands)"], ["Saldo (miles USD)"], ["Amounts in EUR millions"], ["10 000"]))]
    [['thousands'], ['thousands'], ['millions'], []]
    >>> scales_in(["Rs. in Lakhs", "POS (in thousands)"]), scales_in(["Saldo (M COP)"])
    (['thousands', 'lakhs'], ['thousands', 'millions'])
    """
    said = {name for text in texts for name, _ in _load().said(text)}
    return [name for name in _load().root if name in said]


def stated(texts: Iterable[str]) -> dict[str, bool]:
    """Return the units that titles, notes and names say, and whether surely: in a short one, in brackets or after "in".

    Examples
    --------
    >>> stated(["Amounts of the whole loan book at year end in thousands"]), stated(["Balances, thousands"])
    ({'thousands': True}, {'thousands': True})
    >>> stated(["Tape of Thousand Hills Microfinance, all amounts in US dollars"])
    {'thousands': False}
    """
    found: dict[str, bool] = {}
    for text in texts:
        for name, said in _load().said(text):
            is_sure = len(text.split()) <= MOST_WORDS or bool(re.match(rf"(?i)[(\[]|{IN}", said))
            found[name] = found.get(name, False) or is_sure
    return found


def factor_of(scale: str) -> int | Decimal:
    """Return what amounts in a unit are multiplied by.

    Examples
    --------
    >>> factor_of("lakhs"), factor_of("minor units")
    (100000, Decimal('0.01'))
    """
    return _load().root[scale].factor


def scale_of(formula: str) -> str | None:
    """Return the unit of the amounts that the formula of a mapping multiplies; None: whole ones.

    Examples
    --------
    >>> scale_of("[Saldo (miles)] * 1000"), scale_of("balance_cents * 0.01"), scale_of("POS + Overdue")
    ('thousands', 'minor units', None)
    """
    factors = {Decimal(found) for found in re.findall(r"\*\s*(\d+(?:\.\d+)?)", formula)}
    return next((name for name, scale in _load().root.items() if scale.factor in factors), None)


def said_scale(text: str) -> str:
    """Return what a heading or a title says of a scale, with its currency; "" for none.

    Examples
    --------
    >>> said_scale("Beträge in TEUR"), said_scale("Balance (USD mn)"), said_scale("Balance")
    ('TEUR', 'USD mn', '')
    """
    return " ".join(dict.fromkeys(found.strip() for _, found in _load().said(text)))


def without_scale(heading: str) -> str:
    """Return a heading without what it says of a scale.

    Examples
    --------
    >>> without_scale("Outstanding balance (in thousands)"), without_scale("balanceCents")
    ('Outstanding balance ()', 'balance')
    """
    return _load().pattern.sub("", heading)
