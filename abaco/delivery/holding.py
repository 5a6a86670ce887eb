"""Holding: what a restored backup had pending may have arrived since, so it waits until somebody releases it."""

import hashlib
import tempfile
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, delete, select, update

from abaco.core import dates, files
from abaco.core.errors import DamagedError, InputError
from abaco.core.text import aligned
from abaco.database import queries, records
from abaco.database.schema import deliveries
from abaco.delivery import blobs
from abaco.delivery.azure import AzureChannel, MissingBlobError
from abaco.delivery.outbox import DONE, DROPPED, HELD, PENDING, enqueue_again

ALL = "all"
UNKNOWN = "it was pending in the backup of {made_at}, and may have been delivered since"
HEADING = (
    "Held, as they were pending in the backup of {made_at}, and may have been delivered since. Ask who should have "
    "them: abaco deliver --held DATE, or all, sends them, and abaco deliver --drop RUN does not:"
)


def ended(connection: Connection) -> list[dict[str, Any]]:
    """Return the deliveries that arrived or were dropped, whole, which no backup can undo."""
    return queries.rows_of(connection, select(deliveries).where(deliveries.c.status.in_((DONE, DROPPED))))


def remember(connection: Connection, rows: list[dict[str, Any]]) -> None:
    """Write deliveries that have ended over what a backup knew of them."""
    for row in rows:
        connection.execute(delete(deliveries).where(deliveries.c.key == row["key"]))
    records.insert(connection, deliveries, rows)


def hold(connection: Connection, made_at: str) -> None:
    """Hold every delivery that is pending, as it was in the backup of that time."""
    values = {"status": HELD, "error": UNKNOWN.format(made_at=made_at)}
    connection.execute(update(deliveries).where(deliveries.c.status == PENDING).values(**values))


def settle_by_azure(connection: Connection, settings: dict[str, Any]) -> list[dict[str, Any]]:
    """Note of held deliveries that they arrived, where run.json in Azure says so, and return them."""
    channel = AzureChannel(settings)
    held = [row for row in queries.deliveries_with(connection, HELD) if row["run_id"] and row["date"]]
    if channel.missing() or not held:
        return []
    known = {run: _outcomes(channel, *run) for run in {(str(row["date"]), row["run_id"]) for row in held}}
    settled = []
    for row in held:
        outcomes = known[str(row["date"]), row["run_id"]]
        if receipt := next((one["receipt"] for one in outcomes if _is_of(one, row)), None):
            values = {"status": DONE, "done_at": row["created_at"], "error": None, "receipt": receipt}
            connection.execute(update(deliveries).where(deliveries.c.key == row["key"]).values(**values))
            settled.append(row)
    return settled


def _outcomes(channel: AzureChannel, date: str, run_id: str) -> list[dict[str, Any]]:
    with tempfile.TemporaryDirectory(prefix="abaco-held-") as folder:
        path = Path(folder) / blobs.RUN
        try:
            channel.fetch(blobs.RUN, path, f"{date}/{run_id}")
            return files.read_object(path, "deliveries")["deliveries"]
        except (MissingBlobError, DamagedError):
            return []


def _is_of(outcome: Mapping[str, Any], row: Mapping[str, Any]) -> bool:
    """Return whether an outcome in run.json is that of a delivery, and says that it arrived."""
    if outcome["status"] != DONE or outcome["channel"] != row["channel"]:
        return False
    receipt = outcome["receipt"]
    if "message_id" in receipt:
        return hashlib.sha256(row["key"].encode()).hexdigest()[:40] in receipt["message_id"]
    return f":{receipt['dedup_key']}:" in row["key"] if "dedup_key" in receipt else True


def release(connection: Connection, wanted: Collection[str]) -> None:
    """Enqueue again the held deliveries of some dates, or of all.

    Raises
    ------
    InputError
        When nothing is held of one of the dates.
    """
    held = queries.deliveries_with(connection, HELD)
    of_date = {str(row["date"]) for row in held}
    if unknown := sorted({*wanted} - {*of_date, ALL}):
        known = ", ".join(sorted(of_date - {"None"}))
        rest = f", but of {known}: name one of these, or {ALL}" if known else ": abaco status lists what is"
        raise InputError(f"Nothing is held of {', '.join(unknown)}{rest}")
    enqueue_again(connection, [row["key"] for row in held if ALL in wanted or str(row["date"]) in wanted])


def told(title: str, rows: list[dict[str, Any]]) -> list[str]:
    """Return a title and date, run, place and time of enqueueing of deliveries, a line for all of a run and place."""
    cells = []
    for row in queries.group_deliveries(rows):
        time = dates.format_time(row["created_at"])
        cells.append((str(row["date"] or ""), row["run_id"] or row["key"], row["place"], f"queued {time}"))
    return [title, *(f"  {line}" for line in aligned(cells))] if rows else []
