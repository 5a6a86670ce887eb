"""Alerting: an alert a cause, sent once, repeated when it gets worse or lasts, and resolved when the cause is gone.

A row of the table ``alerts`` is a cause in one input from when it arose until it cleared. The functions return
deliveries for the outbox: enqueue them in the same transaction, so that ``told_at`` is set only when they are enqueued.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from sqlalchemy import ColumnElement, Connection, Executable, insert, select, text, update

from abaco.core import files
from abaco.core.files import read_rows
from abaco.core.text import finding, show
from abaco.database import queries
from abaco.database.connection import is_postgresql
from abaco.database.schema import SCHEMA, alerts, deliveries, runs, visible
from abaco.delivery import messages, rules
from abaco.delivery.channel import Delivery
from abaco.delivery.outbox import DEAD, DONE, PENDING, WITHDRAWN
from abaco.delivery.routing import channels_set_up, routed
from abaco.delivery.rules import Alert
from abaco.run import contents, folders

NO_RUN = {"run_id": None, "date": None, "input": None}


def evaluate_alerts(
    connection: Connection, folder: Path, settings: dict[str, Any], now: dt.datetime, is_rollback: bool = False
) -> list[Delivery]:
    """Open, repeat and clear alerts by a finished report, and return their deliveries.

    Parameters
    ----------
    connection
        In a transaction, after the run was recorded as the visible one of its date.
    folder
        The run's folder.
    settings
        All settings by section.
    now
        The time, in UTC.
    is_rollback
        Whether an earlier report is shown again, which does not resolve the failure of a later run.

    Returns
    -------
    list
        Empty for a report that is not of the newest date of its input. With
        ``alerts.dry_run`` the alerts are printed, and neither returned nor recorded.
    """
    metrics = files.read_object(folder / "metrics.json")
    run = {"run_id": metrics["run_id"], "date": metrics["date"], "input": _input(connection, metrics["run_id"])}
    if _is_past(connection, run):
        return []
    current_alerts = rules.of_report(
        metrics, _history(folder), lambda kpi: _explain_change(folder, kpi, metrics["date"]),
        today=now.date(), max_age_days=settings["alerts"]["max_age_days"],
    )  # fmt: skip
    return _Evaluation(connection, run, folder, settings, now).update(current_alerts, metrics, is_rollback)


def alert_of_failure(
    connection: Connection, run: Mapping[str, Any], folder: Path | None, settings: dict[str, Any], now: dt.datetime
) -> list[Delivery]:
    """Open or repeat the alert of a run that failed, and return its deliveries; see `evaluate_alerts`.

    A run that was stopped on purpose causes no alert.

    Parameters
    ----------
    run
        The content of its run.json: ``run_id``, ``date`` (or None), ``input``, ``started_at`` and ``error``.
    folder
        The run's folder, if it got one.
    """
    if folders.was_stopped(run["error"]):
        return []
    if run["date"] and (_is_past(connection, run) or _has_succeeded_since(connection, run)):
        return []
    return _Evaluation(connection, run, folder, settings, now).update([rules.failure(run)])


def alerts_of_deliveries(connection: Connection, settings: dict[str, Any], now: dt.datetime) -> list[Delivery]:
    """Open or repeat the alert of deliveries that were given up, or clear it; see `evaluate_alerts`."""
    # but for its own, which would never end
    keys = [row for row in queries.deliveries_with(connection, DEAD) if f":{rules.GIVEN_UP}:" not in row["key"]]
    alert = rules.given_up(keys) if keys else None
    return alert_of(connection, rules.GIVEN_UP, alert, "Nothing is given up any more", settings, now)


def alert_of(
    connection: Connection, cause: str, alert: Alert | None, reason: str, settings: dict[str, Any], now: dt.datetime
) -> list[Delivery]:
    """Open or repeat an alert that is of no run; without one, clear those of the cause, with the reason."""
    evaluation = _Evaluation(connection, NO_RUN, None, settings, now)
    return evaluation.update([alert]) if alert else evaluation.end(cause, reason)


def _input(connection: Connection, run_id: str) -> str:
    return connection.scalar(select(runs.c.input).where(runs.c.run_id == run_id))


def _since_by_date(connection: Connection, run: Mapping[str, Any]) -> dict[dt.date, dt.datetime]:
    """Return the dates that have a report of the run's input, and since when."""
    query = select(visible.c.date, visible.c.since, runs.c.input).join(runs, runs.c.run_id == visible.c.run_id)
    rows = connection.execute(query.order_by(visible.c.since)).all()
    return {date: since for date, since, input in rows if _is_same(input, run["input"])}


def _is_same(one: str | None, other: str | None) -> bool:
    """Return whether two inputs are of the same series; one that is not known is of any."""
    return None in (one, other) or contents.series(one) == contents.series(other)


def _is_past(connection: Connection, run: Mapping[str, Any]) -> bool:
    return dt.date.fromisoformat(run["date"]) < max(_since_by_date(connection, run), default=dt.date.min)


def _has_succeeded_since(connection: Connection, run: Mapping[str, Any]) -> bool:
    """Return whether a later run of the date succeeded before this failure was handled."""
    since = _since_by_date(connection, run).get(dt.date.fromisoformat(run["date"]))
    return since is not None and since > dt.datetime.fromisoformat(run["started_at"])


def _history(folder: Path) -> list[dict[str, Any]]:
    return read_rows(folder / "tables" / "history.parquet", ["date", "kpi", "status"])


def _explain_change(folder: Path, kpi: str, date: str) -> str:
    """Return a sentence about the cause of a PAR's change; empty for a KPI without a bridge."""
    path, day = folder / "tables" / "bridges.parquet", dt.date.fromisoformat(date)
    rows = read_rows(path) if path.exists() else []
    return finding([row for row in rows if row["kpi"] == kpi and row["date"] == day])


class _Evaluation:
    """The open alerts of an input, and their changes by one run."""

    def __init__(self, connection: Connection, run: Mapping, folder: Path | None, settings: dict, now: dt.datetime):
        self._connection, self._run, self._folder, self._now = connection, run, folder, now
        self._settings = settings
        self._is_dry_run = settings["alerts"]["dry_run"]
        self._deliveries: list[Delivery] = []
        self._channels = channels_set_up(settings)
        if is_postgresql(connection):  # two simultaneous runs must not both open an alert of one cause
            connection.execute(text(f"LOCK TABLE {SCHEMA}.alerts IN SHARE ROW EXCLUSIVE MODE"))

    def update(
        self, current_alerts: Iterable[Alert], metrics: Mapping | None = None, is_rollback: bool = False
    ) -> list[Delivery]:
        """Return the deliveries of the current alerts, and of open ones that `metrics` shows to be resolved."""
        query = select(alerts).where(alerts.c.is_open).order_by(alerts.c.opened_at, alerts.c.id)
        open_rows = self._connection.execute(query).mappings().all()
        rows = [row for row in open_rows if _is_same(row["input"], self._run["input"])]
        first_rows = {row["cause"]: row for row in reversed(rows)}
        failed = {c for c, row in first_rows.items() if rules.is_of_failed_run(c, row["severity"])}
        lasting = failed if is_rollback else set()
        for alert in (alert for alert in current_alerts if alert.cause not in lasting):
            self._open_or_repeat(alert, first_rows.get(alert.cause))
            lasting = {*lasting, alert.cause}
        for row in rows if metrics else ():
            reason = None if row["cause"] in lasting else rules.cleared(row["cause"], metrics)
            if reason and (row["date"] is None or str(row["date"]) <= metrics["date"]):
                self._clear(row, reason)
        if metrics and not is_rollback:
            self._clear_failures_of_other_inputs(open_rows, metrics)
        return self._deliveries

    def _clear_failures_of_other_inputs(self, open_rows: Iterable[Mapping], metrics: Mapping) -> None:
        """Clear the failed runs of the date, and starts that never had a date: it has a report, by another path."""
        for row in open_rows:
            is_same = _is_same(row["input"], self._run["input"])
            is_of_date = row["date"] is None or str(row["date"]) == metrics["date"]
            if not is_same and is_of_date and rules.is_of_failed_run(row["cause"], row["severity"]):
                self._clear(row, rules.cleared(rules.FAILED, metrics))

    def end(self, cause: str, reason: str) -> list[Delivery]:
        """Clear the alerts of a cause, and return their deliveries."""
        rows = self._connection.execute(select(alerts).where(alerts.c.is_open, alerts.c.cause == cause)).mappings()
        for row in rows.all():
            self._clear(row, reason)
        return self._deliveries

    def _open_or_repeat(self, alert: Alert, row: Mapping | None) -> None:
        # P3 after P2 is another incident, and the more severe one is over
        if row and alert.severity > row["severity"]:
            self._clear(row, rules.eased(alert.cause, row["severity"]))
            row = None
        opened_at = row["opened_at"] if row else self._now
        told_at = row["told_at"] if row else None
        is_worse = row is not None and alert.severity < row["severity"]
        severity_since = self._now if is_worse else row and row["severity_since"]
        if is_worse or messages.is_due(told_at, self._now, self._settings):
            payload = self._payload(alert, opened_at, severity_since)
            self._withdraw_older(payload)
            told_at = self._now if self._enqueue(payload) else told_at
        date = dt.date.fromisoformat(self._run["date"]) if self._run["date"] else None
        values = {
            **vars(alert), "opened_at": opened_at, "told_at": told_at, "run_id": self._run["run_id"],
            "date": date, "is_open": True, "input": self._run["input"], "severity_since": severity_since,
        }  # fmt: skip
        self._write(update(alerts).where(alerts.c.id == row["id"]) if row else insert(alerts), values)

    def _clear(self, row: Mapping, reason: str) -> None:
        alert = Alert(row["cause"], row["severity"], reason, f"{reason}.\nIt was: {row['title']}")
        payload = self._payload(alert, row["opened_at"], row["severity_since"], resolved=True)
        self._withdraw_older(payload)
        if self._was_delivered(payload):
            self._enqueue(payload)
        values = {"is_open": False, "cleared_at": self._now}
        self._write(update(alerts).where(alerts.c.id == row["id"]), values)

    def _write(self, statement: Executable, values: dict) -> None:
        if not self._is_dry_run:
            self._connection.execute(statement.values(values))

    def _payload(
        self, alert: Alert, opened_at: dt.datetime, severity_since: dt.datetime | None, resolved: bool = False
    ) -> dict[str, Any]:
        return messages.payload(alert, opened_at, resolved, self._settings, self._run["input"], severity_since)

    def _enqueue(self, payload: dict) -> bool:
        """Add the deliveries of an alert, or print it in a dry run; return whether it has receivers."""
        if self._is_dry_run:
            show(f"{messages.headline(payload)}\n{payload['text']}\n")
            return False
        key = messages.delivery_key(payload, self._now)
        deliveries = routed(payload, key, self._run, self._folder, self._channels)
        self._deliveries += deliveries
        return bool(deliveries)

    def _withdraw_older(self, payload: dict) -> None:
        """Withdraw the deliveries of an alert that have not arrived: after the newer ones they would mislead."""
        undelivered = _is_of_alert(payload) & deliveries.c.status.in_((PENDING, DEAD))
        self._write(update(deliveries).where(undelivered), {"status": WITHDRAWN})

    def _was_delivered(self, payload: dict) -> bool:
        """Return whether an alert has arrived; otherwise its resolution is not sent either."""
        delivered = _is_of_alert(payload) & (deliveries.c.status == DONE)
        return self._connection.scalar(select(deliveries.c.key).where(delivered).limit(1)) is not None


def _is_of_alert(payload: dict) -> ColumnElement[bool]:
    """Return the condition that a delivery is of an alert, whose key is part of the delivery's key."""
    return deliveries.c.key.contains(f":{payload['dedup_key']}:", autoescape=True)
