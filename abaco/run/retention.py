"""Retention: remove the folders of former runs that are old and no longer needed."""

import datetime as dt
import logging
import shutil
from pathlib import Path

from abaco.run import folders

log = logging.getLogger(__name__)
DOOMED = "doomed"


def prune(output: Path, date: str, keep_runs: int, keep_days: int, now: dt.datetime) -> list[str]:
    """Remove the folders of former runs of a date, and return their names.

    These are kept: the visible run, the last successful run, runs with pending deliveries, the newest `keep_runs` runs,
    and the runs of the last `keep_days` days. The database keeps the figures of all. The caller holds the date.

    Parameters
    ----------
    now
        The current time in UTC.
    """
    doomed, removed = output / folders.RUNS / DOOMED, []
    try:
        shutil.rmtree(doomed, ignore_errors=True)  # left by a process that was killed
        for folder in expendable(output, date, keep_runs, keep_days, now):
            doomed.mkdir(exist_ok=True)
            folder.rename(doomed / folder.name)  # atomic, so that no run is ever half removed
            removed.append(folder.name)
        shutil.rmtree(doomed, ignore_errors=True)
    except OSError as error:  # the new report must not fail because of this
        log.warning("former runs of %s cannot be removed: %s: %s", date, error.filename, error.strerror)
    if removed:
        log.info("retention removed %s of %s", ", ".join(removed), date)
    return removed


def expendable(output: Path, date: str, keep_runs: int, keep_days: int, now: dt.datetime) -> list[Path]:
    """Return the folders that may be removed, oldest first."""
    states = {folder: folders.recorded(folder) for folder in folders.folders(output, date)}
    good = [folder for folder, run in states.items() if run["status"] == "success"]
    newest = list(states)[-keep_runs:] if keep_runs else []
    needed = {path.resolve() for path in (output / date, *good[-1:], *newest)}
    since = now - dt.timedelta(days=keep_days)
    return [
        folder
        for folder, run in states.items()
        if folder.resolve() not in needed
        and dt.datetime.fromisoformat(run["started_at"]) < since
        and not any(delivery["status"] in ("pending", "held") for delivery in run["deliveries"])
    ]
