"""Columns beside balances that change what they are: credits (DR and CR, invoices and notes), shares, or thousands."""

import re
from collections.abc import Iterable, Sequence
from decimal import Decimal

from abaco.core import currencies
from abaco.core.errors import InputError
from abaco.ingest import heading_words
from abaco.ingest.columns import normalise
from abaco.ingest.heading_words import Dictionary
from abaco.ingest.mappings import Mapping
from abaco.ingest.scales import scales_in, without_scale

CREDITS = ("which amounts are debits and which are credits", "write the balances that are credits as negative amounts")
SHARE = ("what share of a loan is held", "multiply the balances by it in the file where they are those of whole loans")
SCALE = ("in which unit amounts are", "write whole amounts")
NUMBER = re.compile(r"(\d{1,3}(?:[.,]\d+)?) ?%?")
NEGATIVE = re.compile(r"\s*[(−-]\s*[^\w\s-]{0,3}\d")


def says_credits(heading: str, cells: Iterable[str], words: Dictionary) -> bool:
    """Return whether the cells of a column say debits and credits.

    Letters and signs alone do where the heading says so.

    Examples
    --------
    >>> known = heading_words.load()
    >>> [says_credits(*one, known) for one in (("Type", ["DR", "Cr."]), ("Grade", ["C", "D"]), ("D/C", ["C", "D"]))]
    [True, False, True]
    >>> says_credits("DrCr", ["DR", "DR"], known), says_credits("Sign", ["+", "-"], known)
    (False, True)
    >>> says_credits("Doc Type", ["INV", "CN"], known), says_credits("Doc Type", ["Invoice", "Receipt"], known)
    (True, False)
    """
    found = {cell.strip().lower().rstrip(".") for cell in cells} - {""}
    known = words.words
    is_said = all(len(word) > 1 for word in found) or normalise(heading) in known.credit_headings
    pairs = [({*debits}, {*credits_}) for debits, credits_ in (
        (known.debits, known.credits), (known.invoices, known.credit_notes),
    )]  # fmt: skip
    return is_said and any(
        found <= debits | credits_ and found & debits and found & credits_ for debits, credits_ in pairs
    )


def says_share(heading: str, cells: Iterable[str], words: Dictionary) -> bool:
    """Return whether the cells of a column say what part of each loan is held, and not all the whole.

    Examples
    --------
    >>> known = heading_words.load()
    >>> [says_share("Participation %", cells, known) for cells in (["50%", "100%"], ["100%"], ["Juan", "5%"])]
    [True, False, False]
    >>> says_share("Share", ["0.5", "1"], known), says_share("Share balance", ["50.00", "80.00"], known)
    (True, False)
    """
    found = [NUMBER.fullmatch(cell.strip()) for cell in cells if cell.strip()]
    said = words.words_of(heading)
    if not found or None in found or said.isdisjoint(words.words.shares):
        return False
    numbers = [Decimal(number[1].replace(",", ".")) for number in found]
    whole = 100 if "percent" in said or found[0][0].endswith("%") else 1
    return max(numbers) <= whole and min(numbers) < whole


def says_scale(heading: str, cells: Iterable[str], words: Dictionary) -> bool:
    """Return whether a cell of a column of units says that amounts are in thousands or cents.

    Examples
    --------
    >>> known = heading_words.load()
    >>> [says_scale("Unit", [cell], known) for cell in ("Thousands", "Rs. Lakh", "1,000", "Thousand Oaks", "USD", "1")]
    [True, True, True, False, False, False]
    >>> says_scale("Business Unit", ["Thousands"], known)
    False
    """
    if normalise(heading) not in words.words.units:
        return False
    said = {text: without_scale(text) for text in (f"unit: {cell.strip()}" for cell in cells)}
    left = {text: normalise(rest).removeprefix("unit").strip("_") for text, rest in said.items()}
    return any(scales_in([text]) and (len(rest) < 3 or currencies.code(rest)) for text, rest in left.items())


def said_of_balances(heading: str, cells: Sequence[str], words: Dictionary) -> tuple[str, str] | None:
    """Return what a column says of the balances beside it, and what to do where it is not read; None: nothing."""
    said = {CREDITS: says_credits, SHARE: says_share, SCALE: says_scale}
    return next((what for what, says in said.items() if says(heading, cells, words)), None)


def check_balances(mapping: Mapping, headings: Sequence[str], rows: Iterable[Sequence[str]], name: str) -> None:
    """Raise when a column that is not read says which balances of a file are credits, or what share of them is held.

    Parameters
    ----------
    headings, rows
        Those of the file, and its first rows.
    name
        What to call it in the error.
    """
    if not mapping.format.balance or mapping.shape:
        return
    words, plain = heading_words.load(), [normalise(heading) for heading in headings]
    read = {*mapping.known.assign(plain).values()} if mapping.is_known else {}
    rows = [row for row in rows if len(row) == len(plain)]
    has_credits = any(NEGATIVE.match(cell) for row in rows for cell in row)
    for place, heading in enumerate(headings):
        is_read = place in read or plain[place] in mapping.mentioned
        said = None if is_read else said_of_balances(heading, [row[place] for row in rows], words)
        if said and not (said == CREDITS and has_credits):
            what, way_out = said
            raise InputError(
                f"{name}: {heading.strip()} says {what}, and is not read: {way_out}, or leave the column out if it "
                f"says nothing of them (of a mapping by left_behind: [{heading.strip()}])"
            )
