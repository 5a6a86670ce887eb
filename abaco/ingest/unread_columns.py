"""Columns that are not read, looked at as a file is read: labels of totals, lateness, and the end of a loan.

Nothing of them is kept but what they say: that a row has a label (see `masking.CALLED`), and which column says that a
loan is late, or written off, closed or sold.
"""

import datetime as dt
import re
from collections.abc import Collection, Iterable, Mapping, Sequence

import narwhals as nw

from abaco.core.quoting import frequent_word
from abaco.core.reasons import Reason
from abaco.engines.base import NO_ID_WORDS
from abaco.ingest import heading_words, headings, write_offs
from abaco.ingest.bucket_words import UP_TO
from abaco.ingest.columns import DAYS_PAST_DUE, MEASUREMENT_DATE, normalise
from abaco.ingest.layout import PART
from abaco.ingest.sources import Source

MAX_WORDS = 5  # that a message shows of a column
OTHER, LATE, BUCKET, LEFT = "unread", "unread_late", "unread_bucket", "unread_left"  # the last: a mapping leaves it
OF_INVOICES = "unread_paid"  # of a loan such a day may be that of its last payment
SECTION, ACTIVE = "unread_section", "unread_active"  # words of sections; where the last says no, a loan ended
ENDED = ("unread_written_off", "unread_closed", OF_INVOICES, ACTIVE)
SAID = {write_offs.LATE_IN: "late_in_unread", write_offs.ENDED_IN: "ended_in_unread"}
LEAST = 10_000  # what is added to days, so that as text they have one length
# spans that days may be counted in: the fewest days of each, and its words behind a number
SPANS = {
    "weeks": (7, "w|wks?|weeks?|semanas?|semaines?|wochen?"),
    "months": (28, "m|months?|mths?|mes(?:es)?|mois|monate?|mês|mesi|maand(?:en)?"),
}
IN_OTHERS = r"\d\s*\+?\s*(?:yr|year|año|inst|cuota|emi)s?(?:[^a-z]|$)"
WEEKS = {"week", "weeks", "semana", "semanas", "semaines", "wochen"}
LEAST_LETTERS = 4  # of words that are looked for in any column: a shorter one is something else too
REMARK, TO = r"\s*[(:,/;]|\s+[-–—]|[^a-z]+(?:in|on|to|en|el|em|a|al)\W", r"[^a-z]+(?:to|a|al)\W"  # behind such a word
NO_DAY = dt.date(1970, 1, 1)  # up to here a date stands for none
# 0 with a unit or as the first day of a range, below 0, and up to a number: not late
ZERO = r"^[a-z \W_]*0+(?:[.,]0+)*(?:[^0-9.,].*)?$"
BELOW = r"^\s*[-−(].*|^[\d.,]+-$"
# 3 months, RS. 50, INR5000: numbers, which grades are not (A, B2); 1 - Contacted: a word with its number
NUMBER = r"^(?:[a-z]{1,3}[^a-z0-9-]+)?[^a-z0-9]*\d|^[a-z]{3}\d[\d.,]"
NUMBERED = r"^\W*\d+\s*[-–:.)]\s*[a-z]"
FROM = r"^\D{0,12}[1-9]\d{0,2}\s*(?:[-–+]|to\b|a\b|d)|^\D{0,12}[>≥]"


def places(source: Source) -> dict[str, int]:
    """Return the positions of the columns that are not read, of files with balances of loans, by a name."""
    if not source.format.balance:
        return {}
    known, read, words = headings.load(), {*source.layout.inputs.values()}, heading_words.load()
    means = {kind: known[kind] for kind in (LATE, BUCKET, *ENDED)}
    means.pop(OF_INVOICES if source.mapping.rows != "invoice" else "", None)
    left = source.mapping.mentioned if not source.mapping.is_known else ()
    found = {}
    for place, heading in enumerate(source.headings):
        plain = normalise(heading)
        is_share = "%" in heading
        kind = next((k for k, one in means.items() if one.has(plain) and not (is_share and k in ENDED)), OTHER)
        unit = (
            "weeks" if WEEKS & {*plain.split("_")} else words.unit_of(heading) or "" if kind in (LATE, BUCKET) else ""
        )
        if plain in left and not (
            kind == BUCKET or (kind == LATE and unit)
        ):  # what says days is compared with those read
            kind = LEFT
        name = f"{kind}{PART}{place}{PART}{unit}" if kind in (LATE, BUCKET) else f"{kind}{PART}{place}"
        found |= {} if place in read else {name: place}
    return found


def among(present: Iterable[str]) -> list[str]:
    """Return which of some columns are not read."""
    return [name for name in present if name.partition(PART)[0] in (OTHER, LATE, BUCKET, LEFT, *ENDED)]


def of_lateness(unread: Iterable[str]) -> list[str]:
    """Return which of some columns of `places` may say that a loan is late."""
    return [name for name in unread if name.partition(PART)[0] in (LATE, BUCKET)]


def of_ends(unread: Iterable[str]) -> list[str]:
    """Return which of some columns of `places` may say that a loan is written off, closed or sold."""
    return [name for name in unread if name.partition(PART)[0] in ENDED]


def of_words(unread: Iterable[str]) -> list[str]:
    """Return which of some columns of `places` may have a word of loans that are written off or sold as a value."""
    return [name for name in unread if name.partition(PART)[0] in (OTHER, LATE, BUCKET)]


def words_in(columns: Mapping[str, int], present: Collection[str] = ()) -> list[nw.Expr]:
    """Return `write_offs.ENDED_IN` by the values of some columns, by name and position; nothing if there are none.

    Parameters
    ----------
    present
        All columns: what others say already goes before.
    """
    found = [nw.col(write_offs.ENDED_IN)] if write_offs.ENDED_IN in present and columns else []
    found += [nw.when(_says_ended(name)).then(nw.lit(f"{place}{PART}")) for name, place in columns.items()]
    return [nw.coalesce(*found, nw.lit(None).cast(nw.String())).alias(write_offs.ENDED_IN)] if found else []


def _says_ended(name: str) -> nw.Expr:
    """Return whether a text is a word of loans that are written off or sold, beside words of loans and a remark."""
    known = write_offs.load()
    beside = "|".join(map(re.escape, headings.load()[SECTION].beside))
    off = [word for word in known.statuses.written_off if len(word) >= LEAST_LETTERS]
    off, sold = ("|".join(sorted(write_offs.patterns(listed))) for listed in (off, known.unread.sold))
    before, after = rf"(?i)^[^a-z]*(?:(?:{beside})s?[^a-z]+)*", rf"s?(?:[^a-z]+(?:{beside})s?)*"
    form = rf"{before}(?:(?:{off}){after}(?:[^a-z]*$|{REMARK})|(?:{sold}){after}(?:[^a-z]*$|{TO}))"
    return nw.col(name).cast(nw.String()).str.contains(form)


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
            found |= set() if word in affirmative or any(map(str.isdigit, word)) else {name}
    return found


def late_in(names: Iterable[str]) -> list[nw.Expr]:
    """Return `write_offs.LATE_IN` by some columns of `places`, null where none says so; nothing if none may.

    It is the days that it says at least, with `LEAST`, the position of the column, and the word as it is written where
    it is a known one as a whole.
    """
    found = []
    for name in of_lateness(names):
        kind, place, unit = name.split(PART)
        days = _said_days(name, unit if kind == LATE else unit or "days") + LEAST
        says = nw.concat_str(days.cast(nw.String()), nw.lit(f"{PART}{place}{PART}"), _known_word(name))
        found.append(nw.when(_says_late(name, kind)).then(says))
    return [nw.coalesce(*found, nw.lit(None).cast(nw.String())).alias(write_offs.LATE_IN)] if found else []


def _said_days(name: str, unit: str) -> nw.Expr:
    """Return the days that a text such as 31-60, 90+ or 3 meses says at least; 0 where it says none.

    Parameters
    ----------
    unit
        That of its heading: days, or one of `SPANS`, of which the last one may have begun.
    """
    word = nw.col(name).cast(nw.String()).str.to_lowercase()
    first = word.str.replace_all(r"^\D+", "").str.replace_all(r"\D.*$", "")
    is_number = first.str.contains(r"^\d{1,4}$") & nw.lit(bool(unit))
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


def ended_in(names: Iterable[str], present: Collection[str], date: dt.date) -> nw.Expr:
    """Return `write_offs.ENDED_IN`: the position of the first of some columns of `of_ends` that says so, or null.

    It does by a day up to that of the balances, an amount, yes or a word; one of loans that count, by no.

    Parameters
    ----------
    names
        Columns of dates in one order, each with another one in the other order, by its name and `PART`.
    present
        All columns.
    date
        The day of balances without a date.
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
        is_so = nw.when(ended.is_null()).then(says).otherwise((ended > NO_DAY) & (ended <= day))
        is_so = text.is_in(known.flags.negative) if name.partition(PART)[0] == ACTIVE else is_so
        found.append(nw.when(is_so.fill_null(False)).then(nw.lit(f"{name.partition(PART)[2]}{PART}")))
    said = [nw.col(write_offs.ENDED_IN)] if write_offs.ENDED_IN in present else []
    return nw.coalesce(*found, *said, nw.lit(None).cast(nw.String())).alias(write_offs.ENDED_IN)


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
        words = said.setdefault((row["source"], int(place)), [])
        words += [shown] if word and (shown := frequent_word(word, row["rows"])) not in words else []
    shown = {key: f" ({', '.join(words[:MAX_WORDS])})" if words else "" for key, words in said.items()}
    told = tuple(f"{names[i]}: {headings[i][place].strip()}{shown[i, place]}" for i, place in sorted(said))
    return [Reason(SAID[said_in], names=told)] if told else []


def _late() -> list[str]:
    known = write_offs.load()
    return [*known.statuses.late, *known.unread.late]


def _known_word(name: str) -> nw.Expr:
    """Return the value of a column where it is a word of lateness as a whole, or else nothing."""
    value = nw.col(name).cast(nw.String()).str.strip_chars()
    letters = value.str.to_lowercase().str.replace_all("[^a-z]", "")
    return nw.when(letters.is_in(write_offs.forms(_late())).fill_null(False)).then(value).otherwise(nw.lit(""))


def _says_late(name: str, kind: str) -> nw.Expr:
    known = write_offs.load()
    text = nw.col(name).cast(nw.String()).str.strip_chars().str.to_lowercase()
    letters, statuses, late = text.str.replace_all("[^a-z]", ""), known.statuses, _late()
    # beside another text a word counts only where a sign or a number parts them: Legal - court, Overdue 30 days
    begins = rf"^[\W\d_]*(?:{'|'.join(map(re.escape, sorted(late)))})\s*[^\sa-z]"
    is_so = letters.is_in(write_offs.forms(late)) | text.str.contains(begins)
    if kind == BUCKET:
        is_so = is_so | (text.str.contains(FROM) & ~text.str.contains(NUMBERED))
    else:
        is_number = text.str.contains(NUMBER) & ~text.str.contains(NUMBERED)
        is_so = is_so | text.is_in(known.flags.affirmative) | is_number
    not_late = write_offs.forms(
        [*statuses.outstanding, *statuses.restructured, *statuses.closed, *known.unread.not_late,
         *heading_words.load().words.current]
    )  # fmt: skip
    is_not = text.is_in(["", *NO_ID_WORDS, *known.flags.negative]) | letters.is_in(not_late)
    for form in (ZERO, BELOW, UP_TO.pattern):
        is_not = is_not | text.str.contains(form)
    return (is_so & ~is_not).fill_null(False)
