"""Synchronisation of the database with the folders of runs, which are the source of truth."""

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from abaco.core import logs, project
from abaco.core.errors import DamagedError
from abaco.database import notes, queries, records, schema
from abaco.database.connection import TIMEOUT_SECONDS, connect, reading, take_turns, writing
from abaco.run import folders

log = logging.getLogger(__name__)


def open_synchronised(output: Path, timeout: float = TIMEOUT_SECONDS) -> Engine:
    """Return the database as `connect` does, synchronised with the runs; log those that cannot be recorded."""
    engine = connect(output, timeout)
    for fault in synchronise(engine, output).values():
        log.warning(fault)
    return engine


def synchronise(engine: Engine, output: Path) -> dict[Path, str]:
    """Record the notes, every run that has ended and is not in the database yet, and which run each date shows.

    Returns
    -------
    dict
        The error of each run that could not be recorded, by its folder.
    """
    notes.take(engine, output)
    with reading(engine) as connection:
        known_folders = {
            *connection.scalars(select(schema.runs.c.folder)),
            *connection.scalars(select(schema.failures.c.folder)),
        }
    faults = {}
    for folder, run in ended_runs(output):
        is_known = folder.relative_to(output).as_posix() in known_folders
        if (not is_known or waits_for_database(run)) and (fault := record_run(engine, output, folder)):
            faults[folder] = fault
    _follow_links(engine, output)
    return faults


def waits_for_database(run: dict[str, Any]) -> bool:
    """Return whether the run, or its delivery plan, is still to be recorded, by its run.json."""
    return any(d["channel"] == "database" and d["status"] == "pending" for d in run.get("deliveries", ()))


def ended_runs(output: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the folder and run.json of each run that has ended, in the order in which they started."""
    return ((folder, run) for folder, run in _runs(output) if not _is_running(output, folder, run))


def running(output: Path) -> list[dict[str, Any]]:
    """Return run.json of each run that is still running."""
    return [run for folder, run in _runs(output) if _is_running(output, folder, run)]


def _runs(output: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    paths = sorted((output / folders.RUNS).glob("[0-9]*/*/run.json"), key=lambda path: path.parent.name)
    for path in paths:
        if run := folders.recorded(path.parent):  # else removed in the meantime, or damaged
            yield path.parent, run


def _is_running(output: Path, folder: Path, run: dict[str, Any]) -> bool:
    return run["status"] == "running" and folders.at_work(output, folder)


def record_run(engine: Engine, output: Path, folder: Path) -> str | None:
    """Record a run that has ended, see `records.write_run`; return the error, if any."""
    try:
        with writing(engine) as connection:
            take_turns(connection)
            records.write_run(connection, output, folder)
    except DamagedError as error:
        return f"{project.display_path(folder)} cannot be recorded: {error}"
    except (OSError, AttributeError, KeyError, TypeError, ValueError) as error:
        logs.keep_traceback(error)
        text = f"{project.display_path(folder)} cannot be recorded: its files are damaged, or of another version"
        return f"{text}: make its report again"
    return None


def _follow_links(engine: Engine, output: Path) -> None:
    """Record the run that each date shows, where the link was moved or the database is newer than the link."""
    with reading(engine) as connection:
        known_folders = {date: run["folder"] for date, run in queries.visible_runs(connection).items()}
    for link in output.glob("[0-9]*"):
        run = folders.recorded(link) if link.is_symlink() else None
        if run and (folder := link.readlink().as_posix()) != known_folders.get(link.name):
            with writing(engine) as connection:
                records.follow_link(connection, link.name, run, folder)
