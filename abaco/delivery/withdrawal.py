"""Withdrawal: what waits and is not to be delivered; it stays written down, and its status says why."""

from typing import Any

from sqlalchemy import Connection, update

from abaco.database import queries
from abaco.database.schema import deliveries
from abaco.delivery.outbox import DEAD, DROPPED, PENDING, SUPERSEDED, renew


def follow_reports(connection: Connection) -> list[dict[str, Any]]:
    """Let the email of a report wait only while its date shows that report; return those that changed.

    It would reach its readers after the newer report, or though the report was rolled back. One that another process
    is sending at this moment is on its way. A report that is shown again has its email waiting again.
    """
    waiting = queries.emails_of_reports(connection, PENDING, DEAD, SUPERSEDED)
    shown, changed = queries.shown(connection) if waiting else {}, []
    for row in waiting:
        run = shown.get(str(row["date"]))
        is_shown, waits = run and run["run_id"] == row["run_id"], row["status"] != SUPERSEDED
        if is_shown and not waits:
            renew(connection, [row["key"]])
            changed.append(_change(connection, row, {"status": PENDING, "error": None}))
        elif run and waits and not is_shown:
            why = f"the report of {row['date']} is the run {run['run_id']} now"
            changed.append(_change(connection, row, {"status": SUPERSEDED, "error": why}))
    return changed


def drop(connection: Connection, name: str) -> list[dict[str, Any]]:
    """Let what was given up of a run, or of a key where there is no run, not be tried again; return it."""
    given_up = queries.deliveries_with(connection, DEAD)
    wanted = [row for row in given_up if name == (row["run_id"] or row["key"])]
    return [_change(connection, row, {"status": DROPPED}) for row in wanted]


def _change(connection: Connection, row: dict[str, Any], values: dict[str, Any]) -> dict[str, Any]:
    connection.execute(update(deliveries).where(deliveries.c.key == row["key"]).values(**values))
    return row | values
