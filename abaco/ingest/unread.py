"""Values of optional columns that cannot be used, such as N/A: how many, by the date of their rows and by column."""

import datetime as dt
from collections import Counter
from collections.abc import Iterable
from dataclasses import replace

import narwhals as nw

from abaco.engines import Engine
from abaco.ingest import contract
from abaco.ingest.balances import OFF
from abaco.ingest.columns import WRITTEN_OFF
from abaco.ingest.staging import TAPE, Batch

# what the tape calls a column of its exports
ON_TAPE = {OFF: WRITTEN_OFF.name}


def count_unread(batch: Batch, engine: Engine) -> Batch:
    """Return a batch with the number of such values in its usable rows, by date and column."""
    if not batch.has("unread"):
        return batch
    day = "measurement_date" if batch.is_tape else _day(batch)
    rows = batch.usable(engine).filter(~nw.col("unread").is_null())
    found = rows.group_by("unread", day).agg(rows=nw.len()).collect("pyarrow").to_native().to_pylist()
    counts: dict[dt.date, Counter[str]] = {}
    for row in found:
        names = row["unread"].split(contract.SEPARATOR)
        counts.setdefault(row[day], Counter()).update(dict.fromkeys(names, row["rows"]))
    return replace(batch, unread={day: dict(counted) for day, counted in sorted(counts.items())})


def unread_amounts(batches: Iterable[Batch]) -> dict[str, dict[dt.date, dict[str, int]]]:
    """Return how many amounts could not be read, by format, date and column; those of the tape under its names."""
    found: dict[str, dict[dt.date, dict[str, int]]] = {}
    for batch in batches:
        amounts = {column.name for column in batch.format.columns if column.kind == "amount"}
        for day, counts in batch.unread.items():
            counts = {on_tape(name): n for name, n in counts.items() if name in amounts}
            if counts and (batch.dates is None or day in batch.dates):
                found.setdefault(TAPE if batch.is_tape else batch.format.name, {})[day] = counts
    return found


def on_tape(name: str) -> str:
    """Return what the tape calls a column of an export."""
    return ON_TAPE.get(name, name)


def _day(batch: Batch) -> str:
    """Return the date that every row of an export has."""
    return next(column.name for column in batch.format.columns if column.kind == "date" and column.filled)
