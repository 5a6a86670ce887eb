"""Metrics for Prometheus, read from the database at each scrape, so that they survive a restart."""

import datetime as dt
import itertools
import re
from collections.abc import Iterator
from typing import Any

from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric, StateSetMetricFamily

from abaco.core.currencies import CODES
from abaco.database import queries
from abaco.database.connection import Connection, reading
from abaco.delivery.registry import CHANNELS
from abaco.delivery.rules import SEVERITIES, stopped_by_rejects
from abaco.ingest.rejections import reject_pct
from abaco.kpis.verdict import STATES
from abaco.service.reports import Book

STATUSES = ("ok", "warning", "critical", "not_computable", "none")
LEVELS = ("ok", "warning", "trigger", "curing", "default", "not_computable")
DELIVERY_STATUSES = ("pending", "done", "dead", "held")
ROWS = ("rows_in", "accepted", "quarantined", "duplicates", "later", "totals", "beside")


def exposition(book: Book) -> bytes:
    """Return all metrics in the text format of Prometheus.

    Raises
    ------
    DatabaseError
        When the database does not answer.
    """
    with reading(book.engine) as connection:
        registry = CollectorRegistry(auto_describe=False)
        registry.register(Collector(book, connection))
        return generate_latest(registry)


def snake_case(name: str) -> str:
    """Return the id of a KPI as part of a metric's name.

    Examples
    --------
    >>> snake_case("PAR30"), snake_case("CollectionRate"), snake_case("APRDisbursed"), snake_case("Top10Borrowers")
    ('par30', 'collection_rate', 'apr_disbursed', 'top10_borrowers')
    """
    return re.sub(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])", "_", name).lower()


class Collector:
    """Reads the metrics from the database at each scrape."""

    def __init__(self, book: Book, connection: Connection):
        self._book, self._connection = book, connection

    def collect(self) -> Iterator[Metric]:
        """Yield every metric."""
        latest = queries.latest(self._connection)
        if latest:
            yield from _figures(self._connection, latest)
        yield from _state(self._book, self._connection)
        if latest:
            yield from _phases(queries.phase_metrics_of(self._connection, latest["run_id"]))
            yield from _rows(queries.quality_of(self._connection, latest["run_id"]))
        yield from _deliveries(self._connection)
        yield _gauge("pipeline_alerts_open", "Alerts that have not cleared", "severity", _alerts(self._connection))


def _gauge(name: str, text: str, label: str | tuple[str, ...], values: dict[Any, float]) -> Metric:
    labels = (label,) if isinstance(label, str) else label
    family = GaugeMetricFamily(name, text, labels=labels)
    for key, value in values.items():
        family.add_metric((key,) if isinstance(key, str) else key, value)
    return family


def _figures(connection: Connection, run: dict[str, Any]) -> Iterator[Metric]:
    """Yield the KPIs of the latest date; one that is not computable has no value, rather than 0."""
    kpis = queries.figures(connection, run)
    for name, kpi in kpis.items():
        if kpi["value"] is not None:
            title = f"{kpi['title']} ({kpi['unit']})".removesuffix(" ()")
            labels = {"currency": kpi["unit"]} if kpi["unit"] in CODES else {}
            family = GaugeMetricFamily(f"kpi_{snake_case(name)}", title, labels=list(labels))
            family.add_metric(list(labels.values()), kpi["value"])
            yield family
    statuses = {(name, status): kpi["status"] == status for name, kpi in kpis.items() for status in STATUSES}
    yield _gauge("kpi_status", "1 for the status that a KPI has", ("kpi", "status"), statuses)
    limits = {(name, level): limit for name, kpi in kpis.items() for level, limit in kpi["thresholds"].items()}
    yield _gauge("kpi_threshold", "Limits of the KPIs", ("kpi", "level"), limits)
    if verdict := queries.verdicts(connection).get(run["run_id"]):  # reports of earlier versions have none
        states = {state: state == verdict["state"] for state in STATES}
        yield _gauge("kpi_verdict", "1 for the state of the latest report", "state", states)
        yield GaugeMetricFamily("kpi_limits", "KPIs with limits", verdict["limits"])
        yield GaugeMetricFamily("kpi_limits_checked", "KPIs with limits and a value", verdict["checked"])
        text = "1 when the input of the latest report lacks files, columns, rows or loans that were there before"
        yield GaugeMetricFamily("kpi_input_lost", text, any(verdict[key] for key in ("lost", "shrunk", "absent")))
    yield from _facilities(queries.facilities(connection).get(run["run_id"], {}))
    yield GaugeMetricFamily("kpi_report_date_seconds", "Date of the latest report", _midnight(run["date"]))
    if run["as_of"]:
        text = "Day that the figures of the latest report are really from"
        yield GaugeMetricFamily("kpi_as_of_seconds", text, _midnight(run["as_of"]))


def _facilities(facilities: dict[str, dict[str, Any]]) -> Iterator[Metric]:
    """Yield what may be drawn and the headroom of covenants; what is not known has no value, rather than 0."""
    if not facilities:
        return
    known = {key: float(one["availability"]) for key, one in facilities.items() if one["availability"] is not None}
    yield _gauge("facility_availability", "What may be drawn; below 0 a deficiency", "facility", known)
    covenants = {(key, name): entry for key, one in facilities.items() for name, entry in one["covenants"].items()}
    points = {labels: e["headroom_points"] for labels, e in covenants.items() if e["headroom_points"] is not None}
    text = "How far a covenant is from its next limit, in the unit of its KPI; below 0 past its last"
    yield _gauge("covenant_headroom", text, ("facility", "covenant"), points)
    levels = {(*labels, level): e["level"] == level for labels, e in covenants.items() for level in LEVELS}
    yield _gauge("covenant_level", "1 for the level that a covenant is at", ("facility", "covenant", "level"), levels)


def _midnight(day: dt.date) -> float:
    return dt.datetime.combine(day, dt.time(), dt.UTC).timestamp()


def _state(book: Book, connection: Connection) -> Iterator[Metric]:
    outcomes = book.outcomes(connection)
    last = outcomes[-1] if outcomes else None
    now = "running" if book.is_at_work else last and ("failed" if last.error else "success")
    states = {state: state == now for state in ("running", "success", "failed")}
    yield StateSetMetricFamily("pipeline_status", "1 for what the pipeline does, or how its last run ended", states)
    yield GaugeMetricFamily(
        "pipeline_stopped_by_rejects",
        "1 when the last run failed because too many rows were rejected",
        now == "failed" and stopped_by_rejects(last.error),
    )
    times = {
        "last_run": (last and last.at, "When the last run ended, however it ended"),
        "last_success": (next((o.at for o in reversed(outcomes) if not o.error), None), "When the last good run ended"),
        "next_run": (book.schedule.next_run, "When a run is due next"),
    }
    for name, (time, text) in times.items():
        if time:
            yield GaugeMetricFamily(f"pipeline_{name}", text, time.timestamp())


def _phases(phases: dict[str, dict[str, float | None]]) -> Iterator[Metric]:
    """Yield the metrics of the latest report's phases; an unknown value is not a number."""
    seconds = {phase: figures["seconds"] for phase, figures in phases.items() if "seconds" in figures}
    yield _gauge("pipeline_execution_time_seconds", "Seconds that a phase of the latest report took", "phase", seconds)
    for phase, figures in phases.items():
        for metric, value in figures.items():
            if metric != "seconds":
                number = float("nan") if value is None else value
                yield GaugeMetricFamily(f"pipeline_{phase}_{metric}", f"{metric} of phase {phase}", number)


def _rows(quality: dict[str, str]) -> Iterator[Metric]:
    rows = {part: int(quality[part]) for part in ROWS if part in quality}
    yield _gauge("pipeline_rows", "Rows of the latest report's input, and what became of them", "part", rows)
    if {"rows_in", "quarantined", "later"} <= rows.keys():
        text = "Per cent of the rows up to the date that were rejected"
        yield GaugeMetricFamily("pipeline_reject_pct", text, float(reject_pct(rows)))


def _deliveries(connection: Connection) -> Iterator[Metric]:
    rows = queries.count_deliveries(connection)
    counts = {key: rows.get(key, 0) for key in itertools.product(CHANNELS, DELIVERY_STATUSES)}
    yield _gauge("pipeline_deliveries", "Deliveries by what became of them", ("channel", "status"), counts)
    pending = sum(count for (_, status), count in counts.items() if status == "pending")
    yield GaugeMetricFamily("pipeline_deliveries_pending", "Deliveries that are still to be made", pending)


def _alerts(connection: Connection) -> dict[str, float]:
    severities = [alert["severity"] for alert in queries.open_alerts(connection)]
    return {severity: severities.count(severity) for severity in SEVERITIES}
