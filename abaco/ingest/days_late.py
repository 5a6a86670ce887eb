"""How a column of days past due says that a loan is not late: by 0, and by blanks or negative numbers.

A negative number is one of days until the next instalment is due: the heading says that days past due are counted. It
counts as 0, and is told. Where no number of a file is positive, nothing shows that its sign is not turned, and it is
refused. A blank is unknown, unless it is declared to mean 0.
"""

from collections.abc import Mapping

import narwhals as nw

from abaco.core.errors import InputError
from abaco.core.reasons import Reason
from abaco.ingest.sources import Source

NAME = "days_past_due"
# What may stand for 0 by what is declared.
WORDS = {"auto": (), "blank": ("blank",), "negative": ("negative",), "both": ("blank", "negative")}


def with_days_late(rows: nw.LazyFrame, source: Source, not_late: str) -> nw.LazyFrame:
    """Return typed rows with what means 0 as 0, and whether each ``is_ahead`` of its due date or ``is_late``.

    Rows without such a column stay as they are.

    Parameters
    ----------
    not_late
        What is declared, one of `WORDS`.
    """
    if NAME not in source.columns:
        return rows
    days, raw = nw.col(NAME), nw.col(f"raw_{NAME}").cast(nw.String())
    means_zero, texts = days < 0, ()
    if "blank" in WORDS[not_late]:
        is_blank = raw.fill_null("").str.strip_chars() == ""
        means_zero, texts = is_blank | means_zero, (nw.when(is_blank).then(nw.lit("0")).otherwise(raw),)
    zeroed = nw.when(means_zero).then(nw.lit(0)).otherwise(days).cast(nw.Int64()).alias(NAME)
    texts = [text.alias(f"raw_{NAME}") for text in texts]
    return rows.with_columns(zeroed, *texts, is_ahead=days < 0, is_late=days > 0)


def told(source: Source, found: Mapping[str, int], not_late: str) -> list[Reason]:
    """Return what to say of negative days past due.

    Parameters
    ----------
    found
        How many rows are ``is_ahead`` of their due date and ``is_late``.

    Raises
    ------
    InputError
        When nothing shows that the sign of the days is not turned.
    """
    if not found["is_ahead"]:
        return []
    heading = source.columns[NAME]
    if not found["is_late"] and "negative" not in WORDS[not_late]:
        raise InputError(
            f"{source.name}: days under {heading} are 0 or negative: days until the next due date, or days late with a "
            "turned sign; set ingestion.not_late to negative if nobody is late, or correct the export"
        )
    return [Reason("days_ahead", column=heading, name=source.name, count=found["is_ahead"])]
