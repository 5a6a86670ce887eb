"""Retention: remove the folders of former runs that are old and no longer needed."""

import datetime as dt
import logging
import shutil
from pathlib import Path
from typing import Any

from abaco.core import project
from abaco.run import folders

log = logging.getLogger(__name__)
DOOMED, REPLACED = "doomed", ".replaced"
WAITING = ("pending", "held")  # deliveries of a run that is kept


def tidy(output: Path, date: str, settings: dict[str, Any]) -> None:
    """Remove what need not be kept any longer once a date has a new report; see `prune` and `clean`."""
    now = dt.datetime.now(dt.UTC)
    prune(output, date, settings["retention"]["keep_runs"], settings["retention"]["keep_days"], now)
    cascade = project.resolve(settings["cascade"]["folder"])
    failed_days, replaced_days = settings["retention"]["failed_days"], settings["retention"]["replaced_days"]
    clean(output, cascade, now, failed_days, replaced_days, settings["retention"]["cascade_days"])


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


def clean(
    output: Path, cascade: Path, now: dt.datetime, failed_days: int, replaced_days: int, cascade_days: int
) -> None:
    """Remove what is older than its days: failed runs of any date, what a restore replaced, copies of downloads.

    Parameters
    ----------
    cascade
        The folder of the downloads.
    now
        The current time in UTC.
    failed_days, replaced_days, cascade_days
        How long each is kept.
    """

    def before(days: int) -> str:
        return f"{now - dt.timedelta(days=days):%Y-%m-%d}"

    def day_of(path: Path) -> str:
        return f"{path.name[:4]}-{path.name[4:6]}-{path.name[6:8]}"

    failed = [
        path.parent
        for path in (output / folders.RUNS).glob(f"[0-9]*/*/{folders.RECORD}")
        if day_of(path.parent) < before(failed_days) and _is_over(folders.recorded(path.parent))
    ]
    replaced = [p for p in (output / REPLACED).glob("[0-9]*") if day_of(p) < before(replaced_days)]
    copies = [p for p in (cascade / "archive").glob("[0-9]*") if p.name < before(cascade_days)]
    for path in (*failed, *replaced, *copies):
        shutil.rmtree(path, ignore_errors=True)
        log.info("retention removed %s", path)


def _is_over(run: dict[str, Any] | None) -> bool:
    """Return whether a run failed or was stopped, and nothing of it waits for a place."""
    if run is None or run["status"] not in ("failed", "stopped"):
        return False
    return not any(delivery["status"] in WAITING for delivery in run["deliveries"])


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
        and not any(delivery["status"] in WAITING for delivery in run["deliveries"])
    ]
