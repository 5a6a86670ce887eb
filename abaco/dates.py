"""Measurement dates: read from text, and found in the input."""

import datetime as dt
import tempfile
from pathlib import Path

import narwhals as nw

from abaco import ingestion, sources, staging
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
    with DuckDB() as engine, tempfile.TemporaryDirectory(prefix="abaco-") as work:
        days = [_latest(source, engine, Path(work)) for source in tape]
    if not any(days):
        raise InputError(f"No date in {tape[0].name} can be read as YYYY-MM-DD: correct its date column")
    return max(filter(None, days))


def _latest(source: sources.Source, engine: DuckDB, work: Path) -> dt.date | None:
    latest = work / "latest.parquet"

    def write(whole: Path | None) -> int:
        rows = engine.typed(sources.read(source, engine, work, whole), {"measurement_date": "date"})
        engine.write(rows.select(nw.col("measurement_date").max(), rows=nw.len()), latest)
        return found()["rows"]

    def found() -> dict:
        return engine.scan(latest).collect("pyarrow").to_native().to_pylist()[0]

    text = sources.text_path(source, work) if source.kind in ("csv", "xlsx") else None
    staging.read_whole(source, text, engine, work, write)
    return found()["measurement_date"]
