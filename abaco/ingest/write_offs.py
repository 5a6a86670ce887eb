"""Loans that are written off or restructured by a status, a flag or a date, as the words of params/loans.yml say."""

import datetime as dt
import functools
import re
import unicodedata
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

import narwhals as nw
from pydantic import BaseModel

from abaco.core.decimals import day_number
from abaco.ingest import words
from abaco.ingest.columns import (
    BUCKETS,
    DAYS_PAST_DUE,
    IS_RESTRUCTURED,
    IS_WRITTEN_OFF,
    LOAN_STATUS,
    MATURITY_DATE,
    MEASUREMENT_DATE,
    NEXT_DUE,
    OVERDUE,
    OVERDUE_ON,
    REGION,
    RESTRUCTURED,
    WRITTEN_OFF_ON,
    normalise,
)
from abaco.ingest.lateness import at_risk
from abaco.ingest.words import STRICT

# the position of a column that is not read and says that a loan is late, or written off, closed or sold; and its word
LATE_IN, ENDED_IN = "late_in", "ended_in"
WRITTEN_OFF, CLOSED, LATE, OUTSTANDING, UNKNOWN = "written_off", "closed", "late", "outstanding", "unknown"
YES, NO = "yes", "no"
LONG_DUE = 30  # days after which a maturity, a next due date or a first day overdue says that a loan is late
NO_DAY = dt.date(1970, 1, 1)  # up to here a date stands for none
STANDING, CONTESTED, WORD = "standing", "is_contested", "unknown_word"
IS_LOST = nw.col(STANDING) == WRITTEN_OFF


class Statuses(BaseModel):
    """Words by what they say of a loan; the balance of one that is restructured, late or closed is outstanding."""

    model_config = STRICT
    written_off: list[str]
    restructured: list[str]
    closed: list[str]
    late: list[str]
    outstanding: list[str]


class Flags(BaseModel):
    """Words of columns that say yes or no."""

    model_config = STRICT
    affirmative: list[str]
    negative: list[str]


class Unread(BaseModel):
    """Words of columns that are not read."""

    model_config = STRICT
    long: list[str]
    late: list[str]
    not_late: list[str]
    sold: list[str]
    ended: list[str]
    own: list[str]
    excepted: list[str]


class Names(BaseModel):
    """Words of names of files."""

    model_config = STRICT
    ended: list[str]


class LoanWords(BaseModel):
    """The content of params/loans.yml."""

    model_config = STRICT
    statuses: Statuses
    flags: Flags
    unread: Unread
    names: Names

    @functools.cached_property
    def known_statuses(self) -> set[str]:
        """The words of all lists of statuses, as `words.plain` gives them."""
        return {words.plain("statuses", one) for _, listed in self.statuses for one in listed}


def load() -> LoanWords:
    """Return the words of params/loans.yml (see `words.load`)."""
    return words.load("loans.yml", LoanWords)


def is_known_status(word: str) -> bool:
    """Return whether params/loans.yml says what a word says of a loan."""
    return words.plain("statuses", word) in load().known_statuses


def standing(
    present: Iterable[str], is_region_or_status: bool, date: dt.date, settled: Iterable[str] = ()
) -> list[nw.Expr]:
    """Return the ``standing``: `WRITTEN_OFF`, `CLOSED`, `LATE`, `OUTSTANDING`, `UNKNOWN` (in no list), or null.

    And `CONTESTED`: whether it is written off by one column, and outstanding by another.

    Parameters
    ----------
    present
        Columns that the file has.
    is_region_or_status
        Its column of regions may be one of statuses (see `region`).
    date
        The day of balances without a date: a loan that is written off later is not written off on it.
    settled
        Statuses, in lower case, that are outstanding where no list has them.
    """
    known, present = load(), set(present)
    told = []
    if IS_WRITTEN_OFF.name in present:
        lists = {WRITTEN_OFF: known.flags.affirmative, OUTSTANDING: known.flags.negative}
        told.append(_of_flag(IS_WRITTEN_OFF.name, lists))
    if LOAN_STATUS.name in present or is_region_or_status:
        statuses = known.statuses
        lists = {WRITTEN_OFF: statuses.written_off, OUTSTANDING: [*statuses.restructured, *statuses.outstanding],
                 CLOSED: statuses.closed, LATE: statuses.late}  # fmt: skip
        name = REGION.name if is_region_or_status else LOAN_STATUS.name
        said = _of_status(name, lists)
        is_settled = nw.col(name).str.strip_chars().str.to_lowercase().is_in(sorted(settled))
        told.append(nw.when((said == UNKNOWN) & is_settled).then(nw.lit(OUTSTANDING)).otherwise(said))
    if WRITTEN_OFF_ON.name in present:
        day = nw.col(MEASUREMENT_DATE.name) if MEASUREMENT_DATE.name in present else nw.lit(date)
        since = nw.col(WRITTEN_OFF_ON.name)
        told.append(nw.when(since <= day).then(nw.lit(WRITTEN_OFF)).when(since > day).then(nw.lit(OUTSTANDING)))
    if OVERDUE.name in present:
        told.append(nw.when(nw.col(OVERDUE.name) > 0).then(nw.lit(LATE)))
    if NEXT_DUE.name in present:
        today = day_number(MEASUREMENT_DATE.name) if MEASUREMENT_DATE.name in present else nw.lit(date.toordinal())
        told.append(nw.when(day_number(NEXT_DUE.name) < today - LONG_DUE).then(nw.lit(LATE)))
    if LATE_IN in present:
        told.append(nw.when(~nw.col(LATE_IN).is_null()).then(nw.lit(LATE)))
    if not told:
        return [nw.lit(None).cast(nw.String()).alias(STANDING), nw.lit(False).alias(CONTESTED)]
    found = nw.coalesce(*told)
    for meaning in (LATE, CLOSED, UNKNOWN, WRITTEN_OFF):  # the last one prevails
        is_told = nw.any_horizontal(*(one == meaning for one in told), ignore_nulls=True)
        found = nw.when(is_told).then(nw.lit(meaning)).otherwise(found)
    says = [nw.any_horizontal(*(one == word for one in told), ignore_nulls=True) for word in (WRITTEN_OFF, OUTSTANDING)]
    return [found.alias(STANDING), (says[0] & says[1]).alias(CONTESTED)]


def late_without_days(present: Collection[str], date: dt.date) -> nw.Expr:
    """Return whether a loan is not late by its days past due or balances, and is so by something else.

    That is its status or an overdue amount; or its maturity, or its first day overdue, long before the date.

    Parameters
    ----------
    present
        The columns of the staged rows.
    """
    long_ago = date - dt.timedelta(LONG_DUE)
    signs = [nw.col(name) < long_ago for name in (MATURITY_DATE.name, OVERDUE_ON.name) if name in present]
    if not {DAYS_PAST_DUE.name, at_risk(1)}.isdisjoint(present):  # others do not say what is a few days late
        signs.append(nw.col(STANDING) == LATE)
        signs += [(nw.col(STANDING) == UNKNOWN) & ~nw.col(LATE_IN).is_null()] if LATE_IN in present else []
    return ~is_late(present) & nw.any_horizontal(*signs, nw.lit(False), ignore_nulls=True)


def is_late(present: Collection[str]) -> nw.Expr:
    """Return whether a loan is late by its days past due or balances.

    Parameters
    ----------
    present
        The columns of the staged rows.
    """
    late = [nw.col(c) > 0 for c in (DAYS_PAST_DUE.name, at_risk(1), at_risk(30), *BUCKETS[2:]) if c in present]
    return nw.any_horizontal(*late, nw.lit(False), ignore_nulls=True)


def unknown_word(present: Iterable[str], is_region_or_status: bool) -> nw.Expr:
    """Return the status or flag of rows whose `STANDING` is `UNKNOWN`, as it is written."""
    status = [REGION.name] if is_region_or_status else []
    words = [nw.col(name) for name in (*status, LOAN_STATUS.name, IS_WRITTEN_OFF.name) if name in set(present)]
    word = nw.coalesce(*words) if words else nw.lit(None)
    return nw.when(nw.col(STANDING) == UNKNOWN).then(word.cast(nw.String())).alias(WORD)


def region() -> nw.Expr:
    """Return the region of rows whose column of regions may be one of statuses: where it holds no status."""
    return nw.when(nw.col(STANDING) == UNKNOWN).then(nw.col(REGION.name)).alias(REGION.name)


def restructured(present: Iterable[str], tells_others: bool) -> list[nw.Expr]:
    """Return ``restructured``, whether the loan is by a flag or its status, or null; nothing if the file has neither.

    A status such as "active" does not say that a loan keeps its first terms, unless the mapping of the file has one for
    those that do not.

    Parameters
    ----------
    present
        Columns that the file has.
    tells_others
        The statuses of the file tell restructured loans from the others.
    """
    known, present, told = load(), set(present), []
    if IS_RESTRUCTURED.name in present:
        told.append(_of_flag(IS_RESTRUCTURED.name, {YES: known.flags.affirmative, NO: known.flags.negative}))
    if LOAN_STATUS.name in present:
        said = known.statuses
        others = [*said.written_off, *said.closed, *said.late, *said.outstanding] if tells_others else []
        told.append(_of_status(LOAN_STATUS.name, {YES: said.restructured, NO: others}))
    if not told:
        return []
    is_said = {word: nw.any_horizontal(*(one == word for one in told), ignore_nulls=True) for word in (YES, NO)}
    is_one = nw.when(is_said[YES]).then(nw.lit(True)).otherwise(nw.when(is_said[NO]).then(nw.lit(False)))
    return [is_one.alias(RESTRUCTURED)]


def said(name: str, column: str) -> nw.Expr:
    """Return what a column of statuses or flags says as the one called `name` does: `YES`, or another word."""
    known = load()
    if name == LOAN_STATUS.name:
        return _of_status(column, {YES: known.statuses.written_off}).alias(column)
    return _of_flag(column, {YES: known.flags.affirmative, NO: known.flags.negative}).alias(column)


def _of_flag(name: str, lists: Mapping[str, Sequence[str]]) -> nw.Expr:
    """Return what a flag says: the meaning of the list that has its word."""
    flag = nw.col(name)
    return _meaning(flag, flag.str.to_lowercase(), lists, lambda word: {word})


def _of_status(name: str, lists: Mapping[str, Sequence[str]]) -> nw.Expr:
    """Return what a status says: the meaning of the list that has its word."""
    status = nw.col(name)
    return _meaning(status, status.str.to_lowercase().str.replace_all("[^a-z]", ""), lists, _letters)


def _meaning(
    value: nw.Expr, form: nw.Expr, lists: Mapping[str, Sequence[str]], forms: Callable[[str], Iterable[str]]
) -> nw.Expr:
    """Return what a column says; `form` is its value as words are compared, and `forms` returns those of a word."""
    found = nw.when(~value.is_null()).then(nw.lit(UNKNOWN))
    for meaning, listed in lists.items():
        among = sorted({one for word in listed for one in forms(word)})
        found = nw.when(form.is_in(among)).then(nw.lit(meaning)).otherwise(found)
    return found


def forms(listed: Iterable[str]) -> list[str]:
    """Return the letters of words as `_letters` has them."""
    return sorted({one for word in listed for one in _letters(word)})


def patterns(listed: Iterable[str]) -> set[str]:
    """Return patterns of words in lower case, with and without accents, whatever stands between their parts.

    Examples
    --------
    >>> sorted(patterns(["Em prejuízo"]))
    ['em[^a-z]*prejuizo', 'em[^a-z]*prejuízo']
    """
    parts = (re.findall(r"[^\W_]+", text) for word in listed for text in (word.lower(), normalise(word)))
    return {"[^a-z]*".join(words_) for words_ in parts}


def _letters(word: str) -> Iterable[str]:
    """Return the letters of a word, with its accents taken off and, as exports are compared, left out.

    Examples
    --------
    >>> sorted(_letters("al día"))
    ['alda', 'aldia']
    """
    lower = unicodedata.normalize("NFC", word).lower()
    return {"".join(c for c in text if "a" <= c <= "z") for text in (lower, normalise(lower))}
