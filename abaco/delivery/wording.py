"""The words that every place gets of an alert."""

from typing import Any


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
