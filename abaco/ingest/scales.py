"""Scales: headings and titles that say that amounts are in cents, thousands, lakhs, millions, crores or billions."""

import functools
import re
from collections.abc import Iterable, Iterator, Mapping
from decimal import Decimal

from pydantic import BaseModel, RootModel

from abaco.core import project
from abaco.ingest.words import STRICT, validated

# What a currency before "000" is: its code or sign.
CURRENCY = r"(?:[a-z]{3}|us\$|r\$|[$€£₹])[ _]*"
SIGN = r"(?:us\$|[$€£₹]|usd|eur|gbp|chf|inr|mxn|brl|cop|clp|kes|ngn|zar|cad|aud|pln|idr)"
NO_LETTER = r"(?<![^\W\d_])"
IN = rf"{NO_LETTER}(?:in|en|em|dalam)[ _]+"
ZEROS = rf"(?:[(\[]|{NO_LETTER}{CURRENCY})'?000s?(?![\w.,])|['’]000s?(?![\w.,])"
# In Portuguese, where a name has it elsewhere.
MIL = (
    rf"(?:{NO_LETTER}em[ _]+(?:{CURRENCY})?|[(\[](?:{CURRENCY})?|{NO_LETTER}(?:r\$|brl)[ _]*)mil"
    r"(?=[ _]*(?:$|[^\w ]|reais|d[oó]lares|euros))"
)
# Words before a unit that is none: dollars and cents, sin centavos, per cent, mil millones.
NO_UNIT = ("and", "y", "e", "et", "und", "con", "with", "without", "sin", "sem", "sans", "ohne", "no", "to", "a", "per",
           "pour", "por", "mil")  # fmt: skip
NOT_AFTER = "".join(rf"(?<!(?<![^\W_]){word})" for word in NO_UNIT)
CAMEL_CASE = "(?-i:(?<=[a-z])(?=[A-Z]))"


def _in_digits(zeros: str) -> str:
    """Return the pattern of 1,000 as in "x 1,000" and "in 1.000 EUR"."""
    digits = rf"1{zeros}(?![.,' ]?\d)"
    return rf"(?<!\w)[x×][ _]?{digits}|{NO_LETTER}(?:in|en|em)[ _]+{digits}(?=[ _]*(?:$|[)\]]|{SIGN}))"


OTHERS = {"thousands": [ZEROS, MIL, _in_digits("[.,' ]?000")], "millions": [_in_digits("(?:[.,' ]?000){2}")]}


class Scale(BaseModel):
    """A unit of amounts, and the words that say it."""

    model_config = STRICT
    power: int
    words: list[str]
    named: list[str] = []
    before_currency: list[str] = []
    after_currency: list[str] = []

    @property
    def factor(self) -> int | Decimal:
        """What amounts are multiplied by."""
        return 10**self.power if self.power > 0 else Decimal(1).scaleb(self.power)

    def pattern(self, others: Iterable[str]) -> re.Pattern:
        """Return what a text is searched for.

        Parameters
        ----------
        others
            Patterns of what no word says.
        """
        words, named, before, after = map(_either, (self.words, self.named, self.before_currency, self.after_currency))
        long = _either(word for word in self.named if len(word) > 2)
        small = rf"(?:(?!(?:{'|'.join(NO_UNIT)})[ _]){CURRENCY})?"
        ways = [
            rf"(?:{IN}|{NOT_AFTER}(?:[(\[_ :-]|{CAMEL_CASE})){small}{words}(?=$|[^\w']|_)",
            rf"(?:{IN}|(?<!^)[(\[]){small}{named}(?=$|[)\]]|[ _]+(?:de|of|{SIGN}))",
            rf"{NOT_AFTER}(?:_|{CAMEL_CASE}){long}$",
            rf"{NO_LETTER}(?:{before}[ _]?{SIGN}|(?:{SIGN}|rs\.?)[ _]?{after})(?=$|[\W_])",
        ]
        return re.compile("|".join((*ways, *others)), re.IGNORECASE)


class Scales(RootModel[dict[str, Scale]]):
    """The content of params/scales.yml: scales by their names."""

    @functools.cached_property
    def patterns(self) -> Mapping[str, re.Pattern]:
        """What a text is searched for, by the name of a scale."""
        return {name: scale.pattern(OTHERS.get(name, ())) for name, scale in self.root.items()}


def _either(words: Iterable[str]) -> str:
    """Return a pattern of words, of which those in capitals count as such; of none it is one of nothing."""
    forms = [f"(?-i:{word})" if word.isupper() else "[ _]".join(map(re.escape, word.split())) for word in words]
    return f"(?:{'|'.join(forms) or '(?!)'})"


def _load() -> Scales:
    return validated(project.root() / "params" / "scales.yml", Scales)


def _found(text: str) -> Iterator[tuple[str, str]]:
    """Yield the scales that a text says, and how; none within a longer one, as miles in miles de millones."""
    found = [(name, one) for name, pattern in _load().patterns.items() for one in pattern.finditer(text)]
    spans = {one.span() for _, one in found}
    for name, one in found:
        start, end = one.span()
        if not any(first <= start and end <= last and (first, last) != (start, end) for first, last in spans):
            yield name, one[0]


def scales_in(texts: Iterable[str]) -> list[str]:
    """Return the units of amounts that headings or titles say; of several one is meant, or one for some amounts each.

    Examples
    --------
    >>> [*map(scales_in, (["Balance (in thousands)"], ["Saldo (miles USD)"], ["Amounts in EUR millions"], ["10 000"]))]
    [['thousands'], ['thousands'], ['millions'], []]
    >>> scales_in(["Rs. in Lakhs", "POS (in thousands)"]), scales_in(["Saldo (M COP)"])
    (['thousands', 'lakhs'], ['thousands', 'millions'])
    """
    said = {name for text in texts for name, _ in _found(text)}
    return [name for name in _load().root if name in said]


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
    return " ".join(dict.fromkeys(found.strip() for _, found in _found(text)))


def without_scale(heading: str) -> str:
    """Return a heading without what it says of a scale.

    Examples
    --------
    >>> without_scale("Outstanding balance (in thousands)"), without_scale("balanceCents")
    ('Outstanding balance ()', 'balance')
    """
    for pattern in _load().patterns.values():
        heading = pattern.sub("", heading)
    return heading
