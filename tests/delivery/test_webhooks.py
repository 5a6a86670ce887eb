"""Alerts as Slack and PagerDuty receive them: in their format, under one key, and without a secret when they fail."""

import logging

import pytest

from abaco.core import settings
from abaco.delivery.channel import Delivery, DeliveryError
from abaco.delivery.webhooks import PagerDutyChannel, SlackChannel
from tests.support.webhooks import PAGERDUTY, SLACK, recording

PATH = "/services/T0A1/B0B2/c0C3secret"
ROUTING_KEY = "0123456789abcdef0123456789abcdef"


@pytest.fixture
def server(tmp_path, monkeypatch):
    """Slack and PagerDuty of this machine, set up with their real addresses."""
    for name in ("no_proxy", "NO_PROXY", "HTTPS_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with recording(tmp_path) as found:
        for name, value in found.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("SLACK_WEBHOOK_URL", f"https://{SLACK}{PATH}")
        monkeypatch.setenv("PAGERDUTY_ROUTING_KEY", ROUTING_KEY)
        yield found


def made(channel, timeout=20.0):
    return channel(settings.load({"delivery": {"timeout_seconds": timeout}}))


def delivery(**changes):
    told = {
        "cause": "kpi:PAR30", "severity": "P2", "title": "PAR30 is 8.42 %", "text": "What,\nsince <!channel> & why",
        "resolved": False, "dedup_key": "kpi:PAR30:20260101T020000Z",
        "runbook": "https://example.com/OPERATIONS.md#kpi-past-its-threshold",
    }  # fmt: skip
    return Delivery("key", "slack", None, None, None, {**told, **changes})


BOTH = pytest.mark.parametrize(("channel", "host"), [(SlackChannel, SLACK), (PagerDutyChannel, PAGERDUTY)])


def test_slack_receives_its_own_format_and_the_key(server):
    assert made(SlackChannel).send(delivery()) == {"dedup_key": "kpi:PAR30:20260101T020000Z"}
    (request,) = server.received
    assert (request.host, request.path) == (SLACK, PATH)
    assert request.headers["Content-Type"].startswith("application/json")
    (shown,) = request.body["attachments"]
    assert shown["title"] == "[P2] PAR30 is 8.42 %"
    assert shown["text"] == "What,\nsince &lt;!channel&gt; &amp; why\nKey: kpi:PAR30:20260101T020000Z"
    assert shown["footer"] == "Abaco"


def test_slack_colours_tell_how_grave_it_is(server):
    channel = made(SlackChannel)
    for changes in ({}, {"severity": "P3"}, {"severity": "P4"}, {"resolved": True}):
        channel.send(delivery(**changes))
    shown = [body["attachments"][0] for body in server.of(SLACK)]
    assert len({one["color"] for one in shown}) == 4
    assert shown[3]["title"] == "Resolved: PAR30 is 8.42 %"


def test_slack_webhook_may_be_plain_on_this_machine(server, monkeypatch):
    monkeypatch.setenv("SLACK_WEBHOOK_URL", f"{server.url}{PATH}")
    made(SlackChannel).send(delivery())
    assert [(request.host, request.path) for request in server.received] == [("127.0.0.1", PATH)]


def test_pagerduty_opens_and_closes_one_incident(server):
    channel = made(PagerDutyChannel)
    channel.send(delivery())
    channel.send(delivery(resolved=True))
    opened, closed = server.of(PAGERDUTY)
    assert server.received[0].path == "/v2/enqueue"
    assert (opened["routing_key"], opened["event_action"]) == (ROUTING_KEY, "trigger")
    assert opened["payload"] == {
        "summary": "[P2] PAR30 is 8.42 %", "severity": "error", "source": "abaco", "component": "report",
        "class": "kpi:PAR30", "custom_details": {"text": "What,\nsince <!channel> & why"},
    }  # fmt: skip
    assert opened["links"] == [{"href": "https://example.com/OPERATIONS.md#kpi-past-its-threshold"}]
    assert closed == {
        "routing_key": ROUTING_KEY, "event_action": "resolve", "dedup_key": "kpi:PAR30:20260101T020000Z",
    }  # fmt: skip
    assert opened["dedup_key"] == closed["dedup_key"]


@pytest.mark.parametrize(
    ("severity", "urgency"), [("P1", "critical"), ("P2", "error"), ("P3", "warning"), ("P4", "info")]
)
def test_pagerduty_severities(server, severity, urgency):
    made(PagerDutyChannel).send(delivery(severity=severity, runbook="docs/OPERATIONS.md#kpi"))
    (event,) = server.of(PAGERDUTY)
    assert event["payload"]["severity"] == urgency
    assert "links" not in event


def test_pagerduty_summary_is_cut_to_what_it_takes(server):
    made(PagerDutyChannel).send(delivery(title="x" * 3000))
    (event,) = server.of(PAGERDUTY)
    assert len(event["payload"]["summary"]) == 1024


@BOTH
def test_500_twice_then_well_is_delivered_at_once(server, channel, host):
    server.answers = [500, 503]
    made(channel).send(delivery())
    assert (server.asked, len(server.of(host))) == (3, 1)


@BOTH
def test_trouble_for_longer_is_left_to_the_outbox(server, channel, host):
    server.answers = [500, 429, 507]  # the last: no room
    with pytest.raises(DeliveryError, match=r"answered 507: it is in trouble"):
        made(channel).send(delivery())
    assert server.received == []
    made(channel).send(delivery())
    assert len(server.of(host)) == 1


@BOTH
def test_connection_that_breaks_in_the_middle_is_tried_again(server, channel, host):
    server.answers = ["break"]
    made(channel).send(delivery())
    assert (server.asked, len(server.of(host))) == (2, 1)


@BOTH
def test_answer_that_is_lost_brings_the_same_key_twice_and_no_other(server, channel, host):
    server.answers = ["lose"]
    made(channel).send(delivery())
    received = server.of(host)
    assert len(received) == 2
    assert received[0] == received[1]
    assert "kpi:PAR30:20260101T020000Z" in str(received[0])


@BOTH
def test_server_that_hangs_is_left_after_one_timeout(server, channel, host):
    server.answers = ["hang"]  # a second attempt would succeed
    with pytest.raises(DeliveryError, match="gave no answer within 1 s"):
        made(channel, timeout=1.0).send(delivery())
    server.answers = []
    made(channel).send(delivery())
    assert len(server.of(host)) == 1


@BOTH
@pytest.mark.parametrize("status", [400, 401, 403, 404])
def test_refusal_is_told_at_once_and_without_the_secret(server, channel, host, status, caplog):
    server.answers = [status]
    with pytest.raises(DeliveryError, match=rf"refused the alert \({status}\): check [A-Z_]+") as caught:
        made(channel).send(delivery())
    assert (server.asked, server.received) == (1, [])
    assert not any(secret in f"{caught.value}{caplog.text}" for secret in ("c0C3secret", ROUTING_KEY))
    made(channel).send(delivery())
    assert len(server.of(host)) == 1


@BOTH
def test_no_secret_is_logged_at_any_level(server, channel, host, caplog):
    caplog.set_level(logging.DEBUG)
    server.answers = [500]
    made(channel).send(delivery())
    assert server.asked == 2
    assert not any(secret in caplog.text for secret in ("c0C3secret", ROUTING_KEY))


@BOTH
def test_server_that_is_down_gets_it_when_it_is_back(server, channel, host, monkeypatch, caplog):
    monkeypatch.setenv("https_proxy", "http://127.0.0.1:9")
    with pytest.raises(DeliveryError, match="cannot be reached, or broke off") as caught:
        made(channel).send(delivery())
    assert not any(secret in f"{caught.value}{caplog.text}" for secret in ("c0C3secret", ROUTING_KEY))
    monkeypatch.setenv("https_proxy", server.url)
    made(channel).send(delivery())
    assert len(server.of(host)) == 1


@BOTH
def test_unknown_authority_is_not_trusted(server, channel, host, monkeypatch):
    monkeypatch.delenv("SSL_CERT_FILE")
    with pytest.raises(DeliveryError, match=r"The certificate of \w+ is not trusted .*SSL_CERT_FILE"):
        made(channel).send(delivery())
    assert server.received == []


@BOTH
def test_redirection_takes_no_alert_away(server, channel, host):
    server.answers = [307]
    with pytest.raises(DeliveryError, match=r"refused the alert \(307\)"):
        made(channel).send(delivery())
    assert server.asked == 1


@pytest.mark.parametrize(
    "url",
    [
        "http://hooks.slack.com/services/T0/B0/secret", "https://hooks.slack.com/services/T0/secret",
        "https://user:secret@hooks.slack.com/services/T0/B0/secret", "secret", "ftp://127.0.0.1/services/T/B/secret",
        "https://hooks.slack.com/services/T0/B0/secret\r\nX: y", "https://hooks.slack.com/services/T0/B0/sec ret",
        "https://[hooks.slack.com/services/T0/B0/secret",
    ],
)  # fmt: skip
def test_webhook_that_is_none_is_not_repeated(monkeypatch, url, caplog):
    monkeypatch.setenv("SLACK_WEBHOOK_URL", url)
    with pytest.raises(DeliveryError, match="SLACK_WEBHOOK_URL is not an incoming webhook") as caught:
        made(SlackChannel).send(delivery())
    assert "sec" not in f"{caught.value}{caplog.text}"


@pytest.mark.parametrize("key", ["two words", "key\r\nX: y", "sec/ret"])
def test_routing_key_that_is_none_is_not_repeated(monkeypatch, key, caplog):
    monkeypatch.setenv("PAGERDUTY_ROUTING_KEY", key)
    with pytest.raises(DeliveryError, match="PAGERDUTY_ROUTING_KEY is not a routing key") as caught:
        made(PagerDutyChannel).send(delivery())
    assert key not in f"{caught.value}{caplog.text}"


def test_missing_says_what_to_set(monkeypatch):
    for name, channel in (("SLACK_WEBHOOK_URL", SlackChannel), ("PAGERDUTY_ROUTING_KEY", PagerDutyChannel)):
        monkeypatch.delenv(name, raising=False)
        assert made(channel).missing() == name
        monkeypatch.setenv(name, "x")
        assert made(channel).missing() is None
