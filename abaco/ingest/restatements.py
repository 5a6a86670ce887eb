"""Restatements: of two files that say other things of a date, the newer one counts where their names prove it.

Names that differ in a day alone, such as ``par_2026-01-05.csv`` and ``par_2026-01-12.csv``, are of one export on two
days, if both are after the date. The later one restates the date when it has every loan that the earlier one has on it;
otherwise nothing proves what became of the others. A month, or the date itself, may be what a file is about, and not
when it was made: such files are refused with both names.
"""

import datetime as dt
import re
from dataclasses import replace
from pathlib import Path

import narwhals as nw

from abaco.core.reasons import Reason
from abaco.engines import Engine
from abaco.ingest.duplicates import CONFLICT, RESTATED, classify_duplicates
from abaco.ingest.extent import MONTH
from abaco.ingest.reshaping import month_in
from abaco.ingest.staging import IS_LATER, Batch


def series_of(name: str) -> tuple[str, tuple[str, ...]]:
    """Return what the files of one export on several days share in their names, and the days of this one.

    Examples
    --------
    >>> series_of("par_2026-01-05.csv"), series_of("par_2026-01.csv")
    (('par_9999-99-99.csv', ('2026-01-05',)), ('par_9999-99.csv', ()))
    """
    found = [one[0] for one in MONTH.finditer(name)]
    dates = tuple(month_in(text) for text in found if len(re.sub(r"\D", "", text)) == len("20260105"))
    return MONTH.sub(lambda found: re.sub(r"[^\W\d_]+", "A", re.sub(r"\d", "9", found[0])), name), dates


def classify(batch: Batch, engine: Engine, work: Path) -> Batch:
    """Return a batch with a verdict on rows that share a key (see `duplicates`), and on those that were restated."""
    classified = classify_duplicates(batch, engine, work)
    if not batch.format.is_dated or len(batch.staged) < 2 or classified.verdicts is None:
        return classified
    verdicts = engine.scan(classified.verdicts)
    is_conflict = (nw.col("verdict") == CONFLICT) & (nw.col("first_source") != nw.col("last_source"))
    if "first_source" not in verdicts.collect_schema().names() or not _collected(verdicts.filter(is_conflict).head(1)):
        return classified
    rows = batch.rows(engine).filter(~IS_LATER)
    if batch.verdicts is not None:
        rows = engine.anti_join(rows, batch.verdicts)
    has_loans = "loan_id" in rows.collect_schema().names()
    rows = rows.with_columns(loan=nw.col("loan_id").fill_null("") if has_loans else nw.lit(""))
    conflicts = rows.join(verdicts.filter(is_conflict).select("row_id"), on="row_id", how="semi")
    of_date: dict[dt.date, set[int]] = {}
    for row in _collected(conflicts.select("measurement_date", "source").unique()):
        of_date.setdefault(row["measurement_date"], set()).add(row["source"])
    newest = {day: _newest(sources, day, batch) for day, sources in of_date.items()}
    if None in newest.values():
        return classified
    restated = [_restated(rows, day, new, of_date[day] - {new}) for day, new in newest.items()]
    if any(_collected(lost.head(1)) for _, lost in restated):
        return classified
    former = nw.concat([old.select("row_id", "amount_usd", verdict=nw.lit(RESTATED)) for old, _ in restated])
    known = [engine.scan(batch.verdicts).select("row_id", "amount_usd", "verdict")] if batch.verdicts else []
    path = work / f"restated_{batch.format.name}.parquet"
    engine.write(nw.concat([*known, former]), path)
    notes = [
        Reason("date_restated", date=str(day), name=batch.names[new], names=tuple(batch.names[old] for old in olds))
        for day, new in sorted(newest.items())
        if (olds := sorted(of_date[day] - {new}))
    ]
    return classify_duplicates(replace(batch, verdicts=path, notes=(*batch.notes, *notes)), engine, work)


def _newest(sources: set[int], day: dt.date, batch: Batch) -> int | None:
    """Return the newest of some files that state a date; None where their names do not prove which it is."""
    series = {source: series_of(batch.names[source]) for source in sources}
    stems, dates = {stem for stem, _ in series.values()}, {dates for _, dates in series.values()}
    is_proven = len(stems) == 1 and len(dates) == len(sources) and all(one and one[-1] > str(day) for one in dates)
    return max(series, key=lambda source: series[source][1]) if is_proven else None


def _restated(rows: nw.LazyFrame, day: dt.date, new: int, olds: set[int]) -> tuple[nw.LazyFrame, nw.LazyFrame]:
    """Return the rows of a date in older files, and those of them whose loan the newest one does not have."""
    of_day = rows.filter(nw.col("measurement_date") == day)
    older = of_day.filter(nw.col("source").is_in(sorted(olds)))
    return older, older.join(of_day.filter(nw.col("source") == new).select("loan"), on="loan", how="anti")


def _collected(frame: nw.LazyFrame) -> list[dict]:
    return frame.collect("pyarrow").to_native().to_pylist()
