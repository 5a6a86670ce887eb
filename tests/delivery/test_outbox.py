"""The outbox: written down first, tried once at a time, tried again ever later, given up in the end, never lost."""

import datetime as dt
import os
import threading
import time

import pytest
from sqlalchemy import select, update

from abaco.core import settings
from abaco.core.errors import DatabaseError
from abaco.database.connection import connect, reading, writing
from abaco.database.schema import deliveries
from abaco.delivery import outbox
from abaco.delivery.channel import Delivery
from tests.support.webhooks import recording


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Slack, on this machine."""
    with recording(tmp_path) as found:
        monkeypatch.setenv("SLACK_WEBHOOK_URL", f"{found.url}/services/T/B/c")
        yield found


@pytest.fixture
def engine(database, tmp_path):
    return connect(tmp_path)


def delivery(key="slack:kpi:PAR30", **changes):
    told = {
        "cause": "kpi:PAR30", "severity": "P3", "title": "PAR30 is 5.5 %", "text": "It is.", "resolved": False,
        "dedup_key": key, "runbook": "docs/OPERATIONS.md",
    }  # fmt: skip
    return Delivery(key, "slack", None, None, None, told | changes)


def enqueue(engine, output, *fresh):
    with writing(engine) as connection:
        return outbox.enqueue(connection, output, fresh)


def deliver(engine, output, early=False, **changes):
    """Deliver, and return the status of what was tried."""
    loaded = settings.load({"delivery": {"retry_seconds": 60.0, "max_attempts": 3, **changes}})
    return [row["status"] for row in outbox.deliver(engine, output, loaded, early=early)]


def row(engine, key="slack:kpi:PAR30"):
    with reading(engine) as connection:
        return connection.execute(select(deliveries).where(deliveries.c.key == key)).mappings().one()


def keys(server):
    """The keys that Slack received, in order."""
    return [request.body["attachments"][0]["text"].rpartition("Key: ")[2] for request in server.received]


def asked(server):
    """Wait until the server was asked for the first time."""
    for _ in range(6000):
        if server.asked:
            return
        time.sleep(0.01)
    raise AssertionError("the server was never asked")


def fault(call):
    """Return the error that a call raises."""
    with pytest.raises(DatabaseError) as caught:
        call()
    return str(caught.value)


def test_what_is_delivered_is_done_with_its_receipt(engine, tmp_path, server):
    assert enqueue(engine, tmp_path, delivery()) == 1
    waiting = row(engine)
    assert (waiting["status"], waiting["attempts"], waiting["done_at"]) == ("pending", 0, None)
    assert deliver(engine, tmp_path) == ["done"]
    done = row(engine)
    assert (done["status"], done["attempts"], done["error"]) == ("done", 1, None)
    assert done["receipt"] == {"dedup_key": "slack:kpi:PAR30"}
    assert done["done_at"] >= done["created_at"]


def test_what_is_known_is_not_delivered_again(engine, tmp_path, server):
    assert [enqueue(engine, tmp_path, delivery()) for _ in range(2)] == [1, 0]
    assert [deliver(engine, tmp_path) for _ in range(2)] == [["done"], []]
    assert enqueue(engine, tmp_path, delivery()) == 0
    assert deliver(engine, tmp_path, early=True) == []
    assert keys(server) == ["slack:kpi:PAR30"]


def test_what_fails_is_tried_ever_later_and_given_up(engine, tmp_path, server):
    server.answers = [403] * 3
    enqueue(engine, tmp_path, delivery())
    waits = []
    for status in ("pending", "pending", "dead"):
        before = dt.datetime.now(dt.UTC)
        with writing(engine) as connection:  # it is due
            connection.execute(update(deliveries).values(next_attempt_at=before))
        assert deliver(engine, tmp_path) == [status]
        waits.append((row(engine)["next_attempt_at"] - before).total_seconds())
    assert all(wait >= expected for wait, expected in zip(waits, (60, 120), strict=False))
    assert (row(engine)["attempts"], row(engine)["receipt"]) == (3, None)
    assert row(engine)["error"].startswith("Slack refused the alert (403): check SLACK_WEBHOOK_URL")
    assert deliver(engine, tmp_path, early=True) == [] == server.received


@pytest.mark.parametrize(("attempts", "seconds"), [(1, 60), (2, 120), (9, 15_360), (10, 21_600), (40, 21_600)])
def test_pause_doubles_up_to_six_hours(engine, tmp_path, server, attempts, seconds):
    server.answers = [403]
    enqueue(engine, tmp_path, delivery())
    with writing(engine) as connection:
        connection.execute(update(deliveries).values(attempts=attempts - 1))
    before = dt.datetime.now(dt.UTC)
    deliver(engine, tmp_path, max_attempts=50)
    after = dt.datetime.now(dt.UTC)
    pause = dt.timedelta(seconds=seconds)
    assert before + pause <= row(engine)["next_attempt_at"] <= after + pause


def test_what_is_not_due_waits_unless_somebody_asks(engine, tmp_path, server):
    server.answers = [403]
    enqueue(engine, tmp_path, delivery())
    assert deliver(engine, tmp_path) == ["pending"]
    assert deliver(engine, tmp_path) == []
    assert deliver(engine, tmp_path, early=True) == ["done"]


def test_what_is_asked_for_early_uses_up_no_attempt(engine, tmp_path, server):
    server.answers = [403] * 5
    enqueue(engine, tmp_path, delivery())
    assert [deliver(engine, tmp_path, early=True) for _ in range(5)] == [["pending"]] * 5
    assert row(engine)["attempts"] == 1  # the first one was due


def test_what_is_not_set_up_any_more_is_given_up_at_once_and_delivered_once_it_is_again(
    engine, tmp_path, server, monkeypatch
):
    enqueue(engine, tmp_path, delivery())
    address = os.environ["SLACK_WEBHOOK_URL"]
    monkeypatch.delenv("SLACK_WEBHOOK_URL")
    for _ in range(2):
        assert deliver(engine, tmp_path, retry_seconds=0.0) == ["dead"]
        assert row(engine)["error"] == "slack is not set up any more: set SLACK_WEBHOOK_URL"
        assert deliver(engine, tmp_path, early=True) == []
        with writing(engine) as connection:
            assert outbox.retry(connection, outbox.DEAD) == 1
    monkeypatch.setenv("SLACK_WEBHOOK_URL", address)
    assert deliver(engine, tmp_path) == ["done"]


def test_what_was_given_up_gets_a_fresh_set_of_attempts_when_asked(engine, tmp_path, server):
    server.answers = [403]
    enqueue(engine, tmp_path, delivery())
    assert deliver(engine, tmp_path, max_attempts=1) == ["dead"]
    with writing(engine) as connection:
        assert outbox.retry(connection, outbox.DEAD) == 1
    assert deliver(engine, tmp_path) == ["done"]
    assert row(engine)["attempts"] == 1


def test_failure_of_one_keeps_no_other_back(engine, tmp_path, server, monkeypatch):
    server.answers = [403]
    enqueue(engine, tmp_path, delivery("a"), delivery("b"), Delivery("c", "email", None, None, None, {}))
    monkeypatch.delenv("SMTP_URL", raising=False)
    assert deliver(engine, tmp_path) == ["pending", "done", "dead"]
    assert row(engine, "c")["error"] == "email is not set up any more: set SMTP_URL"


def test_fault_of_a_channel_itself_is_a_failure_like_any_other(engine, tmp_path, server):
    broken = Delivery("a", "slack", None, None, None, {"title": "no text"})
    enqueue(engine, tmp_path, broken, delivery())
    assert deliver(engine, tmp_path) == ["pending", "done"]
    assert row(engine, "a")["error"].startswith("KeyError: ")


def test_folder_that_is_not_here_is_named(engine, tmp_path, monkeypatch):
    monkeypatch.setenv("SMTP_URL", "smtp://127.0.0.1:1")
    folder = tmp_path / ".runs" / "2025-12-31" / "gone"
    lost = Delivery("a", "email", "r", "2025-12-31", folder, {"to": "ana@example.com"})
    enqueue(engine, tmp_path, lost)
    assert deliver(engine, tmp_path, email_from="a@example.com") == ["pending"]
    assert row(engine, "a")["error"].startswith(".runs/2025-12-31/gone is not in ")


def test_two_at_once_send_each_thing_once(engine, tmp_path, server):
    enqueue(engine, tmp_path, *(delivery(f"key-{number}") for number in range(8)))
    found = []
    both = [threading.Thread(target=lambda: found.extend(deliver(connect(tmp_path), tmp_path))) for _ in range(2)]
    for thread in both:
        thread.start()
    for thread in both:
        thread.join()
    assert sorted(keys(server)) == [f"key-{number}" for number in range(8)]
    assert found == ["done"] * 8


def test_who_wrote_it_down_waits_for_who_is_at_it(engine, tmp_path, server):
    enqueue(engine, tmp_path, delivery())
    server.answers = ["hang"]
    loaded = settings.load({"delivery": {"timeout_seconds": 60.0}})
    first = threading.Thread(target=lambda: list(outbox.deliver(connect(tmp_path), tmp_path, loaded)))
    first.start()
    asked(server)
    assert list(outbox.deliver(engine, tmp_path, loaded)) == []  # somebody else's: not waited for
    second = threading.Thread(target=lambda: list(outbox.deliver(engine, tmp_path, loaded, own={"slack:kpi:PAR30"})))
    second.start()
    server.released.set()  # the first one's attempt breaks off, and it tries again within seconds
    for thread in (first, second):
        thread.join()
    assert row(engine)["status"] == "done"
    assert keys(server) == ["slack:kpi:PAR30"]


def test_database_that_dies_meanwhile_has_it_sent_again_under_the_same_key(postgres, tmp_path, server, monkeypatch):
    monkeypatch.setenv("DATABASE_URL", postgres.new())
    engine = connect(tmp_path)
    enqueue(engine, tmp_path, delivery())
    server.answers = ["hang"]
    found = []
    caller = threading.Thread(target=lambda: found.append(fault(lambda: deliver(engine, tmp_path))))
    caller.start()
    asked(server)
    postgres.stop()
    server.released.set()  # the attempt breaks off, and the next one within seconds arrives
    caller.join()
    assert "see that it runs" in found[0]
    postgres.start()
    assert row(engine)["status"] == "pending"
    assert deliver(engine, tmp_path) == ["done"]
    assert keys(server) == ["slack:kpi:PAR30"] * 2
