"""Webhooks: alerts to Slack and PagerDuty by HTTP.

PagerDuty groups events with the same deduplication key into one incident, and closes it by that key. Slack has no such
key: it is the last line of the message, so that readers see which messages belong together.
"""

import logging
import re
from typing import Any
from urllib.parse import urlsplit

import httpx2

from abaco.core import secrets
from abaco.core.net import AUTHORITY, is_loopback, untrusted
from abaco.delivery.channel import Channel, Delivery, DeliveryError, TransientError, retry
from abaco.delivery.messages import headline

SLACK_URL, PAGERDUTY_KEY = "SLACK_WEBHOOK_URL", "PAGERDUTY_ROUTING_KEY"
SLACK_PATH = re.compile(r"/.+/[A-Za-z0-9]+/[A-Za-z0-9]+/[A-Za-z0-9]+/?")
PAGERDUTY_EVENTS = "https://events.pagerduty.com/v2/enqueue"
PAGERDUTY_SEVERITIES = {"P1": "critical", "P2": "error", "P3": "warning", "P4": "info"}
COLORS = {"P1": "#A32037", "P2": "#A32037", "P3": "#CACF29", "P4": "#3AA3E3"}
RESOLVED_COLOR = "#3AA337"
MAX_SUMMARY = 1024  # characters that PagerDuty accepts
AGENT = "Abaco"


class SlackChannel(Channel):
    """Sends alerts to a Slack incoming webhook."""

    name, variables, takes = "slack", (SLACK_URL,), ("P1", "P2", "P3", "P4")
    probes_form = True

    def probe(self) -> str:
        """Check the form of the webhook's address, without sending anything."""
        _slack_url()
        return f"{SLACK_URL} has the form of an incoming webhook"

    def send(self, delivery: Delivery) -> dict[str, Any]:
        """Send an alert; the receipt holds its key."""
        alert = delivery.payload
        attachment = {
            "title": _escape(headline(alert)),
            "text": _escape(f"{alert['text']}\nKey: {alert['dedup_key']}"),
            "color": RESOLVED_COLOR if alert["resolved"] else COLORS[alert["severity"]],
            "footer": AGENT,
        }
        message = {"mrkdwn": False, "attachments": [attachment]}
        retry(_post, "Slack", SLACK_URL, _slack_url(), message, self.timeout)
        return {"dedup_key": alert["dedup_key"]}


class PagerDutyChannel(Channel):
    """Opens and resolves incidents in PagerDuty by its Events API, version 2."""

    name, variables, takes = "pagerduty", (PAGERDUTY_KEY,), ("P1", "P2")
    probes_form = True

    def probe(self) -> str:
        """Check the form of the routing key, without sending anything."""
        _routing_key()
        return f"{PAGERDUTY_KEY} has the form of a routing key"

    def send(self, delivery: Delivery) -> dict[str, Any]:
        """Open, update or resolve the incident of an alert; the receipt holds its key."""
        alert = delivery.payload
        event = {"routing_key": _routing_key(), "dedup_key": alert["dedup_key"]}
        if alert["resolved"]:
            event["event_action"] = "resolve"
        else:
            event |= {"event_action": "trigger", "client": AGENT, "payload": _incident(alert)}
            if alert["runbook"].startswith("http"):
                event["links"] = [{"href": alert["runbook"]}]
        retry(_post, "PagerDuty", PAGERDUTY_KEY, PAGERDUTY_EVENTS, event, self.timeout)
        return {"dedup_key": alert["dedup_key"]}


def _incident(alert: dict[str, Any]) -> dict[str, Any]:
    return {
        "summary": headline(alert)[:MAX_SUMMARY], "severity": PAGERDUTY_SEVERITIES[alert["severity"]],
        "source": "abaco", "component": "report", "class": alert["cause"],
        "custom_details": {"text": alert["text"]},
    }  # fmt: skip


def _escape(text: str) -> str:
    """Return a text in which Slack finds no mentions or links; other characters than these three mean nothing to it."""
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _post(service: str, variable: str, url: str, content: dict[str, Any], timeout: float) -> None:
    """Post JSON to a service; `variable` holds its address or key, which no error message repeats."""
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # at INFO it logs addresses: Slack's is a secret
    try:
        response = httpx2.post(url, json=content, timeout=timeout, headers={"User-Agent": AGENT})
    except httpx2.TimeoutException:
        raise DeliveryError(
            f"{service} gave no answer within {timeout:g} s: try again, or raise delivery.timeout_seconds"
        ) from None
    except httpx2.TransportError as error:
        if reason := untrusted(error):
            raise DeliveryError(f"The certificate of {service} is not trusted ({reason}): {AUTHORITY}") from None
        raise TransientError(f"{service} cannot be reached, or broke off: check the network, and {variable}") from None
    status = response.status_code
    if status >= 500 or status == httpx2.codes.TOO_MANY_REQUESTS:
        raise TransientError(f"{service} answered {status}: it is in trouble, try again later")
    if not response.is_success:
        raise DeliveryError(f"{service} refused the alert ({status}): check {variable}")


def _slack_url() -> str:
    """Return the webhook's address, or raise a DeliveryError that does not repeat it."""
    address = secrets.read(SLACK_URL).strip()
    try:
        parts = urlsplit(address)
        is_private = parts.scheme == "https" or (parts.scheme == "http" and is_loopback(parts.hostname or ""))
        is_webhook = is_private and "@" not in parts.netloc and SLACK_PATH.fullmatch(parts.path)
    except ValueError:  # the host is not valid
        is_webhook = False
    if not is_webhook or not address.isprintable():
        raise DeliveryError(
            f"{SLACK_URL} is not an incoming webhook: copy its address, https://hooks.slack.com/services/…/…/…"
        )
    return address


def _routing_key() -> str:
    """Return the routing key, or raise a DeliveryError that does not repeat it."""
    key = secrets.read(PAGERDUTY_KEY).strip()
    if not re.fullmatch(r"[A-Za-z0-9]+", key):
        raise DeliveryError(f"{PAGERDUTY_KEY} is not a routing key: copy it from the service's Events API v2")
    return key
