"""Notes beside the reports: rows that the database gets once it answers again, such as a start that failed."""

import logging
import os
from pathlib import Path
from time import time_ns
from typing import Any

from filelock import FileLock
from sqlalchemy import Connection, Engine, select

from abaco.core import files
from abaco.core.errors import DamagedError
from abaco.database import copying, records
from abaco.database.connection import take_turns, writing
from abaco.database.schema import alerts, deliveries, failed_starts
from abaco.run import folders

log = logging.getLogger(__name__)
NAME, LOCK, RESERVE = "notes.json", "notes.lock", "notes.reserve"
RESERVE_BYTES = 256 << 10  # for notes on a full disk
TABLES = {table.name: table for table in (failed_starts, alerts, deliveries)}
DAMAGES = (DamagedError, KeyError, TypeError, ValueError, AttributeError)  # what unreadable notes raise
Rows = dict[str, list[dict[str, Any]]]


def read(output: Path, sets_aside: bool = False) -> Rows:
    """Return the rows in the notes by table: none if the notes are missing or damaged.

    Parameters
    ----------
    sets_aside
        Whether damaged notes get another name, before somebody writes or removes them.
    """
    found: Rows = {name: [] for name in TABLES}
    path = output / folders.RUNS / NAME
    try:
        return _decoded(path)
    except DAMAGES as error:
        if path.exists():
            log.info("%s is damaged, and stepped over: %r", path, error)  # abaco status and doctor name it
            if sets_aside:
                path.replace(path.with_name(f"{path.stem}-{time_ns()}.damaged"))
        return found


def _decoded(path: Path) -> Rows:
    noted = files.read_object(path, *TABLES)
    return {name: [copying.decode(TABLES[name], row) for row in noted[name]] for name in TABLES}


def damaged(output: Path) -> list[Path]:
    """Return the notes that are damaged, and those that were and have another name since."""
    path = output / folders.RUNS / NAME
    found = sorted(path.parent.glob(f"{path.stem}-*.damaged"))
    try:
        _decoded(path)
    except DAMAGES:
        found += [path] if path.exists() else []
    return found


def add(output: Path, **rows: list[dict[str, Any]]) -> None:
    """Add rows to the notes, by table.

    Raises
    ------
    OSError
        When they cannot be written.
    """
    folder = output / folders.RUNS
    folder.mkdir(parents=True, exist_ok=True)
    with FileLock(folder / LOCK):
        noted = read(output, sets_aside=True)
        content = {name: [copying.encode(row) for row in noted[name] + rows.get(name, [])] for name in TABLES}
        try:
            files.write_json(folder / NAME, content)
        except OSError:  # the disk may be full: the reserve makes room
            (folder / RESERVE).unlink(missing_ok=True)
            files.write_json(folder / NAME, content)


def take(engine: Engine, output: Path) -> None:
    """Write the rows of the notes to the database, once, remove the notes, and reserve room for others."""
    path = output / folders.RUNS / NAME
    if not path.exists():
        _reserve(path.with_name(RESERVE))
        return
    with FileLock(path.with_name(LOCK)):
        noted = read(output, sets_aside=True)
        with writing(engine) as connection:
            take_turns(connection)
            for table in (failed_starts, deliveries):
                records.insert(connection, table, noted[table.name])
            last = {(row["cause"], row["opened_at"]): row for row in noted[alerts.name]}
            records.insert(connection, alerts, [row for row in last.values() if not _is_known(connection, row)])
        path.unlink(missing_ok=True)


def _reserve(path: Path) -> None:
    if path.parent.is_dir() and not path.exists():
        try:
            path.write_bytes(os.urandom(RESERVE_BYTES))  # which no file system compresses
        except OSError as error:
            log.info("no room is reserved for notes on a full disk: %s: %s", path, error.strerror)


def _is_known(connection: Connection, row: dict[str, Any]) -> bool:
    same = (alerts.c.cause == row["cause"]) & (alerts.c.opened_at == row["opened_at"])
    return connection.scalar(select(alerts.c.id).where(same).limit(1)) is not None
