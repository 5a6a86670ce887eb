"""A database of a former version: its rows are all there after the migration, and its copy can be restored."""

import io
import json

import pytest
from sqlalchemy import inspect, text

from abaco.database import copying, queries, synchronise
from abaco.database.connection import connect, reading, writing
from tests.support import left
from tests.support.migrations import downgrade

DECEMBER = "2025-12-31"


def recorded(output):
    """A database with a run of a month that is not over."""
    folder = left.run(output, DECEMBER, "r1", "2026-01-01T02:00:00Z")
    partial = left.kpi(9.0, "none", partial_through="2025-12-10")
    left.finish(folder, {"PAR30": left.kpi(5.5, "warning"), "Disbursed": partial})
    return synchronise.open_synchronised(output)


def version_of(engine):
    with reading(engine) as opened:
        prefix = "" if opened.dialect.name == "sqlite" else "abaco."
        return opened.scalar(text(f"SELECT version_num FROM {prefix}alembic_version"))


def rows(engine):
    """Every row of the database, as its copy has them."""
    file = io.StringIO()
    copying.dump(engine, file)
    return [json.loads(line) for line in file.getvalue().splitlines()]


def without_partial_months(copied):
    """A copy as the first version wrote it, which did not know of partial months."""
    return [{**one, "row": {k: v for k, v in one["row"].items() if k != "partial_through"}} for one in copied]


@pytest.fixture
def first(database, tmp_path):
    """A database of the first version with rows, and those rows as text."""
    engine = recorded(tmp_path)
    found = rows(engine)
    downgrade(engine, "0001")
    assert version_of(engine) == "0001"
    schema = None if database == "sqlite" else "abaco"
    assert "partial_through" not in [c["name"] for c in inspect(engine).get_columns("kpi_values", schema)]
    engine.dispose()
    return found


def test_rows_of_the_first_version_are_all_there_after_the_migration(first, tmp_path):
    engine = connect(tmp_path)
    assert version_of(engine) == "0005"
    assert without_partial_months(rows(engine)) == without_partial_months(first)
    assert sum(one["table"] == "kpi_values" for one in first) == 2
    with reading(engine) as opened:
        figures = queries.figures(opened, queries.run_named(opened, DECEMBER))
    assert [kpi["partial_through"] for kpi in figures.values()] == [None, None]


def test_runs_are_recorded_on_after_the_migration(first, tmp_path):
    folder = left.run(tmp_path, DECEMBER, "r2", "2026-01-02T02:00:00Z")
    left.finish(folder, {"Disbursed": left.kpi(9.0, "none", partial_through="2025-12-10")})
    with reading(synchronise.open_synchronised(tmp_path)) as opened:
        figures = queries.figures(opened, queries.run_named(opened, DECEMBER))
    assert str(figures["Disbursed"]["partial_through"]) == "2025-12-10"


def test_copies_of_both_versions_can_be_restored(database, tmp_path):
    engine = recorded(tmp_path)
    now = rows(engine)
    former = without_partial_months(now)
    for copied, marks in ((former, {None}), (now, {None, "2025-12-10"})):
        with writing(engine) as opened:
            copying.load(opened, map(json.dumps, copied))
        found = rows(engine)
        assert without_partial_months(found) == former
        assert {one["row"].get("partial_through") for one in found} == marks
