"""Retention: what is many and old goes; the visible run, the last good one and what waits to be delivered stay."""

import datetime as dt

import pytest

from abaco.core import files
from abaco.run import folders, retention

DATE = "2025-12-31"
NOW = dt.datetime(2026, 6, 30, tzinfo=dt.UTC)


@pytest.fixture
def make(tmp_path):
    """Make the folder of a run that began so many days before `NOW`."""

    def made(days, status="success", deliveries=()):
        began = NOW - dt.timedelta(days=days)
        folder = tmp_path / folders.RUNS / DATE / f"{began:%Y%m%dT%H%M%S%fZ}_run-{days}"
        folder.mkdir(parents=True)
        content = {"status": status, "run_id": "r1", "started_at": f"{began:%Y-%m-%dT%H:%M:%SZ}"}
        files.write_json(folder / "run.json", content | {"deliveries": [{"status": d} for d in deliveries]})
        return folder

    return made


def left(output):
    return sorted(int(path.name.rpartition("-")[2]) for path in (output / folders.RUNS / DATE).glob("2*"))


def prune(output, keep_runs=0, keep_days=0):
    return retention.prune(output, DATE, keep_runs, keep_days, NOW)


def test_visible_and_last_good_run_stay_whatever_the_limits(make, tmp_path):
    make(9), make(5), make(1, "failed")
    folders.publish(make(7), tmp_path)
    prune(tmp_path)
    assert left(tmp_path) == [5, 7]
    assert (tmp_path / DATE / "run.json").is_file()


def test_newest_runs_stay(make, tmp_path):
    for days in (1, 2, 3, 4):
        make(days, "failed")
    removed = prune(tmp_path, keep_runs=3)
    assert left(tmp_path) == [1, 2, 3]
    assert [name.rpartition("_")[2] for name in removed] == ["run-4"]


@pytest.mark.parametrize(("days", "stays"), [(30, True), (31, False)])
def test_run_of_the_last_days_stays(make, tmp_path, days, stays):
    make(days, "failed")
    prune(tmp_path, keep_days=30)
    assert (left(tmp_path) == [days]) == stays


def test_more_runs_than_there_are(make, tmp_path):
    make(3, "failed")
    assert prune(tmp_path, keep_runs=10) == []


def test_run_that_waits_to_be_delivered_stays(make, tmp_path):
    make(9, deliveries=["done", "pending"])
    make(8, deliveries=["done", "dead"])
    make(7)
    prune(tmp_path)
    assert left(tmp_path) == [7, 9]


def test_what_a_killed_prune_left_is_removed(make, tmp_path):
    make(1)
    doomed = tmp_path / folders.RUNS / retention.DOOMED / "one"
    doomed.mkdir(parents=True)
    prune(tmp_path)
    assert not doomed.exists()


def test_date_that_never_ran(tmp_path):
    assert prune(tmp_path) == []


def test_what_cannot_be_removed_is_logged_and_stays(make, tmp_path, monkeypatch):
    logged = []
    monkeypatch.setattr(retention.log, "warning", lambda text, *values: logged.append(text % values))
    make(2), make(1)
    (tmp_path / folders.RUNS / retention.DOOMED).write_text("no folder")
    assert prune(tmp_path) == []
    assert left(tmp_path) == [1, 2]
    assert len(logged) == 1 and "cannot be removed" in logged[0]


def test_reports_of_a_date_that_runs_again_are_pruned_and_their_figures_kept(finished, tmp_path):
    project = finished.pristine.copy(tmp_path / "project")
    ids = [files.read_json(project.output / DATE / "run.json")["run_id"]]
    few = "retention.keep_runs=1,retention.keep_days=0,transformation.dust_usd=2"
    assert project.report("--params", few).returncode == 0
    ids.append(files.read_json(project.output / DATE / "run.json")["run_id"])
    assert len(project.runs()) == 1 and len({*ids}) == 2
    compared = project.abaco("compare", *ids, "--output", project.output)
    assert "transformation.dust_usd" in compared.stdout, compared.stderr


def test_what_is_older_than_its_days_goes_at_any_date_and_the_rest_stays(make, tmp_path):
    make(91, "failed"), make(92, "failed", ["pending"]), make(93, "stopped", ["done"]), make(94), make(90, "failed")
    cascade = tmp_path / "cascade"
    for day in ("2026-06-19", "2026-06-20"):
        (cascade / "archive" / day).mkdir(parents=True)
    for name in ("20260530T000000000000Z", "20260531T000000000000Z"):
        (tmp_path / retention.REPLACED / name).mkdir(parents=True)
    retention.clean(tmp_path, cascade, NOW, failed_days=90, replaced_days=30, cascade_days=10)
    assert left(tmp_path) == [90, 92, 94]
    assert [path.name for path in (cascade / "archive").iterdir()] == ["2026-06-20"]
    assert [path.name for path in (tmp_path / retention.REPLACED).iterdir()] == ["20260531T000000000000Z"]
