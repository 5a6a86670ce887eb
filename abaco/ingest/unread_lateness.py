"""Lateness that columns say beside days past due: by days, buckets, flags, dates, levels or words such as Substandard.

They are columns that are not read, and that of statuses.
"""

import datetime as dt
import re
from collections.abc import Collection, Iterable, Mapping

import narwhals as nw

from abaco.core.decimals import day_number
from abaco.engines.base import NO_ID_WORDS
from abaco.ingest import heading_words, write_offs
from abaco.ingest.bucket_words import UP_TO
from abaco.ingest.columns import DAYS_PAST_DUE, LOAN_STATUS, MEASUREMENT_DATE
from abaco.ingest.layout import PART
from abaco.ingest.sources import Source

LATE, BUCKET, CLASS = "unread_late", "unread_bucket", "unread_class"
STAGE, DUNNING, SINCE = "unread_stage", "unread_dunning", "unread_since"
STATED = -1  # stands for the position of a column, of statuses
COUNTED = (LATE, BUCKET)  # columns that may say days, weeks or months
LEVELS = {STAGE: 3, DUNNING: 2}  # the first number that says that a loan is late
LATENESS = (*COUNTED, CLASS, *LEVELS, SINCE)
MOST_DIGITS = 4  # of days
LEAST = 10_000  # what is added to days, so that as text they have one length
LONG = write_offs.LONG_DUE + 1  # the days that a word such as Substandard says at least
GRACE = 10  # days by which an export may count fewer days past due than since a date
# spans that days may be counted in: the fewest days of each, and its words behind a number
SPANS = {
    "weeks": (7, "w|wks?|weeks?|semanas?|semaines?|wochen?"),
    "months": (28, "m|months?|mths?|mes(?:es)?|mois|monate?|mês|mesi|maand(?:en)?"),
}
IN_OTHERS = r"\d\s*\+?\s*(?:yr|year|año|inst|cuota|emi)s?(?:[^a-z]|$)"
# 0 with a unit or as the first day of a range, below 0, and up to a number: not late
ZERO = r"^[a-z \W_]*0+(?:[.,]0+)*(?:[^0-9.,].*)?$"
BELOW = r"^\s*[-−(].*|^[\d.,]+-$"
# 3 months, RS. 50, INR5000: numbers, which grades are not (A, B2); 1 - Contacted: a word with its number
NUMBER = r"^(?:[a-z]{1,3}[^a-z0-9-]+)?[^a-z0-9]*\d|^[a-z]{3}\d[\d.,]"
NUMBERED = r"^\W*\d+\s*[-–:.)]\s*[a-z]"
FROM = r"^\D{0,12}[1-9]\d{0,2}\s*(?:[-–+]|to\b|a\b|d)|^\D{0,12}[>≥]"
# of classes: Stage 3 and SMA-1, more than 30 days late; the number by which another is called; PAR > 90, 90+ days late
STAGES = "stage|etapa|est[aá]gio|[eé]tape|stade|stufe|fase"
NAMED = rf"{NUMBERED}|^(?:ifrs\W*9?\W*)?(?:{STAGES}|sma|class|bucket|level|nivel)\W*\d+\W*"
LONG_CLASS = rf"^(?:ifrs\W*9?\W*)?(?:{STAGES})\W*3(?:\D|$)|^sma\W*[12](?:\D|$)"
UNITS = "days?|d[ií]as?|jours?|tage|giorni|dagen|hari"
OF_DAYS = (  # not 30 days, which may be a term
    r"(?:^|[^a-z])(?:par|dpd|npl|late|overdue|past due|arrears|mora|atraso)\W*[1-9]"
    r"|(?:^|\D)[1-9]\d*\s*\+?\s*dpd(?:[^a-z]|$)"
    rf"|(?:^|\D)(?:[>≥]\s*[1-9]\d*|[1-9]\d*\s*\+|[1-9]\d*\s*[-–]\s*\d+)\s*(?:{UNITS})(?:[^a-z]|$)"
    rf"|(?:^|\D)[1-9]\d*\s*(?:{UNITS})\W+(?:late|past due|overdue|in arrears|(?:de|en|em) (?:mora|atraso|retard))"
)


def of_lateness(unread: Iterable[str]) -> list[str]:
    """Return which of some columns of `unread_columns.places` may say by their values that a loan is late."""
    return [name for name in unread if name.partition(PART)[0] in (*COUNTED, CLASS, *LEVELS)]


def of_days(unread: Iterable[str]) -> list[str]:
    """Return which of some columns of `unread_columns.places` may say by a date since when a loan is late."""
    return [name for name in unread if name.partition(PART)[0] == SINCE]


def late_in(names: Iterable[str]) -> list[nw.Expr]:
    """Return `write_offs.LATE_IN` by some columns of `of_lateness`, null where none says so; nothing if there are none.

    It is the days that it says at least, with `LEAST`, the position of the column, and the word as it is written where
    it is a known one as a whole.
    """
    found = []
    for name in of_lateness(names):
        kind, place, unit = name.split(PART)
        days = _least_days(name, kind, unit) + LEAST
        says = nw.concat_str(days.cast(nw.String()), nw.lit(f"{PART}{place}{PART}"), _known_word(name))
        found.append(nw.when(_says_late(name, kind)).then(says))
    return _most(found)


def late_since(names: Iterable[str], present: Collection[str], date: dt.date) -> list[nw.Expr]:
    """Return `write_offs.LATE_IN` with what columns of `of_days` say, of two orders of dates by the later day.

    Parameters
    ----------
    names
        Columns of dates in one order, each with another one in the other order, by its name and `PART`.
    present
        All columns.
    date
        The day of balances without a date.
    """
    today = day_number(MEASUREMENT_DATE.name) if MEASUREMENT_DATE.name in present else nw.lit(date.toordinal())
    found = []
    for name in names:
        days = today - nw.max_horizontal(day_number(name), day_number(f"{name}{PART}"))
        says = nw.concat_str((days - GRACE + LEAST).cast(nw.String()), nw.lit(f"{PART}{name.split(PART)[1]}{PART}"))
        is_so = (days > write_offs.LONG_DUE) & (nw.min_horizontal(name, f"{name}{PART}") > write_offs.NO_DAY)
        found.append(nw.when(is_so).then(says))
    return _most([nw.col(write_offs.LATE_IN), *found] if found and write_offs.LATE_IN in present else found)


def late_by_status(present: Collection[str], settled: Iterable[str]) -> list[nw.Expr]:
    """Return `write_offs.LATE_IN` with the statuses that say days, of files that have days past due, too.

    Parameters
    ----------
    settled
        Statuses, in lower case, of which a mapping says that they say nothing of it.
    """
    name = LOAN_STATUS.name
    if name not in present or DAYS_PAST_DUE.name not in present:
        return []
    days = _least_days(name, CLASS, "")
    is_so = (days > 0) & ~_says_none(name, CLASS) & ~_text(name).is_in(sorted(settled))
    says = nw.concat_str((days + LEAST).cast(nw.String()), nw.lit(f"{PART}{STATED}{PART}"))
    said = [nw.col(write_offs.LATE_IN)] if write_offs.LATE_IN in present else []
    return _most([*said, nw.when(is_so).then(says)])


def _most(found: list[nw.Expr]) -> list[nw.Expr]:
    """Return the column of the most days that some say, which are text of one length before other text."""
    nothing = nw.lit(None).cast(nw.String())  # Spark compares two columns at least
    return [nw.max_horizontal(*found, nothing).alias(write_offs.LATE_IN)] if found else []


def _least_days(name: str, kind: str, unit: str) -> nw.Expr:
    """Return the days that a value says at least, 0 where it says none."""
    text = _text(name)
    if kind in COUNTED:
        days = _said_days(text, unit if kind == LATE else unit or "days")
    else:
        text = text.str.replace_all(NAMED, "")
        first = text.str.replace_all(r"^\D+", "").str.replace_all(r"\D.*$", "").str.slice(0, MOST_DIGITS)
        days = nw.when(text.str.contains(OF_DAYS)).then(first).otherwise(nw.lit("0")).cast(nw.Int64())
    return nw.when(_says_long(name, kind) & (days < LONG)).then(nw.lit(LONG)).otherwise(days)


def _said_days(word: nw.Expr, unit: str) -> nw.Expr:
    """Return the days that a text such as 31-60, 90+ or 3 meses says at least; 0 where it says none.

    Parameters
    ----------
    unit
        That of its heading: days, or one of `SPANS`, of which the last one may have begun.
    """
    first = word.str.replace_all(r"^\D+", "").str.replace_all(r"\D.*$", "")
    is_number = first.str.contains(rf"^\d{{1,{MOST_DIGITS}}}$") & nw.lit(bool(unit))
    number = nw.when(is_number).then(first).otherwise(nw.lit("1")).cast(nw.Int64())
    is_begun, days = ~word.str.contains("[>≥+]") & (number > 0), number
    is_other = word.str.contains(IN_OTHERS)
    for span, (length, letters) in SPANS.items():
        is_so = nw.lit(unit == span) | word.str.contains(rf"\d\s*\+?\s*(?:{letters})(?:[^a-z]|$)")
        days = nw.when(is_so).then((number - is_begun.cast(nw.Int64())) * length).otherwise(days)
    return nw.when(is_number & ~is_other).then(days).otherwise(nw.lit(0))


def said_days() -> nw.Expr:
    """Return the days that `write_offs.LATE_IN` says at least."""
    return nw.col(write_offs.LATE_IN).str.slice(0, len(str(LEAST))).cast(nw.Int64()) - LEAST


def says_more_days(sources: Mapping[int, Source], present: Collection[str]) -> nw.Expr:
    """Return whether a loan is late by days, and by far more as another column says; not where buckets give the days.

    Parameters
    ----------
    sources
        The files, by their indices.
    present
        The columns of the staged rows.
    """
    exact = [index for index, one in sources.items() if DAYS_PAST_DUE.name in one.columns and not one.first_days]
    if write_offs.LATE_IN not in present or not exact:
        return nw.lit(False)
    days = nw.col(DAYS_PAST_DUE.name)
    return ((days > 0) & (said_days() > days + 1) & nw.col("source").is_in(exact)).fill_null(False)


def _text(name: str) -> nw.Expr:
    return nw.col(name).cast(nw.String()).str.strip_chars().str.to_lowercase()


def _is_word(text: nw.Expr, listed: Iterable[str]) -> nw.Expr:
    """Return whether a text is one of some words, or begins with one that a sign or a number parts from the rest.

    Legal - court, Overdue 30 days; but not Late payer.
    """
    listed = sorted(listed)
    begins = rf"^[\W\d_]*(?:{'|'.join(sorted(write_offs.patterns(listed)))})\s*[^\sa-z]"
    is_so = _is_one(text.str.replace_all("[^a-z]", ""), write_offs.forms(listed)) | text.str.contains(begins)
    return is_so.fill_null(False)


def _is_one(text: nw.Expr, listed: Iterable[str]) -> nw.Expr:
    """Return whether a text is one of many words, by one pattern: each word of `is_in` is a call of the engine."""
    return text.str.contains(rf"^(?:{'|'.join(map(re.escape, listed))})$")


def _late(kind: str) -> list[str]:
    """Return the words that say that a loan is late, in a column of lateness or in another one."""
    known = write_offs.load()
    return [*known.statuses.late, *known.unread.long, *(known.unread.late if kind in COUNTED else ())]


def _known_word(name: str) -> nw.Expr:
    """Return the value of a column where it is a word of lateness as a whole, or else nothing."""
    value = nw.col(name).cast(nw.String()).str.strip_chars()
    letters = value.str.to_lowercase().str.replace_all("[^a-z]", "")
    is_known = _is_one(letters, write_offs.forms(_late(LATE))).fill_null(False)
    return nw.when(is_known).then(value).otherwise(nw.lit(""))


def _says_long(name: str, kind: str) -> nw.Expr:
    """Return whether a value says that a loan is late by more than `write_offs.LONG_DUE` days, or lost."""
    text, known = _text(name), write_offs.load()
    is_long = _is_word(text, known.unread.long)
    is_long = is_long if kind in COUNTED else is_long | text.str.contains(LONG_CLASS)
    return is_long | text.str.contains(_from(LEVELS[STAGE])) if kind == STAGE else is_long


def _from(least: int) -> str:
    """Return the form of a level of so much or more: 3, 3.0, Kol 3, 5 - Macet."""
    return rf"^[a-z. ]*\W?0*[{least}-9](?:[.,]0+)?\s*(?:[-–:.)(].*)?$"


def _says_late(name: str, kind: str) -> nw.Expr:
    text, known = _text(name), write_offs.load()
    is_so = _is_word(text, _late(kind))
    if kind == BUCKET:
        is_so = is_so | (text.str.contains(FROM) & ~text.str.contains(NUMBERED))
    elif kind == LATE:
        is_number = text.str.contains(NUMBER) & ~text.str.contains(NUMBERED)
        is_so = is_so | text.is_in(known.flags.affirmative) | is_number
    else:
        is_so = is_so | text.str.contains(LONG_CLASS) | text.str.replace_all(NAMED, "").str.contains(OF_DAYS)
        is_so = is_so | text.str.contains(_from(LEVELS[kind])) if kind in LEVELS else is_so
    return (is_so & ~_says_none(name, kind)).fill_null(False)


def _says_none(name: str, kind: str) -> nw.Expr:
    """Return whether a value says that a loan is not late: nothing, no, a word for it, or 0 or fewer days."""
    text, known = _text(name), write_offs.load()
    statuses = known.statuses
    not_late = write_offs.forms(
        [*statuses.outstanding, *statuses.restructured, *statuses.closed, *known.unread.not_late,
         *heading_words.load().words.current]
    )  # fmt: skip
    letters = text.str.replace_all("[^a-z]", "")
    is_none = _is_one(text, ["", *NO_ID_WORDS, *known.flags.negative]) | _is_one(letters, not_late)
    text = text if kind in COUNTED else text.str.replace_all(NAMED, "")
    return is_none | text.str.contains("|".join((ZERO, BELOW, UP_TO.pattern)))
