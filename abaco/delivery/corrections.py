"""Corrections: nobody gets the same figures twice, and a report with other figures says what it replaces."""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from abaco.core import files
from abaco.core.text import format_value
from abaco.database import queries
from abaco.delivery.channel import Delivery

OWN = ("run_id", "inputs")  # of a run, which other files or other code may have made of the same figures
SHOWN = 3  # figures that a subject names
SUBJECTS = {  # by the language of the report
    "en": "Corrected: {subject} (replaces that of {sent}: {changes})",
    "es": "Corregido: {subject} (sustituye al del {sent}: {changes})",
}
OTHERS = {"en": "other details", "es": "otros detalles"}


def with_content(deliveries: list[Delivery], folder: Path) -> list[Delivery]:
    """Return deliveries of a report with what is kept of it: the hash of its figures, and the headline ones as text."""
    metrics = files.read_object(folder / "metrics.json")
    core = {name: kpi for name, kpi in metrics["kpis"].items() if kpi["group"] == "core"}
    kept = {"content": content(metrics), "figures": {name: _text(kpi) for name, kpi in core.items()}}
    return [replace(delivery, payload=delivery.payload | kept) for delivery in deliveries]


def content(metrics: Mapping[str, Any]) -> str:
    """Return a hash of what a metrics.json says, whichever run says it."""
    said = {key: value for key, value in metrics.items() if key not in OWN}
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def _text(kpi: Mapping[str, Any]) -> str:
    return "–" if kpi["value"] is None else format_value(kpi)


def needed(connection: Connection, deliveries: list[Delivery]) -> list[Delivery]:
    """Return the deliveries of a report to recipients who do not have its figures yet.

    Where a recipient has other figures of the date, the payload says under ``replaces`` when those were ``sent``, and
    the ``changes`` since.
    """
    found = []
    for delivery in deliveries:
        recipient = delivery.key.rpartition(":")[2]
        former = queries.last_report_sent(connection, delivery.channel, delivery.date, recipient)
        if former is None or "content" not in former["payload"]:  # sent by an earlier version
            found.append(delivery)
        elif former["payload"]["content"] != delivery.payload["content"]:
            found.append(replace(delivery, payload=delivery.payload | {"replaces": _replaced(former, delivery)}))
    return found


def _replaced(former: Mapping[str, Any], delivery: Delivery) -> dict[str, Any]:
    before, now = former["payload"].get("figures", {}), delivery.payload["figures"]
    changed = [f"{name} {before[name]} → {value}" for name, value in now.items() if before.get(name, value) != value]
    return {"sent": f"{former['done_at']:%Y-%m-%d %H:%M} UTC", "changes": changed[:SHOWN]}


def subject(former: str, language: str, replaces: Mapping[str, Any]) -> str:
    """Return the subject of a report that replaces one that its recipient has.

    Examples
    --------
    >>> subject("PAR30 3.75 %", "en", {"sent": "2026-01-01 02:00 UTC", "changes": []})
    'Corrected: PAR30 3.75 % (replaces that of 2026-01-01 02:00 UTC: other details)'
    """
    changes = ", ".join(replaces["changes"]) or OTHERS[language]
    return SUBJECTS[language].format(subject=former, sent=replaces["sent"], changes=changes)
