"""The registry is the only list of channels: whatever else names them agrees with it."""

from pathlib import Path

from abaco import Pipeline
from abaco.core import secrets
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
