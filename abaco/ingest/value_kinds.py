"""Kinds of values in text: which are dates, months and numbers, and what numbers they are, as reports read them."""

import re
from collections.abc import Mapping, Sequence

import narwhals as nw

from abaco.engines import Engine
from abaco.engines.forms import BLANK as SPACES
from abaco.engines.forms import CURRENCY_SIGN, DRESS, MINUS, Writing, dressed
from abaco.ingest import decimal_marks

BLANK, TEXT, DATE, MONTH, NUMBER = "blank", "text", "date", "month", "number"
# The patterns of each kind, that say all values in one form; the first that most of the first values have is taken.
KINDS = {
    DATE: r"^(?:\d{4}[-/.]\d{1,2}[-/.]\d{1,2}|\d{1,2}[-/.]\d{1,2}[-/.](?:\d{4}|\d{2})|(?:19|20)\d{6}"
    r"|\d{1,2}[-/. ]*\p{L}{3,10}\.?[-/., ]*\d{2,4}|\p{L}{3,10}\.? \d{1,2},? \d{4})(?:[T ].*)?$",
    MONTH: r"^(?:\p{L}{3,10}\.?[-/. ]\d{2,4}|(?:19|20)\d{2}[-/.]?(?:0[1-9]|1[0-2]))$",
    NUMBER: f"{dressed('.')}|{dressed(',')}",  # of `_undressed` text
}
HAS_DIGIT = re.compile(r"\d")
UNIT = rf"(?i)[{SPACES}]*(?:%|days?|d[ií]as?)$"  # behind a number


def kind_of(values: Sequence[str], share: float) -> str:
    """Return the kind of most values, which have no blanks around them."""
    for kind, pattern in KINDS.items():
        matches = re.compile(pattern.replace(r"\p{L}", r"[^\W\d_]")).match
        others = [value for value in values if not matches(_undressed(value) if kind == NUMBER else value)]
        is_few = 2 * len(others) < len(values) and len(set(others)) == 1 and not HAS_DIGIT.search(others[0])
        if values and (len(others) <= (1 - share) * len(values) or is_few):
            return kind
    return TEXT if values else BLANK


def _undressed(value: str) -> str:
    """Return a value in lower case with a sign in the place of its currency, and without the unit behind it."""
    plain = value.lower().translate(dict.fromkeys(map(ord, MINUS), "-"))
    return re.sub(UNIT, "", re.sub(DRESS, CURRENCY_SIGN, plain))


def is_of_kind(text: nw.Expr, kind: str) -> nw.Expr:
    """Return whether values are of a kind."""
    if kind == NUMBER:
        text = decimal_marks.bare(text).str.replace_all(f"[{MINUS}]", "-").str.replace_all(UNIT, "")
    return text.str.contains(KINDS.get(kind, "."))


def numbers_of(rows: nw.LazyFrame, marks: Mapping[str, str | None], engine: Engine) -> nw.LazyFrame:
    """Return rows with numbers for some columns of text, by their decimal marks, as exports are read."""
    others = [name for name in rows.collect_schema().names() if name not in marks]
    bare = [nw.col(name).str.replace_all(UNIT, "").alias(name) for name in marks]
    kinds = dict.fromkeys(others, "text") | dict.fromkeys(marks, "rate")
    return engine.typed(
        rows.with_columns(bare), kinds, {name: Writing(mark or ".", is_dressed=True) for name, mark in marks.items()}
    )
