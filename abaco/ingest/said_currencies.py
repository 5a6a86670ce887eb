"""Currencies that a table says beside its amounts: in its title, in its name, and in a column of currencies."""

import re
from collections.abc import Collection, Iterable, Sequence
from typing import Any

from abaco.core.currencies import ALSO_WORDS, CODES, NEVER, of_cell, of_heading, signs_in
from abaco.core.errors import InputError
from abaco.ingest import headings
from abaco.ingest.columns import CURRENCY, TEXTS, normalise
from abaco.ingest.mappings import Mapping
from abaco.ingest.scales import said_scale

BEFORE = re.compile(r"(?:\b(?:in|en|em|currency|moneda|moeda|devise|w[aä]hrung)|[:=(])\W*$", re.IGNORECASE)
WORD = re.compile(r"[^\W\d_]+")


def in_title(text: str) -> set[str]:
    """Return the codes, signs and words of currencies in a text above a table.

    Examples
    --------
    >>> in_title("All amounts in EUR"), in_title("Saldos en quetzales"), in_title("CARTERA MAD, CIERRE")
    ({'EUR'}, {'quetzales'}, set())
    >>> in_title("ALL loans in Córdoba"), in_title("Loans (all in TEUR)")
    (set(), {'EUR'})
    """
    words = [(word[0], bool(BEFORE.search(text[: word.start()]))) for word in WORD.finditer(text)]
    words = [(word, is_said) for word, is_said in words
             if word.upper() not in (NEVER if word.isupper() else ALSO_WORDS)]  # fmt: skip
    found = {word for word, is_said in words if word in CODES and (is_said or not text.isupper())}
    found |= {word for word, is_said in words if is_said and of_cell(word, is_named=False)}
    return found | set(signs_in(text)) | _in_scale(text)


def _in_scale(text: str) -> set[str]:
    """Return the code of a currency beside a scale, as in TEUR or USD mn."""
    return {code for word in WORD.findall(said_scale(text).upper()) for code in (word, word[1:]) if code in CODES}


def in_heading(heading: str) -> set[str]:
    """Return the codes, signs and words of currencies in the heading of an amount.

    Examples
    --------
    >>> in_heading("Exposure USD"), in_heading("Saldo (miles de pesos)"), in_heading("Encours (k€)")
    ({'USD'}, {'pesos'}, {'€'})
    >>> in_heading("Betrag in TEUR"), in_heading("outstanding_balance_usd"), in_heading("Balance all")
    ({'EUR'}, set(), set())
    """
    last = of_heading(normalise(heading))
    words = NEVER if heading != heading.lower() and heading != heading.upper() else ALSO_WORDS
    is_said = last and last[1] not in words and not heading.endswith("_usd")  # ours have it in any currency
    codes = {last[1]} if is_said else set()
    words = {word for word in WORD.findall(heading) if of_cell(word, is_named=False) and word.upper() not in CODES}
    return codes | words | set(signs_in(heading)) | _in_scale(heading)


def in_name(name: str) -> set[str]:
    """Return the one code of a currency in the name of a file, its folders and its sheet; of several none.

    Examples
    --------
    >>> in_name("loans_GTQ.csv"), in_name("usd/loans.csv"), in_name("LOANS_ALL.CSV"), in_name("USD and EUR.csv")
    ({'GTQ'}, {'USD'}, set(), set())
    """
    words = {*WORD.findall(name)} - (ALSO_WORDS if name.isupper() else NEVER)
    small = {word.upper() for word in words if word.islower()} - ALSO_WORDS
    found = {*(word for word in words if word.isupper()), *small} & CODES
    return found if len(found) == 1 else set()


def stated(
    mapping: Mapping, named: Sequence[str], above: Iterable[Sequence[str]], below: Iterable[Sequence[str]], name: str
) -> dict[str, Any]:
    """Return what a table states of currencies, as `Source` keeps it: its title alone where its mapping states one.

    Parameters
    ----------
    named
        Its headings.
    above, below
        The rows above them, and the first ones below.
    name
        The names of file and sheet.
    """
    if CURRENCY not in mapping.format.columns:
        return {}
    said = {word for cells in above for cell in cells for word in in_title(cell)}
    said |= set() if mapping.currency else in_name(name)
    found = {"said_currencies": tuple(sorted(said))}
    if mapping.currency or not mapping.is_known or mapping.shape:
        return found
    given, kinds = mapping.known.assign([*map(normalise, named)]), {c.name: c.kind for c in mapping.format.columns}
    if CURRENCY.name in given:
        return found
    taken = {place for column, place in given.items() if kinds[column] not in TEXTS}
    return found | {"currency_place": _column(name, named, below, taken)}


def _column(name: str, named: Sequence[str], rows: Iterable[Sequence[str]], taken: Collection[int]) -> int | None:
    """Return the position of the column of which every cell is a currency, one with a heading that says so first.

    Parameters
    ----------
    taken
        Positions of amounts, dates and rates, which are none.

    Raises
    ------
    InputError
        When two columns say different currencies.
    """
    words, found = {*headings.load()[CURRENCY.name].words}, {True: {}, False: {}}
    rows = [row for row in rows if len(row) == len(named)]
    for place in (place for place in range(len(named)) if place not in taken):
        cells = {cell for row in rows if (cell := row[place].strip())}
        is_named = not words.isdisjoint(normalise(named[place]).split("_"))
        meant = [of_cell(cell, is_named) for cell in cells]
        if cells and all(meant) and (is_named or not cells <= ALSO_WORDS):
            found[is_named][place] = {frozenset(codes) for codes in meant}
    several = found[True] or found[False]
    if len({frozenset(codes) for codes in several.values()}) > 1:
        first, second = (named[place].strip() for place in list(several)[:2])
        raise InputError(f"{name} has currencies in {first} and in {second}, which differ: keep that of the amounts")
    return next(iter(several), None)
