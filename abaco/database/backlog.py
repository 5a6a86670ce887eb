"""The backlog: runs that lie in the folder of the reports, and whose records or deliveries are not complete."""

import datetime as dt
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine, select

from abaco import runs
from abaco.database import queries, records, schema
from abaco.database.connection import connect, reading, take_turns, writing


def caught_up(output: Path) -> Engine:
    """Return the database of the reports in `output`, which then knows of every run there that has ended.

    Raises
    ------
    DatabaseError
        When it cannot be reached or used.
    """
    engine = connect(output)
    with reading(engine) as connection:
        known = {
            *connection.scalars(select(schema.runs.c.folder)),
            *connection.scalars(select(schema.failures.c.folder)),
        }
    missing = [folder for folder, _ in ended(output) if folder.relative_to(output).as_posix() not in known]
    for folder in missing:
        write(engine, output, folder)
    _follow_links(engine, output)
    return engine


def ended(output: Path) -> Iterator[tuple[Path, dict[str, Any]]]:
    """Yield the folder and run.json of each run that is no longer at work, in the order in which they began."""
    found = sorted((output / runs.RUNS).glob("[0-9]*/*/run.json"), key=lambda path: path.parent.name)
    for path in found:
        try:
            run = runs.read_json(path)
        except (OSError, ValueError):  # removed in the meantime, or never written whole
            continue
        if run["status"] != "running" or not runs.at_work(output, path.parent):
            yield path.parent, run


def write(engine: Engine, output: Path, folder: Path) -> None:
    """Write a run that has ended; see `records.write_run`."""
    with writing(engine) as connection:
        take_turns(connection)
        records.write_run(connection, output, folder)


def _follow_links(engine: Engine, output: Path) -> None:
    """Write what dates show, where it is not what the database says: a database that came later, or a link moved."""
    with reading(engine) as connection:
        known = {date: run["folder"] for date, run in queries.shown(connection).items()}
        ids = dict(connection.execute(select(schema.runs.c.folder, schema.runs.c.run_id)).tuples().all())
    for link in output.glob("[0-9]*"):
        if not link.is_symlink() or not (link / "run.json").is_file():
            continue
        where = link.readlink().as_posix()
        if where != known.get(link.name) and where in ids:
            with writing(engine) as connection:
                records.show(connection, link.name, ids[where], dt.datetime.now(dt.UTC), "found")
