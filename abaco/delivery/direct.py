"""Alerts without the database: sent at once, and noted beside the reports until the database answers again."""

import datetime as dt
import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from abaco.core import logs
from abaco.core.errors import AbacoError
from abaco.core.text import show
from abaco.database import notes
from abaco.delivery import messages, outbox, rules
from abaco.delivery.channel import Channel, Delivery
from abaco.delivery.routing import channels_set_up, routed
from abaco.run import contents

log = logging.getLogger(__name__)


def tell(
    output: Path,
    settings: dict[str, Any],
    alert: rules.Alert,
    run: Mapping[str, Any],
    folder: Path | None = None,
    starts: list[dict[str, Any]] | None = None,
) -> None:
    """Send an alert to its channels, unless it was sent within ``alerts.cooldown_hours``, and note what was done.

    Nothing here raises: what cannot be sent is tried again by the outbox, once it has the notes.

    Parameters
    ----------
    run
        ``run_id``, ``date`` and ``input``, each None where it is not known.
    folder
        The run's folder, if it got one.
    starts
        Rows of ``failed_starts`` to note besides.
    """
    now = dt.datetime.now(dt.UTC)
    former = [
        row for row in notes.read(output)["alerts"] if (row["cause"], row["input"]) == (alert.cause, run["input"])
    ]
    opened_at = former[0]["opened_at"] if former else now
    told_at = former[-1]["told_at"] if former else None
    payload = messages.payload(alert, opened_at, False, settings, run["input"])
    if settings["alerts"]["dry_run"]:
        show(f"{messages.headline(payload)}\n{payload['text']}\n")
        return
    rows = []
    if messages.is_due(told_at, now, settings):
        channels = channels_set_up(settings)
        deliveries = routed(payload, messages.delivery_key(payload, now), run, folder, channels)
        rows = [_sent(delivery, output, channels) for delivery in deliveries]
        told_at = now if rows else told_at
    date = run["date"] and dt.date.fromisoformat(run["date"])
    row = {
        **vars(alert), "opened_at": opened_at, "told_at": told_at, "cleared_at": None, "run_id": run["run_id"],
        "date": date, "is_open": True, "input": run["input"], "severity_since": None,
    }  # fmt: skip
    try:
        notes.add(output, alerts=[row], deliveries=rows, failed_starts=starts or [])
    except OSError as error:  # such as a full disk: those who were told know
        log.info("the alert is not noted: %s: %s", error.filename, error.strerror)


def _sent(delivery: Delivery, output: Path, channels: dict[str, Channel]) -> dict[str, Any]:
    """Send a delivery and return its row, as the outbox would have written it."""
    row = outbox.new_row(delivery, output) | {"attempts": 1, "done_at": None, "error": None, "receipt": None}
    try:
        receipt = channels[delivery.channel].send(delivery)
    except Exception as error:  # whatever a channel raises, the others are told
        logs.keep_traceback(error)
        log.error("no alert by %s: %s", delivery.channel, error)
        return row | {"error": str(error) if isinstance(error, AbacoError) else f"{type(error).__name__}: {error}"}
    return row | {"status": outbox.DONE, "done_at": dt.datetime.now(dt.UTC), "receipt": receipt}


def is_past(visible: Mapping[str, Mapping[str, Any]], run: Mapping[str, Any]) -> bool:
    """Return whether a later date of a run's input has a report, by the visible reports."""
    series = contents.series(run["input"])
    return any(date > run["date"] and contents.series(one["input"]) == series for date, one in visible.items())
