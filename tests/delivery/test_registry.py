"""The registry is the only list of channels: whatever else names them agrees with it."""

from pathlib import Path

import pytest

from abaco import Pipeline
from abaco.core import secrets, settings
from abaco.core.errors import InputError
from abaco.delivery import registry, rules
from abaco.delivery.channel import REPORT, Channel
from abaco.operations.doctor import CHECKS

ROOT = Path(__file__).parents[2]
PUBLIC = {"AZURE_STORAGE_ACCOUNT_URL", "REPORT_RECIPIENTS", "ALERT_RECIPIENTS"}
VARIABLES = {name for channel in registry.CHANNELS.values() for name in channel.variables}


def test_every_channel_is_registered():
    assert set(registry.CHANNELS.values()) == set(Channel.__subclasses__())


def test_channels_take_reports_or_alerts_of_known_severities():
    taken = {kind for channel in registry.CHANNELS.values() for kind in channel.takes}
    assert taken == {REPORT, *rules.SEVERITIES}
    assert rules.FALLBACK in registry.CHANNELS


def test_doctor_examines_every_channel_of_reports():
    assert set(registry.REPORT_CHANNELS) < set(CHECKS)


def test_pipeline_of_scripts_delivers_to_no_place():
    assert Pipeline().places == ()


def test_secrets_of_channels_are_hidden():
    assert {name for name in VARIABLES if not secrets.is_secret(name)} == PUBLIC


def test_variables_of_channels_are_documented():
    for document in (".env.example", "README.md"):
        text = (ROOT / document).read_text()
        assert {name for name in VARIABLES if name not in text} == set(), document


MAIL = {"SMTP_URL": "smtp://127.0.0.1:9", "REPORT_RECIPIENTS": "a@example.com"}
UNUSABLE = {
    "no sender for readers": (MAIL, "", "No email can be sent, as it has no sender: set delivery.email_from in params"),
    "no sender for alerts": (
        {"SMTP_URL": MAIL["SMTP_URL"], "ALERT_RECIPIENTS": "a@example.com"},
        "",
        "No email can be sent",
    ),
    "sender": (
        MAIL,
        "delivery.email_from=kpis",
        "delivery.email_from or SMTP_URL holds something that is not an email",
    ),
    "reply": (
        MAIL,
        "delivery.email_from=a@example.com,delivery.reply_to=b",
        "delivery.reply_to holds something that is not an",
    ),
    "recipient": ({"REPORT_RECIPIENTS": "a.example.com"}, "", "REPORT_RECIPIENTS holds something that is not an email"),
    "server": ({"SMTP_URL": "mail.example.com"}, "", "SMTP_URL is not the address of a mail server"),
    "slack": ({"SLACK_WEBHOOK_URL": "https://example.com"}, "", "SLACK_WEBHOOK_URL is not an incoming webhook"),
    "pagerduty": ({"PAGERDUTY_ROUTING_KEY": "key with blanks"}, "", "PAGERDUTY_ROUTING_KEY is not a routing key"),
}


@pytest.mark.parametrize("name", UNUSABLE)
def test_place_that_nothing_can_reach_is_refused(name, monkeypatch):
    variables, params, said = UNUSABLE[name]
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    registry.check(settings.load())
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    with pytest.raises(InputError) as refused:
        registry.check(settings.load(params or None))
    assert said in str(refused.value) and "key with" not in str(refused.value)


@pytest.mark.parametrize(
    "changes",
    [
        {"SMTP_URL": "smtp://a%40example.com:x@127.0.0.1:9", "REPORT_RECIPIENTS": "a@example.com"},
        {"SMTP_URL": MAIL["SMTP_URL"]}, {"REPORT_RECIPIENTS": "a@example.com"},
    ],
)  # fmt: skip
def test_place_that_is_set_up_in_part_where_that_may_be_meant_is_not(changes, monkeypatch):
    for variable in VARIABLES:
        monkeypatch.delenv(variable, raising=False)
    for variable, value in changes.items():
        monkeypatch.setenv(variable, value)
    registry.check(settings.load())


@pytest.mark.parametrize("verb", [("report",), ("check",), ("serve", "--port", "0")])
def test_it_is_refused_at_the_start_in_one_line(finished, tmp_path, verb):
    project = finished.pristine.copy(tmp_path / "project")
    before = project.visible()
    ended = project.abaco(*verb, **MAIL)
    assert (ended.returncode, ended.stdout, ended.stderr.count("\n")) == (2, "", 1)
    assert ended.stderr.startswith("Error: No email can be sent, as it has no sender: set delivery.email_from")
    assert project.visible() == before and len(project.runs()) == 1
    assert "problem  email       No email can be sent" in project.abaco("doctor", **MAIL).stdout
