"""Sections: rows that hold words of the end or the lateness of loans alone, above rows of which no column says it."""

import narwhals as nw

from abaco.core.errors import InputError
from abaco.engines import Engine
from abaco.ingest import bucket_words, heading_words, headings, unread_columns, write_offs
from abaco.ingest.columns import normalise
from abaco.ingest.csv_records import records
from abaco.ingest.layout import IS_LEFT_OUT
from abaco.ingest.quarantine import lines
from abaco.ingest.staging import Batch, Staged

SECTION = "unread_section"
SAYING = ("unread_written_off", "unread_closed", unread_columns.LATE, SECTION)


def check_sections(batch: Batch, engine: Engine) -> None:
    """Raise when the only text of a row is such as ``Written-off loans``, and rows of loans follow it.

    Only rows are looked at that are rejected without an amount, or could not be split into columns.

    Raises
    ------
    InputError
        Naming the row, and a way out.
    """
    is_bad = ~nw.col("reasons").is_null() & nw.col("amount_usd").is_null() & ~nw.col(IS_LEFT_OUT).fill_null(False)
    for staged in batch.staged if batch.format.balance else ():
        wanted = {line for line, _ in staged.broken}
        if staged.text and "reasons" in staged.filled:
            rows = engine.scan(staged.path, row_number="record").filter(is_bad).select("record")
            wanted |= {*lines(staged, rows.collect("pyarrow").to_native()["record"].to_pylist()).values()}
        if wanted:
            _check(staged, wanted)


def _check(staged: Staged, wanted: set[int]) -> None:
    found, last = None, max(wanted)
    for line, fields, _ in records(staged.source, staged.text):
        texts = [text.strip() for text in fields if text.strip()]
        if found and len(texts) > 1:
            raise InputError(
                f"{staged.source.name}: line {found[0]} has only {found[1]}, and rows follow: whether they are so, no "
                f"column says; give them a column loan_status that does, or take line {found[0]} out of the file if it "
                "says nothing of them"
            )
        if line in wanted and len(texts) == 1 and says_standing(texts[0]):
            found = (line, texts[0])
        if line >= last and not found:
            return


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
    beside = {*known[SECTION].beside}
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
