"""Copies of the whole database as text, one line a row, the same for SQLite and PostgreSQL."""

import datetime as dt
import json
from collections.abc import Iterable, Mapping
from typing import Any, TextIO

from sqlalchemy import Connection, Date, Engine, Table, func, select, text

from abaco.core.errors import InputError
from abaco.database.connection import is_postgresql, reading
from abaco.database.schema import UTCDateTime, metadata

TABLES = metadata.sorted_tables  # each after the tables that its foreign keys refer to
BATCH = 1000


def dump(engine: Engine, file: TextIO) -> None:
    """Write every row of every table as a JSON line with ``table`` and ``row``."""
    with reading(engine) as connection:
        if is_postgresql(connection):
            connection.execute(text("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ"))
        for table in TABLES:
            for row in connection.execute(select(table)).mappings():
                entry = {"table": table.name, "row": encode(row)}
                file.write(json.dumps(entry, ensure_ascii=False) + "\n")


def load(connection: Connection, lines: Iterable[str]) -> None:
    """Replace the content of the database by a copy, in the caller's transaction.

    Raises
    ------
    InputError
        When a line is not a row of these tables.
    """
    for table in reversed(TABLES):
        connection.execute(table.delete())
    tables, batch, current = {table.name: table for table in TABLES}, [], None
    for number, line in enumerate(lines, start=1):
        try:
            entry = json.loads(line)
            table = tables[entry["table"]]
            row = decode(table, entry["row"])
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            raise InputError(
                f"Line {number} of the database's copy is not a row of this version's tables: "
                "restore it with the version that made it, then update"
            ) from error
        if table is not current or len(batch) == BATCH:
            _insert(connection, current, batch)
            current, batch = table, []
        batch.append(row)
    _insert(connection, current, batch)
    if is_postgresql(connection):
        _advance_sequences(connection)


def _insert(connection: Connection, table: Table | None, rows: list[dict[str, Any]]) -> None:
    if rows:
        connection.execute(table.insert(), rows)


def _advance_sequences(connection: Connection) -> None:
    """Let PostgreSQL number new rows after those of the copy."""
    for table in (table for table in TABLES if "id" in table.c):
        sequence = func.pg_get_serial_sequence(f"{table.schema}.{table.name}", "id")
        connection.execute(select(func.setval(sequence, func.coalesce(func.max(table.c.id), 0) + 1, False)))


def encode(row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row as JSON can hold it: dates and times as text."""
    return {name: value.isoformat() if isinstance(value, dt.date) else value for name, value in row.items()}


def decode(table: Table, row: Mapping[str, Any]) -> dict[str, Any]:
    """Return a row of a table from its JSON."""
    return {name: _decode(table.c[name].type, value) for name, value in row.items()}


def _decode(kind: Any, value: Any) -> Any:
    if value is None or not isinstance(kind, Date | UTCDateTime):
        return value
    return dt.date.fromisoformat(value) if isinstance(kind, Date) else dt.datetime.fromisoformat(value)
