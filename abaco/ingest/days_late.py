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

    Parameters
    ----------
    not_late
        What is declared, one of `WORDS`.
    """
    if NAME not in source.columns:
        nothing = nw.lit(None).cast(nw.Boolean())
        return rows.with_columns(is_ahead=nothing, is_late=nothing)
    days, raw = nw.col(NAME), nw.col(f"raw_{NAME}").cast(nw.String())
    rows = rows.with_columns(is_ahead=days < 0, is_late=days > 0)
    rows = rows.with_columns(nw.when(days < 0).then(nw.lit(0)).otherwise(days).cast(nw.Int64()).alias(NAME))
    if "blank" not in WORDS[not_late]:
        return rows
    is_blank = raw.fill_null("").str.strip_chars() == ""
    zero = nw.when(is_blank).then(nw.lit(0)).otherwise(days).cast(nw.Int64()).alias(NAME)
    return rows.with_columns(zero, nw.when(is_blank).then(nw.lit("0")).otherwise(raw).alias(f"raw_{NAME}"))


def seen(staged: nw.LazyFrame) -> dict[str, int | None]:
    """Return how many staged rows are ahead of their due date, late, and of doubtful writing."""
    sums = {name: nw.col(name).cast(nw.Int64()).sum() for name in ("is_ahead", "is_late", "doubtful")}
    return staged.select(**sums).collect("pyarrow").to_native().to_pylist()[0]


def told(source: Source, found: Mapping[str, int | None], not_late: str) -> list[Reason]:
    """Return what to say of negative days past due.

    Parameters
    ----------
    found
        See `seen`.

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
