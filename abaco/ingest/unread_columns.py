"""Columns that are not read, looked at as a file is read: labels of totals, and words of lateness.

Nothing of them is kept but what they say: that a row has a label (see `masking.CALLED`), and which column says that a
loan is late.
"""

import re
from collections.abc import Iterable, Mapping, Sequence

import narwhals as nw

from abaco.core.quoting import frequent_word
from abaco.engines.base import NO_ID_WORDS
from abaco.ingest import heading_words, headings, write_offs
from abaco.ingest.bucket_words import UP_TO
from abaco.ingest.columns import normalise
from abaco.ingest.layout import PART
from abaco.ingest.sources import Source

MAX_WORDS = 5  # that a message shows of a column
OTHER, LATE, BUCKET = "unread", "unread_late", "unread_bucket"
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
    known, read = headings.load(), {*source.layout.inputs.values()}
    means = {kind: known[kind] for kind in (LATE, BUCKET)}
    left = source.mapping.mentioned if not source.mapping.is_known else ()
    found = {}
    for place, heading in enumerate(source.headings):
        plain = normalise(heading)
        kind = next((k for k, one in means.items() if plain not in left and one.has(plain)), OTHER)
        found |= {} if place in read else {f"{kind}{PART}{place}": place}
    return found


def among(present: Iterable[str]) -> list[str]:
    """Return which of some columns are not read."""
    return [name for name in present if name.partition(PART)[0] in (OTHER, LATE, BUCKET)]


def of_lateness(unread: Iterable[str]) -> list[str]:
    """Return which of some columns of `places` may say that a loan is late."""
    return [name for name in unread if name.partition(PART)[0] in (LATE, BUCKET)]


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

    It is the position of the column, and the word as it is written where it is a known one as a whole.
    """
    found = [
        nw.when(_says_late(name, kind)).then(nw.concat_str(nw.lit(f"{place}{PART}"), _known_word(name)))
        for name in names
        for kind, _, place in (name.partition(PART),)
        if kind in (LATE, BUCKET)
    ]
    return [nw.coalesce(*found, nw.lit(None).cast(nw.String())).alias(write_offs.LATE_IN)] if found else []


def told(rows: nw.LazyFrame, names: Mapping[int, str], headings: Mapping[int, Sequence[str]]) -> tuple[str, ...]:
    """Return the columns that say that some rows are late, and their words as a message may show them.

    Parameters
    ----------
    rows
        Staged rows, with `write_offs.LATE_IN`.
    names, headings
        Those of each file, by its index.
    """
    found = rows.filter(~nw.col(write_offs.LATE_IN).is_null()).group_by("source", write_offs.LATE_IN).agg(rows=nw.len())
    said: dict[tuple[int, int], list[str]] = {}
    often = found.collect("pyarrow").to_native().to_pylist()
    for row in sorted(often, key=lambda row: (-row["rows"], row[write_offs.LATE_IN])):
        place, _, word = row[write_offs.LATE_IN].partition(PART)
        words = said.setdefault((row["source"], int(place)), [])
        words += [shown] if word and (shown := frequent_word(word, row["rows"])) not in words else []
    shown = {key: f" ({', '.join(words[:MAX_WORDS])})" if words else "" for key, words in said.items()}
    return tuple(f"{names[i]}: {headings[i][place].strip()}{shown[i, place]}" for i, place in sorted(said))


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
