"""Backfill: a report for each date of the input between two dates, except those that are current."""

import datetime as dt
import os
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor, as_completed
from multiprocessing import get_context
from pathlib import Path
from typing import Any

from abaco.core import logs
from abaco.core.dates import parse_date
from abaco.core.errors import AbacoError, InputError
from abaco.delivery.commands import record_and_deliver
from abaco.ingest import discovery
from abaco.ingest.coverage import tape_dates
from abaco.ingest.writing import DEFAULT_RULES, Rules
from abaco.run.pipeline import Pipeline


def span(first: str, last: str) -> tuple[dt.date, dt.date]:
    """Return the first and the last date of a backfill.

    Raises
    ------
    InputError
        When one is missing or not a valid date, or the first is after the last.
    """
    for name, text in (("FROM", first), ("TO", last)):
        if not text.strip():
            raise InputError(f"{name} is missing: give both dates, as FROM=2025-01-31 TO=2025-12-31")
    low, high = parse_date(first, "FROM"), parse_date(last, "TO")
    if low > high:
        raise InputError(f"FROM {low} is after TO {high}: give the earlier date as FROM")
    return low, high


def wanted_dates(source: Path, low: dt.date, high: dt.date, rules: Rules = DEFAULT_RULES) -> list[str]:
    """Return the dates of an input, a file or folder, from `low` to `high`, oldest first.

    Raises
    ------
    InputError
        When there is none, naming the first and the last date of the input.
    """
    dates = tape_dates(discovery.discover(source)[0], rules)
    wanted = [str(date) for date in dates if low <= date <= high]
    if not wanted:
        raise InputError(f"No date from {low} to {high} in the input; it has dates from {dates[0]} to {dates[-1]}")
    return wanted


def backfill(
    input: Path | None, dates: list[str], workers: int | None = None, **settings: Any
) -> Iterator[tuple[str, str, str | None]]:
    """Make the reports, and yield date, outcome (``done``, ``current`` or ``failed``) and error of each as it ends.

    Parameters
    ----------
    dates
        Measurement dates, YYYY-MM-DD.
    workers
        Parallel runs; by default one a core. They share the cores and the memory limit.
    **settings
        As `abaco.Pipeline` takes them.
    """
    workers = min(workers or os.cpu_count() or 1, len(dates))
    share = {"threads": max((os.cpu_count() or 1) // workers, 1), "memory_share": workers}
    with ProcessPoolExecutor(workers, get_context("spawn"), logs.start) as pool:
        futures = {pool.submit(_run, input, date, settings | share): date for date in dates}
        for future in as_completed(futures):
            yield futures[future], *future.result()


def _run(input: Path | None, date: str, settings: dict[str, Any]) -> tuple[str, str | None]:
    # no emails and alerts about the past
    pipeline = Pipeline(**settings, deliver=record_and_deliver, places=("azure",))
    try:
        if not pipeline.force and pipeline.is_current(pipeline.plan(input, date)):
            return "current", None
        pipeline.execute(input, date)
    except AbacoError as error:
        return "failed", str(error)
    return "done", None
