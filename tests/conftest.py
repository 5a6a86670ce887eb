"""Engines that every expression is tested on, and a project of its own for what runs by command line."""

import os
import signal
import sys
import tempfile

import narwhals as nw
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest
from xdist.scheduler import LoadScopeScheduling

from abaco.core import currencies
from abaco.engines.duckdb import DuckDB
from tests.support.browser import chromium, launched
from tests.support.postgres import Postgres
from tests.support.programs import missing
from tests.support.projects import PII_KEY, Project, copy_project


def pytest_configure(config):
    """Give each test process a folder for IPython, and let it and the commands that it starts keep their bytecode."""
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)
    sys.dont_write_bytecode = False
    signal.signal(signal.SIGHUP, signal.SIG_DFL)  # which nohup would leave ignored in every command
    folder = tempfile.TemporaryDirectory(prefix="ipython-", ignore_cleanup_errors=True)
    os.environ["IPYTHONDIR"] = folder.name
    config.add_cleanup(folder.cleanup)


@pytest.fixture(autouse=True)
def _in_dollars():
    """Write amounts in US dollars and English again after each test."""
    yield
    currencies.use(None)


# What takes longest begins first, and a room of a few short tests last: no process is left alone at the end.
FIRST = (
    "spark", "project", "run", "operations", "delivery", "service", "golden", "tools", "cli", "page", "ingest", "kpis",
)  # fmt: skip


def room(nodeid):
    """Return the room that a test is of: its folder in tests/, or the package whose doctest it is."""
    first, second, *_ = *nodeid.partition("::")[0].split("/"), ""
    return second if first == "tests" else first


# Large rooms whose files share nothing.
BY_FILE = ("ingest", "kpis")


class ByRoom(LoadScopeScheduling):
    """Runs the tests of a room in one process: what they share is made once."""

    def _split_scope(self, nodeid):
        return nodeid.partition("::")[0] if room(nodeid) in BY_FILE else room(nodeid)


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config, log):
    """Distribute rooms."""
    return ByRoom(config, log)


def pytest_collection_modifyitems(items):
    """Put what takes longest first."""
    places = {name: place for place, name in enumerate(FIRST)}
    items.sort(key=lambda item: places.get(room(item.nodeid), len(FIRST)))


def pytest_itemcollected(item):
    """Wait for outputs of golden notebooks on a busy machine, too; nbval has no option for it."""
    if hasattr(item, "output_timeout"):
        item.output_timeout = 300


@pytest.fixture(params=["duckdb", "polars", "pandas"])
def engine(request):
    """Name of the engine, one test run each."""
    return request.param


@pytest.fixture(scope="session")
def embedded(tmp_path_factory):
    """The embedded engine, started once: that takes longer than most tests."""
    with DuckDB(spill=tmp_path_factory.mktemp("spill")) as started:
        yield started


@pytest.fixture
def frame(engine, embedded, tmp_path):
    """Turn a literal pyarrow table into a Narwhals frame of the engine: lazy, but for pandas."""

    def from_file(table):
        path = tmp_path / f"frame_{len(list(tmp_path.glob('*.parquet')))}.parquet"
        pq.write_table(table, path)
        return embedded.scan(path)

    return {
        "duckdb": from_file,
        "polars": lambda table: nw.from_native(pl.from_arrow(table).lazy()),
        "pandas": lambda table: nw.from_native(table.to_pandas(types_mapper=pd.ArrowDtype)),
    }[engine]


@pytest.fixture(scope="module")
def browser():
    """Headless Chromium; while it is there, its event loop runs in this thread: not longer than a module needs it."""
    if chromium() is None:
        missing("Chromium is not installed")
    with launched() as found:
        yield found


@pytest.fixture
def copied_project(tmp_path):
    """Folder with a copy of the project."""
    (tmp_path / "project").mkdir()
    return copy_project(tmp_path / "project")


@pytest.fixture
def project(copied_project):
    """A project in which nothing has run yet."""
    return Project(copied_project, copied_project / "reports")


@pytest.fixture(scope="session")
def finished(tmp_path_factory):
    """A project with one finished report of the sample, made with a key; ``first`` is that run's result.

    ``pristine`` is a copy of it to copy, as it was before any test did anything to it.
    """
    root = copy_project(tmp_path_factory.mktemp("finished"))
    found = Project(root, root / "reports")
    found.first = found.report(ABACO_PII_KEY=PII_KEY)
    assert found.first.returncode == 0, found.first.stderr
    found.pristine = found.copy(tmp_path_factory.mktemp("pristine") / "project")
    return found


@pytest.fixture(scope="session")
def shown(finished, tmp_path_factory):
    """A copy of the finished project with a second report, of the month before and made without a key."""
    project = finished.pristine.copy(tmp_path_factory.mktemp("shown") / "project")
    made = project.report(date="2025-11-30")
    assert made.returncode == 0, made.stderr
    return project


@pytest.fixture
def kept(finished):
    """The finished project, for a test after which its report must be what it was before."""
    before = finished.visible()
    yield finished
    assert finished.visible() == before


@pytest.fixture(scope="session")
def _server():
    server = Postgres()
    yield server
    server.close()


@pytest.fixture
def postgres(_server):
    """A PostgreSQL server that runs, whatever the test before did to it."""
    _server.start()
    yield _server
    _server.start()


@pytest.fixture(params=["sqlite", "postgresql"])
def database(request, monkeypatch):
    """Name of the database that the code uses, empty; one test run each."""
    monkeypatch.delenv("DATABASE_URL", raising=False)
    if request.param == "postgresql":
        monkeypatch.setenv("DATABASE_URL", request.getfixturevalue("postgres").new())
    return request.param
