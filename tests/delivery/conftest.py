"""Real places that take deliveries."""

import pytest

from tests.support.azurite import blob_service, proxy  # noqa: F401
from tests.support.mailserver import serving
from tests.support.webhooks import recording

OWN = (
    "DATABASE_URL",
    "SMTP_URL",
    "REPORT_RECIPIENTS",
    "ALERT_RECIPIENTS",
    "SLACK_WEBHOOK_URL",
    "PAGERDUTY_ROUTING_KEY",
)


@pytest.fixture
def nothing_set(monkeypatch):
    for name in (*OWN, "AZURE_STORAGE_CONNECTION_STRING", "AZURE_STORAGE_ACCOUNT_URL"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def places(tmp_path_factory):
    """Slack and a mail server on this machine; ``environment`` sets them up."""
    with recording(tmp_path_factory.mktemp("tls")) as slack, serving() as mail:
        slack.mail, slack.environment = mail, {
            "SLACK_WEBHOOK_URL": f"{slack.url}/services/T/B/c",
            "SMTP_URL": f"smtp://127.0.0.1:{mail.port}",
            "REPORT_RECIPIENTS": "ana@example.com,luis@example.com",
        }  # fmt: skip
        yield slack


@pytest.fixture
def set_up(places, monkeypatch):
    for name, value in places.environment.items():
        monkeypatch.setenv(name, value)
    return places
