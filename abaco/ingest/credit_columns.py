"""Columns beside amounts that say which of them are credits: DR and CR, Debe and Haber, + and -, invoices and notes."""

import re
from collections.abc import Iterable, Sequence

from abaco.core.errors import InputError
from abaco.ingest import heading_words
from abaco.ingest.columns import normalise
from abaco.ingest.heading_words import Dictionary
from abaco.ingest.mappings import Mapping

WAY_OUT = "write the balances that are credits as negative amounts"
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


def check_credits(mapping: Mapping, headings: Sequence[str], rows: Iterable[Sequence[str]], name: str) -> None:
    """Raise when a column that is not read says which balances of a file are credits.

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
    rows = [row for row in rows if len(row) == len(plain) and not any(map(NEGATIVE.match, row))]
    for place, heading in enumerate(headings):
        is_read = place in read or plain[place] in mapping.mentioned
        if not is_read and says_credits(heading, (row[place] for row in rows), words):
            raise InputError(
                f"{name}: {heading.strip()} says which amounts are debits and which are credits, and is not read: "
                f"{WAY_OUT}, or leave the column out if it says nothing of them (of a mapping by left_behind: "
                f"[{heading.strip()}])"
            )
