"""The backlog: runs that lie in the folder of the reports, and whose records or deliveries are not complete."""

import datetime as dt
import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from abaco.core import files, project
from abaco.database import queries, records, schema
from abaco.database.connection import connect, reading, take_turns, writing
from abaco.run import folders

log = logging.getLogger(__name__)


def caught_up(output: Path, timeout: float | None = None) -> Engine:
    """Return the database of the reports in `output`, which then knows of every run there that has ended.

    Parameters
    ----------
    timeout
        Seconds to wait for an answer of PostgreSQL; by default the setting ``delivery.timeout_seconds``.

    Raises
    ------
    DatabaseError
        When it cannot be reached or used.
    """
    engine = connect(output, timeout)
    with reading(engine) as connection:
        known = {
            *connection.scalars(select(schema.runs.c.folder)),
            *connection.scalars(select(schema.failures.c.folder)),
        }
    missing = [folder for folder, _ in ended(output) if folder.relative_to(output).as_posix() not in known]
    for folder in missing:
        if fault := write(engine, output, folder):
            log.warning(fault)
    _follow_links(engine, output)
    return engine


def ended(output: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the folder and run.json of each run that is no longer at work, in the order in which they began."""
    yield from ((folder, run) for folder, run in _all(output) if not _is_at_work(output, folder, run))


def at_work(output: Path) -> list[dict[str, Any]]:
    """Return run.json of each run that is at work."""
    return [run for folder, run in _all(output) if _is_at_work(output, folder, run)]


def _all(output: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    found = sorted((output / folders.RUNS).glob("[0-9]*/*/run.json"), key=lambda path: path.parent.name)
    for path in found:
        try:
            yield path.parent, files.read_json(path)
        except (OSError, ValueError):  # removed in the meantime, or never written whole
            continue


def _is_at_work(output: Path, folder: Path, run: dict[str, Any]) -> bool:
    return run["status"] == "running" and folders.at_work(output, folder)


def write(engine: Engine, output: Path, folder: Path) -> str | None:
    """Write a run that has ended, see `records.write_run`; return what is wrong with its folder, if anything is."""
    try:
        with writing(engine) as connection:
            take_turns(connection)
            records.write_run(connection, output, folder)
    except (
        OSError,
        KeyError,
        TypeError,
        ValueError,
    ) as error:  # damaged, or of a version that wrote other things
        return f"{project.shown(folder)} cannot be recorded: {type(error).__name__}: {error}: make its report again"
    return None


def _follow_links(engine: Engine, output: Path) -> None:
    """Write what dates show, where it is not what the database says: a database that came later, or a link moved."""
    with reading(engine) as connection:
        known = {date: run["folder"] for date, run in queries.shown(connection).items()}
        ids = dict(connection.execute(select(schema.runs.c.folder, schema.runs.c.run_id)).all())
    for link in output.glob("[0-9]*"):
        if not link.is_symlink() or not (link / "run.json").is_file():
            continue
        where = link.readlink().as_posix()
        if where != known.get(link.name) and where in ids:
            with writing(engine) as connection:
                records.show(connection, link.name, ids[where], dt.datetime.now(dt.UTC), "found")
