"""Measurement dates: read from text, and found in the input."""

import datetime as dt
import tempfile
from pathlib import Path

import narwhals as nw

from abaco import ingestion, sources
from abaco.engines import DuckDB
from abaco.errors import InputError


def parse_date(text: str) -> dt.date:
    """Return a measurement date.

    Raises
    ------
    InputError
        When there is no such day, or it is not written YYYY-MM-DD.
    """
    try:
        return dt.datetime.strptime(text.strip(), "%Y-%m-%d").date()
    except ValueError:
        raise InputError(
            f"DATE {text} is no calendar day: write it as YYYY-MM-DD, for example 2025-12-31"
        ) from None


def latest_date(found: list[sources.Source]) -> dt.date:
    """Return the latest measurement date in the files that give the tape.

    Raises
    ------
    InputError
        When no file gives a tape, or the tape carries no date.
    """
    tape = ingestion.tape_sources(found)
    if tape[0].format_name == "loans":
        raise InputError("The loans export carries no measurement date: give DATE=YYYY-MM-DD")
    days = []
    with DuckDB() as engine, tempfile.TemporaryDirectory(prefix="abaco-") as work:
        for source in tape:
            rows = engine.typed(sources.read(source, engine, Path(work)), {"measurement_date": "date"})
            days += (
                rows.select(nw.col("measurement_date").max()).collect("pyarrow")["measurement_date"].to_list()
            )
    if not any(days):
        raise InputError(f"No date in {tape[0].name} can be read as YYYY-MM-DD: correct its date column")
    return max(filter(None, days))
