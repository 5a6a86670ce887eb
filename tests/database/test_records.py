"""What is written of a run: everything once, whoever writes it; a rerun supersedes, and the former stays."""

import datetime as dt
import subprocess
import sys

import pytest
from sqlalchemy import func, select

from abaco.database import queries, records, schema, synchronise
from abaco.database.connection import connect, reading, writing
from tests.support import left

DECEMBER, NOVEMBER = "2025-12-31", "2025-11-30"
HISTORY = [(NOVEMBER, "PAR30", "4.1"), (DECEMBER, "PAR30", "5.5"), (NOVEMBER, "Gone", "1")]


def leave(output, run_id, started, value=5.5, **more):
    folder = left.run(output, DECEMBER, run_id, started, **more)
    kpis = {
        "PAR30": left.kpi(value, "warning", rows=1_000, thresholds={"warning": 5, "critical": 8}),
        "CPR": left.kpi(None, "not_computable", group="prepayment", reason="nothing was prepaid", thresholds={}),
    }
    return left.finish(folder, kpis, HISTORY)


def write(engine, output, folder):
    with writing(engine) as connection:
        return records.write_run(connection, output, folder)


def counts(engine):
    with reading(engine) as connection:
        return {t.name: connection.scalar(select(func.count()).select_from(t)) for t in schema.metadata.sorted_tables}


def test_run_is_written_with_all_that_it_says(database, tmp_path):
    engine, folder = connect(tmp_path), leave(tmp_path, "r1", "2026-01-01T02:00:00Z")
    written = write(engine, tmp_path, folder)
    found = counts(engine)
    assert written == sum(found.values())
    with reading(engine) as connection:
        run = queries.run_named(connection, DECEMBER)
        assert (run["run_id"], run["date"], run["engine"]) == ("r1", dt.date(2025, 12, 31), "duckdb")
        assert run["finished_at"] == dt.datetime(2026, 1, 1, 2, 0, 9, tzinfo=dt.UTC)
        assert run["parameters"] == {"report": {"language": "en"}}
        figures = queries.figures(connection, run)
        assert list(figures) == ["PAR30", "CPR"]
        par = figures["PAR30"]
        assert (par["value"], par["status"], par["numerator"], par["rows"]) == (5.5, "warning", "10.00", 1_000)
        assert par["thresholds"] == {"warning": 5, "critical": 8}
        assert (figures["CPR"]["value"], figures["CPR"]["reason"]) == (None, "nothing was prepaid")
        assert [(str(row["date"]), row["value"]) for row in queries.history(connection, "r1", "PAR30")] == [
            (NOVEMBER, 4.1),
            (DECEMBER, 5.5),
        ]
        (listed,) = queries.inputs_of(connection, "r1")
        assert listed == {"name": "book.csv", "sha256": "5" * 64, "bytes": 5_000_000_000, "rows": 3}
        assert queries.quality_of(connection, "r1")["rejects: dpd: negative"] == "1"
        assert queries.quality_of(connection, "r1")["amount_in"] == "300.00"
        assert queries.phase_metrics_of(connection, "r1")["output"]["files_persisted"] == 2
        assert list(queries.core_figures(connection)["r1"]) == ["PAR30"]


def test_figures_of_a_month_that_is_not_over_are_marked_on_the_date_of_the_report(database, tmp_path):
    engine = connect(tmp_path)
    folder = left.run(tmp_path, DECEMBER, "r1", "2026-01-01T02:00:00Z")
    kpis = {"PAR30": left.kpi(5.5, "ok", partial_through="2025-12-10"), "PAR90": left.kpi(5.5, "ok")}
    write(engine, tmp_path, left.finish(folder, kpis, HISTORY))
    with reading(engine) as connection:
        figures = queries.figures(connection, queries.run_named(connection, DECEMBER))
        core = queries.core_figures(connection)["r1"]
        history = queries.history(connection, "r1", "PAR30")
    last = dt.date(2025, 12, 10)
    for found in (figures, core):
        assert [found[name]["partial_through"] for name in kpis] == [last, None]
    assert [row["partial_through"] for row in history] == [None, last]


def test_same_run_again_gives_no_rows_and_is_the_folder_made_last(database, tmp_path):
    engine = connect(tmp_path)
    first, last = (leave(tmp_path, "r1", f"2026-01-01T0{hour}:00:00Z") for hour in (2, 3))
    for folder in (first, last):
        write(engine, tmp_path, folder)
    before = counts(engine)
    assert write(engine, tmp_path, last) == write(engine, tmp_path, first) == 0
    assert counts(engine) == before
    with reading(engine) as connection:
        (run,) = queries.visible_runs(connection).values()
    assert run["folder"] == last.relative_to(tmp_path).as_posix()
    assert run["started_at"].hour == 3


def test_another_run_of_a_date_supersedes_and_keeps_the_former(database, tmp_path):
    engine = connect(tmp_path)
    for run_id, hour, value in (("r1", 2, 5.5), ("r2", 3, 5.6), ("r1", 4, 5.5)):
        write(engine, tmp_path, leave(tmp_path, run_id, f"2026-01-01T0{hour}:00:00Z", value))
        with reading(engine) as connection:
            assert queries.visible_runs(connection)[DECEMBER]["run_id"] == run_id
            assert queries.figures(connection, queries.run_named(connection, run_id))["PAR30"]["value"] == value
    assert (counts(engine)["runs"], counts(engine)["visible"]) == (2, 3)


def test_run_that_is_written_late_does_not_supersede_a_later_one(database, tmp_path):
    engine = connect(tmp_path)
    early, late = (leave(tmp_path, f"r{hour}", f"2026-01-01T0{hour}:00:00Z") for hour in (2, 3))
    for folder in (late, early):
        write(engine, tmp_path, folder)
    with reading(engine) as connection:
        assert queries.visible_runs(connection)[DECEMBER]["run_id"] == "r3"


def test_failed_and_killed_runs_are_written_once(database, tmp_path):
    engine = connect(tmp_path)
    failed = left.run(tmp_path, DECEMBER, "f", "2026-01-01T02:00:00Z", "failed", "02_transformation: it broke")
    killed = left.run(tmp_path, DECEMBER, "k", "2026-01-01T03:00:00Z", "running")
    assert [write(engine, tmp_path, folder) for folder in (failed, killed, failed, killed)] == [1, 1, 0, 0]
    with reading(engine) as connection:
        rows = queries.failed(connection)
    assert [(row["run_id"], row["phase"], row["error"]) for row in rows] == [
        ("f", "02_transformation", "02_transformation: it broke"),
        ("k", None, "killed"),
    ]
    assert rows[1]["finished_at"] is None


def test_processes_that_write_at_once_write_each_row_once(database, tmp_path):
    folders = [leave(tmp_path, run_id, f"2026-01-01T02:00:0{i}Z") for i, run_id in enumerate("abc")]
    code = (
        "import sys; from pathlib import Path; from abaco.database import synchronise\n"
        f"output = Path({str(tmp_path)!r}); engine = synchronise.connect(output)\n"
        "for name in sys.argv[1:] * 5: assert not synchronise.record_run(engine, output, Path(name))"
    )
    orders = (folders, folders[::-1])
    both = [
        subprocess.Popen([sys.executable, "-c", code, *map(str, order)], stderr=subprocess.PIPE) for order in orders
    ]
    assert [(process.communicate()[1], process.returncode) for process in both] == [(b"", 0)] * 2
    found = counts(connect(tmp_path))
    assert (found["runs"], found["kpis"], found["visible"]) == (3, 6, 3)


# The backlog


def test_runs_that_the_database_lacks_are_caught_up(database, tmp_path):
    leave(tmp_path, "r1", "2026-01-01T02:00:00Z")
    left.run(tmp_path, DECEMBER, "f", "2026-01-01T03:00:00Z", "failed", "it broke")
    engine = synchronise.open_synchronised(tmp_path)
    before = counts(engine)
    assert (before["runs"], before["failures"]) == (1, 1)
    assert counts(synchronise.open_synchronised(tmp_path)) == before


def test_damaged_run_does_not_keep_others_out(database, tmp_path, caplog):
    damaged = leave(tmp_path, "r1", "2026-01-01T02:00:00Z")
    (damaged / "metrics.json").write_text("{}")
    leave(tmp_path, "r2", "2026-01-01T03:00:00Z")
    assert counts(synchronise.open_synchronised(tmp_path))["runs"] == 1


def test_link_that_was_moved_by_hand_is_believed(database, tmp_path):
    former, _ = (leave(tmp_path, f"r{hour}", f"2026-01-01T0{hour}:00:00Z") for hour in (2, 3))
    synchronise.open_synchronised(tmp_path)
    (tmp_path / DECEMBER).unlink()
    (tmp_path / DECEMBER).symlink_to(former.relative_to(tmp_path))
    for _ in range(2):
        with reading(synchronise.open_synchronised(tmp_path)) as connection:
            assert queries.visible_runs(connection)[DECEMBER]["run_id"] == "r2"
            assert connection.scalar(select(func.count()).select_from(schema.visible)) == 3


def test_database_of_reports_that_are_not_here_still_knows_them(postgres, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", postgres.new())
    leave(tmp_path / "one", "r1", "2026-01-01T02:00:00Z")
    synchronise.open_synchronised(tmp_path / "one")
    with reading(synchronise.open_synchronised(tmp_path / "other")) as connection:
        assert list(queries.visible_runs(connection)) == [DECEMBER]


@pytest.mark.parametrize("value", [True, False, None])
def test_phase_metric_that_changes_keeps_its_row(database, tmp_path, value):
    engine = connect(tmp_path)
    write(engine, tmp_path, leave(tmp_path, "r1", "2026-01-01T02:00:00Z"))
    before = counts(engine)
    for _ in range(2):
        with writing(engine) as connection:
            records.write_metric(connection, "r1", "output", "azure_upload_success", value)
    assert counts(engine) == before
    with reading(engine) as connection:
        assert queries.phase_metrics_of(connection, "r1")["output"]["azure_upload_success"] == value
