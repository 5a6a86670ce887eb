"""The connection to the database: PostgreSQL at DATABASE_URL, otherwise SQLite beside the reports."""

import sqlite3
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from sqlalchemy import (
    URL,
    Column,
    Connection,
    Engine,
    MetaData,
    String,
    Table,
    create_engine,
    event,
    inspect,
    make_url,
    text,
)
from sqlalchemy.exc import ArgumentError, SQLAlchemyError

from abaco.core import net, project, secrets
from abaco.core.errors import DamagedDatabaseError, DatabaseError
from abaco.database import postgresql
from abaco.database.schema import SCHEMA, metadata

VARIABLE, FILE = "DATABASE_URL", "abaco.db"
MIGRATIONS = Path(__file__).parent / "migrations"
ADVISORY_LOCK = 7_220_315  # any number that no other program uses
TIMEOUT_SECONDS = 30.0
SQLITE_WAIT_SECONDS = 30
DAMAGE = (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB)
REBUILD = "make it again with abaco rebuild, or restore a backup"
DISK_FULL = "53100"  # PostgreSQL's code, whatever the language of its messages


def connect(output: Path, timeout: float = TIMEOUT_SECONDS) -> Engine:
    """Return the database of the reports in `output`, its tables up to date; `timeout`, in seconds, is PostgreSQL's.

    Raises
    ------
    DatabaseError
        When it cannot be reached or used; the message does not contain the password.
    """
    engine = _create_engine(output, timeout)
    with reading(engine) as connection:
        version = _version(connection)
    known_versions = _known_versions()
    if version and version not in known_versions:
        raise DatabaseError(
            f"Database {_display_name(engine.url)} has tables of version {version}, newer than {known_versions[-1]}: "
            "update this program"
        )
    if version != known_versions[-1]:
        _migrate(engine)
    return engine


@contextmanager
def connected(output: Path, timeout: float = TIMEOUT_SECONDS) -> Iterator[Engine]:
    """Yield the database as `connect` returns it, and close every connection to it afterwards."""
    engine = connect(output, timeout)
    try:
        yield engine
    finally:
        engine.dispose()


@contextmanager
def writing(engine: Engine) -> Iterator[Connection]:
    """Yield a connection for one transaction that writes; it waits for other writers and rolls back on an error.

    Raises
    ------
    DatabaseError
        When the database rejects a statement or does not answer.
    """
    with _explaining_errors(engine), engine.begin() as connection:
        yield connection


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """Yield a connection for reading, which blocks no other process.

    Raises
    ------
    DatabaseError
        When the database does not answer.
    """
    with _explaining_errors(engine), engine.connect() as connection:
        yield connection.execution_options(begin="BEGIN")


def is_elsewhere() -> bool:
    """Return whether the database is PostgreSQL, which may know reports that are not in the local folder."""
    return bool(secrets.read(VARIABLE))


def is_postgresql(engine: Engine | Connection) -> bool:
    """Return whether a database, or one connection to it, is PostgreSQL."""
    return engine.dialect.name == "postgresql"


def take_turns(connection: Connection) -> None:
    """Wait until no other process is between this call and the end of its transaction.

    SQLite needs no lock for it: only one process at a time can write.
    """
    if is_postgresql(connection):
        connection.execute(text(f"SELECT pg_advisory_xact_lock({ADVISORY_LOCK})"))


def upgrade(connection: Connection) -> None:
    """Migrate the tables of a former version."""
    from alembic import command  # slow to import and rarely needed
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _create_engine(output: Path, timeout: float) -> Engine:
    if address := secrets.read(VARIABLE):
        return postgresql.create(_parse_address(address), timeout)
    try:
        output.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise DatabaseError(
            f"Cannot make {project.display_path(output)}: {error.strerror}: choose another output"
        ) from error
    engine = create_engine(
        URL.create("sqlite", database=str(output / FILE)),
        connect_args={"timeout": SQLITE_WAIT_SECONDS},
        execution_options={"schema_translate_map": {SCHEMA: None}},
        hide_parameters=True,
    )
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _parse_address(address: str) -> URL:
    try:
        url = make_url(address)
    except (ArgumentError, ValueError):  # their texts may contain the password
        url = None
    if url is None or url.drivername not in ("postgres", "postgresql", "postgresql+psycopg"):
        raise DatabaseError(
            f"{VARIABLE} is not an address of PostgreSQL: write postgresql://user:password@host:5432/database, "
            "special characters of the password as %XX; empty: SQLite"
        ) from None
    return url.set(drivername="postgresql+psycopg")


def _prepare_sqlite(connection: Any, _: Any) -> None:
    connection.isolation_level = None  # _begin_sqlite begins transactions, not the driver
    deadline = time.monotonic() + SQLITE_WAIT_SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode = WAL")
            break
        except sqlite3.OperationalError as error:
            # another process is creating the file, and SQLite does not wait here
            if error.sqlite_errorcode != sqlite3.SQLITE_BUSY or time.monotonic() > deadline:
                raise
            time.sleep(0.01)
    connection.execute("PRAGMA foreign_keys = ON")


def _begin_sqlite(connection: Connection) -> None:
    # a transaction that reads before it writes would fail when another process writes in between
    connection.exec_driver_sql(connection.get_execution_options().get("begin", "BEGIN IMMEDIATE"))


@contextmanager
def _explaining_errors(engine: Engine) -> Iterator[None]:
    try:
        yield
    except SQLAlchemyError as error:
        kind = DamagedDatabaseError if _error_code(error) in DAMAGE else DatabaseError
        raise kind(f"Database {_display_name(engine.url)}: {_explain(error, engine.url)}") from None


def _display_name(url: URL) -> str:
    if url.get_backend_name() == "sqlite":
        return project.display_path(url.database)
    return f"{url.host or url.query.get('host', 'localhost')}:{url.port or 5432}/{url.database or ''}"


def _error_code(error: SQLAlchemyError) -> int:
    return getattr(getattr(error, "orig", None), "sqlite_errorcode", 0) & 0xFF  # without what extends it


def _explain(error: SQLAlchemyError, url: URL) -> str:
    lines = str(getattr(error, "orig", None) or error).strip().splitlines() or [type(error).__name__]
    reason = lines[0].rstrip(":")
    for secret in (url.password, url.query.get("password")):
        reason = reason.replace(str(secret), "***") if secret else reason
    if "full" in reason or getattr(getattr(error, "orig", None), "sqlstate", None) == DISK_FULL:
        return f"{reason}: free some space"
    if _error_code(error) in DAMAGE:
        return f"{reason}: {REBUILD}"
    if url.get_backend_name() == "sqlite":
        if (file := Path(url.database)).is_symlink() and not file.exists():
            return f"it is a link that leads nowhere: bring back what it led to, or {REBUILD}"
        return f"{reason}: see that the file can be written and does not belong to another program"
    if "certificate" in reason or "does not support SSL" in reason:
        way = f"{net.AUTHORITY}, or in sslrootcert of {VARIABLE}; sslmode there says how far to trust it"
        return f"{reason}: its certificate is verified: {way}"
    if "timeout" in reason or "timed out" in reason:
        seconds = url.query["connect_timeout"]
        return f"no answer within {seconds} s: see whether it is well, or raise delivery.timeout_seconds"
    return f"{reason}: see that it runs and takes connections, or correct {VARIABLE}"


def _known_versions() -> list[str]:
    return sorted(path.name.split("_")[0] for path in (MIGRATIONS / "versions").glob("[0-9]*.py"))


def _version(connection: Connection) -> str | None:
    schema = SCHEMA if is_postgresql(connection) else None
    if not inspect(connection).has_table("alembic_version", schema=schema):
        return None
    table = "alembic_version" if schema is None else f"{schema}.alembic_version"
    return connection.scalar(text(f"SELECT version_num FROM {table}"))


def _migrate(engine: Engine) -> None:
    """Bring the tables up to date; a new database gets today's at once."""
    with writing(engine) as connection:
        schema = SCHEMA if is_postgresql(connection) else None
        if schema:
            take_turns(connection)
            connection.exec_driver_sql("SET LOCAL statement_timeout = 0")  # migrating a large table takes long
            connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {schema}"))
        version, newest = _version(connection), _known_versions()[-1]
        if version is None:
            metadata.create_all(connection)
            table = Table("alembic_version", MetaData(schema), Column("version_num", String(32), primary_key=True))
            table.create(connection)
            connection.execute(table.insert().values(version_num=newest))
        elif version != newest:  # unless another process has migrated it
            upgrade(connection)
