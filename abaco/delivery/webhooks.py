"""Alerts to Slack and PagerDuty, both through Apprise, which knows their formats; none of their secrets is ever said.

PagerDuty puts events of one deduplication key into one incident, and closes it by that key. Slack keeps no such key: it
stands at the end of the message, where readers see which messages belong together. Apprise tells why it failed only by
what it logs; of that the status is taken and nothing else, since the rest may repeat a webhook's address.
"""

import logging
import os
import re
from typing import Any
from urllib.parse import urlsplit

from abaco.delivery.channel import DeliveryError, Item, PassingError, attempted
from abaco.delivery.rules import headline
from abaco.delivery.smtp import is_here

WEBHOOK = re.compile(r"(/.+)/([A-Za-z0-9]+)/([A-Za-z0-9]+)/([A-Za-z0-9]+)/?")
URGENCY = {"P1": "critical", "P2": "error", "P3": "warning", "P4": "info"}  # as PagerDuty calls it
COLOUR = {
    "P1": "failure",
    "P2": "failure",
    "P3": "warning",
    "P4": "info",
}  # the kind that Apprise colours it by
LONGEST = 1024  # characters of a PagerDuty summary
BUSY = 429


class SlackChannel:
    """Sends alerts to a Slack incoming webhook."""

    def __init__(self, settings: dict[str, Any]):
        self._timeout = settings["delivery"]["timeout_seconds"]

    def missing(self) -> str | None:
        """Return None when there is a webhook, else what to set."""
        return None if os.environ.get("SLACK_WEBHOOK_URL") else "SLACK_WEBHOOK_URL"

    def probe(self) -> None:
        """Look at the webhook's form, sending nothing.

        Raises
        ------
        DeliveryError
            When it is none.
        """
        _webhook(os.environ["SLACK_WEBHOOK_URL"].strip())

    def send(self, item: Item) -> dict[str, Any]:
        """Send an alert; the receipt holds its key.

        Raises
        ------
        DeliveryError
            When Slack did not take it.
        """
        from apprise.plugins.slack import NotifySlack

        alert = item.payload
        base, *tokens = _webhook(os.environ["SLACK_WEBHOOK_URL"].strip())
        service = NotifySlack(
            **dict(zip(("token_a", "token_b", "token_c"), tokens, strict=True)), include_image=False,
            include_timestamp=False, **_manner(self._timeout),
        )  # fmt: skip
        service.webhook_url = base
        body = f"{alert['text']}\nKey: {alert['dedup_key']}"
        attempted(_notify, "Slack", "SLACK_WEBHOOK_URL", service, self._timeout, alert, headline(alert), body)
        return {"dedup_key": alert["dedup_key"]}


class PagerDutyChannel:
    """Opens and closes incidents in PagerDuty by its Events API, version 2."""

    def __init__(self, settings: dict[str, Any]):
        self._timeout = settings["delivery"]["timeout_seconds"]

    def missing(self) -> str | None:
        """Return None when there is a routing key, else what to set."""
        return None if os.environ.get("PAGERDUTY_ROUTING_KEY") else "PAGERDUTY_ROUTING_KEY"

    def probe(self) -> None:
        """Look at the routing key's form, sending nothing.

        Raises
        ------
        DeliveryError
            When it is none.
        """
        _routing_key()

    def send(self, item: Item) -> dict[str, Any]:
        """Open the incident of an alert, add to it, or close it; the receipt holds its key.

        Raises
        ------
        DeliveryError
            When PagerDuty did not take it.
        """
        from apprise.plugins.pagerduty import NotifyPagerDuty

        alert = item.payload
        key = _routing_key()
        service = NotifyPagerDuty(
            apikey=key,  # Apprise wants a second key, which this API has no use for
            integrationkey=key, source="abaco", component="report", class_id=alert["cause"],
            severity=URGENCY[alert["severity"]], action="resolve" if alert["resolved"] else "trigger",
            dedup=alert["dedup_key"], details={"text": alert["text"]}, include_image=False,
            click=alert["runbook"] if alert["runbook"].startswith("http") else None,
            **_manner(self._timeout),
        )  # fmt: skip
        summary = headline(alert)[:LONGEST]
        attempted(_notify, "PagerDuty", "PAGERDUTY_ROUTING_KEY", service, self._timeout, alert, "", summary)
        return {"dedup_key": alert["dedup_key"]}


def _manner(timeout: float) -> dict[str, Any]:
    """Return what both services are made with: our name, the timeout, and that no redirection takes an alert away."""
    from apprise import AppriseAsset

    return {"asset": AppriseAsset(app_id="Abaco"), "cto": timeout, "rto": timeout, "redirect": "no"}


def _notify(
    place: str, variable: str, service: Any, timeout: float, alert: dict, title: str, body: str
) -> None:
    from apprise import Apprise, NotifyFormat, NotifyType

    for talkative in ("apprise", "urllib3"):  # below a warning they tell addresses and keys
        logging.getLogger(talkative).setLevel(logging.WARNING)
    service.request_rate_per_sec = 0  # the attempts wait as long as they should
    caller = Apprise()
    caller.add(service)
    kind = NotifyType.SUCCESS if alert["resolved"] else NotifyType(COLOUR[alert["severity"]])
    with caller.notify(body=body, title=title, notify_type=kind, body_format=NotifyFormat.TEXT) as result:
        if result:
            return
        said = " ".join(entry.message for entry in result.logs())
        took = sum(attempt.elapsed for service in result for attempt in service)
    raise _fault(place, variable, re.search(r"\berror=(\d{3})\b", said), took, timeout)


def _fault(place: str, variable: str, status: re.Match | None, took: float, timeout: float) -> DeliveryError:
    if status is None and took >= timeout:
        return DeliveryError(
            f"{place} gave no answer within {timeout:g} s: try again, or raise delivery.timeout_seconds"
        )
    if status is None:
        return PassingError(f"{place} cannot be reached, or broke off: check the network, and {variable}")
    code = int(status[1])
    if code >= 500 or code == BUSY:
        return PassingError(f"{place} answered {code}: it is in trouble, try again later")
    return DeliveryError(f"{place} refused the alert ({code}): check {variable}")


def _routing_key() -> str:
    """Return the routing key of the environment.

    Raises
    ------
    DeliveryError
        When it is none.
    """
    key = os.environ["PAGERDUTY_ROUTING_KEY"].strip()
    if not re.fullmatch(r"[A-Za-z0-9]+", key):
        raise DeliveryError(
            "PAGERDUTY_ROUTING_KEY is no routing key: copy it from the service's Events API v2"
        )
    return key


def _webhook(address: str) -> tuple[str, ...]:
    """Return the beginning of a webhook's address and the three tokens at its end.

    Raises
    ------
    DeliveryError
        When it is none; the message does not repeat it.
    """
    try:
        parts = urlsplit(address)
        is_private = parts.scheme == "https" or (parts.scheme == "http" and is_here(parts.hostname))
        path = WEBHOOK.fullmatch(parts.path) if is_private and "@" not in parts.netloc else None
    except ValueError:  # the host is none
        path = None
    if path is None:
        raise DeliveryError(
            "SLACK_WEBHOOK_URL is no incoming webhook: "
            "copy its address, https://hooks.slack.com/services/…/…/…"
        )
    return f"{parts.scheme}://{parts.netloc}{path[1]}", path[2], path[3], path[4]
