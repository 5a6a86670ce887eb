"""Rebuilding of the database from the folders of the runs, which are the source of truth."""

import datetime as dt
import os
from pathlib import Path

from abaco.core import project, settings
from abaco.core.errors import InputError, RunError
from abaco.core.text import counted
from abaco.database import connection, queries, synchronise
from abaco.run import folders
from abaco.run.retention import REPLACED

PARTS = ("", "-wal", "-shm")  # of a SQLite database


def rebuild(output: Path | None = None) -> list[str]:
    """Set the file of the database aside, make it again from the folders of the runs, and return lines about it.

    The tables of PostgreSQL stay: what they lack of the folders is added.

    Raises
    ------
    InputError
        When there is no run, or the file cannot be moved.
    RunError
        When a run is in progress.
    DatabaseError
        When the database cannot be used.
    """
    folder = folders.reports_folder(output)
    if not (folder / folders.RUNS).is_dir():
        raise InputError(f"No report in {project.display_path(folder)} to make a database of")
    if busy := synchronise.running(folder):
        raise RunError(f"A run of {busy[0]['date']} is at work since {busy[0]['started_at']}: wait until it has ended")
    kept = None if connection.is_elsewhere() else _set_aside(folder)
    engine = connection.connect(folder, settings.load()["delivery"]["timeout_seconds"])
    faults = synchronise.synchronise(engine, folder)
    with connection.reading(engine) as opened:
        runs, reports = counted(queries.count_runs(opened), "run"), counted(len(queries.visible_runs(opened)), "report")
        lines = [f"The database has {runs} of {reports}"]
    if kept:
        lines.append(
            f"The former file is in {project.display_path(kept)}: it alone had the alerts, what became of deliveries, "
            "and the figures of runs whose folders are gone; a backup has them, too"
        )
    return lines + list(faults.values())


def _set_aside(output: Path) -> Path | None:
    """Move the files of the database to a folder of their own and return it; None when there are none."""
    files = [path for part in PARTS if (path := output / f"{connection.FILE}{part}").exists() or path.is_symlink()]
    if not files:
        return None
    kept = output / REPLACED / f"{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S%fZ}"
    try:
        kept.mkdir(parents=True)
        for path in files:
            os.replace(path, kept / path.name)
    except OSError as error:
        raise InputError(f"Cannot move the database to {kept}: {error.strerror}: make the folder writable") from error
    return kept
