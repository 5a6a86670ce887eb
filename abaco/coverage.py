"""Coverage: which measurement dates an input has."""

import datetime as dt
import tempfile
from pathlib import Path

import narwhals as nw

from abaco import ingestion, sources, staging
from abaco.engines import DuckDB
from abaco.errors import InputError


def tape_dates(found: list[sources.Source]) -> list[dt.date]:
    """Return the measurement dates in the files that give the tape, oldest first.

    Raises
    ------
    InputError
        When no file gives a tape, or the tape carries no date.
    """
    tape = ingestion.tape_sources(found)
    if tape[0].format_name == "loans":
        raise InputError("The loans export carries no measurement date: give DATE=YYYY-MM-DD")
    with DuckDB() as engine, tempfile.TemporaryDirectory(prefix="abaco-") as work:
        days = {day for source in tape for day in _dates(source, engine, Path(work))}
    if not days:
        raise InputError(f"No date in {tape[0].name} can be read as YYYY-MM-DD: correct its date column")
    return sorted(days)


def _dates(source: sources.Source, engine: DuckDB, work: Path) -> set[dt.date]:
    table = work / "dates.parquet"

    def write(whole: Path | None) -> int:
        rows = engine.typed(sources.read(source, engine, work, whole), {"measurement_date": "date"})
        engine.write(rows.group_by("measurement_date").agg(rows=nw.len()), table)
        return sum(row["rows"] for row in found())

    def found() -> list[dict]:
        return engine.scan(table).collect("pyarrow").to_native().to_pylist()

    text = sources.text_path(source, work) if source.kind in ("csv", "xlsx") else None
    staging.read_whole(source, text, engine, work, write)
    return {row["measurement_date"] for row in found()} - {None}
