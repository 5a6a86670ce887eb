"""Engines that every expression is tested on, and a project of its own for what runs by command line."""

import hashlib
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import narwhals as nw
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

from abaco.engines import DuckDB


@pytest.fixture(params=["duckdb", "duckdb-file", "polars", "pandas"])
def engine(request):
    """Name of the engine, one test run each."""
    return request.param


@pytest.fixture
def frame(engine, tmp_path):
    """Turn a literal pyarrow table into a Narwhals frame of the engine: lazy, but for pandas."""
    with DuckDB(spill=tmp_path) as embedded:

        def from_file(table):
            path = tmp_path / f"frame_{len(list(tmp_path.glob('*.parquet')))}.parquet"
            pq.write_table(table, path)
            return embedded.scan(path)

        yield {
            "duckdb": embedded.from_arrow,
            "duckdb-file": from_file,
            "polars": lambda table: nw.from_native(pl.from_arrow(table).lazy()),
            "pandas": lambda table: nw.from_native(table.to_pandas(types_mapper=pd.ArrowDtype)),
        }[engine]


ROOT = Path(__file__).resolve().parents[1]
OWN = (
    "ABACO_",
    "LOG_LEVEL",
    "AZURE_",
    "META_SYSTEM",
    "DATABASE_URL",
    "SMTP_URL",
    "REPORT_",
    "SLACK_",
    "PAGERDUTY_",
)
PII_KEY = "a key that nobody may ever see"


def copy_project(root):
    """Copy what a run reads of the project, but for the package itself."""
    for name in ("notebooks", "params"):
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns(".ipynb_checkpoints"))
    (root / "data").mkdir()
    shutil.copy(ROOT / "data/sample.csv", root / "data")
    return root


@dataclass
class Project:
    """A copy of the project in a folder of its own, and the real command line in it."""

    root: Path
    output: Path

    def start(self, *command, **environment):
        """Start a command in the project, the environment free of what concerns abaco."""
        kept = {key: value for key, value in os.environ.items() if not key.startswith(OWN)}
        return subprocess.Popen(
            [str(part) for part in command], cwd=self.root, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.PIPE, text=True, env={**kept, "ABACO_ROOT": str(self.root), **environment},
        )  # fmt: skip

    def abaco(self, *arguments, **environment):
        """Run abaco to its end."""
        process = self.start(Path(sys.executable).with_name("abaco"), *arguments, **environment)
        out, err = process.communicate(timeout=300)
        return subprocess.CompletedProcess(arguments, process.returncode, out, err)

    def report(self, *arguments, date="2025-12-31", **environment):
        """Run abaco report into the output folder."""
        return self.abaco("report", "--date", date, "--output", self.output, *arguments, **environment)

    def visible(self, date="2025-12-31"):
        """Return which run the report of a date is, and the hash of every file in it."""
        folder = self.output / date
        files = sorted(path for path in folder.rglob("*") if path.is_file())
        return {
            path.relative_to(folder).as_posix(): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in files
        }, (os.readlink(folder))

    def runs(self, date="2025-12-31"):
        """Return the folders of all runs of a date, oldest first."""
        return sorted(path for path in (self.output / ".runs" / date).glob("*") if path.is_dir())

    @property
    def log(self):
        """The text of logs/pipeline.log."""
        path = self.root / "logs/pipeline.log"
        return path.read_text() if path.exists() else ""


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
    """A project with one finished report of the sample, made with a key; ``first`` is that run's result."""
    root = copy_project(tmp_path_factory.mktemp("finished"))
    found = Project(root, root / "reports")
    found.first = found.report(ABACO_PII_KEY=PII_KEY)
    assert found.first.returncode == 0, found.first.stderr
    return found


@pytest.fixture
def kept(finished):
    """The finished project, for a test after which its report must be what it was before."""
    before = finished.visible()
    yield finished
    assert finished.visible() == before
