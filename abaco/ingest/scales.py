"""Scales: headings and titles that say that amounts are in thousands or millions."""

import re

# What a currency before "000" is: its code or sign.
CURRENCY = r"(?:[a-z]{3}|us\$|[$€£₹])[ _]*"
SCALE = re.compile(
    rf"(?:(?<![^\W\d_])(?:in|en|em)[ _]+|[(\[_ ])(?:{CURRENCY})?"
    r"(?:thousands?|miles|milhares|milliers|tausend|tsd|millions?|millones|milhões|millionen|mio)(?=$|[^\w']|_)"
    rf"|(?:[(\[]|(?<![^\W\d_]){CURRENCY})'?000s?(?![\w.,])|['’]000s?(?![\w.,])",
    re.IGNORECASE,
)
# What amounts are multiplied by, and what it is called.
SCALES = {1_000: "thousands", 1_000_000: "millions"}
MILLIONS = re.compile("million|millones|milhões|mio", re.IGNORECASE)


def scale_in(text: str) -> int:
    """Return what amounts are to be multiplied by, as a heading or a title says.

    Examples
    --------
    >>> [scale_in(text) for text in ("Balance (in thousands)", "Saldo (miles USD)", "Amounts in EUR millions")]
    [1000, 1000, 1000000]
    >>> [scale_in(text) for text in ("Principal $'000", "Saldo_en_miles", "10 000", "Miles Davis")]
    [1000, 1000, 1, 1]
    """
    found = SCALE.search(text)
    return 1 if found is None else 1_000_000 if MILLIONS.search(found[0]) else 1_000


def without_scale(heading: str) -> str:
    """Return a heading without what it says of thousands or millions.

    Examples
    --------
    >>> without_scale("Outstanding balance (in thousands)")
    'Outstanding balance ()'
    """
    return SCALE.sub("", heading)
