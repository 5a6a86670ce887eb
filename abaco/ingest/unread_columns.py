"""Columns that are not read, looked at as a file is read: labels of totals, lateness, and the end of a loan.

Nothing of them is kept but what they say: that a row has a label (see `masking.CALLED`), and which column says that a
loan is late, or written off, closed or sold.
"""

import datetime as dt
import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

import narwhals as nw

from abaco.core import currencies
from abaco.core.quoting import frequent_word
from abaco.core.reasons import Reason
from abaco.engines.base import NO_ID_WORDS
from abaco.ingest import heading_words, headings, unread_lateness, write_offs
from abaco.ingest.columns import LOAN_STATUS, MEASUREMENT_DATE, heading_at, normalise
from abaco.ingest.layout import IS_LEFT_OUT, PART
from abaco.ingest.sources import Source
from abaco.ingest.unread_lateness import BUCKET, COUNTED, LATENESS, NUMBER, NUMBERED, STATED, ZERO

MAX_WORDS = 5  # that a message shows of a column
OTHER, LEFT = "unread", "unread_left"  # the last: a mapping leaves it
PAID, CLEARED = "unread_paid", "unread_cleared"  # of a loan such a day may be that of its last payment
CLOSING, BUYER = "unread_closing", "unread_sold_to"  # a day that may be that of the file; who bought a loan
SECTION, ACTIVE = "unread_section", "unread_active"  # words of sections; where the last says no, a loan ended
ENDED = (BUYER, "unread_written_off", "unread_closed", CLOSING, PAID, CLEARED, ACTIVE)
SAID = {write_offs.LATE_IN: "late_in_unread", write_offs.ENDED_IN: "ended_in_unread"}
WEEKS = {"week", "weeks", "semana", "semanas", "semaines", "wochen"}
APART = "unread_apart"  # words in brackets of a heading that means something else than it does without them
BRACKETS = re.compile(r"[(\[{]([^()\[\]{}]*)[)\]}]")
FORMAT = re.compile(  # at the end of a heading: Y/N, dd/mm/yyyy
    r"(?i)[^a-z](?:y/n|yes/no|s[ií]?/no?|o/n|j/n|t/f|true/false|[dmyaj]{1,4}([-/.])[dmyaj]{1,4}\1[dmyaj]{2,4})\W*$"
)
LEAST_LETTERS = 4  # of words that are looked for in any column: a shorter one is something else too
REMARK, TO = r"\s*[(:,/;&+]|\s+[-–—]|[^a-z]+(?:in|on|to|en|el|em|a|al)\W", r"[^a-z]+(?:to|a|al)\W"  # behind such a word
HOW = r"[^a-z]+(?:by|before|prior|after|early|antes|por|sin)(?:[^a-z]|$)"  # and behind that of a status


def places(source: Source) -> dict[str, int]:
    """Return the positions of the columns that are not read, of files with balances of loans, by a name."""
    if not source.format.balance:
        return {}
    known, read = headings.load(), {*source.layout.inputs.values()}
    others = (BUYER,) if source.mapping.rows == "invoice" else (PAID, CLEARED)
    means = {kind: known[kind] for kind in (*LATENESS, *ENDED) if kind not in others}
    left = source.mapping.mentioned if not source.mapping.is_known else ()
    found = {}
    for place, heading in enumerate(source.headings):
        if place in read:
            continue
        kind = _kind(heading, means)
        unit = _unit(heading) if kind in COUNTED else ""
        says_days = kind == BUCKET or unit  # which is compared with those read
        if normalise(heading) in left and not says_days:
            kind = LEFT
        found[f"{kind}{PART}{place}{PART}{unit}"] = place
    return found


def _kind(heading: str, means: Mapping[str, headings.Known]) -> str:
    """Return what a heading may say: the first kind that has it; a share is not an end of a loan."""
    kinds = {kind: known for kind, known in means.items() if not ("%" in heading and kind in ENDED)}
    found = (kind for plain in _forms(heading) for kind, known in kinds.items() if known.has(plain))
    return next(found, OTHER)


def _forms(heading: str) -> Iterator[str]:
    """Yield a heading, normalised, and without brackets, and without a currency or a `FORMAT` at its end."""
    heading = heading.replace(">", " over ").replace("≥", " over ")
    yield normalise(heading)
    aside = normalise(" ".join(BRACKETS.findall(heading)))
    if re.search(r"[1-9]\d", aside) or not {*headings.load()[APART].words}.isdisjoint(aside.split("_")):
        return  # a number of two digits is one of another day: DPD (30/11/2025)
    stem = normalise(FORMAT.sub("", currencies.without_signs(BRACKETS.sub(" ", heading))))
    stem, _ = currencies.of_heading(stem) or (stem, None)
    yield stem


def _unit(heading: str) -> str:
    """Return the unit of time that a heading says, or nothing."""
    is_weeks = not WEEKS.isdisjoint(normalise(heading).split("_"))
    return "weeks" if is_weeks else heading_words.load().unit_of(heading) or ""


def among(present: Iterable[str]) -> list[str]:
    """Return which of some columns are not read."""
    return [name for name in present if name.partition(PART)[0] in (OTHER, *LATENESS, LEFT, *ENDED)]


def of_ends(unread: Iterable[str]) -> list[str]:
    """Return which of some columns of `places` may say that a loan is written off, closed or sold."""
    return [name for name in unread if name.partition(PART)[0] in ENDED]


def of_words(unread: Iterable[str]) -> list[str]:
    """Return which of some columns of `places` may have a word of loans that are written off or sold as a value."""
    return [name for name in unread if name.partition(PART)[0] in (OTHER, *LATENESS)]


def words_in(columns: Mapping[str, int], present: Collection[str] = ()) -> list[nw.Expr]:
    """Return `write_offs.ENDED_IN` by the values of some columns, by name and position; nothing if there are none.

    Parameters
    ----------
    present
        All columns: what others say already goes before.
    """
    found = [nw.when(_says_ended(name)).then(nw.lit(f"{place}{PART}")) for name, place in columns.items()]
    return [_first_of(*_said(present), *found)] if found else []


def _said(present: Collection[str]) -> list[nw.Expr]:
    """Return what other columns say already, where some may."""
    return [nw.col(write_offs.ENDED_IN)] if write_offs.ENDED_IN in present else []


def _first_of(*found: nw.Expr) -> nw.Expr:
    return nw.coalesce(*found, nw.lit(None).cast(nw.String())).alias(write_offs.ENDED_IN)


def _says_ended(name: str, is_status: bool = False) -> nw.Expr:
    """Return whether a text is a word of loans that are written off or sold, beside words of loans and a remark.

    Parameters
    ----------
    is_status
        Whether it may be one of loans that are closed or not lent, too, before a remark.
    """
    known = write_offs.load()
    beside = "|".join(map(re.escape, headings.load()[SECTION].beside))
    off = [word for word in known.statuses.written_off if len(word) >= LEAST_LETTERS]
    lists = (off, known.unread.sold, known.unread.ended)
    off, sold, ended = ("|".join(sorted(write_offs.patterns(listed))) for listed in lists)
    before, after = rf"(?i)^[^a-z]*(?:(?:{beside})s?[^a-z]+)*", rf"s?(?:[^a-z]+(?:{beside})s?)*"
    form = rf"(?:{off}){after}(?:[^a-z]*$|{REMARK})|(?:{sold}){after}(?:[^a-z]*$|{TO})"
    form += rf"|(?:{ended}){after}(?:{REMARK}|{HOW})" if is_status else ""
    return nw.col(name).cast(nw.String()).str.contains(rf"{before}(?:{form})")


def with_statuses(rows: nw.LazyFrame, source: Source) -> nw.LazyFrame:
    """Return rows with what statuses say in `write_offs.LATE_IN` and `write_offs.ENDED_IN`: of ends, unknown ones."""
    present, name = rows.collect_schema().names(), LOAN_STATUS.name
    found = unread_lateness.late_by_status(present, source.settled)
    if name in present and source.format.balance:
        is_settled = nw.col(name).str.strip_chars().str.to_lowercase().is_in(sorted(source.settled))
        is_unknown = (nw.col(write_offs.STANDING) == write_offs.UNKNOWN) & ~is_settled
        is_so = (is_unknown & _says_ended(name, is_status=True)).fill_null(False)
        found.append(_first_of(*_said(present), nw.when(is_so).then(nw.lit(f"{STATED}{PART}"))))
    return rows.with_columns(found) if found else rows


def to_compare(unread: Iterable[str]) -> list[str]:
    """Return which of some columns of `places` say nothing where they hold the same word in every row."""
    return [*unread_lateness.of_lateness(unread), *(name for name in unread if name.partition(PART)[0] == CLOSING)]


def of_one_word(rows: nw.LazyFrame) -> set[str]:
    """Return which columns hold the same word in every row, which says nothing of single loans."""
    affirmative, names = write_offs.load().flags.affirmative, rows.collect_schema().names()
    counted = [nw.len().alias("rows")]
    for name in names:
        text = nw.col(name).cast(nw.String())
        counted += [text.count().alias(f"{name}_count"), text.min().alias(name), text.max().alias(f"{name}_last")]
    [row] = rows.select(*counted).collect("pyarrow").to_native().to_pylist()
    found = set()
    for name in names:
        if row["rows"] == row[f"{name}_count"] > 1 and row[name] == row[f"{name}_last"]:
            word = row[name].strip().lower()
            is_number = any(map(str.isdigit, word)) and name.partition(PART)[0] != CLOSING
            says = word in affirmative or is_number
            found |= set() if says else {name}
    return found


def ended_in(names: Iterable[str], present: Collection[str], date: dt.date) -> nw.Expr:
    """Return `write_offs.ENDED_IN`: the position of the first of some columns of `of_ends` that says so, or null.

    It does by a day up to that of the balances, an amount, yes or a word; one of loans that count, by no; one of who
    bought a loan, by a name. The parameters are those of `unread_lateness.late_since`.
    """
    known = write_offs.load()
    day = nw.col(MEASUREMENT_DATE.name) if MEASUREMENT_DATE.name in present else nw.lit(date)
    ends = write_offs.forms([*known.statuses.written_off, *known.statuses.closed])
    found = []
    for name in names:
        text = nw.col(f"raw_{name}").cast(nw.String()).str.strip_chars().str.to_lowercase()
        is_number = text.str.contains(NUMBER) & ~text.str.contains(NUMBERED) & ~text.str.contains(ZERO)
        says = (
            _says_ended(f"raw_{name}")
            | text.is_in(known.flags.affirmative)
            | text.str.replace_all("[^a-z]", "").is_in(ends)
            | is_number
        )
        ended = nw.min_horizontal(name, f"{name}{PART}")
        is_so = nw.when(ended.is_null()).then(says).otherwise((ended > write_offs.NO_DAY) & (ended <= day))
        kind = name.partition(PART)[0]
        if kind == ACTIVE:
            is_so = text.is_in(known.flags.negative)
        elif kind == CLOSING:
            is_so = (ended > write_offs.NO_DAY) & (ended < day)
        elif kind == BUYER:
            nobody = [*NO_ID_WORDS, *known.flags.negative, *known.unread.own]
            is_so = text.str.contains("[a-z]{2}") & ~text.is_in(nobody)
        found.append(nw.when(is_so.fill_null(False)).then(nw.lit(f"{name.split(PART)[1]}{PART}")))
    return _first_of(*found, *_said(present))


def left_out(names: Iterable[str], present: Collection[str], date: dt.date) -> list[nw.Expr]:
    """Return `IS_LEFT_OUT`, which invoices are by a clearing up to the day of their balance; nothing if none may be.

    The parameters are those of `ended_in`.
    """
    day = nw.col(MEASUREMENT_DATE.name) if MEASUREMENT_DATE.name in present else nw.lit(date)
    cleared = [nw.max_horizontal(name, f"{name}{PART}") for name in names if name.partition(PART)[0] == CLEARED]
    found = [(one > write_offs.NO_DAY) & (one <= day) for one in cleared]
    said = [nw.col(IS_LEFT_OUT)] if IS_LEFT_OUT in present else []
    return [nw.any_horizontal(*said, *found, ignore_nulls=True).alias(IS_LEFT_OUT)] if found else []


def told(
    rows: nw.LazyFrame, said_in: str, names: Mapping[int, str], headings: Mapping[int, Sequence[str]]
) -> list[Reason]:
    """Return which columns say something of some rows, and their words as a message may show them.

    Parameters
    ----------
    rows
        Staged rows, with `said_in`: `write_offs.LATE_IN` or `write_offs.ENDED_IN`.
    names, headings
        Those of each file, by its index.
    """
    if said_in not in rows.collect_schema().names():
        return []
    found = rows.filter(~nw.col(said_in).is_null()).group_by("source", said_in).agg(rows=nw.len())
    said: dict[tuple[int, int], list[str]] = {}
    often = found.collect("pyarrow").to_native().to_pylist()
    for row in sorted(often, key=lambda row: (-row["rows"], row[said_in])):
        *_, place, word = row[said_in].split(PART)
        if int(place) == STATED:
            continue
        words = said.setdefault((row["source"], int(place)), [])
        words += [shown] if word and (shown := frequent_word(word, row["rows"])) not in words else []
    shown = {key: f" ({', '.join(words[:MAX_WORDS])})" if words else "" for key, words in said.items()}
    told = tuple(f"{names[i]}: {heading_at(headings[i], place)}{shown[i, place]}" for i, place in sorted(said))
    return [Reason(SAID[said_in], names=told)] if told else []
