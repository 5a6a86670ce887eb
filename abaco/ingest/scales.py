"""Scales: headings and titles that say that amounts are in thousands, lakhs, millions or crores."""

import re

# What amounts are multiplied by, and what it is called.
SCALES = {1_000: "thousands", 100_000: "lakhs", 1_000_000: "millions", 10_000_000: "crores"}
WORDS = {
    1_000: "thousands?|miles|milhares|milliers|tausend|tsd",
    100_000: "lakhs?|lacs?",
    1_000_000: "millions?|millones|milhões|millionen|mio",
    10_000_000: "crores?",
}
# Of one or two letters, which mean a scale beside a currency alone.
LETTERS = {1_000: "k[ _]?|t", 1_000_000: "m|mm|mn|mln", 10_000_000: "cr"}
# What a currency before "000" is: its code or sign.
CURRENCY = r"(?:[a-z]{3}|us\$|[$€£₹])[ _]*"
SIGN = r"(?:us\$|[$€£₹]|usd|eur|gbp|chf|inr|mxn|brl|cop|kes|ngn|zar|cad|aud)"
NO_LETTER = r"(?<![^\W\d_])"
ZEROS = rf"(?:[(\[]|{NO_LETTER}{CURRENCY})'?000s?(?![\w.,])|['’]000s?(?![\w.,])"


def _pattern(scale: int) -> re.Pattern:
    words = rf"(?:{NO_LETTER}(?:in|en|em)[ _]+|[(\[_ ])(?:{CURRENCY})?(?:{WORDS[scale]})(?=$|[^\w']|_)"
    ways = [words, ZEROS] if scale == 1_000 else [words]
    if letters := LETTERS.get(scale):
        after = letters.removesuffix("|t")
        ways.append(rf"{NO_LETTER}(?:(?:{letters}){SIGN}|(?:{SIGN}|rs\.?)[ _]?(?:{after}))(?=$|[\W_])")
    return re.compile("|".join(ways), re.IGNORECASE)


PATTERNS = {scale: _pattern(scale) for scale in SCALES}


def scale_in(text: str) -> int:
    """Return what amounts are to be multiplied by, as a heading or a title says.

    Examples
    --------
    >>> [scale_in(text) for text in ("Balance (in thousands)", "Saldo (miles USD)", "Amounts in EUR millions")]
    [1000, 1000, 1000000]
    >>> [scale_in(text) for text in ("Principal $'000", "Saldo_en_miles", "10 000", "Miles Davis")]
    [1000, 1000, 1, 1]
    >>> [scale_in(text) for text in ("Encours (k€)", "Beträge in TEUR", "Balance (USD mn)", "(Rs. in Lakhs)", "Rs. Cr")]
    [1000, 1000, 1000000, 100000, 10000000]
    >>> [scale_in(text) for text in ("k USD", "cartera_miles.csv", "export_USD_000.csv")]
    [1000, 1000, 1]
    >>> [scale_in(text) for text in ("Exposure $m", "INR Crore", "Minneapolis, MN", "K. Eur", "Credit EUR", "Mrs (m)")]
    [1000000, 10000000, 1, 1, 1, 1]
    """
    return max((scale for scale, pattern in PATTERNS.items() if pattern.search(text)), default=1)


def scale_of(formula: str) -> int:
    """Return the scale by which the formula of a mapping multiplies amounts; 1 for none.

    Examples
    --------
    >>> scale_of("[Saldo (miles)] * 1000"), scale_of("POS + Overdue")
    (1000, 1)
    """
    return max((int(found) for found in re.findall(r"\*\s*(\d+)", formula) if int(found) in SCALES), default=1)


def said_scale(text: str) -> str:
    """Return what a heading or a title says of a scale, with its currency; "" for none.

    Examples
    --------
    >>> said_scale("Beträge in TEUR"), said_scale("Balance (USD mn)"), said_scale("Balance")
    ('TEUR', 'USD mn', '')
    """
    return next((found[0].strip() for pattern in PATTERNS.values() if (found := pattern.search(text))), "")


def without_scale(heading: str) -> str:
    """Return a heading without what it says of a scale.

    Examples
    --------
    >>> without_scale("Outstanding balance (in thousands)")
    'Outstanding balance ()'
    """
    for pattern in PATTERNS.values():
        heading = pattern.sub("", heading)
    return heading
