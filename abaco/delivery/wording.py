"""The words of an alert, as every place gets them."""

import datetime as dt
from typing import Any

from abaco.delivery import rules


def headline(alert: dict[str, Any]) -> str:
    """Return an alert's first line: how grave it is and what is the matter, or that it is over.

    Examples
    --------
    >>> headline({"severity": "P2", "title": "PAR30 is 8.42 %", "resolved": False})
    '[P2] PAR30 is 8.42 %'
    >>> headline({"severity": "P2", "title": "PAR30 is 4.10 %", "resolved": True})
    'Resolved: PAR30 is 4.10 %'
    """
    return f"Resolved: {alert['title']}" if alert["resolved"] else f"[{alert['severity']}] {alert['title']}"


def payload(alert: rules.Alert, opened: dt.datetime, resolved: bool, runbook: str) -> dict[str, Any]:
    """Return what the channels are given of an alert.

    Parameters
    ----------
    opened
        When its cause arose; with the cause it is the key by which places put together what belongs together.
    runbook
        The address of the runbook, to which the section is added.
    """
    section = f"{runbook}#{rules.SECTIONS[alert.cause.partition(':')[0]]}"
    lines = [alert.text, f"Alert open since {opened:%Y-%m-%d %H:%M} UTC."]
    if not resolved:
        lines.append(f"What to do: {section}")
    return {
        "cause": alert.cause, "severity": alert.severity, "title": alert.title, "text": "\n".join(lines),
        "resolved": resolved, "dedup_key": f"{alert.cause}:{stamp(opened)}", "runbook": section,
    }  # fmt: skip


def stamp(time: dt.datetime) -> str:
    """Return a time as keys hold it, UTC.

    Examples
    --------
    >>> stamp(dt.datetime(2026, 1, 1, 2, 0, 3))
    '20260101T020003Z'
    """
    return f"{time:%Y%m%dT%H%M%SZ}"
