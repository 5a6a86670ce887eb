"""The connection to the database: PostgreSQL by DATABASE_URL, else SQLite beside the reports; tables up to date."""

import os
import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import URL, Connection, Engine, create_engine, event, inspect, make_url, text
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from abaco.core import project, settings
from abaco.core.errors import DatabaseError
from abaco.database.schema import SCHEMA

VARIABLE, FILE = "DATABASE_URL", "abaco.db"
MIGRATIONS = Path(__file__).parent / "migrations"
LOCK = 7_220_315  # of PostgreSQL, for what one process at a time does; any number that nobody else uses
WAIT_SECONDS = 30
DISK_FULL = "53100"  # what PostgreSQL calls it, in whatever language it speaks
SILENT = "no answer within"  # how the errors of a PostgreSQL that has fallen silent begin


def connect(output: Path, timeout: float | None = None) -> Engine:
    """Return the database of the reports in `output`, its tables up to date.

    Parameters
    ----------
    timeout
        Seconds to wait for an answer of PostgreSQL; by default the setting ``delivery.timeout_seconds``.

    Raises
    ------
    DatabaseError
        When it cannot be reached or used, without the password.
    """
    engine = _open(output, timeout)
    with reading(engine) as connection:
        found = _version(connection)
    known = _versions()
    if found and found not in known:
        raise DatabaseError(
            f"Database {_named(engine.url)} has tables of version {found}, newer than {known[-1]}: update this program"
        )
    if found != known[-1]:
        _migrate(engine)
    return engine


@contextmanager
def opened(output: Path, timeout: float | None = None) -> Iterator[Engine]:
    """Give the database as `connect` does, and leave no connection to it open."""
    engine = connect(output, timeout)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Give a connection for one transaction that writes; it waits for others that do, and is undone on an error.

    Raises
    ------
    DatabaseError
        When the database does not take it.
    """
    with _told(engine), engine.begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Give a connection that reads, and blocks nobody.

    Raises
    ------
    DatabaseError
        When the database does not answer.
    """
    with _told(engine), engine.connect() as connection:
        yield connection.execution_options(begin="BEGIN")


def is_elsewhere() -> bool:
    """Return whether the database is PostgreSQL, and so may hold reports that are not in the folder of the reports."""
    return bool(os.environ.get(VARIABLE))


def take_turns(connection: Connection) -> None:
    """Let one process at a time go on, until its transaction ends; SQLite does so for all that write."""
    if connection.dialect.name == "postgresql":
        connection.execute(text(f"SELECT pg_advisory_xact_lock({LOCK})"))


def _open(output: Path, timeout: float | None) -> Engine:
    if given := os.environ.get(VARIABLE):
        url = _postgresql(given)
        from abaco.database import postgresql  # the driver takes long to import, and SQLite needs none

        return postgresql.opened(url, timeout or settings.load()["delivery"]["timeout_seconds"])
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseError(
            f"Cannot make {project.shown(output)}: {error.strerror}: choose another output"
        ) from error
    engine = create_engine(
        URL.create("sqlite", database=str(output / FILE)),
        connect_args={"timeout": WAIT_SECONDS},
        execution_options={"schema_translate_map": {SCHEMA: None}},
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare)
    event.listen(engine, "begin", _begin)
    return engine


def _postgresql(given: str) -> URL:
    try:
        url = make_url(given)
    except (ArgumentError, ValueError):  # their texts may hold the password
        url = None
    if url is None or url.drivername not in ("postgres", "postgresql", "postgresql+psycopg"):
        raise DatabaseError(
            f"{VARIABLE} is no address of PostgreSQL: write postgresql://user:password@host:5432/database, "
            "special characters of the password as %XX; empty: SQLite"
        ) from None
    return url.set(drivername="postgresql+psycopg")


def _prepare(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # transactions begin as _begin says, not as the driver guesses
    deadline = time.monotonic() + WAIT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:  # others make the file now, and SQLite does not wait
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
    connection.execute("PRAGMA foreign_keys = ON")


def _begin(connection: Connection) -> None:
    # a transaction that reads first and writes then would fail, not wait, when another has written in between
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN IMMEDIATE"))


@contextmanager
def _told(engine: Engine) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        raise DatabaseError(f"Database {_named(engine.url)}: {_reason(error, engine.url)}") from None


def _named(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return project.shown(url.database)
    return f"{url.host or url.query.get('host', 'localhost')}:{url.port or 5432}/{url.database or ''}"


def _reason(error: SQLAlchemyError, url: URL) -> str:
    lines = str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__]
    said = lines[0].rstrip(":")
    for secret in (url.password, url.query.get("password")):
        said = said.replace(str(secret), "***") if secret else said
    if "full" in said or getattr(getattr(error, "orig", None), "sqlstate", None) == DISK_FULL:
        return f"{said}: free some space"
    if said.startswith(SILENT):
        return f"{said}: see whether it is well, or raise delivery.timeout_seconds"
    if url.get_backend_name() == "sqlite":
        return f"{said}: see that the file can be written and is no other program's"
    return f"{said}: see that it runs and takes connections, or correct {VARIABLE}"


def _versions() -> list[str]:
    return sorted(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def _schema(connection: Connection) -> str | None:
    return SCHEMA if connection.dialect.name == "postgresql" else None


def _version(connection: Connection) -> str | None:
    schema = _schema(connection)
    if not inspect(connection).has_table("alembic_version", schema=schema):
        return None
    table = "alembic_version" if schema is None else f"{schema}.alembic_version"
    return connection.scalar(text(f"SELECT version_num FROM {table}"))


def _migrate(engine: Engine) -> None:
    from alembic import command  # only when there is something to do: it takes long to import
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    with writing(engine) as connection:
        if schema := _schema(connection):
            take_turns(connection)
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
        if _version(connection) != _versions()[-1]:  # another process may have been faster
            config.attributes["connection"] = connection
            command.upgrade(config, "head")
