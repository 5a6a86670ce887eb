"""Alerting over time: one alert for one cause, the cooldown, what gets worse, better or well, and to whom it goes."""

import datetime as dt
import threading
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from sqlalchemy import insert, select, update

from abaco.core import files, settings
from abaco.core.parquet import arrow_schema
from abaco.database import schema
from abaco.database.connection import connect
from abaco.delivery import alerting, outbox
from abaco.delivery.email import EmailChannel
from abaco.delivery.webhooks import PagerDutyChannel, SlackChannel
from abaco.kpis.bridge import TABLE as BRIDGES
from abaco.kpis.verdict import verdict
from tests.support.mailserver import serving
from tests.support.webhooks import PAGERDUTY, SLACK, recording

from .test_rules import kpi, metrics

START = dt.datetime(2026, 1, 10, 2, 0, tzinfo=dt.UTC)
WEBHOOK = "https://hooks.slack.com/services/T0/B0/secret"
CHANNELS = {"email": EmailChannel, "slack": SlackChannel, "pagerduty": PagerDutyChannel}
FINE, WARNING, CRITICAL = kpi(3.0, "ok"), kpi(5.5, "warning"), kpi(8.5, "critical")


class Book:
    """Runs that end at given hours, and what is told of them."""

    def __init__(self, output, **changes):
        self.output, self.engine = output, connect(output)
        self.settings = settings.load({
            "alerts": {"cooldown_hours": 24.0, "max_age_days": 0, **changes},
            "delivery": {"email_from": "abaco@example.com", "timeout_seconds": 20.0},
        })  # fmt: skip
        self.count = 0

    def report(self, hour=0, date="2025-12-31", input="x", **what):
        """End a run of a date well, and return the deliveries of its alerts."""
        self.count += 1
        content = {**metrics(**what), "date": date, "run_id": f"run-{self.count}"}
        folder = self.output / ".runs" / date / f"{self.count}"
        write_run(folder, content)
        day, now = dt.date.fromisoformat(date), START + dt.timedelta(hours=hour)
        run = {
            "run_id": content["run_id"], "date": day, "started_at": now, "finished_at": now, "seconds": 1.0,
            "input": input, "engine": "duckdb", "code_sha256": "0" * 64, "parameters": {},
            "folder": folder.relative_to(self.output).as_posix(),
        }  # fmt: skip
        shown = {"date": day, "run_id": content["run_id"], "since": now, "why": "published"}
        with self.engine.begin() as connection:
            connection.execute(insert(schema.runs).values(run))
            connection.execute(insert(schema.visible).values(shown))
            deliveries = alerting.evaluate_alerts(connection, folder, self.settings, now)
            outbox.enqueue(connection, self.output, deliveries)
        return deliveries

    def fail(self, hour=0, date="2025-12-31", error="04_report: no space left", input="x"):
        """Let a run of a date fail, and return the deliveries of its alert."""
        now = START + dt.timedelta(hours=hour)
        started = f"{now:%Y-%m-%dT%H:%M:%SZ}"
        run = {"run_id": "run-x", "date": date, "input": input, "started_at": started, "error": error}
        with self.engine.begin() as connection:
            deliveries = alerting.alert_of_failure(connection, run, None, self.settings, now)
            outbox.enqueue(connection, self.output, deliveries)
        return deliveries

    def arrive(self):
        """Count as arrived what is pending."""
        with self.engine.begin() as connection:
            pending = schema.deliveries.c.status == "pending"
            connection.execute(update(schema.deliveries).where(pending).values(status="done"))

    def rows(self, table=schema.alerts):
        with self.engine.connect() as connection:
            return [dict(row) for row in connection.execute(select(table)).mappings()]


def write_run(folder, content):
    (folder / "tables").mkdir(parents=True)
    files.write_json(folder / "metrics.json", content)
    day = dt.date.fromisoformat(content["date"])
    rows = [{"date": day, "kpi": name, "status": one["status"]} for name, one in content["kpis"].items()]
    shape = pa.schema([("date", pa.date32()), ("kpi", pa.string()), ("status", pa.string())])
    pq.write_table(pa.Table.from_pylist(rows, schema=shape), folder / "tables" / "history.parquet")
    pair = {"date": day, "against": dt.date(2025, 11, 30), "kpi": "PAR30"}
    points = {"opening": "7.500000", "new arrears": "1.250000", "paid": "-0.250000", "closing": "8.500000"}
    steps = [{**pair, "term": term, "points": Decimal(value)} for term, value in points.items()]
    pq.write_table(pa.Table.from_pylist(steps, schema=arrow_schema(BRIDGES)), folder / "tables" / "bridges.parquet")


@pytest.fixture(autouse=True)
def _all_set_up(monkeypatch):
    monkeypatch.setenv("SLACK_WEBHOOK_URL", WEBHOOK)
    monkeypatch.setenv("PAGERDUTY_ROUTING_KEY", "0123456789abcdef")
    monkeypatch.setenv("SMTP_URL", "smtp://localhost:25")
    monkeypatch.setenv("ALERT_RECIPIENTS", "ops@example.com")
    for name in ("REPORT_RECIPIENTS", "DATABASE_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def book(tmp_path):
    found = Book(tmp_path)
    yield found
    found.engine.dispose()


def places(deliveries):
    return [(delivery.channel, delivery.payload["severity"], delivery.payload["resolved"]) for delivery in deliveries]


def test_text_says_what_since_when_the_largest_term_and_what_to_do(book):
    delivery = book.report(PAR30=CRITICAL)[0]
    assert delivery.payload["text"].splitlines() == [
        "Portfolio at risk, 30 days (PAR30) is 8.50 %, above its critical limit of 8, at 2025-12-31.",
        "It has been past that limit since 2025-12-31.",
        "PAR30 moved by +1.00 points, from 7.50 % on 2025-11-30 to 8.50 % on 2025-12-31; most by new arrears (+1.25).",
        "Alert open since 2026-01-10 02:00 UTC.",
        "Input: x",
        "What to do: docs/OPERATIONS.md#kpi-past-its-threshold",
    ]
    assert delivery.payload["dedup_key"] == "kpi:PAR30:20260110T020000Z"
    assert (delivery.run_id, delivery.date) == ("run-1", "2025-12-31")


def test_routes_by_severity(book):
    failed = book.fail(hour=0)
    assert places(failed) == [("pagerduty", "P1", False), ("slack", "P1", False), ("email", "P1", False)]
    assert failed[2].payload["to"] == "ops@example.com"
    assert "ops@" not in failed[2].key
    assert places(book.fail(hour=1, error="01_ingestion: 9 rows, more than max_reject_pct 5")) == [
        ("pagerduty", "P2", False), ("slack", "P2", False),
    ]  # fmt: skip
    found = book.report(hour=-1, date="2026-01-31", PAR90=WARNING, quarantined=3)
    assert [one for one in places(found) if not one[2]] == [("slack", "P3", False), ("slack", "P4", False)]


@pytest.mark.parametrize(
    ("unset", "expected"),
    [
        (("SLACK_WEBHOOK_URL",), ["pagerduty", "email"]),
        (("PAGERDUTY_ROUTING_KEY",), ["slack", "slack"]),
        (("SLACK_WEBHOOK_URL", "PAGERDUTY_ROUTING_KEY"), ["email", "email"]),
        (("SLACK_WEBHOOK_URL", "PAGERDUTY_ROUTING_KEY", "ALERT_RECIPIENTS"), []),
        (("SLACK_WEBHOOK_URL", "PAGERDUTY_ROUTING_KEY", "SMTP_URL"), []),
    ],
)
def test_email_takes_the_part_of_what_is_not_set_up(book, monkeypatch, unset, expected):
    for name in unset:
        monkeypatch.delenv(name)
    assert [delivery.channel for delivery in book.report(PAR30=CRITICAL, PAR90=WARNING)] == expected
    assert [row["told_at"] is not None for row in book.rows()] == [bool(expected)] * 2


def test_who_gets_reports_is_never_told_of_operations(book, monkeypatch):
    monkeypatch.delenv("ALERT_RECIPIENTS")
    monkeypatch.setenv("REPORT_RECIPIENTS", "ana@example.com, luis@example.com")
    assert [delivery.channel for delivery in book.fail()] == ["pagerduty", "slack"]
    for name in ("SLACK_WEBHOOK_URL", "PAGERDUTY_ROUTING_KEY"):
        monkeypatch.delenv(name)
    assert book.fail(hour=48) == []


def test_each_cause_of_the_table_is_sent_where_it_says(book, tmp_path):
    """Of the pipeline: what is P2 goes to PagerDuty and Slack, also without Prometheus."""
    found = book.report(CollectionRate=kpi(None, "not_computable", reason="no payments", group="core"), quarantined=60)
    assert places(found) == [("pagerduty", "P2", False), ("slack", "P2", False), ("slack", "P4", False)]
    assert found[0].payload["title"] == "CollectionRate cannot be computed"
    assert found[0].payload["text"].startswith("CollectionRate cannot be computed at 2025-12-31: no payments\n")
    assert found[0].payload["runbook"].endswith("#kpi-calculation-failed")
    book.arrive()
    over = book.report(hour=1, CollectionRate=kpi(2.0, "ok"))
    assert {(d.channel, d.payload["title"]) for d in over if d.payload["severity"] == "P2"} == {
        ("pagerduty", "CollectionRate is 2.00 %"), ("slack", "CollectionRate is 2.00 %"),
    }  # fmt: skip


def test_wrong_address_keeps_nobody_else_from_being_told(book, monkeypatch):
    monkeypatch.setenv("ALERT_RECIPIENTS", "ops@example.com\r\nBcc: thief@example.com")
    assert [delivery.channel for delivery in book.fail()] == ["pagerduty", "slack"]


def test_nobody_to_tell_at_first_is_told_later(book, monkeypatch):
    monkeypatch.delenv("SLACK_WEBHOOK_URL")
    monkeypatch.delenv("ALERT_RECIPIENTS")
    assert book.report(PAR30=WARNING) == []
    monkeypatch.setenv("SLACK_WEBHOOK_URL", WEBHOOK)
    assert places(book.report(hour=1, PAR30=WARNING)) == [("slack", "P3", False)]


def test_what_lasts_is_told_again_once_a_day_whenever_the_nightly_run_ends(book):
    # reruns on the same day, and nights that end some minutes earlier or later than the ones before
    hours = (0, 8, 23.9, 30, 47.95, 48.1, 71.8, 96.2)
    found = [book.report(hour=hour, PAR30=WARNING) for hour in hours]
    assert [len(deliveries) for deliveries in found] == [1, 0, 1, 0, 1, 0, 1, 1]
    first, again = found[0][0], found[2][0]
    assert first.payload["dedup_key"] == again.payload["dedup_key"] and first.key != again.key
    (row,) = book.rows()
    assert (row["opened_at"], row["told_at"]) == (START, START + dt.timedelta(hours=96.2))


def test_alert_that_worsened_says_since_when_it_is_as_severe_as_it_is(book):
    both = "Alert open since 2026-01-10 02:00 UTC, P2 since 2026-01-11 02:00 UTC."
    for hour, level, since in (
        (0, WARNING, "Alert open since 2026-01-10 02:00 UTC."), (24, CRITICAL, both), (48, CRITICAL, both),
        (72, WARNING, "Alert open since 2026-01-13 02:00 UTC."),  # another incident
    ):  # fmt: skip
        told = [one for one in book.report(hour=hour, PAR30=level) if not one.payload["resolved"]]
        assert {since in one.payload["text"].splitlines() for one in told} == {True}, hour
        book.arrive()
    assert [row["severity_since"] for row in book.rows()] == [START + dt.timedelta(hours=24), None]
    (over,) = [one for one in book.report(hour=73, PAR30=FINE)]
    assert "P3 since" not in over.payload["text"]


@pytest.mark.parametrize(("hour", "count"), [(21.9, 0), (22, 1)])
def test_cooldown_ends_a_twelfth_early(book, hour, count):
    book.report(PAR30=WARNING)
    assert len(book.report(hour=hour, PAR30=WARNING)) == count


def test_without_cooldown_every_run_tells_it(tmp_path):
    book = Book(tmp_path, cooldown_hours=0.0)
    assert [len(book.report(hour=hour, PAR30=WARNING)) for hour in (0, 1)] == [1, 1]


def test_what_gets_worse_is_told_at_once_as_the_same(book):
    (first,) = book.report(PAR30=WARNING)
    worse = book.report(hour=1, PAR30=CRITICAL)
    assert places(worse) == [("pagerduty", "P2", False), ("slack", "P2", False)]
    assert {delivery.payload["dedup_key"] for delivery in (first, *worse)} == {"kpi:PAR30:20260110T020000Z"}
    assert len(book.rows()) == 1


def test_what_gets_better_closes_the_graver_one_and_opens_another(book):
    book.report(PAR30=CRITICAL)
    book.arrive()
    better = book.report(hour=1, PAR30=WARNING)
    assert places(better) == [("pagerduty", "P2", True), ("slack", "P2", True), ("slack", "P3", False)]
    assert better[0].payload["title"] == "PAR30 is past its warning limit only"
    assert [(row["severity"], row["is_open"]) for row in book.rows()] == [("P2", False), ("P3", True)]


def test_what_is_well_again_is_told_once_where_it_was_told(book):
    opened = book.report(PAR30=CRITICAL)
    book.arrive()
    over = book.report(hour=1, PAR30=FINE)
    assert places(over) == [("pagerduty", "P2", True), ("slack", "P2", True)]
    assert {delivery.payload["dedup_key"] for delivery in (*opened, *over)} == {"kpi:PAR30:20260110T020000Z"}
    assert over[0].payload["text"].splitlines()[:2] == [
        "PAR30 is 3.00 %, within its limits.",
        "It was: PAR30 is 8.50 %, above its critical limit of 8",
    ]
    book.arrive()
    assert book.report(hour=2, PAR30=FINE) == []
    assert [(row["is_open"], row["cleared_at"]) for row in book.rows()] == [(False, START + dt.timedelta(hours=1))]


def test_what_comes_back_is_another_alert(book):
    first = book.report(PAR30=WARNING)
    book.arrive()
    book.report(hour=1, PAR30=FINE)
    again = book.report(hour=2, PAR30=WARNING)
    assert first[0].payload["dedup_key"] != again[0].payload["dedup_key"]


def test_figure_that_cannot_be_computed_any_more_is_not_well_again(book):
    book.report(PAR30=CRITICAL)
    book.arrive()
    assert book.report(hour=1, PAR30=kpi(None, "not_computable")) == []
    assert [row["is_open"] for row in book.rows()] == [True]


def test_failed_run_is_over_when_its_date_or_a_later_one_succeeds(book):
    book.report(hour=0)
    book.fail(hour=1, date="2026-01-31")
    book.arrive()
    assert book.report(hour=2, date="2025-12-31") == []
    over = book.report(hour=3, date="2026-01-31")
    assert places(over) == [("pagerduty", "P1", True), ("slack", "P1", True), ("email", "P1", True)]
    assert over[0].payload["title"] == "The run of 2026-01-31 succeeded"


def test_rejected_rows_that_stopped_a_run_and_now_do_not(book):
    book.fail(error="01_ingestion: 9 of 10 rows are rejected (90 %, more than max_reject_pct 5)")
    book.arrive()
    found = book.report(hour=1, quarantined=3)
    assert places(found) == [("pagerduty", "P2", True), ("slack", "P2", True), ("slack", "P4", False)]
    assert found[0].payload["title"] == "The rejected rows do not stop the run any more"


def test_past_is_told_to_nobody(book):
    book.report(date="2026-01-31")
    assert book.report(hour=1, date="2025-12-31", PAR30=CRITICAL) == []
    assert book.fail(hour=2, date="2025-12-31") == []
    assert book.rows() == []


def test_failed_run_that_a_later_one_has_mended_is_told_to_nobody(book):
    book.report(hour=1)
    assert book.fail(hour=0) == []
    assert places(book.fail(hour=2)) != []


def test_run_that_was_stopped_is_told_to_nobody(book):
    assert book.fail(error="05_output: stopped by a signal") == []
    assert book.rows() == []
    assert places(book.fail(hour=1)) != []


def test_newer_word_withdraws_what_never_arrived(book):
    book.report(PAR30=CRITICAL)
    assert book.report(hour=1, PAR30=FINE) == [], "nobody knew"
    assert [row["status"] for row in book.rows(schema.deliveries)] == ["withdrawn"] * 2
    assert [row["is_open"] for row in book.rows()] == [False]


def test_newer_word_withdraws_nothing_of_another_cause(book):
    book.report(PAR3=CRITICAL, PAR30=CRITICAL)
    book.report(hour=1, PAR3=FINE, PAR30=CRITICAL)
    left = [row["payload"]["cause"] for row in book.rows(schema.deliveries) if row["status"] == "pending"]
    assert left == ["kpi:PAR30"] * 2


def test_dry_run_prints_and_keeps_nothing(tmp_path, capsys):
    book = Book(tmp_path, dry_run=True)
    assert book.report(PAR30=CRITICAL) == []
    assert book.fail(hour=1) == []
    printed = capsys.readouterr().out
    assert "[P2] PAR30 is 8.50 %, above its critical limit of 8\nPortfolio at risk" in printed
    assert "[P1] The run of 2025-12-31 failed\n" in printed
    assert book.rows() == book.rows(schema.deliveries) == []


def test_alerts_of_one_input_are_not_those_of_another(book):
    book.report(PAR30=CRITICAL, input="/in/north")
    assert book.report(hour=1, PAR30=CRITICAL, input="/in/south") != []  # its own alert, although one is open
    book.arrive()
    resolved = book.report(hour=2, PAR30=FINE, input="/in/south")
    assert [delivery.payload["resolved"] for delivery in resolved] == [True, True]
    assert [(row["input"], row["is_open"]) for row in book.rows()] == [("/in/north", True), ("/in/south", False)]
    assert book.rows()[0]["opened_at"] == START


def test_failed_run_is_over_when_its_date_has_a_report_by_another_path(book):
    """The corrected export, or the corrected setting, has another path than the one that failed."""
    book.fail(date=None, error="Input file not found: data/none.csv", input="/in/none.csv")
    book.fail(error="01_ingestion: 9 rows, more than max_reject_pct 5", input="/in/bad.csv")
    book.fail(date="2026-01-31", input="/in/next.csv")
    book.arrive()
    over = book.report(hour=1, PAR30=FINE, input="/in/good")
    assert {delivery.payload["title"] for delivery in over} == {"The run of 2025-12-31 succeeded"}
    assert [(row["input"], row["is_open"]) for row in book.rows()] == [
        ("/in/none.csv", False), ("/in/bad.csv", False), ("/in/next.csv", True),
    ]  # fmt: skip


def test_newest_date_and_success_are_of_an_input(book):
    book.report(date="2026-01-31", PAR30=FINE, input="/in/north")
    assert book.report(hour=1, PAR30=CRITICAL, input="/in/south") != []
    assert book.fail(hour=-1, date="2026-01-31", input="/in/south") != []
    assert book.fail(hour=-1, date="2026-01-31", input="/in/north") == []


def test_exports_of_each_month_are_one_input(book):
    book.report(date="2025-11-30", PAR30=CRITICAL, input="/in/2025-11")
    book.arrive()
    assert [delivery.payload["resolved"] for delivery in book.report(PAR30=FINE, input="/in/2025-12")] == [True, True]


def test_incomplete_report_is_told_until_it_is_complete(book):
    incomplete = verdict({"PAR30": FINE, "PAR90": kpi(None, "not_computable")})
    incomplete["findings"] = [str(finding) for finding in incomplete["findings"]]
    (delivery,) = book.report(PAR30=FINE, PAR90=kpi(None, "not_computable"), verdict=incomplete)
    assert (delivery.channel, delivery.payload["severity"]) == ("slack", "P3")
    assert delivery.payload["title"] == "Report of 2025-12-31: Incomplete: 1 of 2 limits checked"
    assert "Limits not checked: Portfolio at risk, 30 days." in delivery.payload["text"]
    assert delivery.payload["runbook"] == "docs/OPERATIONS.md#incomplete-report"
    book.arrive()
    assert book.report(hour=1, PAR30=FINE) == []  # a report of an earlier version cannot tell
    (resolved,) = book.report(hour=2, PAR30=FINE, verdict=verdict({"PAR30": FINE}))
    assert resolved.payload["title"] == "The report of 2025-12-31 is complete"


def test_undone_transaction_leaves_nothing_told(book):
    with pytest.raises(RuntimeError), book.engine.begin() as connection:
        assert alerting.alert_of_failure(
            connection,
            {"run_id": "x", "date": None, "input": None, "started_at": "now", "error": "x"},
            None,
            book.settings,
            START,
        )
        raise RuntimeError
    assert book.rows() == []
    assert len(book.fail()) == 3


def test_runs_that_end_at_once_open_one_alert(database, tmp_path):
    book, told = Book(tmp_path), []
    threads = [threading.Thread(target=lambda: told.extend(places(book.fail()))) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert told == [("pagerduty", "P1", False), ("slack", "P1", False), ("email", "P1", False)]
    assert [(row["cause"], row["told_at"]) for row in book.rows()] == [("run:failed", START)]
    book.arrive()
    assert places(book.report(hour=1))[0] == ("pagerduty", "P1", True)
    book.engine.dispose()


def test_from_the_first_failure_to_its_end_everything_arrives_once(book, tmp_path, monkeypatch):
    """By the real channels: an incident opened and closed, and each message once, although an answer was lost."""
    for name in ("no_proxy", "NO_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with serving() as mail, recording(tmp_path) as server:
        monkeypatch.setenv("SMTP_URL", f"smtp://127.0.0.1:{mail.port}")
        for name, value in server.environment.items():
            monkeypatch.setenv(name, value)
        made = {name: channel(book.settings) for name, channel in CHANNELS.items()}
        mail.answers = ["lose"]
        for end in (book.fail, lambda: book.fail(hour=1), lambda: book.report(hour=2)):
            for delivery in end():
                made[delivery.channel].send(delivery)
            book.arrive()
    events = server.of(PAGERDUTY)
    assert [event["event_action"] for event in events] == ["trigger", "resolve"]
    assert len({event["dedup_key"] for event in events}) == 1
    titles = [body["attachments"][0]["title"] for body in server.of(SLACK)]
    assert titles == ["[P1] The run of 2025-12-31 failed", "Resolved: The run of 2025-12-31 succeeded"]
    assert len(mail.ids) == 2
