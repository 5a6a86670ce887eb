"""Alerting: one alert for one cause, told once, again when it gets worse or lasts, and when it is over.

A row of the table ``alerts`` is a cause from when it arose until it cleared. What is to be told leaves as items for the
outbox: enqueue them in the transaction in which they were made, so that a row says told only when its items are kept.
"""

import datetime as dt
import logging
from collections.abc import Iterable, Mapping
from email.headerregistry import Address
from pathlib import Path
from typing import Any

import pyarrow as pa
from sqlalchemy import Connection, func, insert, select, text, update

from abaco.core import files
from abaco.core.errors import InputError
from abaco.core.parquet import read_rows
from abaco.database.schema import SCHEMA, alerts, deliveries, visible
from abaco.delivery import email, rules
from abaco.delivery.addresses import hashed
from abaco.delivery.channel import Item
from abaco.delivery.email import EmailChannel
from abaco.delivery.outbox import DEAD, DONE, PENDING, WITHDRAWN
from abaco.delivery.rules import Alert, headline, payload, stamp
from abaco.delivery.webhooks import PagerDutyChannel, SlackChannel
from abaco.kpis.contributors import finding
from abaco.run import folders

log = logging.getLogger(__name__)

CHANNELS = {"pagerduty": PagerDutyChannel, "slack": SlackChannel, "email": EmailChannel}


def judge(
    connection: Connection, folder: Path, settings: dict[str, Any], now: dt.datetime, former: bool = False
) -> list[Item]:
    """Open, repeat and clear alerts by a finished report, and return what is to be told.

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
    former
        Whether it is a former report that is shown again: it does not mend what a later run failed of.

    Returns
    -------
    list
        None for a report of an earlier date than the newest: nobody is told of the past. With ``alerts.dry_run`` they
        are printed, and neither returned nor written down.
    """
    metrics = files.read_json(folder / "metrics.json")
    if _is_past(connection, metrics["date"]):
        return []
    found = rules.of_report(
        metrics, _history(folder), lambda kpi: _moved(folder, kpi, metrics["date"]),
        today=now.date(), max_age_days=settings["alerts"]["max_age_days"],
    )  # fmt: skip
    run = {"run_id": metrics["run_id"], "date": metrics["date"]}
    return _Judgement(connection, run, folder, settings, now).pass_on(list(found), metrics, former)


def failed(
    connection: Connection,
    run: Mapping[str, Any],
    folder: Path | None,
    settings: dict[str, Any],
    now: dt.datetime,
) -> list[Item]:
    """Open or repeat the alert of a run that failed, and return what is to be told; see `judge`.

    Who stops a run knows of it: nobody is told.

    Parameters
    ----------
    run
        The content of its run.json: ``run_id``, ``date`` (or None), ``started_at`` and ``error``.
    folder
        The run's folder, if it came to have one.
    """
    if run["error"].endswith(folders.STOPPED):
        return []
    if run["date"] and (_is_past(connection, run["date"]) or _is_mended(connection, run)):
        return []
    return _Judgement(connection, run, folder, settings, now).pass_on([rules.failure(run)])


def _is_past(connection: Connection, date: str) -> bool:
    newest = connection.scalar(select(func.max(visible.c.date)))
    return newest is not None and dt.date.fromisoformat(date) < newest


def _is_mended(connection: Connection, run: Mapping[str, Any]) -> bool:
    """Return whether a later run of the date has succeeded, before anybody could be told that this one had not."""
    since = connection.scalar(
        select(func.max(visible.c.since)).where(visible.c.date == dt.date.fromisoformat(run["date"]))
    )
    return since is not None and since > dt.datetime.fromisoformat(run["started_at"])


def _history(folder: Path) -> list[dict[str, Any]]:
    return read_rows(folder / "tables" / "history.parquet", ["date", "kpi", "status"])


def _moved(folder: Path, kpi: str, date: str) -> str:
    """Return in a sentence what moved a PAR to a date; nothing for a KPI without a bridge."""
    path, day = folder / "tables" / "bridges.parquet", dt.date.fromisoformat(date)
    found = read_rows(path) if path.exists() else []
    steps = [row for row in found if row["kpi"] == kpi and row["date"] == day]
    if not steps:
        return ""

    return finding(pa.Table.from_pylist(steps))


class _Judgement:
    """The open alerts, and what one run changes about them."""

    def __init__(
        self, connection: Connection, run: Mapping, folder: Path | None, settings: dict, now: dt.datetime
    ):
        self._connection, self._run, self._folder, self._now = connection, run, folder, now
        self._settings = settings
        self._is_dry = settings["alerts"]["dry_run"]
        self._cooldown = dt.timedelta(hours=settings["alerts"]["cooldown_hours"])
        self._items: list[Item] = []
        self._is_set_up = {name: channel(settings).missing() is None for name, channel in CHANNELS.items()}
        self._recipients = _recipients() if self._is_set_up["email"] else []
        self._is_set_up["email"] = bool(self._recipients)
        if connection.dialect.name == "postgresql":  # two runs at once must not both open one cause
            connection.execute(text(f"LOCK TABLE {SCHEMA}.alerts IN SHARE ROW EXCLUSIVE MODE"))

    def pass_on(
        self, found: Iterable[Alert], metrics: Mapping | None = None, former: bool = False
    ) -> list[Item]:
        """Return the items for what was found; what is open, and by `metrics` is not there any more, is cleared."""
        rows = self._connection.execute(select(alerts).where(alerts.c.is_open)).mappings()
        left = {row["cause"]: row for row in rows}
        lasting = {c for c, row in left.items() if former and rules.is_of_failed_run(c, row["severity"])}
        for alert in (alert for alert in found if alert.cause not in lasting):
            self._meet(alert, left.pop(alert.cause, None))
        for cause, row in left.items() if metrics else ():
            over = None if cause in lasting else rules.cleared(cause, metrics)
            if over and (row["date"] is None or str(row["date"]) <= metrics["date"]):
                self._clear(row, over)
        return self._items

    def _meet(self, alert: Alert, row: Mapping | None) -> None:
        # P3 after P2 is another incident, and the graver one is over
        if row and alert.severity > row["severity"]:
            self._clear(row, rules.eased(alert.cause))
            row = None
        opened = row["opened_at"] if row else self._now
        told = row["told_at"] if row else None
        is_due = told is None or alert.severity < row["severity"] or self._now - told >= self._cooldown
        if is_due:
            word = self._payload(alert, opened)
            self._withdraw(word)
            told = self._now if self._tell(word) else told
        self._keep(row, alert, opened_at=opened, told_at=told)

    def _keep(self, row: Mapping | None, alert: Alert, **times: Any) -> None:
        date = dt.date.fromisoformat(self._run["date"]) if self._run["date"] else None
        values = {**vars(alert), **times, "run_id": self._run["run_id"], "date": date, "is_open": True}
        self._write(update(alerts).where(alerts.c.id == row["id"]) if row else insert(alerts), values)

    def _clear(self, row: Mapping, over: str) -> None:
        alert = Alert(row["cause"], row["severity"], over, f"{over}.\nIt was: {row['title']}")
        told = self._payload(alert, row["opened_at"], resolved=True)
        self._withdraw(told)
        if self._has_arrived(told):
            self._tell(told)
        values = {"is_open": False, "cleared_at": self._now}
        self._write(update(alerts).where(alerts.c.id == row["id"]), values)

    def _write(self, statement: Any, values: dict) -> None:
        if not self._is_dry:
            self._connection.execute(statement.values(values))

    def _payload(self, alert: Alert, opened: dt.datetime, resolved: bool = False) -> dict[str, Any]:
        return payload(alert, opened, resolved, self._settings["alerts"]["runbook"])

    def _tell(self, told: dict) -> bool:
        """Make the items of an alert, or print it; return whether there is a place that is told."""
        if self._is_dry:
            print(f"{headline(told)}\n{told['text']}\n")
            return False
        places = self._places(told["severity"])
        for place in places:
            self._add(place, told)
        return bool(places)

    def _withdraw(self, told: dict) -> None:
        """Give up what was to be told of an alert and never arrived: after the newer word it would mislead."""
        older = _of(told) & deliveries.c.status.in_((PENDING, DEAD))
        self._write(update(deliveries).where(older), {"status": WITHDRAWN})

    def _has_arrived(self, told: dict) -> bool:
        """Return whether any place was told that an alert is open; if none was, none needs to know that it is over."""
        query = select(deliveries.c.key).where(_of(told) & (deliveries.c.status == DONE)).limit(1)
        return self._connection.scalar(query) is not None

    def _places(self, severity: str) -> list[str]:
        there = [name for name in rules.ROUTES[severity] if self._is_set_up[name]]
        return there or [name for name in ("email",) if self._is_set_up[name]]

    def _add(self, channel: str, told: dict) -> None:
        key = f"{channel}:{told['dedup_key']}:{stamp(self._now)}{':over' if told['resolved'] else ''}"
        run = (self._run["run_id"], self._run["date"], self._folder)
        if channel != "email":
            self._items.append(Item(key, channel, *run, told))
            return
        for one in self._recipients:
            each = f"{key}:{hashed(one.addr_spec)}"
            self._items.append(Item(each, channel, *run, {**told, "to": one.addr_spec}))


def _of(told: dict) -> Any:
    """Return the condition that a delivery is of an alert, by the key that all of them have in theirs."""
    return deliveries.c.key.contains(f":{told['dedup_key']}:", autoescape=True)


def _recipients() -> list[Address]:
    """Return who is told by email; nobody when an address is wrong, which must not keep Slack from being told."""
    try:
        return email.alert_recipients()
    except InputError as error:
        log.warning("no alert by email: %s", error)
        return []
