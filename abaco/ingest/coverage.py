"""Coverage: the measurement dates of an input, and the actual day that the figures of a date are from."""

import datetime as dt
import tempfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import narwhals as nw

from abaco.core.errors import DateError, InputError
from abaco.engines import Engine
from abaco.engines.duckdb import DuckDB
from abaco.ingest import masking, reading, roles, sources, staging, writing
from abaco.ingest.date_orders import DAYS_AHEAD
from abaco.ingest.writing import DEFAULT_RULES, Rules

FIRST_YEAR = 1950  # of balances
MAX_DAYS_APART = 10  # of a month's end, and the day that the export says it is of


def tape_dates(inputs: list[sources.Source], rules: Rules = DEFAULT_RULES) -> list[dt.date]:
    """Return the measurement dates in the files that give the tape, oldest first.

    Parameters
    ----------
    rules
        How dates are written.

    Raises
    ------
    InputError
        When no file gives a tape, or the tape carries no date, or one before 1950 or more than a year from today.
    """
    tape = roles.tape_sources(inputs)
    if not tape[0].format.is_dated:
        raise InputError(f"The {tape[0].format.title} export carries no measurement date: give DATE=YYYY-MM-DD")
    with DuckDB() as engine, tempfile.TemporaryDirectory(prefix="abaco-") as work:
        days = {day for source in tape for day in _dates(source, engine, Path(work), rules)}
    if not days:
        heading = tape[0].heading("measurement_date")
        raise InputError(
            f"No date under {heading} in {tape[0].name} can be read as a day of the calendar: write them as YYYY-MM-DD"
        )
    _check_plausible(days)
    return sorted(days)


def _check_plausible(days: Iterable[dt.date]) -> None:
    """Raise when balances have a date that is a typing error or of another calendar."""
    latest = dt.datetime.now(dt.UTC).date() + dt.timedelta(DAYS_AHEAD)
    if wrong := [day for day in days if day.year < FIRST_YEAR or day > latest]:
        limit = f"before {FIRST_YEAR}" if min(wrong).year < FIRST_YEAR else "more than a year from today"
        raise InputError(
            f"Balances have the date {min(wrong)}, which is {limit}: correct it, or write the year as of the Gregorian "
            "calendar"
        )


def _dates(source: sources.Source, engine: DuckDB, work: Path, rules: Rules) -> set[dt.date]:
    table, name = work / "dates.parquet", "measurement_date"
    text = reading.text_path(source, engine) if source.is_text else None
    found = writing.of_sample(source, text, engine, rules, names=(name,))

    def write(whole: Path | None) -> int:
        rows = reading.typed(source, engine, whole, found.writings, masking.REDACTING)
        is_doubtful = writing.doubtful(source, found, rows.collect_schema(), names=(name,)).fill_null("") != ""
        engine.write(rows.with_columns(is_doubtful=is_doubtful).group_by(name, "is_doubtful").agg(rows=nw.len()), table)
        return sum(row["rows"] for row in read_dates())

    def read_dates() -> list[dict]:
        return engine.scan(table).collect("pyarrow").to_native().to_pylist()

    whole, _ = reading.read_whole(source, text, engine, write)
    if any(row["is_doubtful"] for row in read_dates()):
        found = writing.of_all(source, found, engine, whole or text, rules, names=(name,))
        write(whole)
    return {row[name] for row in read_dates()} - {None}


def dates(batches: Iterable[staging.Batch], engine: Engine) -> dict[dt.date, bool]:
    """Return the dates that rows of the tape carry, oldest first, each with whether it has a usable row.

    The rows of a date after the report's are usable when they pass their checks.
    """
    stated, usable = set(), set()
    for batch in (b for b in batches if b.is_tape):
        rows = batch.rows(engine)
        later = rows.filter(nw.col("reasons").is_null() & staging.IS_LATER)
        stated |= _days(rows)
        usable |= _days(batch.accepted(engine)) | _days(later)
    return {day: day in usable for day in sorted(stated)}


def _days(rows: nw.LazyFrame) -> set[dt.date]:
    found = rows.select("measurement_date").unique().collect("pyarrow").to_native().to_pylist()
    return {row["measurement_date"] for row in found} - {None}


def check_lent(batch: staging.Batch, date: dt.date, engine: Engine) -> None:
    """Raise when a loans export that gives the tape is of another date, or has no loan that was lent by `date`.

    Raises
    ------
    DateError
        Naming the date that stands above its table or in its name, or the first day that a loan was lent.
    """
    if batch.format.is_dated:
        return
    for source in (staged.source for staged in batch.staged):
        said = dt.date.fromisoformat(source.said_date or source.named_date or str(date))
        if (said.year, said.month) != (date.year, date.month) and abs((said - date).days) > MAX_DAYS_APART:
            place = "above its table" if source.said_date else "in its name"
            raise DateError(
                f"{source.name} says {place} that it is of {said}, not {date}: give DATE={said}, or correct it"
            )
    if batch.format.date not in batch.columns:
        return
    rows = batch.rows(engine).select(first=nw.col("disbursed_on").min()).collect("pyarrow").to_native()
    first = rows.column("first")[0].as_py()
    if first is not None and first > date:
        raise DateError(f"No loan was lent by {date}; the first is of {first}: give a later DATE")


def check_date(dates: Mapping[dt.date, bool], date: dt.date) -> None:
    """Raise when the tape has no usable row of `date`.

    Parameters
    ----------
    dates
        See `dates`.

    Raises
    ------
    DateError
        When no row carries the date, naming the nearest dates.
    InputError
        When none of its rows is usable, naming the nearest dates that have one, or a date is not plausible.
    """
    if dates and date not in dates:
        raise DateError(_without_rows(list(dates), date))
    if not dates.get(date):
        raise InputError(_without_rows([day for day, is_usable in dates.items() if is_usable], date))
    _check_plausible(day for day, is_usable in dates.items() if is_usable)


def _without_rows(dates: list[dt.date], date: dt.date) -> str:
    if not dates:
        return f"No row for {date} in the input: it has no usable row at all"
    nearest = {max((d for d in dates if d < date), default=None), min((d for d in dates if d > date), default=None)}
    choice = " or ".join(f"DATE={day}" for day in sorted(nearest - {None}))
    return f"No row for {date} in the input; the nearest that it has: {choice}"


def as_of(tape: nw.LazyFrame, date: dt.date) -> dt.date:
    """Return the actual day of the figures of `date`: first overdue day plus days past due.

    A snapshot labelled with the month's end can hold figures from weeks before. Without overdue dates the result
    is `date`. Where every late loan misses the date by one day, or by as many on every date, that is how the lender
    counts: from the day after the due date, say.
    """
    overdue = tape.lazy().filter((nw.col("days_past_due") > 0) & (nw.col("overdue_on") <= nw.col("measurement_date")))
    names = ("measurement_date", "overdue_on", "days_past_due")
    known = overdue.select(*names).drop_nulls().unique().collect("pyarrow").to_native().to_pylist()
    missed: dict[dt.date, set[int]] = {}
    for row in known:
        late = (row["measurement_date"] - row["overdue_on"]).days
        missed.setdefault(row["measurement_date"], set()).add(max(late - row["days_past_due"], 0))
    of_date = missed.get(date, {0})
    is_convention = of_date == {1} or (len(missed) > 1 and set(map(frozenset, missed.values())) == {frozenset(of_date)})
    return date if is_convention and len(of_date) == 1 else date - dt.timedelta(min(of_date))


def check_grain(tape: nw.LazyFrame) -> None:
    """Raise when a date has both a row a loan and a row for the whole book: it would count twice.

    Raises
    ------
    InputError
        Naming the first such date.
    """
    whole = nw.col("loan_id").is_null().cast(nw.Int64())
    by_date = (
        tape.lazy()
        .with_columns(whole=whole)
        .group_by("measurement_date")
        .agg(nw.len().alias("rows"), nw.col("whole").sum())
    )
    mixed = by_date.filter((nw.col("whole") > 0) & (nw.col("whole") < nw.col("rows"))).sort("measurement_date")
    if doubled := mixed.collect("pyarrow").to_native().to_pylist():
        raise InputError(
            f"{doubled[0]['measurement_date']} has both a row a loan and a row for the whole book: "
            "keep one of the files"
        )
