"""What the service tells of the runs, read from the database: reports by date, figures, phases, deliveries, alerts."""

import datetime as dt
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, RowMapping, func, select

from abaco.database.schema import (
    alerts,
    deliveries,
    failures,
    kpi_values,
    kpis,
    phase_metrics,
    quality,
    runs,
    visible,
)


@dataclass(frozen=True)
class Outcome:
    """How a run ended: when, and why it failed, if it did."""

    at: dt.datetime
    error: str | None


def reports(connection: Connection) -> list[RowMapping]:
    """Return the visible run of each date, the latest date first."""
    newest = select(func.max(visible.c.id)).group_by(visible.c.date)
    query = (
        select(runs, visible.c.since)
        .join(visible, visible.c.run_id == runs.c.run_id)
        .where(visible.c.id.in_(newest))
        .order_by(visible.c.date.desc())
    )
    return list(connection.execute(query).mappings())


def run_of(connection: Connection, run_id: str) -> RowMapping | None:
    """Return a successful run, or None."""
    return connection.execute(select(runs).where(runs.c.run_id == run_id)).mappings().first()


def runs_of(connection: Connection, date: dt.date) -> list[RowMapping]:
    """Return the successful runs of a date, the newest first."""
    query = select(runs).where(runs.c.date == date).order_by(runs.c.finished_at.desc())
    return list(connection.execute(query).mappings())


def last_run(connection: Connection) -> RowMapping | None:
    """Return the successful run that ended last, or None."""
    return connection.execute(select(runs).order_by(runs.c.finished_at.desc()).limit(1)).mappings().first()


def last_outcome(connection: Connection) -> Outcome | None:
    """Return how the run that ended last ended, whatever its date."""
    found = []
    if run := last_run(connection):
        found.append(Outcome(run["finished_at"], None))
    ended = func.coalesce(failures.c.finished_at, failures.c.started_at)
    failure = connection.execute(select(failures).order_by(ended.desc()).limit(1)).mappings().first()
    if failure:
        found.append(Outcome(failure["finished_at"] or failure["started_at"], failure["error"]))
    return max(found, key=lambda outcome: outcome.at, default=None)


def figures(connection: Connection, run_ids: list[str]) -> dict[str, dict[str, RowMapping]]:
    """Return value, status and definition of each KPI of the report's own date, by run and KPI."""
    query = (
        select(kpi_values, kpis)
        .join(runs, (runs.c.run_id == kpi_values.c.run_id) & (runs.c.date == kpi_values.c.date))
        .join(kpis, (kpis.c.run_id == kpi_values.c.run_id) & (kpis.c.kpi == kpi_values.c.kpi))
        .where(kpi_values.c.run_id.in_(run_ids))
        .order_by(kpis.c.position)
    )
    found: dict[str, dict[str, RowMapping]] = {run_id: {} for run_id in run_ids}
    for row in connection.execute(query).mappings():
        found[row[kpi_values.c.run_id]][row[kpi_values.c.kpi]] = row
    return found


def phases(connection: Connection, run_id: str) -> list[RowMapping]:
    """Return phase, metric and value of a run."""
    query = select(phase_metrics).where(phase_metrics.c.run_id == run_id)
    return list(connection.execute(query.order_by(phase_metrics.c.phase, phase_metrics.c.metric)).mappings())


def quality_of(connection: Connection, run_id: str) -> dict[str, Any]:
    """Return the data-quality results of a run by their name."""
    query = select(quality.c.measure, quality.c.value).where(quality.c.run_id == run_id)
    return dict(connection.execute(query).tuples().all())


def delivery_counts(connection: Connection) -> dict[tuple[str, str], int]:
    """Return how many deliveries there are by channel and status."""
    query = select(deliveries.c.channel, deliveries.c.status, func.count()).group_by(
        deliveries.c.channel, deliveries.c.status
    )
    return {(channel, status): count for channel, status, count in connection.execute(query)}


def due_deliveries(connection: Connection, now: dt.datetime) -> int:
    """Return how many deliveries are to be tried again by now."""
    is_due = (deliveries.c.status == "pending") & (deliveries.c.next_attempt_at <= now)
    return connection.scalar(select(func.count()).select_from(deliveries).where(is_due))


def open_alerts(connection: Connection) -> dict[str, int]:
    """Return how many alerts are open by severity."""
    query = select(alerts.c.severity, func.count()).where(alerts.c.is_open).group_by(alerts.c.severity)
    return dict(connection.execute(query).tuples().all())
