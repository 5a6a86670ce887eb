"""The connection: tables as the migrations make them, on both databases; errors in one line, without the password."""

import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import create_engine, inspect, select, text

from abaco.core import dates
from abaco.core.errors import DatabaseError
from abaco.database import connection, schema
from abaco.database.connection import connect, reading, take_turns, upgrade, writing
from tests.support.migrations import downgrade
from tests.support.postgres import PASSWORD, QUOTED


@pytest.mark.parametrize("made_by", ["schema", "migrations"])
def test_new_and_migrated_tables_are_those_of_the_schema(database, made_by, tmp_path):
    engine = connect(tmp_path)
    if made_by == "migrations":
        downgrade(engine, "base")
        with writing(engine) as opened:
            upgrade(opened)
    if database == "sqlite":  # it knows no schemas, but a file that is attached has a name before its tables
        engine = create_engine("sqlite://")
    with engine.connect() as opened:
        if database == "sqlite":
            opened.execute(text(f"ATTACH '{tmp_path / connection.FILE}' AS {schema.SCHEMA}"))
        options = {
            "include_schemas": True,
            "include_name": lambda name, kind, _: kind != "schema" or name == schema.SCHEMA,
            "version_table_schema": schema.SCHEMA,
        }
        context = MigrationContext.configure(opened, opts=options)
        assert compare_metadata(context, schema.metadata) == []


def test_tables_of_postgresql_lie_in_a_schema_of_their_own(postgres, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", postgres.new())
    found = inspect(connect(tmp_path))
    assert found.get_table_names(schema="public") == []
    assert {"runs", "alembic_version"} <= set(found.get_table_names(schema="abaco"))
    assert list(tmp_path.iterdir()) == []


def test_sqlite_lies_beside_the_reports(tmp_path, monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    engine = connect(tmp_path / "reports")
    with reading(engine) as opened:
        assert opened.scalar(text("PRAGMA journal_mode")) == "wal"
        assert opened.scalar(text("PRAGMA foreign_keys")) == 1
    engine.dispose()
    assert [path.name for path in (tmp_path / "reports").iterdir()] == ["abaco.db"]


def test_other_spelling_of_the_address_is_the_same_database(postgres, tmp_path, monkeypatch):
    address = postgres.new()
    for scheme in ("postgresql://", "postgres://", "postgresql+psycopg://"):
        monkeypatch.setenv("DATABASE_URL", address.replace("postgresql://", scheme) + "?sslmode=prefer")
        engine = connect(tmp_path)
        assert engine.url.query["sslmode"] == "prefer"
        engine.dispose()
    assert len(postgres.execute("SELECT * FROM abaco.alembic_version", address.rpartition("/")[2])) == 1


def test_new_and_current_databases_are_opened_without_alembic(tmp_path, monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    code = (
        "import sys; from pathlib import Path; from abaco.database.connection import connect\n"
        f"connect(Path({str(tmp_path)!r})); sys.exit('alembic' in sys.modules)"
    )
    assert [subprocess.run([sys.executable, "-c", code]).returncode for _ in range(2)] == [0, 0]


def test_processes_that_make_the_tables_at_once_do_not_disturb_each_other(database, tmp_path):
    code = f"from pathlib import Path; from abaco.database.connection import connect; connect(Path({str(tmp_path)!r}))"
    both = [subprocess.Popen([sys.executable, "-c", code], stderr=subprocess.PIPE) for _ in range(3)]
    assert [(process.communicate()[1], process.returncode) for process in both] == [(b"", 0)] * 3


def test_file_that_another_process_is_making_is_waited_for(tmp_path, monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    other = sqlite3.connect(tmp_path / connection.FILE, isolation_level=None, check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    threading.Timer(0.5, other.close).start()
    with reading(connect(tmp_path)) as opened:
        assert opened.execute(select(schema.runs)).all() == []


def test_newer_tables_are_left_alone(database, tmp_path):
    with writing(connect(tmp_path)) as opened:
        prefix = "" if database == "sqlite" else "abaco."
        opened.execute(text(f"UPDATE {prefix}alembic_version SET version_num = '9999'"))
    with pytest.raises(DatabaseError, match=r"has tables of version 9999, newer than \d+: update this program"):
        connect(tmp_path)


def test_times_come_back_in_utc(database, tmp_path):
    engine = connect(tmp_path)
    with writing(engine) as opened:
        opened.execute(
            schema.delivery_plans.insert(),
            {"run": "r", "folder": "f", "place": "p", "at": dates.time_of("2025-12-31T02:00:00+02:00")},
        )
    with reading(engine) as opened:
        assert opened.scalar(select(schema.delivery_plans.c.at)).isoformat() == "2025-12-31T00:00:00+00:00"


# Faults


def refused(tmp_path, timeout=connection.TIMEOUT_SECONDS):
    with pytest.raises(DatabaseError) as caught:
        connect(tmp_path, timeout)
    said = str(caught.value)
    assert "\n" not in said
    assert not [secret for secret in (PASSWORD, QUOTED, "hunter2") if secret in said]
    assert caught.value.__suppress_context__  # nor has the traceback what the driver said
    return said


def test_server_that_is_down_is_named(postgres, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", postgres.address("postgres"))
    postgres.stop()
    said = refused(tmp_path)
    assert said.startswith(f"Database 127.0.0.1:{postgres.port}/postgres: ") and "refused" in said
    assert said.endswith(": see that it runs and takes connections, or correct DATABASE_URL")


def test_server_that_takes_a_connection_and_says_nothing_is_left_after_the_timeout(tmp_path, monkeypatch):
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"127.0.0.1:{silent.getsockname()[1]}/abaco"
        monkeypatch.setenv("DATABASE_URL", f"postgresql://abaco:hunter2@{address}")
        assert refused(tmp_path, 0.5) == (
            f"Database {address}: no answer within 2 s: see whether it is well, or raise delivery.timeout_seconds"
        )


def test_statement_that_waits_too_long_is_cancelled_and_the_server_is_found_again(postgres, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", postgres.new())
    engine = connect(tmp_path, 0.5)
    expected = "no answer within 2 s: see whether it is well, or raise delivery.timeout_seconds"
    with writing(engine) as holder:
        take_turns(holder)
        with pytest.raises(DatabaseError, match=expected), writing(engine) as waiting:
            take_turns(waiting)
    with writing(engine) as opened:
        take_turns(opened)


def test_connection_is_bounded_by_libpq_unless_the_address_says_otherwise(postgres, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", f"{postgres.new()}?keepalives_idle=7")
    with reading(connect(tmp_path, 20.0)) as opened:
        parameters = opened.connection.driver_connection.info.get_parameters()
        bounds = {name: value for name, value in parameters.items() if "timeout" in name or "alive" in name}
        assert bounds == {
            "connect_timeout": "20", "tcp_user_timeout": "20000", "keepalives_idle": "7",
            "keepalives_interval": "4", "keepalives_count": "3",
        }  # fmt: skip
        assert opened.scalar(text("SHOW statement_timeout")) == "20s"


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({"password": "hunter2"}, "password authentication failed"),
        ({"user": "nobody"}, "password authentication failed"),
        ({"database": "elsewhere"}, "does not exist"),
    ],
)
def test_server_that_refuses_is_quoted(postgres, tmp_path, monkeypatch, change, expected):
    monkeypatch.setenv("DATABASE_URL", postgres.address(**{"database": "postgres", **change}))
    assert expected in refused(tmp_path)


def test_encryption_is_insisted_on_when_the_address_says_so(postgres, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", postgres.address("postgres") + "?sslmode=require")
    assert "SSL" in refused(tmp_path)


@pytest.mark.parametrize(
    "address", ["mysql://u:hunter2@h/d", "postgresql://u:hunter2@h:port/d", "hunter2", "sqlite:///x.db"]
)
def test_address_that_is_none_is_not_repeated(tmp_path, monkeypatch, address):
    monkeypatch.setenv("DATABASE_URL", address)
    assert refused(tmp_path).startswith("DATABASE_URL is not an address of PostgreSQL: write postgresql://")


def test_file_that_is_no_database_is_named(tmp_path, monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    (tmp_path / connection.FILE).write_text("The Times of today, " * 100)
    assert "file is not a database: make it again with abaco rebuild" in refused(tmp_path)


def test_full_disk_of_the_server_says_so(postgres, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", postgres.new())
    engine, expected = connect(tmp_path), 'file "base/1": No space left on device: free some space'
    with pytest.raises(DatabaseError, match=expected), writing(engine) as opened:
        opened.exec_driver_sql(f"DO $$ BEGIN {postgres.FULL} END $$")


def test_file_that_another_program_holds_is_waited_for_and_left(tmp_path, monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    monkeypatch.setattr(connection, "SQLITE_WAIT_SECONDS", 0.1)
    one, other = connect(tmp_path), connect(tmp_path)
    expected = "database is locked: see that the file can be written and does not belong to another program"
    with writing(one), pytest.raises(DatabaseError, match=expected), writing(other):
        pass
    with writing(other) as opened:
        assert opened.scalar(text("SELECT 1")) == 1


def test_full_disk_says_so(tmp_path, monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    engine = connect(tmp_path)
    with pytest.raises(DatabaseError, match="database or disk is full: free some space"), writing(engine) as opened:
        opened.execute(text("PRAGMA max_page_count = 1"))
        row = {"key": "k" * 1_000_000, "channel": "email", "status": "pending", "attempts": 0, "payload": {}}
        now = dates.time_of("2025-12-31T00:00:00Z")
        opened.execute(schema.deliveries.insert(), {**row, "created_at": now, "next_attempt_at": now})
    with reading(engine) as opened:
        assert opened.execute(select(schema.deliveries)).all() == []


def test_server_that_freezes_is_hung_up_on(postgres, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", postgres.new())
    engine = connect(tmp_path, 2)
    with pytest.raises(DatabaseError), reading(engine) as opened:
        backend = opened.exec_driver_sql("SELECT pg_backend_pid()").scalar_one()
        os.kill(backend, signal.SIGSTOP)
        try:
            opened.exec_driver_sql("SELECT 1")
        finally:
            os.kill(backend, signal.SIGCONT)
    with reading(engine) as opened:
        assert opened.exec_driver_sql("SELECT 1").scalar_one() == 1
