"""Retention: folders of former runs go when they are many and old; what is needed stays, and so do their figures."""

import datetime as dt
import logging
import shutil
from pathlib import Path

from abaco.core import files
from abaco.run import folders

log = logging.getLogger(__name__)
DOOMED = "doomed"


def prune(output: Path, date: str, keep_runs: int, keep_days: int, now: dt.datetime) -> list[str]:
    """Remove the folders of former runs of a date, and return their names.

    What stays: the visible run, the last good run, a run that waits to be delivered, the newest `keep_runs` runs, and
    those of the last `keep_days` days. The database keeps the figures of all. The caller holds the date.

    Parameters
    ----------
    now
        The time, in UTC.
    """
    doomed, removed = output / folders.RUNS / DOOMED, []
    try:
        shutil.rmtree(doomed, ignore_errors=True)  # what a prune that was killed left
        for folder in expendable(output, date, keep_runs, keep_days, now):
            doomed.mkdir(exist_ok=True)
            folder.rename(doomed / folder.name)  # gone in one step: no half of a run is ever found
            removed.append(folder.name)
        shutil.rmtree(doomed, ignore_errors=True)
    except OSError as error:  # the report that was just made is worth more than the room
        log.warning("former runs of %s cannot be removed: %s: %s", date, error.filename, error.strerror)
    if removed:
        log.info("retention removed %s of %s", ", ".join(removed), date)
    return removed


def expendable(output: Path, date: str, keep_runs: int, keep_days: int, now: dt.datetime) -> list[Path]:
    """Return the folders that may go, oldest first."""
    found = folders.folders(output, date)
    states = {folder: files.read_json(folder / "run.json") for folder in found}
    good = [folder for folder in found if states[folder]["status"] == "success"]
    newest = found[-keep_runs:] if keep_runs else []
    kept = {path.resolve() for path in (output / date, *good[-1:], *newest)}
    since = now - dt.timedelta(days=keep_days)
    return [
        folder
        for folder, run in states.items()
        if folder.resolve() not in kept
        and dt.datetime.fromisoformat(run["started_at"]) < since
        and not any(delivery["status"] == "pending" for delivery in run["deliveries"])
    ]
