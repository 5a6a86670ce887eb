"""Scales: headings and titles that say that amounts are in thousands, lakhs, millions, crores or billions."""

import re

# What amounts are multiplied by, and what it is called.
SCALES = {1_000: "thousands", 100_000: "lakhs", 1_000_000: "millions", 10_000_000: "crores", 1_000_000_000: "billions"}
WORDS = {
    1_000: "thousands?|miles|milhares|milliers|tausend|tsd|tys|ribuan|ribu",
    100_000: "lakhs?|lacs?",
    1_000_000: "millions?|millones|milhões|millionen|mio|mln|mdp|mdd|jutaan|juta",
    10_000_000: "crores?",
    1_000_000_000: "billions?|miles de millones|bilhões|milliards?|milliarden|mrd|mld|miliar",
}
# Of one or two letters, which mean a scale beside a currency alone.
LETTERS = {1_000: "k[ _]?|t", 1_000_000: "m|mm|mn", 10_000_000: "cr", 1_000_000_000: "bn"}
# What a currency before "000" is: its code or sign.
CURRENCY = r"(?:[a-z]{3}|us\$|r\$|[$€£₹])[ _]*"
SIGN = r"(?:us\$|[$€£₹]|usd|eur|gbp|chf|inr|mxn|brl|cop|kes|ngn|zar|cad|aud|pln|idr)"
NO_LETTER = r"(?<![^\W\d_])"
ZEROS = rf"(?:[(\[]|{NO_LETTER}{CURRENCY})'?000s?(?![\w.,])|['’]000s?(?![\w.,])"
# In Portuguese, where a name has it elsewhere.
MIL = (
    rf"(?:{NO_LETTER}em[ _]+(?:{CURRENCY})?|[(\[](?:{CURRENCY})?|{NO_LETTER}(?:r\$|brl)[ _]*)mil"
    r"(?=[ _]*(?:$|[^\w ]|reais|d[oó]lares|euros))"
)
IN_K = rf"{NO_LETTER}in[ _]k(?![^\W_])"


def _in_digits(zeros: str) -> str:
    """Return the pattern of 1,000 as in "x 1,000" and "in 1.000 EUR"."""
    digits = rf"1{zeros}(?![.,' ]?\d)"
    return rf"(?<!\w)[x×][ _]?{digits}|{NO_LETTER}(?:in|en|em)[ _]+{digits}(?=[ _]*(?:$|[)\]]|{SIGN}))"


OTHERS = {1_000: [ZEROS, MIL, IN_K, _in_digits("[.,' ]?000")], 1_000_000: [_in_digits("(?:[.,' ]?000){2}")]}


def _pattern(scale: int) -> re.Pattern:
    words = rf"(?:{NO_LETTER}(?:in|en|em)[ _]+|[(\[_ ])(?:{CURRENCY})?(?:{WORDS[scale]})(?=$|[^\w']|_)"
    ways = [words, *OTHERS.get(scale, ())]
    if letters := LETTERS.get(scale):
        after = letters.removesuffix("|t")
        ways.append(rf"{NO_LETTER}(?:(?:{letters}){SIGN}|(?:{SIGN}|rs\.?)[ _]?(?:{after}))(?=$|[\W_])")
    return re.compile("|".join(ways), re.IGNORECASE)


PATTERNS = {scale: _pattern(scale) for scale in sorted(SCALES, reverse=True)}  # miles de millones before miles


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
    >>> [scale_in(text) for text in ("k USD", "cartera_miles.csv", "export_USD_000.csv", "pos_in_k")]
    [1000, 1000, 1, 1000]
    >>> [scale_in(text) for text in ("Exposure $m", "INR Crore", "Minneapolis, MN", "K. Eur", "Credit EUR", "Mrs (m)")]
    [1000000, 10000000, 1, 1, 1, 1]
    >>> [scale_in(text) for text in ("Saldo (R$ mil)", "Valores em R$ mil", "(em mil)", "Mil Cumbres", "w tys. zł")]
    [1000, 1000, 1000, 1, 1000]
    >>> [scale_in(text) for text in ("dalam ribuan", "Pokok (juta)", "Cifras en MDP", "Beträge in Mrd. EUR", "USD bn")]
    [1000, 1000000, 1000000, 1000000000, 1000000000]
    >>> [scale_in(text) for text in ("(miles de millones COP)", "in 1.000 EUR", "x 1,000", "in 1,000 loans")]
    [1000000000, 1000, 1000, 1]
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
