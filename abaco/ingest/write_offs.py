"""Loans that are written off by a status or a flag, as the words of params/loans.yml say."""

import unicodedata
from collections.abc import Iterable

import narwhals as nw
from pydantic import BaseModel

from abaco.ingest import words
from abaco.ingest.columns import IS_WRITTEN_OFF, LOAN_STATUS, REGION, normalise
from abaco.ingest.words import STRICT

WRITTEN_OFF, OUTSTANDING, UNKNOWN = "written_off", "outstanding", "unknown"
STANDING = "standing"
IS_LOST = nw.col(STANDING) == WRITTEN_OFF


class Lists(BaseModel):
    """Words by what they say of a loan."""

    model_config = STRICT
    written_off: list[str]
    outstanding: list[str]


class LoanWords(BaseModel):
    """The content of params/loans.yml."""

    model_config = STRICT
    statuses: Lists
    flags: Lists


def load() -> LoanWords:
    """Return the words of params/loans.yml (see `words.load`)."""
    return words.load("loans.yml", LoanWords)


def standing(present: Iterable[str], is_region_or_status: bool) -> nw.Expr:
    """Return the ``standing``: `WRITTEN_OFF`, `OUTSTANDING`, or `UNKNOWN` for a word that no list has; or null.

    Parameters
    ----------
    present
        Columns that the file has.
    is_region_or_status
        Its column of regions may be one of statuses (see `region`).
    """
    known, present = load(), set(present)
    told = []
    if IS_WRITTEN_OFF.name in present:
        flag = nw.col(IS_WRITTEN_OFF.name)
        told.append(_meaning(flag, flag.str.to_lowercase(), known.flags, lambda word: {word}))
    if LOAN_STATUS.name in present or is_region_or_status:
        status = nw.col(REGION.name if is_region_or_status else LOAN_STATUS.name)
        letters = status.str.to_lowercase().str.replace_all("[^a-z]", "")
        told.append(_meaning(status, letters, known.statuses, _letters))
    if not told:
        return nw.lit(None).cast(nw.String()).alias(STANDING)
    found = nw.coalesce(*told)
    for meaning in (UNKNOWN, WRITTEN_OFF):  # the last one prevails
        is_told = nw.any_horizontal(*(one == meaning for one in told), ignore_nulls=True)
        found = nw.when(is_told).then(nw.lit(meaning)).otherwise(found)
    return found.alias(STANDING)


def region() -> nw.Expr:
    """Return the region of rows whose column of regions may be one of statuses: where it holds no status."""
    return nw.when(nw.col(STANDING) == UNKNOWN).then(nw.col(REGION.name)).alias(REGION.name)


def _meaning(value: nw.Expr, form: nw.Expr, lists: Lists, forms) -> nw.Expr:
    """Return what a column says; `form` is its value as words are compared, and `forms` returns those of a word."""
    found = nw.when(~value.is_null()).then(nw.lit(UNKNOWN))
    for meaning, listed in lists:
        among = sorted({one for word in listed for one in forms(word)})
        found = nw.when(form.is_in(among)).then(nw.lit(meaning)).otherwise(found)
    return found


def _letters(word: str) -> Iterable[str]:
    """Return the letters of a word, with its accents taken off and, as exports are compared, left out.

    Examples
    --------
    >>> sorted(_letters("al día"))
    ['alda', 'aldia']
    """
    lower = unicodedata.normalize("NFC", word).lower()
    return {"".join(c for c in text if "a" <= c <= "z") for text in (lower, normalise(lower))}
