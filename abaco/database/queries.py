"""Queries: which run each date shows, its figures, failed runs, deliveries and open alerts."""

import datetime as dt
import json
from collections.abc import Iterable, Iterator
from typing import Any

from sqlalchemy import Connection, Select, func, select

from abaco.database.schema import (
    FACILITY,
    alerts,
    deliveries,
    delivery_plans,
    failed_starts,
    failures,
    inputs,
    kpi_values,
    kpis,
    phase_metrics,
    quality,
    runs,
    visible,
)
from abaco.run import folders

# without the payload, which names recipients, and the receipt
DELIVERY_COLUMNS = [c for c in deliveries.c if c.name not in ("payload", "receipt")]


def visible_runs(connection: Connection) -> dict[str, dict[str, Any]]:
    """Return the run that each date shows, oldest date first, as a row of ``runs``."""
    query = (
        select(runs)
        .join(visible, visible.c.run_id == runs.c.run_id)
        .order_by(visible.c.date, visible.c.since, visible.c.id)
    )
    return {str(row["date"]): row for row in rows_of(connection, query)}  # the last row of a date wins


def latest(connection: Connection) -> dict[str, Any] | None:
    """Return the run that the latest date shows, a row of ``runs``; None when there is none."""
    runs_by_date = visible_runs(connection)
    return runs_by_date[max(runs_by_date)] if runs_by_date else None


def run_named(connection: Connection, name: str) -> dict[str, Any] | None:
    """Return a run by its id, or the one that a date shows; None when there is none."""
    runs_by_date = visible_runs(connection)
    if name in runs_by_date:
        return runs_by_date[name]
    return next(iter(rows_of(connection, select(runs).where(runs.c.run_id == name))), None)


def figures(connection: Connection, run: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the KPIs of a run on its date, in the order of the catalogue.

    Each with ``value, unit, status, reason, numerator, denominator, rows, partial_through, title, group, precision,
    direction, formula, thresholds``.
    """
    query = (
        select(kpi_values, kpis)
        .join(kpis, (kpis.c.run_id == kpi_values.c.run_id) & (kpis.c.kpi == kpi_values.c.kpi))
        .where(kpi_values.c.run_id == run["run_id"], kpi_values.c.date == run["date"])
        .order_by(kpis.c.position)
    )
    kpis_by_name = {}
    for row in connection.execute(query).mappings():
        columns = {
            k: row[k]
            for k in (
                "value", "unit", "status", "reason", "numerator", "denominator", "rows", "partial_through", "title",
                "precision", "direction", "formula",
            )
        }  # fmt: skip
        limits = {level: row[level] for level in ("warning", "critical") if row[level] is not None}
        kpis_by_name[row[kpi_values.c.kpi]] = {**columns, "group": row["kpi_group"], "thresholds": limits}
    return kpis_by_name


def core_figures(connection: Connection) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the KPIs that every report has, by run: ``value, unit, status, partial_through, precision``."""
    same_kpi = (kpis.c.run_id == kpi_values.c.run_id) & (kpis.c.kpi == kpi_values.c.kpi)
    query = (
        select(kpi_values.c.run_id, kpis.c.kpi, kpi_values.c.value, kpi_values.c.unit, kpi_values.c.status)
        .add_columns(kpi_values.c.partial_through, kpis.c.precision)
        .join(kpis, same_kpi)
        .join(runs, (runs.c.run_id == kpi_values.c.run_id) & (runs.c.date == kpi_values.c.date))
        .where(kpis.c.kpi_group == "core")
        .order_by(kpis.c.position)
    )
    figures_by_run: dict[str, dict[str, dict[str, Any]]] = {}
    for row in rows_of(connection, query):
        figures_by_run.setdefault(row["run_id"], {})[row["kpi"]] = row
    return figures_by_run


def history(connection: Connection, run_id: str, kpi: str) -> list[dict[str, Any]]:
    """Return a KPI on each date of a run's input, oldest first: ``date, value, status, partial_through``."""
    columns = (kpi_values.c.date, kpi_values.c.value, kpi_values.c.status, kpi_values.c.partial_through)
    query = select(*columns).where(kpi_values.c.run_id == run_id, kpi_values.c.kpi == kpi)
    return rows_of(connection, query.order_by(kpi_values.c.date))


def inputs_of(connection: Connection, run_id: str) -> list[dict[str, Any]]:
    """Return the input files of a run: ``name, sha256, bytes, rows``."""
    columns = (inputs.c.name, inputs.c.sha256, inputs.c.bytes, inputs.c.rows)
    return rows_of(connection, select(*columns).where(inputs.c.run_id == run_id).order_by(inputs.c.name))


def phase_metrics_of(connection: Connection, run_id: str) -> dict[str, dict[str, float | None]]:
    """Return the metrics of a run by phase."""
    metrics: dict[str, dict[str, float | None]] = {}
    for row in connection.execute(select(phase_metrics).where(phase_metrics.c.run_id == run_id)).mappings():
        metrics.setdefault(row["phase"], {})[row["metric"]] = row["value"]
    return metrics


def quality_of(connection: Connection, run_id: str) -> dict[str, str]:
    """Return the data-quality results of a run by measure."""
    query = select(quality.c.measure, quality.c.value).where(quality.c.run_id == run_id)
    return dict(connection.execute(query.order_by(quality.c.measure)).all())


def verdicts(connection: Connection) -> dict[str, dict[str, Any]]:
    """Return the verdict by run: ``state``, ``limits``, ``checked``, what was ``lost``, ``shrunk``, ``absent``."""
    query = select(quality.c.run_id, quality.c.measure, quality.c.value).where(quality.c.measure.like("verdict: %"))
    found: dict[str, dict[str, Any]] = {}
    for run_id, measure, value in connection.execute(query):
        found.setdefault(run_id, {})[measure.removeprefix("verdict: ")] = value
    return {
        run_id: {
            "state": row["state"], "limits": int(row["limits"]), "checked": int(row["checked"]),
            **{key: row.get(key) == "True" for key in ("lost", "shrunk", "absent")},
        }
        for run_id, row in found.items()
    }  # fmt: skip


def facilities(connection: Connection) -> dict[str, dict[str, dict[str, Any]]]:
    """Return the facilities by run and key, as metrics.json has them; runs without facilities are left out."""
    query = select(quality.c.run_id, quality.c.measure, quality.c.value).where(quality.c.measure.like(f"{FACILITY}%"))
    found: dict[str, dict[str, dict[str, Any]]] = {}
    for run_id, measure, value in connection.execute(query.order_by(quality.c.measure)):
        found.setdefault(run_id, {})[measure.removeprefix(FACILITY)] = json.loads(value)
    return found


def runs_of(connection: Connection, date: dt.date) -> list[dict[str, Any]]:
    """Return the runs of a date that succeeded, the newest first: rows of ``runs``."""
    query = select(runs).where(runs.c.date == date).order_by(runs.c.finished_at.desc(), runs.c.run_id)
    return rows_of(connection, query)


def damage(connection: Connection) -> str | None:
    """Read a SQLite file completely and return what is wrong with it, if anything; None for PostgreSQL."""
    if connection.dialect.name == "postgresql":
        return None
    result = connection.exec_driver_sql("PRAGMA quick_check(1)").scalar()
    return None if result == "ok" else result


def has_history(connection: Connection) -> bool:
    """Return whether the database knows of any run, start or alert."""
    return any(connection.scalar(select(t.c[0]).limit(1)) is not None for t in (runs, failures, failed_starts, alerts))


def count_runs(connection: Connection) -> int:
    """Return the number of runs that succeeded."""
    return connection.scalar(select(func.count()).select_from(runs))


def last_run(connection: Connection) -> dict[str, Any] | None:
    """Return the run that was finished last, a row of ``runs``."""
    return next(iter(rows_of(connection, select(runs).order_by(runs.c.finished_at.desc()).limit(1))), None)


def failed(connection: Connection) -> list[dict[str, Any]]:
    """Return the runs that failed or were killed, oldest first: rows of ``failures``; one that was stopped did not."""
    return [run for run in unfinished(connection) if not folders.was_stopped(run["error"])]


def starts_that_failed(connection: Connection) -> list[dict[str, Any]]:
    """Return the starts that failed before their run had a folder, oldest first: rows of ``failed_starts``."""
    return rows_of(connection, select(failed_starts).order_by(failed_starts.c.started_at, failed_starts.c.key))


def unfinished(connection: Connection) -> list[dict[str, Any]]:
    """Return the runs that failed, were killed or were stopped by somebody, oldest first: rows of ``failures``."""
    return rows_of(connection, select(failures).order_by(failures.c.started_at, failures.c.folder))


def deliveries_with(connection: Connection, *status: str, run_id: str | None = None) -> list[dict[str, Any]]:
    """Return the deliveries with one of the statuses, of one run or of all, oldest first, without their payload."""
    query = (
        select(*DELIVERY_COLUMNS)
        .where(deliveries.c.status.in_(status))
        .order_by(deliveries.c.created_at, deliveries.c.key)
    )
    return rows_of(connection, query if run_id is None else query.where(deliveries.c.run_id == run_id))


def count_deliveries(connection: Connection) -> dict[tuple[str, str], int]:
    """Return the number of deliveries by channel and status."""
    keys = (deliveries.c.channel, deliveries.c.status)
    rows = connection.execute(select(*keys, func.count()).group_by(*keys))
    return {(channel, status): count for channel, status, count in rows}


def emails_of_reports(connection: Connection, *status: str) -> list[dict[str, Any]]:
    """Return the emails of reports, not of alerts, with one of the statuses, without their payload.

    PostgreSQL locks them until the transaction ends, and skips those that another process has locked.
    """
    query = select(*DELIVERY_COLUMNS).where(deliveries.c.channel == "email", deliveries.c.status.in_(status))
    rows = rows_of(connection, query.with_for_update(skip_locked=True))
    return [row for row in rows if row["run_id"] and row["key"].startswith(f"email:{row['run_id']}:")]


def last_report_sent(connection: Connection, channel: str, date: str, recipient: str) -> dict[str, Any] | None:
    """Return the report of a date that a recipient, by the hash in keys, got last: ``run_id, done_at, payload``."""
    c = deliveries.c
    query = select(c.run_id, c.done_at, c.payload).where(
        c.channel == channel, c.date == dt.date.fromisoformat(date), c.status == "done", c.run_id.is_not(None),
        c.key.endswith(f":{recipient}", autoescape=True),
    )  # fmt: skip
    rows = rows_of(connection, query.order_by(c.done_at.desc()))
    return next((row for row in rows if "title" not in row["payload"]), None)


def delivery(connection: Connection, key: str) -> dict[str, Any]:
    """Return a delivery by its key, without its payload."""
    (row,) = rows_of(connection, select(*DELIVERY_COLUMNS).where(deliveries.c.key == key))
    return row


def outcomes(connection: Connection, run_id: str, folder: str) -> list[dict[str, Any]]:
    """Return the outcome of each delivery of a run, for its run.json: ``channel, status, error, receipt``.

    A run that failed is identified by its folder, since another run with the same id may have succeeded.
    """
    columns = (deliveries.c.channel, deliveries.c.status, deliveries.c.error, deliveries.c.receipt)
    failed_folders = select(failures.c.folder)
    of_run = (deliveries.c.run_id == run_id) & deliveries.c.folder.not_in(failed_folders)
    of_folder = deliveries.c.folder == folder
    has_failed = connection.scalar(failed_folders.where(failures.c.folder == folder))
    query = select(*columns).where(of_folder if has_failed else of_run)
    return rows_of(connection, query.order_by(deliveries.c.created_at, deliveries.c.key))


def planned_places(connection: Connection, run: str, folder: str) -> dict[str, str | None]:
    """Return the places whose deliveries of a run are planned, each with the variable that is not set, if any."""
    plans = delivery_plans.c
    query = select(plans.place, plans.missing).order_by(plans.place)
    # where a run was made several times, the plan is of the latest folder
    return dict(connection.execute(query.where(plans.run == run, plans.folder >= folder)).all())


def is_recorded(connection: Connection, run_id: str) -> bool:
    """Return whether a run that succeeded is in the database."""
    return connection.scalar(select(runs.c.run_id).where(runs.c.run_id == run_id)) is not None


def rows_written(connection: Connection, run_id: str) -> int:
    """Return the number of rows that the database has of a run."""
    tables = (runs, phase_metrics, kpi_values, kpis, inputs, quality)
    counts = (select(func.count()).select_from(t).where(t.c.run_id == run_id).scalar_subquery() for t in tables)
    return connection.scalar(select(sum(counts)))


def open_alerts(connection: Connection) -> list[dict[str, Any]]:
    """Return the alerts that have not cleared, most severe first: rows of ``alerts``."""
    query = select(alerts).where(alerts.c.is_open).order_by(alerts.c.severity, alerts.c.opened_at, alerts.c.id)
    return rows_of(connection, query)


def rows_of(connection: Connection, query: Select) -> list[dict[str, Any]]:
    """Return the rows of a query as dicts."""
    return [dict(row) for row in connection.execute(query).mappings()]


def group_deliveries(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield one delivery for all of a channel and run with the same outcome; ``place`` tells how many they are.

    Examples
    --------
    >>> row = {"channel": "slack", "run_id": "r1", "status": "pending", "error": "refused"}
    >>> [one["place"] for one in group_deliveries([row, {**row, "channel": "azure"}, row])]
    ['slack (2)', 'azure']
    """
    groups: dict[tuple, list[dict[str, Any]]] = {}
    for row in rows:
        key = (row["channel"], row["run_id"] or row["key"], row["status"], row.get("attempts"), row["error"])
        groups.setdefault(key, []).append(row)
    for (channel, *_), group in groups.items():
        yield {**group[0], "place": channel if len(group) == 1 else f"{channel} ({len(group)})"}
