"""Nights that cannot start: recorded and told like a failed run, whatever it is that failed, by abaco report itself."""

import json
import os
import pty
import subprocess
import sys

import pytest

from abaco.core import settings, usable_settings
from abaco.database import connection, notes, queries
from abaco.delivery import commands, failed_starts
from abaco.review import status
from abaco.service.reports import Book, health
from abaco.service.schedule import Schedule
from tests.support import left
from tests.support.projects import PII_KEY
from tests.support.webhooks import recording

NOWHERE = "postgresql://abaco:hunter2@127.0.0.1:1/abaco?connect_timeout=2"
CASCADE = "cascade.url=http://127.0.0.1:1/x.csv,cascade.max_attempts=1"
FAULTS = {
    "input": (("--input", "data/none.csv"), {}, "Input file not found: "),
    "host": (
        ("--input", "cascade", "--params", CASCADE),
        {"META_SYSTEM_USER_TOKEN": "t0ken"},
        "127.0.0.1 cannot be reached",
    ),
    "token": (("--input", "cascade", "--params", CASCADE), {}, "META_SYSTEM_USER_TOKEN"),
    "setting": (("--params", "tests/params/broken.yml"), {}, "tests/params/broken.yml"),
    "variable": (("--input", "data/none.csv"), {"LOG_LEVEL": "LOUD"}, "LOUD"),
}


SLIPS = {
    "setting": (("--params", "run.threads=many"), "run.threads"),
    "key": (("--params", "run.thread=2"), "run.thread"),
    "engine": (("--engine", "duckdbb"), "run.engine"),
    "option": (("--nput", "data"), "--nput"),
    "date": (("--date", "2026-02-30"), "2026-02-30"),
    "empty": (("--date", ""), "is not a valid date"),
}


@pytest.fixture(scope="module")
def night(finished, tmp_path_factory):
    """A project, and Slack as the place of its alerts; ``report`` runs abaco report, as a timer does."""
    project = finished.pristine.copy(tmp_path_factory.mktemp("night") / "project")
    with recording(tmp_path_factory.mktemp("tls")) as slack:

        def report(output, *options, **environment):
            slack.received.clear()
            own = {"SLACK_WEBHOOK_URL": f"{slack.url}/services/T/B/c", **environment}
            return project.abaco("report", "--output", output, *options, **own)

        slack.report, slack.project = report, project
        yield slack


def told(night):
    return [(body["title"], body["text"]) for r in night.received for body in r.body.get("attachments", ())]


def starts(output):
    with connection.reading(connection.connect(output)) as opened:
        return [row["error"] for row in queries.starts_that_failed(opened)]


@pytest.mark.parametrize("name", FAULTS)
def test_start_that_fails_is_recorded_and_told_as_p1(night, tmp_path, name, monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    options, environment, reason = FAULTS[name]
    told_of_start(night, tmp_path, night.report(tmp_path, *options, **environment), reason)


@pytest.mark.parametrize("name", SLIPS)
def test_slip_that_a_scheduler_makes_is_told_as_p1_even_on_a_terminal(night, tmp_path, name, monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    options, reason = SLIPS[name]
    output = night.project.output if name == "option" else tmp_path  # the options of that one cannot be read
    told_of_start(night, output, night.report(output, *options, ABACO_UNATTENDED="1"), reason)


def told_of_start(night, output, ended, reason):
    """Check that a start which failed is told as P1, recorded, listed, and in /health."""
    assert ended.returncode in (1, 2) and reason in ended.stderr
    ((title, text),) = told(night)
    assert title.startswith("[P1] The run of ") and reason in text
    assert reason in starts(output)[0]
    listed = " ".join("\n".join(status.overview(output)).split())
    assert "Starts that failed" in listed and reason in listed and "Open alerts" in listed
    book = Book(output, Schedule(None, output, list, 3.0))
    book.schedule.start()
    assert (health(book)["status"], reason in health(book)["last_error"]) == ("degraded", True)
    book.schedule.stop()


@pytest.mark.parametrize("name", SLIPS)
def test_slip_of_somebody_without_a_terminal_wakes_nobody_and_is_no_failed_night(night, tmp_path, name, monkeypatch):
    monkeypatch.delenv("DATABASE_URL", raising=False)
    options, reason = SLIPS[name]
    project = night.project.copy(tmp_path / "copy") if name == "option" else night.project
    output = project.output if name == "option" else tmp_path / "reports"
    night.received.clear()
    known = starts(output)
    own = {"SLACK_WEBHOOK_URL": f"{night.url}/services/T/B/c"}
    ended = project.abaco("report", "--output", output, *options, **own)
    ((title, text),) = told(night)
    assert (ended.returncode, title, reason in text) == (2, "[P3] A command was mistyped", True)
    assert starts(output) == known
    if name == "option":
        made = project.abaco("report", "--output", output, "--date", "2025-12-31", **own)
        assert made.returncode == 0, made.stderr
        assert "Resolved: The run of 2025-12-31 succeeded" in [title for title, _ in told(night)]


def test_slip_in_another_command_is_told_only_where_a_scheduler_makes_it(night, tmp_path):
    project = night.project.copy(tmp_path / "copy")
    for scheduled, verb, titles in (
        ("", "status", []), ("", "backup", ["[P3] A command was mistyped"]), ("1", "backup", []),  # told already
        ("1", "reprot", ["[P1] The run of the latest date failed"]),
    ):  # fmt: skip
        night.received.clear()
        own = {"SLACK_WEBHOOK_URL": f"{night.url}/services/T/B/c", "ABACO_UNATTENDED": scheduled}
        assert project.abaco(verb, "--nput", **own).returncode == 2
        assert [title for title, _ in told(night)] == titles, verb


def test_slip_is_told_to_the_places_of_the_local_file(night, tmp_path):
    project = night.project.copy(tmp_path / "copy")
    (project.root / ".env.local").write_text(f"SLACK_WEBHOOK_URL={night.url}/services/T/B/c\n")
    night.received.clear()
    assert project.abaco("report", "--nput", ABACO_UNATTENDED="1").returncode == 2
    assert [title for title, _ in told(night)] == ["[P1] The run of the latest date failed"]


def test_same_fault_is_told_once_and_a_good_run_resolves_it_and_calls_the_heartbeat(night, tmp_path):
    for sent in (1, 0):
        night.report(tmp_path, "--input", "data/none.csv")
        assert len(told(night)) == sent
    made = night.report(tmp_path, "--input", "data/sample.csv", HEARTBEAT_URL=f"{night.url}/ping/key")
    assert made.returncode == 0, made.stderr
    # of the same series of inputs, and therefore not the alert of another one
    assert [r.path for r in night.received if not r.body] == ["/ping/key"]
    assert night.report(tmp_path, "--input", "data/none.csv", HEARTBEAT_URL=f"{night.url}/ping/key").returncode == 2
    assert [r.path for r in night.received if not r.body] == []


def test_heartbeat_that_does_not_answer_is_shown_logged_and_named_until_it_answers(night):
    output = night.project.output
    for address, code, warning in (
        (f"{night.url}/ping/key", [404], "HEARTBEAT_URL answered 404: check the address"),
        (f"{night.url}/ping/key", [500] * 3, "HEARTBEAT_URL answered 500: check the address"),
        ("http://127.0.0.1:1/key", [], "HEARTBEAT_URL cannot be called: ConnectError: check the network"),
        ("http://example.com/key", [], "HEARTBEAT_URL cannot be called: write https://host/…"),
        (f"{night.url}/ping/key", [], None),
    ):
        night.answers = code
        own = {"SLACK_WEBHOOK_URL": "", "HEARTBEAT_URL": address}
        before = len(night.project.log)
        made = night.report(output, "--date", "2025-12-31", **own)
        found = [made.stderr, night.project.log[before:]]
        for verb in ("status", "doctor"):
            found.append(" ".join(night.project.abaco(verb, "--output", output, **own).stdout.split()))
        assert made.returncode == 0 and "key" not in "".join(found)
        if warning:
            assert f"Warning: {warning}" in made.stderr and warning in found[1] and warning in found[2]
            assert warning in found[3] or address.startswith("http://example")
        else:
            assert "Heartbeat" not in found[2] and "is called after each good run, the last time at 2" in found[3]


@pytest.mark.parametrize("fault", ["database", "folder", "settings"])
def test_what_the_alert_itself_needs_may_fail(night, tmp_path, fault, monkeypatch):
    # without the database it is sent at once and noted; without a folder, sent; without settings, by standard ones
    output, project, environment = tmp_path / "reports", night.project, {}
    if fault == "database":
        environment = {"DATABASE_URL": NOWHERE}
    elif fault == "folder":
        output.write_text("in the way")
    else:
        project = project.copy(tmp_path / "copy")
        (project.root / "params/pipeline.yml").write_text("run: [")
    night.received.clear()
    own = {"SLACK_WEBHOOK_URL": f"{night.url}/services/T/B/c", **environment}
    ended = project.abaco("report", "--output", output, "--input", "data/none.csv", **own)
    assert ended.returncode == 2 and len(told(night)) == 1
    assert told(night)[0][0] == "[P1] The run of the latest date failed"
    if fault != "database":
        return
    assert "hunter2" not in json.dumps([r.body for r in night.received])
    assert [row["error"] for row in notes.read(output)["failed_starts"]] == [
        "Input file not found: " + ended.stderr[29:-1]
    ]
    project.abaco("report", "--output", output, "--input", "data/none.csv", **own)
    assert len(told(night)) == 1  # within the cooldown
    lines = []
    with pytest.raises(Exception, match=r"127\.0\.0\.1:1/abaco"):
        monkeypatch.setenv("DATABASE_URL", NOWHERE)
        lines.extend(status.overview(output))
    monkeypatch.delenv("DATABASE_URL")
    commands.deliver_due(output, settings.load())
    assert len(starts(output)) == 2 and not (output / ".runs/notes.json").exists()
    with connection.reading(connection.connect(output)) as opened:
        assert [row["cause"] for row in queries.open_alerts(opened)] == ["run:failed"]
        assert [row["status"] for row in queries.deliveries_with(opened, "done", "pending")] == ["done"]


def test_start_that_can_write_no_file_is_told_and_changes_nothing(night, tmp_path):
    project = night.project.copy(tmp_path / "copy")
    before = project.visible()
    night.received.clear()
    ended = project.start(
        "bash", "-c", 'ulimit -f 0; exec "$@"', "-", sys.executable, "-m", "abaco", "report",
        SLACK_WEBHOOK_URL=f"{night.url}/services/T/B/c",
    )  # fmt: skip
    said = ended.communicate(timeout=180)[1]
    ((title, text),) = told(night)
    assert ended.returncode == 1 and len(said.splitlines()) == 1 and "No usable temporary directory" in said
    assert title.startswith("[P1] The run of ") and "No usable temporary directory" in text
    assert project.visible() == before and list(project.output.rglob(".*.json.*")) == []


# A disk that is full at the first run and has room at the second: $1 has reports, $2 becomes the disk, $3 is Python.
FULL_DISK = """
mount -t tmpfs -o size=20m tmpfs "$2" || exit 9
cp -a "$1/." "$2"
head -c 1G /dev/zero >"$2/filler" 2>/dev/null
"$3" -m abaco report --output "$2" && exit 8
test "$(readlink "$1/2025-12-31")" = "$(readlink "$2/2025-12-31")" || exit 7
test -z "$(find "$2" -name ".*.json.*")" || exit 6
rm "$2/filler"
"$3" -m abaco status --output "$2"
"$3" -m abaco report --output "$2" >/dev/null
"""


def test_full_disk_is_told_and_recorded_and_over_once_there_is_room(night, tmp_path):
    night.received.clear()
    ended = night.project.start(
        "unshare", "-rm", "bash", "-c", FULL_DISK, "-", night.project.output, tmp_path, sys.executable,
        SLACK_WEBHOOK_URL=f"{night.url}/services/T/B/c", ABACO_PII_KEY=PII_KEY,
    )  # fmt: skip
    listed, said = ended.communicate(timeout=180)
    if ended.returncode in (1, 9) and "abaco" not in said:
        pytest.skip(f"no small disk can be mounted here, so the test before stands alone: {said}")
    assert ended.returncode == 0, said
    assert "No space left on device" in said
    assert "No space left on device" in listed.partition("Starts that failed")[2]
    titles = [title for title, _ in told(night) if "The run of" in title]
    assert [title[:16] for title in titles] == ["[P1] The run of ", "Resolved: The ru"]


def test_report_without_its_database_is_told_at_once_and_resolved_when_it_is_recorded(night, tmp_path, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", NOWHERE)
    monkeypatch.setenv("SLACK_WEBHOOK_URL", f"{night.url}/services/T/B/c")
    night.received.clear()
    loaded = settings.load({"alerts": {"max_age_days": 0}})
    folder = left.finish(
        left.run(tmp_path, "2025-12-31", "r1", "2026-01-01T02:00:00Z", places=("alerts",)),
        {"PAR30": left.kpi(1.0, "ok")},
    )
    for _ in range(2):
        (undelivered,) = commands.record_and_deliver(tmp_path, folder, loaded)
        assert undelivered["channel"] == "database"
    monkeypatch.delenv("DATABASE_URL")
    commands.deliver_due(tmp_path, loaded)
    assert [title for title, _ in told(night)] == [
        "[P1] Nothing of the run of 2025-12-31 is delivered", "Resolved: The run of 2025-12-31 is recorded",
    ]  # fmt: skip


def test_run_that_has_told_of_itself_is_not_told_of_again(night, tmp_path, monkeypatch):
    monkeypatch.setenv("SLACK_WEBHOOK_URL", f"{night.url}/services/T/B/c")
    monkeypatch.delenv("DATABASE_URL", raising=False)
    began, error = "2026-01-01T02:00:05Z", "01_ingestion: no room"
    folder = left.run(tmp_path, "2025-12-31", "r1", began, status="failed", error=error, places=("alerts",))
    loaded = settings.load()
    commands.record_and_deliver(tmp_path, folder, loaded)
    night.received.clear()
    run = {"run_id": None, "date": None, "input": "data/exports", "started_at": "2026-01-01T02:00:00Z"}
    failed_starts.record(tmp_path, loaded, run | {"status": "failed", "error": error})
    assert told(night) == [] and starts(tmp_path) == []


def test_at_a_terminal_the_error_is_only_shown(finished, night, tmp_path):
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        [sys.executable, "-m", "abaco", "report", "--input", "data/none.csv", "--output", tmp_path],
        cwd=finished.root, env=finished.environment(SLACK_WEBHOOK_URL=f"{night.url}/services/T/B/c"),
        stdin=theirs, stdout=theirs, stderr=theirs,
    )  # fmt: skip
    night.received.clear()
    assert process.wait(180) == 2
    os.close(theirs)
    assert b"Input file not found" in os.read(ours, 10_000)
    os.close(ours)
    assert told(night) == [] and list(tmp_path.iterdir()) == []


def test_standard_settings_are_those_of_the_project():
    loaded = settings.load()
    for name, keys in usable_settings.STANDARD.items():
        assert keys == {key: loaded[name][key] for key in keys}
