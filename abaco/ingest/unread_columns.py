"""Columns that are not read, looked at as a file is read: labels of totals, and words of lateness.

Nothing of them is kept but what they say: that a row has a label (see `masking.CALLED`), and which column says that a
loan is late.
"""

from collections.abc import Iterable

import narwhals as nw

from abaco.engines.base import NO_ID_WORDS
from abaco.ingest import heading_words, headings, write_offs
from abaco.ingest.bucket_words import UP_TO
from abaco.ingest.columns import normalise
from abaco.ingest.layout import PART
from abaco.ingest.sources import Source

OTHER, LATE, BUCKET = "unread", "unread_late", "unread_bucket"
# 0 with a unit or as the first day of a range, below 0, and up to a number: not late; A, B2: grades, which say no order
ZERO = r"^[a-z \W_]*0+(?:[.,]0+)*(?:[^0-9.,].*)?$"
BELOW = r"^\s*[-−(].*|^[\d.,]+-$"
GRADE = r"^[a-z]{1,2}[+-]?\d?$"
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


def late_in(names: Iterable[str]) -> list[nw.Expr]:
    """Return `write_offs.LATE_IN` by some columns of `places`, null where none says so; nothing if none may."""
    found = [
        nw.when(_says_late(name, kind)).then(nw.lit(place))
        for name in names
        for kind, _, place in (name.partition(PART),)
        if kind in (LATE, BUCKET)
    ]
    return [nw.coalesce(*found, nw.lit(None).cast(nw.String())).alias(write_offs.LATE_IN)] if found else []


def _says_late(name: str, kind: str) -> nw.Expr:
    known = write_offs.load()
    text = nw.col(name).cast(nw.String()).str.strip_chars().str.to_lowercase()
    letters, statuses = text.str.replace_all("[^a-z]", ""), known.statuses
    if kind == BUCKET:
        is_so = letters.is_in(write_offs.forms(statuses.late)) | text.str.contains(FROM)
    else:
        is_so = text.is_in(known.flags.affirmative) | ~text.str.contains(GRADE)
    not_late = write_offs.forms(
        [*statuses.outstanding, *statuses.restructured, *statuses.closed, *known.unread.not_late,
         *heading_words.load().words.current]
    )  # fmt: skip
    is_not = text.is_in(["", *NO_ID_WORDS, *known.flags.negative]) | letters.is_in(not_late)
    for form in (ZERO, BELOW, UP_TO.pattern):
        is_not = is_not | text.str.contains(form)
    return (is_so & ~is_not).fill_null(False)
