"""Messages: an alert as the channels get it, and the keys by which receivers group and discard messages."""

import datetime as dt
from collections.abc import Mapping
from typing import Any

from abaco.core import project
from abaco.delivery.rules import SECTIONS, Alert


def headline(alert: dict[str, Any]) -> str:
    """Return an alert's first line: its severity and title, or that it is resolved.

    Examples
    --------
    >>> headline({"severity": "P2", "title": "PAR30 is 8.42 %", "resolved": False})
    '[P2] PAR30 is 8.42 %'
    >>> headline({"severity": "P2", "title": "PAR30 is 4.10 %", "resolved": True})
    'Resolved: PAR30 is 4.10 %'
    """
    return f"Resolved: {alert['title']}" if alert["resolved"] else f"[{alert['severity']}] {alert['title']}"


def payload(
    alert: Alert,
    opened: dt.datetime,
    resolved: bool,
    settings: Mapping[str, Any],
    input: str | None,
    severity_since: dt.datetime | None = None,
) -> dict[str, Any]:
    """Return the payload of an alert for the channels.

    Parameters
    ----------
    opened
        When its cause arose; cause and time are the key by which receivers group the messages of one alert.
    settings
        All settings by section; ``alerts`` has the runbook's address and the people to call.
    input
        The input of the run, if one began.
    severity_since
        Since when it has its severity, if it was milder at first.
    """
    runbook = settings["alerts"]["runbook"]
    section = f"{runbook}#{SECTIONS[alert.cause.partition(':')[0]]}"
    worse = f", {alert.severity} since {severity_since:%Y-%m-%d %H:%M} UTC" if severity_since else ""
    lines = [alert.text, f"Alert open since {opened:%Y-%m-%d %H:%M} UTC{worse}."]
    lines += [f"Input: {project.display_path(input)}"] if input else []
    if not resolved:
        lines.append(f"What to do: {section}")
        if alert.severity < "P3":
            called = {"On call": settings["alerts"]["on_call"]}
            called["If it is not solved within an hour"] = settings["alerts"]["escalation"]
            lines += [f"{name}: {who}" for name, who in called.items() if who]
    return {
        "cause": alert.cause, "severity": alert.severity, "title": alert.title, "text": "\n".join(lines),
        "resolved": resolved, "dedup_key": f"{alert.cause}:{compact_time(opened)}", "runbook": section,
    }  # fmt: skip


def is_due(told: dt.datetime | None, now: dt.datetime, settings: Mapping[str, Any]) -> bool:
    """Return whether an alert that was last sent at `told`, or never, is to be sent: once a day by nightly runs.

    Examples
    --------
    >>> night = dt.datetime(2026, 1, 10, 2, 5, tzinfo=dt.UTC)
    >>> daily = {"alerts": {"cooldown_hours": 24.0}}
    >>> is_due(night, night + dt.timedelta(hours=23.9), daily), is_due(night, night + dt.timedelta(hours=9), daily)
    (True, False)
    """
    cooldown = dt.timedelta(hours=settings["alerts"]["cooldown_hours"])
    # a run may end earlier than the one of the night before
    return told is None or now - told >= cooldown - cooldown / 12


def delivery_key(payload: Mapping[str, Any], now: dt.datetime) -> str:
    """Return the part of a delivery's key that tells one message of an alert from its others."""
    return f"{payload['dedup_key']}:{compact_time(now)}{':over' if payload['resolved'] else ''}"


def compact_time(time: dt.datetime) -> str:
    """Return a UTC time as it stands in keys.

    Examples
    --------
    >>> compact_time(dt.datetime(2026, 1, 1, 2, 0, 3))
    '20260101T020003Z'
    """
    return f"{time:%Y%m%dT%H%M%SZ}"
