"""A report made on the cluster is the one that the embedded engine makes."""

import json
import re
from decimal import Decimal
from fractions import Fraction

import pyarrow.parquet as pq
import pytest

from abaco.core.files import read_json
from abaco.run import manifest
from tests.kpis.completion import completed
from tests.kpis.recomputation import DECEMBER, RECOMPUTED, balances, published
from tests.support.projects import PII_KEY, ROOT, Project, copy_project

SAME = ("metrics.json", "report.html", "report.xlsx", "tables/quarantine.csv", "tables/history.csv", "tables/aging.csv")
TABLES = ("tape", "quarantine", "history", "aging")


def rows(folder, name):
    """The rows of a table in an order of its own, types included."""
    table = pq.read_table(folder / "tables" / f"{name}.parquet")
    return table.sort_by([(column, "ascending") for column in table.column_names])


def made(folder, engine, environment):
    """A project with the report of the completed sample by an engine, with the whole catalogue."""
    project = Project(copy_project(folder, ROOT / "params/kpis.yml"), folder / "reports")
    run = project.report("--engine", engine, *completed(folder), ABACO_PII_KEY=PII_KEY, **environment)
    assert run.returncode == 0, run.stderr
    assert not re.search("WARN|[Ss]park|Java|Exception", run.stderr)  # a cluster's chatter goes to its own log
    return project


@pytest.fixture(scope="module")
def pair(cluster, tmp_path_factory):
    """The same report, of a folder of exports, on both engines."""
    places = [tmp_path_factory.mktemp("embedded"), tmp_path_factory.mktemp("cluster")]
    engines = [("duckdb", {}), ("spark", cluster.environment)]
    return [made(place, *engine) for place, engine in zip(places, engines, strict=True)]


def test_figures_page_and_tables_have_the_same_bytes(pair):
    one, other = (project.output / "2025-12-31" for project in pair)
    assert [name for name in SAME if (one / name).read_bytes() != (other / name).read_bytes()] == []


def test_tables_have_the_same_rows_tokens_and_types(pair):
    one, other = (project.output / "2025-12-31" for project in pair)
    names = {path.stem for path in (one / "tables").glob("*.parquet")}
    assert names >= set(TABLES) and names == {path.stem for path in (other / "tables").glob("*.parquet")}
    for name in names:
        assert rows(one, name).cast(rows(other, name).schema).equals(rows(other, name)), name
        assert [str(f.type) for f in rows(one, name).schema] == [str(f.type) for f in rows(other, name).schema], name


def test_executed_notebooks_show_the_same_but_for_times(pair):
    shown = [sorted(p.name for p in (project.output / "2025-12-31/notebooks").iterdir()) for project in pair]
    assert shown[0] == shown[1]
    text = "".join(p.read_text() for p in (pair[1].output / "2025-12-31/notebooks").iterdir())
    assert "WARN" not in text and "Setting default log level" not in text


def test_manifest_lists_every_part_and_finds_one_that_was_changed(pair):
    folder = (pair[1].output / "2025-12-31").resolve()
    [tape] = [o for o in read_json(folder / manifest.NAME)["outputs"] if o["path"] == "tables/tape.parquet"]
    parts = [part["path"] for part in tape["parts"]]
    assert parts == [f"tables/tape.parquet/part-{i:05d}.parquet" for i in range(len(parts))] and parts
    assert {p.name for p in (folder / "tables/tape.parquet").iterdir()} == {p.rsplit("/")[-1] for p in parts}
    assert tape["bytes"] == sum(part["bytes"] for part in tape["parts"])
    assert manifest.altered(folder) == []
    kept = (folder / parts[0]).read_bytes()
    (folder / parts[0]).write_bytes(kept + b" ")
    assert manifest.altered(folder) == parts[:1]
    (folder / parts[0]).write_bytes(kept)


def test_nothing_of_the_work_is_left(pair):
    assert not list(pair[1].root.rglob("work"))
    assert not list(pair[1].root.rglob("*.crc")) and not list(pair[1].root.rglob("_SUCCESS"))


def test_tape_can_be_read_by_its_name(pair):
    import duckdb
    import pandas as pd

    path = pair[1].output / "2025-12-31/tables/tape.parquet"
    one = pq.read_table(pair[0].output / "2025-12-31/tables/tape.parquet").num_rows
    assert len(pd.read_parquet(path)) == one
    assert duckdb.sql(f"SELECT count(*) FROM read_parquet('{path}')").fetchall() == [(one,)]


def test_run_says_which_engine_it_was(pair):
    runs = [json.loads((project.output / "2025-12-31/run.json").read_text()) for project in pair]
    assert [run["engine"] for run in runs] == ["duckdb", "spark"]
    assert runs[0]["run_id"] == runs[1]["run_id"]


def exact(value):
    return None if value is None else Fraction(value)


def test_every_kpi_of_the_catalogue_is_right_on_every_date(pair):
    folder = pair[1].output / "2025-12-31"
    kpis = json.loads((folder / "metrics.json").read_text(), parse_float=Decimal)["kpis"]
    assert {name: exact(kpi["value"]) for name, kpi in kpis.items()} == {
        name: published(name, DECEMBER) for name in RECOMPUTED
    }
    history = pq.read_table(folder / "tables/history.parquet").to_pylist()
    found = {(row["kpi"], row["date"]): exact(row["value"]) for row in history}
    assert found == {(name, day): published(name, day) for name in RECOMPUTED for day in balances()}


# What is missing


def refused(project, *arguments, **environment):
    run = project.report("--engine", "spark", *arguments, **environment)
    assert not project.runs()
    [line] = run.stderr.splitlines()
    return run.returncode, line


@pytest.fixture
def no_master(tmp_path):
    """An environment with a master that does not answer; Java is looked for first, and not started before it has."""
    java = tmp_path / "home/bin/java"
    java.parent.mkdir(parents=True)
    java.touch(0o755)
    return {"SPARK_MASTER": "spark://127.0.0.1:1", "JAVA_HOME": str(tmp_path / "home")}


def test_master_that_is_not_there_is_one_line(project, no_master):
    code, line = refused(project, **no_master)
    assert code == 2
    assert line == (
        "Error: The Spark master spark://127.0.0.1:1 does not answer (127.0.0.1:1: Connection refused): "
        "start it, or correct SPARK_MASTER"
    )


@pytest.mark.parametrize(
    ("environment", "found"),
    [
        ({"PATH": "/nowhere"}, "there is no java on the PATH"),
        ({"JAVA_HOME": "/nowhere"}, "there is no /nowhere/bin/java"),
    ],
)
def test_missing_java_is_one_line(project, environment, found):
    code, line = refused(project, **{"JAVA_HOME": "", **environment})
    assert (code, line.partition(": run")[0]) == (2, f"Error: ENGINE=spark needs Java 17 or newer, but {found}")


def test_report_of_a_cluster_is_verified_with_the_embedded_engine(pair, cluster):
    project = pair[1]
    words = ("verify", "--output", project.output, "--engine", "duckdb")
    result = project.abaco(*words, ABACO_PII_KEY=PII_KEY, **cluster.environment)
    assert (result.returncode, result.stderr) == (0, "")


def test_report_of_the_embedded_engine_is_verified_on_the_cluster_alone(kept, no_master):
    """That both make the same of the same input is shown above; here, that no other engine stands in for Spark."""
    words = ("verify", "--output", kept.output, "--engine", "spark")
    result = kept.abaco(*words, ABACO_PII_KEY=PII_KEY, **no_master)
    assert (result.returncode, result.stdout) == (2, "")
    assert "The Spark master spark://127.0.0.1:1 does not answer" in result.stderr
