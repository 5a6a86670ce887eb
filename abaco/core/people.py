"""Names of people in the names of files, sheets and columns: unknown words beside each other, as a rule with capitals.

Nothing proves that two such words are a person. They are hidden all the same: what is left of the name tells which file
is meant, and nobody's name is shown. Of files that nobody knows, words in lower case are hidden as well.
"""

import re
import unicodedata
from collections.abc import Iterator
from pathlib import Path

HIDDEN = "…"
# Words in the names of files, sheets and columns, in lower case, without accents: they name nobody.
WORDS = frozenset(Path(__file__).with_name("ordinary_words.txt").read_text(encoding="ascii").split())
PARTICLES = (
    "de", "del", "la", "las", "los", "da", "dos", "do", "van", "von", "der", "den", "di", "y", "e", "al", "bin",
)  # fmt: skip
_WORD = re.compile(r"[^\W\d_]+")
# the same, with the words of JoseArias apart
_CAMEL = re.compile(r"[^\W\d_](?:(?![A-ZÀ-Þ])[^\W\d_]|(?<=[A-ZÀ-Þ])[A-ZÀ-Þ])*")


def without_people(text: str, any_case: bool = False, camel_case: bool = False) -> str:
    """Return a name without what may be a person's in it.

    Parameters
    ----------
    any_case
        Whether words in lower case may be a person's name, as in files that no format knows.
    camel_case
        Whether a capital letter begins a word, as in names of files; headings are often written so.

    Examples
    --------
    >>> [without_people(text) for text in ("Rosa Planted", "Cartera Ana de la Cruz 2025", "Loan Tape", "par_2025-12")]
    ['…', 'Cartera … 2025', 'Loan Tape', 'par_2025-12']
    >>> [without_people(text) for text in ("PEREZ_LOPEZ, JUAN", "LoanStats3a", "total_receivable_usd")]
    ['…', 'LoanStats3a', 'total_receivable_usd']
    >>> [without_people(text, any_case=True) for text in ("juan perez", "pagos_maria_de_la_cruz.csv", "loan tape")]
    ['…', 'pagos_….csv', 'loan tape']
    >>> [without_people(text) for text in ("ALF - X00001", "ANA LOPEZ2025")]
    ['ALF - X00001', '…2025']
    >>> [without_people(text, camel_case=True) for text in ("JoseArias", "LoanStats3a", "CarteraJoséLópez2025")]
    ['…', 'LoanStats3a', 'Cartera…2025']
    """
    shown, end = "", 0
    for first, last in _people(text, any_case, _CAMEL if camel_case else _WORD):
        shown, end = shown + text[end:first] + HIDDEN, last
    return shown + text[end:]


def may_name(text: str) -> bool:
    """Return whether a word of three letters or more is in no list, and may be a name of a person.

    Examples
    --------
    >>> may_name("García"), may_name("Cash payment"), may_name("DR"), may_name("5K-10K")
    (True, False, False, False)
    """
    return any(len(word) > 2 and not _is_known(word) for word in _WORD.findall(text))


def _people(text: str, any_case: bool, pattern: re.Pattern) -> Iterator[tuple[int, int]]:
    """Yield where two or more unknown words stand beside each other, particles between them."""
    run: list[re.Match] = []
    for word in [*pattern.finditer(text), None]:
        is_near = word and (not run or not re.search(r"[^\s_.,'’-]|\d", text[run[-1].end() : word.start()]))
        is_particle = word and run and word[0].lower() in PARTICLES
        is_code = word and word[0].isupper() and len(word[0]) < 4 and text[word.end() : word.end() + 1].isdigit()
        is_unknown = word and not is_code and not _is_known(word[0])
        is_name = is_unknown and (any_case or word[0].istitle() or word[0].isupper())
        if is_near and (is_name or is_particle):
            run.append(word)
            continue
        while run and run[-1][0].lower() in PARTICLES:
            run.pop()
        names = [one[0] for one in run if one[0].lower() not in PARTICLES]
        if len(names) > 1 and max(map(len, names)) > 2:
            yield run[0].start(), run[-1].end()
        run = [word] if is_name else []


def _is_known(word: str) -> bool:
    """Return whether a word is one of `WORDS`."""
    return unicodedata.normalize("NFKD", word).encode("ascii", "ignore").decode().lower() in WORDS
