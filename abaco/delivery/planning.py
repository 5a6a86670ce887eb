"""Planning: the deliveries that a run needs at each place, once it has ended."""

import datetime as dt
import uuid
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from abaco.database import queries, records
from abaco.delivery import alerting, corrections, rules
from abaco.delivery.azure import SHOWN_AGAIN, AzureChannel
from abaco.delivery.channel import Delivery
from abaco.delivery.registry import ALERTS, create_channel

AZURE = AzureChannel.name
Plan = tuple[list[Delivery], str | None]


def plan_deliveries(
    place: str,
    connection: Connection,
    folder: Path,
    run: dict[str, Any],
    settings: dict[str, Any],
    repeat: bool = False,
) -> Plan:
    """Return the deliveries of a run to a place, and the variable to set if there are none for lack of it.

    Parameters
    ----------
    place
        A channel that takes reports, or ``alerts``.
    connection
        In a transaction, in which the deliveries are enqueued.
    run
        The content of its run.json.
    repeat
        Whether recipients who have a report with the same figures get it once more.

    Raises
    ------
    InputError
        When a recipient is not valid.
    """
    if place == ALERTS:
        return plan_alerts(connection, folder, run, settings), None
    if run["status"] != "success":
        return [], None
    channel = create_channel(place, settings)
    if missing := channel.missing():
        return [], missing
    deliveries = channel.address(report_delivery(place, folder, run, repeat=repeat))
    if not channel.recipients:
        return deliveries, None
    told = corrections.with_content(deliveries, folder)
    return told if repeat else corrections.needed(connection, told), None if told else channel.recipients


def report_delivery(
    channel: str, folder: Path, run: dict[str, Any], to: str | None = None, repeat: bool = False
) -> Delivery:
    """Return the delivery of a report to a channel, before the channel addresses it.

    Parameters
    ----------
    to
        Comma-separated recipients, instead of those of the environment.
    repeat
        Whether recipients who have the report already get it once more.
    """
    suffix = f":{uuid.uuid4().hex[:12]}" if repeat else ""
    key, payload = f"{channel}:{run['run_id']}{suffix}", {"to": to} if to else {}
    return Delivery(key, channel, run["run_id"], run["date"], folder, payload)


def shown_again(folder: Path, run: dict[str, Any], settings: dict[str, Any]) -> list[Delivery]:
    """Return the delivery to Azure of a run that is shown again after a rollback, so that ``latest.json`` follows."""
    if create_channel(AZURE, settings).missing():
        return []
    key = f"{AZURE}:{run['run_id']}:{uuid.uuid4().hex[:12]}"
    return [Delivery(key, AZURE, run["run_id"], run["date"], folder, {SHOWN_AGAIN: True})]


def plan_given_up(connection: Connection, settings: dict[str, Any]) -> list[Delivery]:
    """Return the alerts of deliveries that were given up since they were last told of, or of their end."""
    is_open = any(row["cause"] == rules.GIVEN_UP for row in queries.open_alerts(connection))
    if not is_open and not queries.deliveries_with(connection, "dead"):
        return []
    return alerting.alerts_of_deliveries(connection, settings, dt.datetime.now(dt.UTC))


def plan_alerts(
    connection: Connection, folder: Path | None, run: dict[str, Any], settings: dict[str, Any]
) -> list[Delivery]:
    """Return the alerts of a run that has ended.

    Parameters
    ----------
    folder
        The run's folder, if it got one.
    run
        See `plan_deliveries`; of a run without a folder also without its places.
    """
    now = dt.datetime.now(dt.UTC)
    if run["status"] == "success":
        return alerting.evaluate_alerts(connection, folder, settings, now)
    failed_run = run | {"error": run["error"] or records.KILLED}
    return alerting.alert_of_failure(connection, failed_run, folder, settings, now)
