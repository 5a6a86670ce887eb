"""Withdrawal: what has not been delivered and is not to be any more; it stays written down, with the reason."""

from typing import Any

from sqlalchemy import Connection, update

from abaco.database import queries
from abaco.database.schema import deliveries
from abaco.delivery.outbox import DEAD, PENDING, WITHDRAWN


def superseded(connection: Connection) -> list[dict[str, Any]]:
    """Withdraw the emails of reports that their dates no longer show, and return them, as `queries.delivery` does.

    They would reach their readers after the newer report, or though the report was rolled back. One that another
    process is sending at this moment is on its way.
    """
    waiting = queries.emails_of_reports(connection, PENDING, DEAD, for_update=True)
    shown = queries.shown(connection) if waiting else {}
    found = []
    for row in waiting:
        run = shown.get(str(row["date"]))
        if run and run["run_id"] != row["run_id"]:
            found.append(
                _withdraw(connection, row, f"the report of {row['date']} is the run {run['run_id']} now")
            )
    return found


def dropped(connection: Connection, name: str) -> list[dict[str, Any]]:
    """Withdraw what was given up of a run, or of a key where there is no run, and return it."""
    given_up = queries.deliveries_with(connection, DEAD)
    wanted = [row for row in given_up if name == (row["run_id"] or row["key"])]
    return [_withdraw(connection, row, f"dropped by hand; {row['error']}") for row in wanted]


def _withdraw(connection: Connection, row: dict[str, Any], why: str) -> dict[str, Any]:
    values = {"status": WITHDRAWN, "error": why}
    connection.execute(update(deliveries).where(deliveries.c.key == row["key"]).values(**values))
    return row | values
