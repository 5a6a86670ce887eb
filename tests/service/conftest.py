"""Projects with reports, a service on one of them, and a database with literal rows."""

import datetime as dt

import pytest

from abaco.database import schema
from abaco.database.connection import writing
from abaco.service.reports import Book
from abaco.service.schedule import Schedule
from tests.support.projects import NEVER
from tests.support.service import Service

TOKEN, PASSWORD = "a token for programs", "pass:wörd of people"


@pytest.fixture
def copied(finished, tmp_path):
    """A copy of the finished project, for tests that change it."""
    return finished.pristine.copy(tmp_path / "copied")


@pytest.fixture(scope="session")
def service(shown):
    """A service that everybody on this machine may read."""
    with Service(shown) as found:
        yield found


@pytest.fixture(scope="session")
def guarded(shown):
    """A service that asks for a secret, and logs as JSON."""
    params = f"run.log_format=json,service.cron={NEVER},service.max_wrong_tokens=1000000"
    with Service(shown, params, ABACO_SERVE_TOKEN=TOKEN, ABACO_SERVE_PASSWORD=PASSWORD) as found:
        yield found


def at(hour, minute=0):
    """Return a time of 1 January 2026."""
    return dt.datetime(2026, 1, 1, hour, minute, tzinfo=dt.UTC)


@pytest.fixture
def book(tmp_path, monkeypatch):
    """Reports in an empty folder with an empty database, and a schedule that is never due."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    (tmp_path / "reports/.runs").mkdir(parents=True)
    found = Book(tmp_path / "reports", Schedule(None, tmp_path / "reports", lambda: ["true"], 3.0))
    found.schedule.start()
    yield found
    found.schedule.stop()


@pytest.fixture
def write(book):
    """Write literal rows: `write("runs", {...})`; `write.run(...)` a run that its date shows."""

    def rows(table, *values):
        with writing(book.engine) as connection:
            connection.execute(getattr(schema, table).insert(), list(values))

    def run(run_id="20251231-a", date=dt.date(2025, 12, 31), ended=None, **kpis):
        ended = ended or at(2)
        rows("runs", {
            "run_id": run_id, "date": date, "as_of": date, "started_at": ended, "finished_at": ended, "seconds": 3.0,
            "input": "tape.csv", "engine": "duckdb", "code_commit": None, "code_sha256": "c", "parameters": {},
            "folder": f".runs/{date}/{run_id}",
        })  # fmt: skip
        rows("visible", {"date": date, "run_id": run_id, "since": ended, "why": "published"})
        for place, (name, value) in enumerate(kpis.items()):
            status = "not_computable" if value is None else "ok"
            known = {"run_id": run_id, "kpi": name}
            rows("kpis", {
                **known, "position": place, "title": f"Title of {name}", "kpi_group": "core", "precision": 2,
                "direction": "lower", "warning": 5.0, "critical": None, "formula": "a / b",
            })  # fmt: skip
            rows("kpi_values", {**known, "date": date, "value": value, "unit": "%", "status": status})

    rows.run = run
    return rows
