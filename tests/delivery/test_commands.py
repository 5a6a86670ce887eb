"""Recording and delivery of runs: a database that is down, a killed process, places not set up; nothing twice."""

import datetime as dt
import json
import shutil
import socket
import subprocess
import sys
import threading
from contextlib import contextmanager

import pytest
from azure.storage.blob import BlobServiceClient
from sqlalchemy import Engine, event, func, select

from abaco.core import settings
from abaco.database import connection, queries, schema
from abaco.delivery import azure, commands
from abaco.operations import rollback
from abaco.review import status as review_status
from tests.support import left
from tests.support.azurite import connection_string
from tests.support.projects import PII_KEY, Project, copy_project

DECEMBER = "2025-12-31"
CRITICAL = "[P2] PAR30 is 9.00 %, above its critical limit of 8"
PLACES = ("azure", "email", "alerts")
pytestmark = pytest.mark.usefixtures("nothing_set")


def leave(output, run_id="r1", started="2026-01-01T02:00:00Z", wanted=PLACES, status="critical", days=1, value=9.0):
    kpis, end = {"PAR30": left.kpi(value, status)}, dt.date.fromisoformat(DECEMBER)
    history = [(str(end - dt.timedelta(days=day)), "PAR30", "9") for day in range(days)]
    return left.finish(left.run(output, DECEMBER, run_id, started, places=wanted), kpis, history)


def loaded(**delivery):
    alerts = {"max_age_days": 0}
    return settings.load({"delivery": {"email_from": "kpis@example.com", **delivery}, "alerts": alerts})


def run_json(folder):
    return json.loads((folder / "run.json").read_text())


def told(folder):
    """What run.json says of the deliveries: channel, status and error."""
    return [(d["channel"], d["status"], d["error"]) for d in run_json(folder)["deliveries"]]


def titles(places):
    """The alerts that Slack was told."""
    return [request.body["attachments"][0]["title"] for request in places.received]


def counts(output):
    with connection.reading(connection.connect(output)) as opened:
        return {t.name: opened.scalar(select(func.count()).select_from(t)) for t in schema.metadata.sorted_tables}


def test_what_is_not_set_up_is_said_and_nothing_is_pending(database, tmp_path):
    folder = leave(tmp_path)
    assert commands.record_and_deliver(tmp_path, folder, loaded()) == []
    assert told(folder) == [
        ("database", "done", None),
        ("azure", "not set up", "set AZURE_STORAGE_CONNECTION_STRING or AZURE_STORAGE_ACCOUNT_URL"),
        ("email", "not set up", "set SMTP_URL"),
    ]
    output = run_json(folder)["phases"]["output"]
    assert output["azure_upload_success"] is None
    with connection.reading(connection.connect(tmp_path)) as opened:
        assert output["database_writes"] == queries.rows_written(opened, "r1") > 5
        assert queries.deliveries_with(opened, "pending", "dead", "done") == []
        assert queries.phase_metrics_of(opened, "r1")["output"]["database_writes"] == output["database_writes"]


def test_report_and_alert_arrive_and_run_json_says_so(database, tmp_path, set_up):
    folder = leave(tmp_path, wanted=("email", "alerts"))
    assert commands.record_and_deliver(tmp_path, folder, loaded()) == []
    assert [status for _, status, _ in told(folder)] == ["done"] * len(told(folder))
    assert {channel for channel, *_ in told(folder)} == {"database", "email", "slack"}
    assert all(d["receipt"] for d in run_json(folder)["deliveries"][1:])
    assert sorted(recipient for _, recipient, _ in set_up.mail.taken) == ["ana@example.com", "luis@example.com"]
    assert "@" not in json.dumps([d for d in run_json(folder)["deliveries"] if d["channel"] == "email"]).replace(
        "@example.com>", ""
    )  # of addresses, a message id has the sender's domain alone


def test_delivery_that_is_given_up_is_told_elsewhere_and_its_end_too(database, tmp_path, set_up):
    set_up.mail.answers = ["554 no"] * 2
    commands.record_and_deliver(tmp_path, leave(tmp_path, status="ok"), loaded(max_attempts=1))
    assert titles(set_up) == ["[P2] 2 deliveries were given up"]
    assert "email of r1: Mail server" in set_up.received[0].body["attachments"][0]["text"]
    assert [row["status"] for row in commands.deliver_pending(tmp_path, loaded(), dead=True)] == ["done"] * 3
    assert titles(set_up)[1:] == ["Resolved: Nothing is given up any more"]


def test_stop_during_the_deliveries_says_so_in_words(tmp_path, monkeypatch):
    def stop(*_):
        raise KeyboardInterrupt

    monkeypatch.setattr(commands, "call_within", stop)
    (left_over,) = commands.record_and_deliver(tmp_path, leave(tmp_path), loaded())
    assert left_over["error"] == "stopped before all of them were sent: make deliver sends the others"


def test_same_run_again_is_neither_written_nor_delivered_again(database, tmp_path, set_up):
    commands.record_and_deliver(tmp_path, leave(tmp_path), loaded())
    before, received = counts(tmp_path), (len(set_up.received), len(set_up.mail.taken))
    again = leave(tmp_path, started="2026-01-01T03:00:00Z")
    assert commands.record_and_deliver(tmp_path, again, loaded()) == []
    assert counts(tmp_path) == before
    assert (len(set_up.received), len(set_up.mail.taken)) == received
    assert ("email", "done", None) in told(again)


def test_failed_run_is_recorded_and_told_of_and_its_mending_too(database, tmp_path, set_up):
    failed = left.run(tmp_path, DECEMBER, "r1", "2026-01-01T02:00:00Z", "failed", "04_report: it broke", PLACES)
    assert commands.record_and_deliver(tmp_path, failed, loaded()) == []
    assert set_up.received[0].body["attachments"][0]["title"].startswith("[P1]")
    assert ("slack", "done", None) in told(failed)
    mended = leave(tmp_path, started="2026-01-01T03:00:00Z", status="ok")
    commands.record_and_deliver(tmp_path, mended, loaded())
    assert [r.body["attachments"][0]["title"].startswith("Resolved: ") for r in set_up.received] == [False, True]
    with connection.reading(connection.connect(tmp_path)) as opened:
        assert queries.open_alerts(opened) == []


def test_run_that_ends_meanwhile_is_left_to_its_own_process(database, tmp_path, set_up, monkeypatch):
    first, synchronise, late = leave(tmp_path, wanted=("email",)), commands.synchronise.synchronise, []

    def synchronised(engine, output):
        faults = synchronise(engine, output)
        late.append(leave(output, "r2", "2026-01-01T02:00:05Z", wanted=("email",), value=9.5))
        return faults

    with monkeypatch.context() as patched:
        patched.setattr(commands.synchronise, "synchronise", synchronised)
        assert commands.record_and_deliver(tmp_path, first, loaded()) == []
    assert told(late[0]) == [("database", "pending", None)]
    assert commands.record_and_deliver(tmp_path, late[0], loaded()) == []
    assert [status for _, status, _ in told(late[0])] == ["done"] * 3


def test_killed_run_is_told_of_by_the_next(tmp_path, set_up):
    left.run(tmp_path, DECEMBER, "k", "2026-01-01T02:00:00Z", "running", places=PLACES)
    list(commands.deliver_pending(tmp_path, loaded()))
    assert set_up.received[0].body["attachments"][0]["title"].startswith("[P1]")


def test_wrong_recipient_keeps_no_other_place_back_and_is_mended(tmp_path, set_up, monkeypatch):
    monkeypatch.setenv("REPORT_RECIPIENTS", "nobody at all")
    folder = leave(tmp_path)
    (fault,) = commands.record_and_deliver(tmp_path, folder, loaded())
    assert (fault["channel"], fault["status"]) == ("email", "pending")
    assert told(folder)[0][:2] == ("database", "pending") and "REPORT_RECIPIENTS" in told(folder)[0][2]
    assert len(set_up.received) == 1
    monkeypatch.setenv("REPORT_RECIPIENTS", "ana@example.com")
    assert {row["status"] for row in commands.deliver_pending(tmp_path, loaded())} == {"done"}
    assert told(folder)[0] == ("database", "done", None)
    assert (len(set_up.received), len(set_up.mail.taken)) == (1, 1)


def test_what_cannot_be_delivered_stays_pending_and_the_next_run_delivers_it(database, tmp_path, set_up):
    set_up.answers = [403]
    folder = leave(tmp_path)
    (undelivered,) = commands.record_and_deliver(tmp_path, folder, loaded(retry_seconds=0.0))
    assert (undelivered["channel"], undelivered["status"]) == ("slack", "pending")
    assert ("slack", "pending", undelivered["error"]) in told(folder)
    later = leave(tmp_path, "r2", "2026-01-02T02:00:00Z", wanted=("azure",))
    assert commands.record_and_deliver(tmp_path, later, loaded()) == []
    assert ("slack", "done", None) in told(folder)
    assert [channel for channel, *_ in told(later)] == ["database", "azure"]


def test_what_is_not_set_up_any_more_is_no_concern_of_later_runs(tmp_path, set_up, monkeypatch):
    set_up.answers = [403]
    folder = leave(tmp_path, wanted=("alerts",))
    assert len(commands.record_and_deliver(tmp_path, folder, loaded(retry_seconds=0.0))) == 1
    monkeypatch.delenv("SLACK_WEBHOOK_URL")
    later = leave(tmp_path, "r2", "2026-01-02T02:00:00Z", wanted=())
    assert commands.record_and_deliver(tmp_path, later, loaded()) == []
    assert ("slack", "dead", "slack is not set up any more: set SLACK_WEBHOOK_URL") in told(folder)
    monkeypatch.setenv("SLACK_WEBHOOK_URL", set_up.environment["SLACK_WEBHOOK_URL"])
    assert [r["status"] for r in commands.deliver_pending(tmp_path, loaded(), dead=True)] == ["done"]


# A newer report is there


@pytest.mark.parametrize("wanted", [PLACES, ("azure",)])
def test_email_of_a_superseded_report_is_not_sent_any_more(database, tmp_path, set_up, wanted):
    set_up.mail.answers, set_up.answers = ["554 no"] * 2, [403]
    former = leave(tmp_path)
    assert len(commands.record_and_deliver(tmp_path, former, loaded(retry_seconds=0.0))) == 3
    later = leave(tmp_path, "r2", "2026-01-01T03:00:00Z", wanted)
    assert commands.record_and_deliver(tmp_path, later, loaded()) == []
    assert list(commands.deliver_pending(tmp_path, loaded(), dead=True)) == []
    assert told(former) == [
        ("database", "done", None),
        ("azure", "not set up", "set AZURE_STORAGE_CONNECTION_STRING or AZURE_STORAGE_ACCOUNT_URL"),
        *[("email", "superseded", "the report of 2025-12-31 is the run r2 now")] * 2,
        ("slack", "done", None),
    ]
    assert len(set_up.mail.taken) == (2 if "email" in wanted else 0)
    assert [line for line in review_status.overview(tmp_path) if line.startswith("  email")] == [
        "  email (2)  r1  superseded  the report of 2025-12-31 is the run r2 now"
    ]


def test_email_that_was_given_up_is_superseded_too_and_one_of_another_date_is_not(tmp_path, set_up):
    set_up.mail.answers = ["554 no"] * 4
    for run_id, date in (("r1", DECEMBER), ("n1", "2025-11-30")):
        folder = left.run(tmp_path, date, run_id, "2026-01-01T02:00:00Z", places=("email",))
        left.finish(folder, {"PAR30": left.kpi(1.0, "ok")})
        commands.record_and_deliver(tmp_path, folder, loaded(max_attempts=1))
    commands.record_and_deliver(tmp_path, leave(tmp_path, "r2", "2026-01-01T03:00:00Z", ("azure",)), loaded())
    tried = list(commands.deliver_pending(tmp_path, loaded(), dead=True))
    of_reports = [(row["run_id"], row["status"]) for row in tried if row["run_id"]]
    assert of_reports == [("n1", "done")] * 2


def test_email_of_a_report_that_was_rolled_back_waits_until_it_is_shown_again(tmp_path, set_up, monkeypatch):
    commands.record_and_deliver(tmp_path, leave(tmp_path), loaded())
    set_up.mail.taken.clear()
    set_up.mail.answers = ["554 no"] * 2
    later = leave(tmp_path, "r2", "2026-01-01T03:00:00Z", ("email",), value=9.5)
    commands.record_and_deliver(tmp_path, later, loaded(retry_seconds=0.0))
    rollback.rollback(DECEMBER, output=tmp_path)
    commands.deliver_due(tmp_path, loaded())
    assert {status for _, status, _ in told(later)[1:]} == {"superseded"}
    assert set_up.mail.taken == []
    rollback.rollback(DECEMBER, "r2", output=tmp_path)
    commands.deliver_due(tmp_path, loaded())
    assert {status for _, status, _ in told(later)} == {"done"}
    assert len(set_up.mail.taken) == len(set_up.mail.ids) == 2


# The database is down


def test_with_the_database_down_nothing_else_is_tried_until_it_is_back(postgres, tmp_path, set_up, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", postgres.new())
    connection.connect(tmp_path)
    postgres.stop()
    folders = [leave(tmp_path, f"r{hour}", f"2026-01-01T0{hour}:00:00Z") for hour in (2, 3)]
    for folder in folders:
        (undelivered,) = commands.record_and_deliver(tmp_path, folder, loaded())
        assert undelivered["channel"] == "database" and "refused" in undelivered["error"]
        assert told(folder) == [("database", "pending", undelivered["error"])]
    assert set_up.mail.taken == [] and titles(set_up) == [f"[P1] Nothing of the run of {DECEMBER} is delivered"]
    postgres.start()
    assert {row["status"] for row in commands.deliver_pending(tmp_path, loaded())} == {"done"}
    assert len(set_up.mail.taken) == len(set_up.mail.ids) == 2  # the newer report to two recipients
    assert titles(set_up)[1:] == [CRITICAL, f"Resolved: The run of {DECEMBER} is recorded"]  # one cause, one alert
    for folder in folders:
        assert told(folder)[0] == ("database", "done", None)
    assert list(commands.deliver_pending(tmp_path, loaded())) == []


@contextmanager
def at_step(number, strike=lambda: None):
    """Do something right before a step of the database, a statement or the end of a transaction; count them all."""
    seen = []

    def count(connection, *_):
        seen.append(None)
        if len(seen) == number:
            strike()

    for name in ("before_cursor_execute", "commit"):
        event.listen(Engine, name, count)
    try:
        yield seen
    finally:
        for name in ("before_cursor_execute", "commit"):
            event.remove(Engine, name, count)


def test_database_that_dies_at_a_step_gets_everything_once_it_is_back(postgres, tmp_path, set_up, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", postgres.new())
    folder = leave(tmp_path / "whole")
    connection.connect(tmp_path)
    with at_step(None) as steps:
        assert commands.record_and_deliver(tmp_path / "whole", folder, loaded()) == []
    expected = final(tmp_path / "whole", folder)
    for step in range(1, len(steps) + 1, len(steps) // 4):
        set_up.received.clear()
        set_up.mail.taken.clear()
        monkeypatch.setenv("DATABASE_URL", postgres.new())
        output = tmp_path / str(step)
        folder = leave(output)
        connection.connect(output)
        with at_step(step, postgres.stop):
            (undelivered,) = commands.record_and_deliver(output, folder, loaded())
        assert (undelivered["channel"], undelivered["status"]) == ("database", "pending"), step
        assert told(folder)[0] == ("database", "pending", undelivered["error"])
        postgres.start()
        assert all(row["status"] == "done" for row in commands.deliver_pending(output, loaded()))
        deliveries, phases, _, _ = final(output, folder)
        assert ([one for one in deliveries if one not in expected[0]], phases) == ([], expected[1]), step
        assert (titles(set_up).count(CRITICAL), len(set_up.mail.ids)) == (1, 2), step


def test_database_that_freezes_is_left_after_the_deadline(postgres, tmp_path, set_up, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", postgres.new())
    folder, before = leave(tmp_path), set(threading.enumerate())
    connection.connect(tmp_path)
    with at_step(3, postgres.freeze):
        (undelivered,) = commands.record_and_deliver(tmp_path, folder, loaded(deadline_seconds=5.0))
    assert (undelivered["channel"], undelivered["run_id"]) == ("deliveries", "r1")
    assert undelivered["error"].startswith("not finished within 5 s: ")
    assert told(folder) == [("database", "pending", None)]
    postgres.thaw()
    for thread in set(threading.enumerate()) - before:  # what was left behind ends well, too
        thread.join(60)
    assert {status for channel, status, _ in told(folder) if channel != "azure"} == {"done"}
    assert (titles(set_up).count(CRITICAL), len(set_up.mail.ids)) == (1, 2)


def test_report_is_published_while_the_database_hangs_and_recorded_once_it_answers(finished, postgres, tmp_path):
    shutil.copytree(finished.output, tmp_path / "reports", symlinks=True)
    found, address = Project(finished.root, tmp_path / "reports"), postgres.new()
    with socket.create_server(("127.0.0.1", 0)) as silent:
        hanging = f"postgresql://abaco:hunter2@127.0.0.1:{silent.getsockname()[1]}/abaco"
        given = {"ABACO_PII_KEY": PII_KEY, "DATABASE_URL": hanging}
        made = found.report("--params", "delivery.timeout_seconds=1", **given)
    assert (made.returncode, "Not delivered: database of " in made.stderr) == (3, True), made.stderr
    assert "no answer within 2 s: see whether it is well" in made.stderr
    assert found.visible()[1] == f".runs/{DECEMBER}/{found.runs()[-1].name}" != finished.visible()[1]
    for _ in range(2):
        done = found.abaco("deliver", "--pending", "--output", found.output, DATABASE_URL=address)
        assert (done.returncode, done.stderr) == (0, "")
        for table in ("runs", "visible"):
            rows = postgres.execute(f"SELECT run_id FROM abaco.{table}", address.rpartition("/")[2])
            assert rows == [(run_json(found.output / DECEMBER)["run_id"],)]


@pytest.mark.parametrize("fault", ["credentials", "disk"])
def test_database_that_refuses_gets_everything_once_it_is_mended(postgres, tmp_path, set_up, monkeypatch, fault):
    address, folder = postgres.new(), leave(tmp_path)
    database = address.rpartition("/")[2]
    monkeypatch.setenv("DATABASE_URL", address)
    connection.connect(tmp_path)
    if fault == "credentials":
        monkeypatch.setenv("DATABASE_URL", postgres.address(database, password="another"))
    else:
        body = f"CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN {postgres.FULL} END $$"
        postgres.execute(body, database)
        postgres.execute(
            "CREATE TRIGGER full_disk BEFORE INSERT ON abaco.deliveries EXECUTE FUNCTION refuse()", database
        )
    (undelivered,) = commands.record_and_deliver(tmp_path, folder, loaded())
    assert undelivered["channel"] == "database"
    assert {"credentials": "authentication failed", "disk": "free some space"}[fault] in undelivered["error"]
    assert set_up.mail.taken == [] and len(titles(set_up)) == 1
    monkeypatch.setenv("DATABASE_URL", address)
    postgres.execute("DROP TRIGGER IF EXISTS full_disk ON abaco.deliveries", database)
    assert {row["status"] for row in commands.deliver_pending(tmp_path, loaded())} == {"done"}
    assert (len(titles(set_up)), len(set_up.mail.taken)) == (3, 2)


def test_full_disk_of_the_database_is_no_failure_of_the_report(tmp_path, set_up):
    engine = connection.connect(tmp_path)
    with connection.reading(engine) as opened:
        pages = opened.exec_driver_sql("PRAGMA page_count").scalar()
    folder = leave(tmp_path, days=3000)
    with Full(pages):
        (undelivered,) = commands.record_and_deliver(tmp_path, folder, loaded())
    assert undelivered["channel"] == "database" and "database or disk is full" in undelivered["error"]
    assert {row["status"] for row in commands.deliver_pending(tmp_path, loaded())} == {"done"}
    assert len(set_up.mail.ids) == len(set_up.mail.taken) == 2


class Full:
    """A disk on which a database has room for some pages and no more."""

    def __init__(self, pages):
        self.pages = pages

    def __enter__(self):
        self.prepare = connection._prepare_sqlite

        def prepare(opened, record):
            self.prepare(opened, record)
            opened.execute(f"PRAGMA max_page_count = {self.pages}")

        connection._prepare_sqlite = prepare

    def __exit__(self, *_):
        connection._prepare_sqlite = self.prepare


# The process is killed


# records and delivers each run of its input in a fork, whose imports are done, and says how that ended
KILLER = """
import os, signal, sys
from pathlib import Path
import alembic.command
from abaco.core import settings
from abaco.delivery import commands, outbox

count = 0
for line in sys.stdin:
    step, output, folder = line.rstrip("\\n").split("\\t")
    if not (child := os.fork()):
        break
    print(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]), flush=True)
else:
    sys.exit()

def counted(function):
    def call(*given, **named):
        global count
        count += 1
        if count == int(step):
            os.kill(os.getpid(), signal.SIGKILL)
        return function(*given, **named)
    return call

commands._enqueue = counted(commands._enqueue)
commands._write_outcomes = counted(commands._write_outcomes)
outbox._send = counted(outbox._send)
outbox._outcome = (lambda made: lambda *given: counted(lambda found: found)(made(*given)))(outbox._outcome)
changes = {"delivery": {"email_from": "kpis@example.com"}, "alerts": {"max_age_days": 0}}
commands.record_and_deliver(Path(output), Path(folder), settings.load(changes))
os._exit(count)
"""


def final(output, folder):
    """All that is to be the same whether or not a process was killed on the way."""
    run = run_json(folder)
    for one in run["deliveries"]:
        one.pop("receipt")
    found = counts(output)
    with connection.reading(connection.connect(output)) as opened:
        rows = queries.deliveries_with(opened, "pending", "done", "dead")
        return run["deliveries"], run["phases"], found, [(row["channel"], row["status"]) for row in rows]


@pytest.fixture
def base(tmp_path):
    return copy_project(tmp_path)


@pytest.fixture
def killed(base, places):
    """Deliver a run in a process that is killed before a step, and return how it ended: `killed(1, output, folder)`."""
    places.environment["REPORT_RECIPIENTS"] = "ana@example.com"
    process = Project(base, base).start(sys.executable, "-c", KILLER, stdin=subprocess.PIPE, **places.environment)

    def deliver(*what):
        process.stdin.write("\t".join(map(str, what)) + "\n")
        process.stdin.flush()
        return int(process.stdout.readline())

    yield deliver
    assert process.communicate() == ("", "")


def test_killed_between_any_two_steps_ends_in_the_same_state(base, places, killed, monkeypatch):
    for name, value in places.environment.items():
        monkeypatch.setenv(name, value)
    received = []
    output = base / "whole"
    folder = leave(output)
    assert commands.record_and_deliver(output, folder, loaded()) == []
    expected = final(output, folder)
    step, steps = 1, None
    while steps is None:
        places.received.clear()
        places.mail.taken.clear()
        output = base / f"step-{step}"
        folder = leave(output)
        if (code := killed(step, output, folder)) != -9:  # there are no more steps
            steps = code
            break
        assert all(row["status"] == "done" for row in commands.deliver_pending(output, loaded()))
        assert final(output, folder) == expected, step
        keys = {r.body["attachments"][0]["text"].rpartition("Key: ")[2] for r in places.received}
        assert (len(keys), len(places.mail.ids)) == (1, 1), step
        received.append(len(places.received) + len(places.mail.taken))
        shutil.rmtree(output)
        step += 1
    assert steps >= 8  # written and told; of both deliveries: before it, after it, and told
    assert set(received) <= {2, 3}  # at most what was on its way when the process was killed came twice


def test_upload_is_in_run_json_and_in_the_metrics(tmp_path, blob_service, monkeypatch):
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection_string(blob_service.port))
    folder = leave(tmp_path, wanted=("azure",))
    assert commands.record_and_deliver(tmp_path, folder, loaded(azure_container="delivered")) == []
    assert told(folder) == [("database", "done", None), ("azure", "done", None)]
    receipt = run_json(folder)["deliveries"][1]["receipt"]
    assert receipt["prefix"] == f"reports/{DECEMBER}/r1/"
    assert receipt["uploaded"] == receipt["files"] > 3
    assert run_json(folder)["phases"]["output"]["azure_upload_success"] is True
    container = BlobServiceClient.from_connection_string(connection_string(blob_service.port))
    blob = container.get_blob_client("delivered", f"reports/{DECEMBER}/r1/run.json")
    assert blob.download_blob().readall() == (folder / "run.json").read_bytes()  # the final one
    with connection.reading(connection.connect(tmp_path)) as opened:
        assert queries.phase_metrics_of(opened, "r1")["output"]["azure_upload_success"] == 1


def test_upload_that_fails_is_pending_and_arrives_once_the_service_is_back(tmp_path, blob_service, monkeypatch):
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection_string(1))
    monkeypatch.setattr(azure, "PAUSE_SECONDS", 0.02)
    folder, given = leave(tmp_path, wanted=("azure",)), loaded(azure_container="late")
    (waiting,) = commands.record_and_deliver(tmp_path, folder, given)
    assert "cannot be reached" in waiting["error"]
    assert run_json(folder)["phases"]["output"]["azure_upload_success"] is False
    monkeypatch.setenv("AZURE_STORAGE_CONNECTION_STRING", connection_string(blob_service.port))
    assert [row["status"] for row in commands.deliver_pending(tmp_path, given)] == ["done"]
    assert run_json(folder)["phases"]["output"]["azure_upload_success"] is True
