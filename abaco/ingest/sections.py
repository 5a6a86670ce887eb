"""Sections: rows that hold words of the end or the lateness of loans alone, above rows of which no column says it."""

from collections.abc import Sequence

import narwhals as nw

from abaco.core.errors import InputError
from abaco.engines import Engine
from abaco.ingest import bucket_words, heading_words, headings, unread_columns, write_offs
from abaco.ingest.columns import normalise
from abaco.ingest.csv_records import records
from abaco.ingest.layout import IS_LEFT_OUT
from abaco.ingest.quarantine import lines
from abaco.ingest.staging import Batch, Staged

MOST_FILLED = 3  # cells of a row that is not a loan
SAYING = ("unread_written_off", "unread_closed", unread_columns.LATE, unread_columns.SECTION)


def check_sections(batch: Batch, engine: Engine) -> None:
    """Raise when a row has only such a text as ``Written-off loans``, if not a sum too, and rows of loans follow it.

    Only rows are looked at that are rejected, or could not be split into columns.

    Raises
    ------
    InputError
        Naming the row, and a way out.
    """
    is_bad = ~nw.col("reasons").is_null() & ~nw.col(IS_LEFT_OUT).fill_null(False)
    for staged in batch.staged if batch.format.balance else ():
        wanted = {line for line, _ in staged.broken}
        if staged.text and "reasons" in staged.filled:
            rows = engine.scan(staged.path, row_number="record").filter(is_bad).select("record")
            wanted |= {*lines(staged, rows.collect("pyarrow").to_native()["record"].to_pylist()).values()}
        if wanted:
            _check(staged, wanted)


def _check(staged: Staged, bad: set[int]) -> None:
    found, last = None, max(bad)
    for line, fields, _ in records(staged.source, staged.text):
        if found and line not in bad:
            raise InputError(
                f"{staged.source.name}: line {found[0]} has only {found[1]}, and rows follow: whether they are so, no "
                f"column says; give them a column loan_status that does, or take line {found[0]} out of the file if it "
                "says nothing of them"
            )
        if line in bad and (text := _section(fields)):
            found = (line, text)
        if line >= last and not found:
            return


def _section(fields: Sequence[str]) -> str | None:
    """Return the text of a row that says it of those below; a branch may stand before it, and a sum behind it."""
    filled = [text.strip() for text in fields if text.strip()]
    if len(filled) > MOST_FILLED:
        return None
    is_named = len(filled) > 1 and not any(map(str.isdigit, filled[0])) and not says_standing(filled[0])
    text, *others = filled[is_named:] or [""]
    return text if says_standing(text) and not any(map(str.isalpha, "".join(others))) else None


def says_standing(text: str) -> bool:
    """Return whether a text says of loans that they are written off, closed, sold or late.

    Examples
    --------
    >>> [says_standing(text) for text in ("Written-off loans", "CARTERA CASTIGADA:", "91+ days", "Closed accounts (3)")]
    [True, True, True, True]
    >>> [says_standing(text) for text in ("Active loans", "Current", "Lima branch", "Ana Lima", "Total")]
    [False, False, False, False, False]
    """
    known, words = headings.load(), heading_words.load()
    beside = {*known[unread_columns.SECTION].beside}
    said = [word for word in normalise(text).split("_") if not {word, word.removesuffix("s")} & beside]
    said = [word for word in said if not word.isdigit()]
    forms = {"_".join(said), "_".join(word.removesuffix("s") for word in said)}
    statuses = write_offs.load().statuses
    standing = write_offs.forms([*statuses.written_off, *statuses.closed, *statuses.late])
    return (
        any(known[kind].has(form) for kind in SAYING for form in forms)
        or not {form.replace("_", "") for form in forms}.isdisjoint(standing)
        or (bucket_words.is_bucket(text.strip(), words) and bool(bucket_words.days_of(text.strip(), words)))
    )
