"""Rollback: a former good run is the report again, in one step, and the database has it."""

import shutil

import pytest

from abaco.core import files, settings
from abaco.database import queries
from abaco.database.connection import connect, reading
from abaco.delivery import commands
from abaco.operations import rollback as switch
from tests.support import left
from tests.support.projects import Project
from tests.support.webhooks import recording

DATE = "2025-12-31"


@pytest.fixture(scope="module")
def twice(finished, tmp_path_factory):
    """A project with two good runs of a date that differ, and a failed one after them; ``ids`` are theirs."""
    found = finished.pristine.copy(tmp_path_factory.mktemp("twice") / "project")
    found.ids = [shown(found)]
    assert found.report("--params", "transformation.dust_usd=2").returncode == 0
    found.ids.append(shown(found))
    assert found.report("--params", "ingestion.max_reject_pct=0").returncode != 0
    return found


@pytest.fixture
def rolling(twice, tmp_path):
    """A copy of that project's reports."""
    output = tmp_path / "reports"
    shutil.copytree(twice.output, output, symlinks=True)
    found = Project(twice.root, output)
    found.ids = twice.ids
    return found


def rollback(project, *arguments, **environment):
    return project.abaco("rollback", "--output", project.output, *arguments, **environment)


def shown(project):
    return files.read_json(project.output / DATE / "run.json")["run_id"]


def test_the_previous_good_run_is_visible_again_and_the_other_is_kept(rolling):
    before = rolling.visible()
    done = rollback(rolling, "--date", DATE)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith(f"{DATE} shows {rolling.ids[0]}") and "figure" in done.stdout
    assert shown(rolling) == rolling.ids[0]
    assert (rolling.output / before[1]).is_dir()
    status = rolling.abaco("status", "--output", rolling.output).stdout
    assert rolling.ids[0] in status
    assert rolling.ids[1] not in status


def test_figures_that_differ_are_named_and_equal_ones_are_said_to_be_equal(tmp_path, monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    values = {"a": 9.0, "b": 9.5, "c": 9.5}
    for hour, (run_id, value) in enumerate(values.items(), start=1):
        folder = left.run(tmp_path, DATE, run_id, f"2026-01-01T0{hour}:00:00Z")
        found = {"PAR30": left.kpi(value, "critical"), "PAR90": left.kpi(1.0, "ok")}
        left.finish(folder, found, as_of=DATE if run_id == "b" else "2025-12-30")
    assert switch.rollback(DATE, output=tmp_path)[1:] == [
        "Every figure is the same as before; other details of the report differ"
    ]
    assert switch.rollback(DATE, "a", tmp_path)[1:] == [
        "1 of its figures differ from those that it showed:",
        "  PAR30  9.50 % critical  →  9.00 % critical  -0.50",
    ]
    (tmp_path / DATE / "metrics.json").write_text("{")
    again = switch.rollback(DATE, "c", tmp_path)[1]
    assert again.startswith("What it showed before cannot be compared: ") and "metrics.json is damaged" in again


def test_there_and_back_by_id(rolling):
    assert rollback(rolling, "--date", DATE).returncode == 0
    assert rollback(rolling, "--date", DATE, "--to", rolling.ids[1]).returncode == 0
    assert shown(rolling) == rolling.ids[1]


def test_it_is_recorded(rolling):
    from abaco.database import schema
    from abaco.database.connection import connect, reading

    rollback(rolling, "--date", DATE)
    with reading(connect(rolling.output)) as connection:
        rows = connection.execute(schema.visible.select().order_by(schema.visible.c.id)).all()
    assert [(row.run_id, row.why) for row in rows] == [
        (rolling.ids[0], "published"), (rolling.ids[1], "published"), (rolling.ids[0], "rolled back"),
    ]  # fmt: skip


def test_a_run_after_it_is_the_report(rolling):
    rollback(rolling, "--date", DATE)
    assert rolling.report("--params", "transformation.dust_usd=2").returncode == 0
    assert shown(rolling) == rolling.ids[1]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["--date", "2025-11-30"], "No report of 2025-11-30 in"),
        (["--date", "../../etc"], "is not a valid date"),
        (["--date", DATE, "--to", "20251231-none"], "There is no run 20251231-none to go back to"),
    ],
)
def test_what_is_not_there_is_named(rolling, arguments, said):
    refused = rollback(rolling, *arguments)
    assert refused.returncode == 2
    assert said in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_without_a_former_good_run(rolling):
    rollback(rolling, "--date", DATE)
    refused = rollback(rolling, "--date", DATE)
    assert refused.returncode == 2
    assert f"no good run before {rolling.ids[0]}" in refused.stderr
    assert f"other good runs of it: {rolling.ids[1]}" in refused.stderr


def test_run_that_is_not_what_it_was_is_refused(rolling):
    first = next(folder for folder in rolling.runs() if folder.name.endswith(rolling.ids[0]))
    page = (first / "report.html").read_bytes()
    (first / "report.html").unlink()  # a link may share its content with another run
    (first / "report.html").write_bytes(page + b" ")
    refused = rollback(rolling, "--date", DATE)
    assert refused.returncode == 1
    assert "report.html" in refused.stderr
    assert shown(rolling) == rolling.ids[1]


def test_nothing_changes_when_it_cannot_be_recorded(rolling):
    refused = rollback(rolling, "--date", DATE, DATABASE_URL="postgresql://127.0.0.1:1/none")
    assert refused.returncode == 1
    assert "127.0.0.1:1" in refused.stderr
    assert shown(rolling) == rolling.ids[1]


def test_without_the_database_the_folders_tell_what_they_can(rolling):
    known = rolling.abaco("status", "--output", rolling.output)
    dates = known.stdout.partition("\n\n")[0]
    assert rolling.ids[1] in dates and "a later run failed at " in dates and "Open alerts" not in dates
    address = {"DATABASE_URL": "postgresql://127.0.0.1:1/none"}
    told = rolling.abaco("status", "--output", rolling.output, **address)
    assert told.stdout == f"{dates}\n\nDeliveries and alerts are known only to the database\n"
    assert told.returncode == 1
    assert told.stderr.startswith("Error: Database 127.0.0.1:1/none: ")
    none = rolling.abaco("status", "--output", rolling.output / "none", **address)
    assert (none.returncode, none.stdout, none.stderr) == (1, "", told.stderr)


@pytest.mark.parametrize(
    ("error", "cause"),
    [
        ("04_report: it broke", "run:failed"),
        ("01_ingestion: 9 of 10 rows are rejected (90 %, more than max_reject_pct 5)", "rejects"),
    ],
)
def test_alert_of_a_run_that_failed_is_not_over_until_a_newer_one_succeeds(tmp_path, monkeypatch, error, cause):
    monkeypatch.delenv("DATABASE_URL", raising=False)

    def causes():
        with reading(connect(tmp_path)) as connection:
            return [row["cause"] for row in queries.open_alerts(connection) if row["cause"] != "input:stale"]

    def record(run_id, hour, **failed):
        began = f"2026-01-01T0{hour}:00:00Z"
        folder = left.run(tmp_path, DATE, run_id, began, places=("alerts",), **failed)
        if not failed:
            left.finish(folder, {"PAR30": left.kpi(1.0, "ok")})
        commands.record_and_deliver(tmp_path, folder, settings.load())
        return causes()

    assert record("a", 1) == record("b", 2) == []
    assert record("c", 3, status="failed", error=error) == [cause]
    switch.rollback(DATE, output=tmp_path)
    assert causes() == [cause]
    assert record("d", 4) == []


def test_alerts_are_those_of_the_run_that_is_shown(twice, tmp_path, monkeypatch):
    for name in ("DATABASE_URL", "SMTP_URL", "PAGERDUTY_ROUTING_KEY"):
        monkeypatch.delenv(name, raising=False)
    found = Project(twice.root, tmp_path / "reports")
    with recording(tmp_path) as slack:
        monkeypatch.setenv("SLACK_WEBHOOK_URL", f"{slack.url}/services/T/B/c")
        for run_id, hour, value, status in (("a", 2, 3.0, "ok"), ("b", 3, 9.0, "critical")):
            folder = left.run(found.output, DATE, run_id, f"2026-01-01T0{hour}:00:00Z", places=("alerts",))
            left.finish(folder, {"PAR30": left.kpi(value, status)})
            commands.record_and_deliver(found.output, folder, settings.load({"alerts": {"max_age_days": 0}}))
        assert "PAR30" in found.abaco("status", "--output", found.output).stdout.partition("Open alerts")[2]
        done = rollback(found, "--date", DATE, SLACK_WEBHOOK_URL=f"{slack.url}/services/T/B/c")
        titles = [one.body["attachments"][0]["title"] for one in slack.received]
    assert (done.returncode, done.stderr) == (0, "")
    assert [title for title in titles if "PAR30" in title][-1] == "Resolved: PAR30 is 3.00 %, within its limits"
    assert "PAR30" not in found.abaco("status", "--output", found.output).stdout.partition("Open alerts")[2]
