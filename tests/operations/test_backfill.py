"""Backfill: every date between two, finished ones left as they are, a failure named and the others done."""

import json

import pytest

from tests.support.projects import Project, copy_project


@pytest.fixture(scope="module")
def backfilled(tmp_path_factory):
    root = copy_project(tmp_path_factory.mktemp("backfill") / "project")
    project = Project(root, root / "reports")
    return project, backfill(project, "2025-10-15", "2025-11-30")


def backfill(project, first, last, *arguments):
    return project.abaco("backfill", "--from", first, "--to", last, "--output", project.output, *arguments)


def outcomes(result):
    return sorted(line.split("  ", 1)[1] for line in result.stdout.splitlines()[:-1])


def test_every_date_between_the_two_has_a_report(backfilled):
    project, result = backfilled
    assert result.returncode == 0, result.stderr
    assert outcomes(result) == ["2025-10-31  done", "2025-11-30  done"]
    assert result.stdout.endswith("\n2 reports made, 0 up to date, 0 failed: 2025-10-31 to 2025-11-30\n")
    assert sorted(p.name for p in project.output.glob("[0-9]*")) == ["2025-10-31", "2025-11-30"]
    metrics = json.loads((project.output / "2025-10-31/metrics.json").read_text())
    assert metrics["date"] == "2025-10-31"
    assert metrics["reconciliation"]["later"] > 0  # no hindsight


def test_report_is_the_one_that_a_single_run_makes(backfilled, shown):
    project, _ = backfilled
    name = "2025-11-30/metrics.json"
    assert (shown.output / name).read_bytes() == (project.output / name).read_bytes()


def test_finished_dates_are_left_unless_something_they_depend_on_changed(backfilled):
    project, _ = backfilled
    runs = project.runs("2025-11-30")
    again = backfill(project, "2025-10-01", "2025-11-30")
    assert outcomes(again) == ["2025-10-31  current", "2025-11-30  current"]
    assert project.runs("2025-11-30") == runs
    changed = backfill(project, "2025-11-01", "2025-11-30", "--params", "report.history_dates=6")
    assert outcomes(changed) == ["2025-11-30  done"]


def test_failed_date_is_named_and_the_others_go_on(backfilled):
    project, _ = backfilled
    (project.output / "2025-09-30").mkdir()
    result = backfill(project, "2025-09-30", "2025-10-31")
    assert result.returncode == 1
    failed, other = outcomes(result)
    assert other == "2025-10-31  current"
    assert result.stdout.endswith("\n0 reports made, 1 up to date, 1 failed: 2025-09-30 to 2025-10-31\n")
    assert failed.startswith("2025-09-30  failed: ") and "was not made by a run" in failed
    (line,) = result.stderr.splitlines()
    assert line == "Error: 1 of 2 dates failed, 2025-09-30 first: correct them and run it again"


@pytest.mark.parametrize(
    ("first", "last", "error"),
    [
        ("2026-01-01", "2026-12-31",
         "No date from 2026-01-01 to 2026-12-31 in the input; it has dates from 2024-12-31 to 2025-12-31"),
        ("2025-02-30", "2025-12-31",
         "FROM 2025-02-30 is not a valid date: write it as YYYY-MM-DD, for example 2025-12-31"),
        ("", "2025-12-31", "FROM is missing: give both dates, as FROM=2025-01-31 TO=2025-12-31"),
        ("2025-01-31", "", "TO is missing: give both dates, as FROM=2025-01-31 TO=2025-12-31"),
        ("2025-12-31", "2025-01-31", "FROM 2025-12-31 is after TO 2025-01-31: give the earlier date as FROM"),
    ],
)  # fmt: skip
def test_dates_that_are_none(backfilled, first, last, error):
    result = backfill(backfilled[0], first, last)
    assert result.returncode == 2
    assert result.stderr == f"Error: {error}\n"
