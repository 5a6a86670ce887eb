"""Rules of alerts: the causes in a report or a failed run, their severity and their text.

    severity  cause                                                    sent to
    P1        a run failed or could not start: there is no new         PagerDuty, Slack and email
              report; nothing of it is delivered; a facility has a
              deficiency, or a covenant is in default
    P2        a figure is past its critical limit; a headline KPI is   PagerDuty and Slack
              not computable; a covenant is past its trigger;
              rejected rows stopped a run; a delivery was given up
    P3        a figure or a covenant is past its warning limit; the    Slack
              report is incomplete; the input is stale; half of the
              rejects that stop a run; a backup failed; a command
              without a terminal was mistyped
    P4        figures jumped; rows were rejected                       Slack, all of one kind in one message

Each channel names the severities that it takes (see `registry.ROUTES`); email takes the alerts that no other channel
takes. All texts are in English. What only a look from outside can notice, such as a service that is down, is told by
Prometheus (deploy/prometheus/rules/).
"""

import datetime as dt
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from abaco.core.currencies import USD, amount
from abaco.core.text import completeness, format_value, par_name
from abaco.delivery import facility_rules

SEVERITIES = ("P1", "P2", "P3", "P4")  # the most severe first
LISTED = 10  # deliveries that were given up
FALLBACK = "email"  # the channel of alerts that no other channel takes
SEVERITY = {"critical": "P2", "warning": "P3"}  # of a figure past that limit
UNRECORDED, GIVEN_UP, BACKUP, MISTYPED = "database", "deliveries:dead", "backup", "command"
UNCOMPUTED = "uncomputed"
SECTIONS = {  # of the runbook, by the first part of a cause
    "run": "pipeline-down",
    UNRECORDED: "deliveries-pending",
    "kpi": "kpi-past-its-threshold",
    "uncomputed": "kpi-calculation-failed",
    "deliveries": "deliveries-pending",
    BACKUP: "backup-and-restore",
    MISTYPED: "nights",
    "anomalies": "data-quality-issue",
    "rejects": "data-quality-issue",
    "incomplete": "incomplete-report",
    "input": "stale-figures",
    **dict.fromkeys((facility_rules.KIND, facility_rules.UNKNOWN), "deficiency-or-covenant"),
}
FAILED, ANOMALIES, REJECTS, STALE = "run:failed", "anomalies", "rejects", "input:stale"
INCOMPLETE = "incomplete"

Metrics = Mapping[str, Any]


@dataclass(frozen=True)
class Alert:
    """A cause that needs attention.

    Attributes
    ----------
    cause
        The same as long as the same problem lasts, such as ``kpi:PAR30``.
    severity
        P1, the most severe, to P4.
    title, text
        The problem in one line, and in several.
    """

    cause: str
    severity: str
    title: str
    text: str


def of_report(
    metrics: Metrics,
    history: Iterable[Mapping],
    explain_change: Callable[[str], str],
    *,
    today: dt.date,
    max_age_days: int,
) -> Iterator[Alert]:
    """Yield the alerts of a finished report.

    Parameters
    ----------
    metrics
        The content of its metrics.json.
    history
        Its table of that name, as rows.
    explain_change
        Returns a sentence about what changed a KPI most, or an empty text.
    max_age_days
        Allowed age of the figures in days; 0 for any.
    """
    history = list(history)
    for name, kpi in metrics["kpis"].items():
        if kpi["status"] in SEVERITY:
            first = since(name, kpi["status"], history)
            day = metrics["as_of"] or metrics["date"]
            yield past_limit(name, kpi, day, first, explain_change(name))
        elif kpi["status"] == "not_computable" and kpi["group"] == "core":
            yield not_computable(name, kpi, metrics["date"])
    for cause, severity, sentence in facility_rules.problems(metrics):
        title = sentence.removesuffix(".")
        yield Alert(cause, severity, title, f"{title}, at {metrics['as_of'] or metrics['date']}.")
    yield from incomplete(metrics)
    yield from jumps(metrics)
    yield from rejected(metrics)
    yield from stale(metrics, today, max_age_days)


def past_limit(name: str, kpi: Mapping, day: str, first: str, change: str) -> Alert:
    """Return the alert of a KPI whose value of a day is past a limit, as it has been since the date `first`."""
    level = kpi["status"]
    side = "below" if kpi["direction"] == "higher" else "above"
    state = f"{format_value(kpi)}, {side} its {level} limit of {kpi['thresholds'][level]:g}"
    full = kpi["title"] if name in kpi["title"] else f"{kpi['title']} ({name})"
    lines = [f"{full} is {state}, at {day}.", f"It has been past that limit since {first}."]
    if kpi["previous"] and kpi["previous"]["value"] is not None:
        before = format_value({**kpi, "value": kpi["previous"]["value"]})
        lines.append(f"It was {before} at {kpi['previous']['date']}.")
    return Alert(
        f"kpi:{name}", SEVERITY[level], f"{called(name, kpi)} is {state}", "\n".join(filter(None, [*lines, change]))
    )


def not_computable(name: str, kpi: Mapping, date: str) -> Alert:
    """Return the alert of a KPI that every report has, and that has no value this time."""
    title = f"{called(name, kpi)} cannot be computed"
    return Alert(f"{UNCOMPUTED}:{name}", "P2", title, f"{title} at {date}: {kpi['reason']}")


def called(name: str, kpi: Mapping) -> str:
    """Return the id of a KPI, or its title where that introduces the id: ``Cash coverage (CollectionRate)``."""
    return kpi["title"] if name in kpi["title"] else par_name(name, kpi)


def since(name: str, level: str, history: Iterable[Mapping]) -> str:
    """Return the first of the consecutive latest dates on which a KPI was past that limit, or past a worse one."""
    bad = ("critical",) if level == "critical" else ("warning", "critical")
    first = "its first date"
    rows = [row for row in history if row["kpi"] == name]
    for row in sorted(rows, key=lambda row: row["date"], reverse=True):
        if row["status"] not in bad:
            break
        first = str(row["date"])
    return first


def incomplete(metrics: Metrics) -> Iterator[Alert]:
    """Yield an alert when limits could not be checked, or the input lacks what the former one had."""
    if remark := completeness(metrics.get("verdict")):  # reports of earlier versions have no verdict
        title = f"Report of {metrics['date']}: {remark}"
        yield Alert(INCOMPLETE, "P3", title, "\n".join([f"{title}.", *metrics["verdict"]["findings"]]))


def jumps(metrics: Metrics) -> Iterator[Alert]:
    """Yield one alert for all KPIs that changed by more than the limit against the date before."""
    if anomalies := metrics["anomalies"]:
        kpis = metrics["kpis"]
        moves = [
            f"- {called(a['kpi'], kpis[a['kpi']])}: {_move(kpis[a['kpi']], a)}" for a in anomalies if a["kpi"] in kpis
        ]
        title = f"{_count(len(moves), 'figure')} moved by more than {anomalies[0]['limit_pct']:g} %"
        yield Alert(ANOMALIES, "P4", f"{title} at {metrics['date']}", "\n".join([f"{title}:", *moves]))


def _move(kpi: Mapping, jump: Mapping) -> str:
    before, now = (format_value({**kpi, "value": jump[key]}) for key in ("previous", "value"))
    unit, moved = ("points", jump["value"] - jump["previous"]) if kpi["unit"] == "%" else ("%", jump["change_pct"])
    return f"{before} → {now}" + ("" if moved is None else f" ({round(moved, 2):+g} {unit})")


def rejected(metrics: Metrics) -> Iterator[Alert]:
    """Yield an alert when rows were rejected, P3 from half of what stops a run; its text has no value of a row."""
    rows, quality = metrics["reconciliation"]["quarantined"], metrics["quality"]
    if rows:
        title = f"{_count(rows, 'row')} of {metrics['reconciliation']['rows_in']:,} rejected"
        lines = [
            f"{title} ({quality['reject_pct']} %; more than {quality['max_reject_pct']:g} % would stop the run), "
            f"{amount(metrics['reconciliation']['amount_quarantined'], currency=metrics.get('currency', USD))}:",
            *(f"- {reason}: {count:,}" for reason, count in quality["rejects"].items()),
            "They are in tables/quarantine.csv of the report's folder.",
        ]
        severity = "P3" if quality["reject_pct"] > quality["max_reject_pct"] / 2 else "P4"
        yield Alert(REJECTS, severity, title, "\n".join(lines))


def stale(metrics: Metrics, today: dt.date, max_age_days: int) -> Iterator[Alert]:
    """Yield an alert when the figures are older than `max_age_days`; exactly that age is not too old."""
    as_of = metrics["as_of"] or metrics["date"]
    age = (today - dt.date.fromisoformat(as_of)).days
    if max_age_days and age > max_age_days:
        text = f"The newest figures are as of {as_of}, {age} days before {today}; {max_age_days} days are allowed."
        yield Alert(STALE, "P3", f"The figures are {age} days old", f"{text}\nSee whether new exports came.")


def failure(run: Mapping[str, Any]) -> Alert:
    """Return the alert of a run that failed: of the data if too many rows were rejected, otherwise of the pipeline.

    Parameters
    ----------
    run
        The content of its run.json.
    """
    date, error = run["date"] or "the latest date", _safe(run["error"] or "it was killed")
    text = f"The run of {date}, started at {run['started_at']}, failed: {error}\nThe former report stays."
    if stopped_by_rejects(error):
        return Alert(REJECTS, "P2", f"Too many rejected rows: the run of {date} failed", text)
    return Alert(FAILED, "P1", f"The run of {date} failed", text)


def unrecorded(run: Mapping[str, Any], reason: str) -> Alert:
    """Return the alert of a run that succeeded, but nothing of which is delivered, as the database cannot be used."""
    text = f"The report of {run['date']} is made, but nothing of it is recorded or delivered: {reason}"
    return Alert(UNRECORDED, "P1", f"Nothing of the run of {run['date']} is delivered", text)


def backup_failed(error: str) -> Alert:
    """Return the alert of a backup that failed."""
    return Alert(BACKUP, "P3", "The backup failed", f"The backup failed: {error}\nFormer backups are kept.")


def mistyped(error: str) -> Alert:
    """Return the alert of a command that somebody mistyped, without a terminal that would show it."""
    return Alert(MISTYPED, "P3", "A command was mistyped", f"A command was mistyped, and made no report: {error}")


def given_up(deliveries: list[Mapping[str, Any]]) -> Alert:
    """Return the alert of deliveries that were given up: rows of ``deliveries``."""
    title = "1 delivery was given up" if len(deliveries) == 1 else f"{len(deliveries)} deliveries were given up"
    lines = [f"- {row['channel']} of {row['run_id'] or 'a start that failed'}: {row['error']}" for row in deliveries]
    return Alert(GIVEN_UP, "P2", title, "\n".join([f"{title}:", *lines[:LISTED]]))


def stopped_by_rejects(error: str) -> bool:
    """Return whether the error of a failed run says that too many rows were rejected.

    Examples
    --------
    >>> stopped_by_rejects("01_ingestion: 61 of 1000 rows are rejected (6.10 %, more than max_reject_pct 5.0)")
    True
    >>> stopped_by_rejects("params/pipeline.yml: ingestion.max_reject_pct: write a number, such as 1500.00")
    False
    """
    return "more than max_reject_pct" in error


def _safe(error: str) -> str:
    """Return an error without a library's exception message, which may repeat a value of the data."""
    return re.sub(r"( failed in cell \d+: \w+):.*", r"\1; abaco status shows the rest", error, flags=re.DOTALL)


def is_of_failed_run(cause: str, severity: str) -> bool:
    """Return whether an alert says that a run failed; rejected rows that did not stop the run are less severe."""
    return cause == FAILED or (cause == REJECTS and severity == "P2")


def cleared(cause: str, metrics: Metrics) -> str | None:
    """Return the line that says a cause is gone, for a report without it; None where the report cannot tell."""
    kind, _, name = cause.partition(":")
    kpi = metrics["kpis"].get(name)
    if cause == INCOMPLETE and "verdict" not in metrics:
        return None
    if kind in (facility_rules.KIND, facility_rules.UNKNOWN):
        return facility_rules.cleared(kind, name, metrics)
    if cause in (GIVEN_UP, BACKUP):
        return None
    if kind not in ("kpi", UNCOMPUTED):
        return {
            FAILED: f"The run of {metrics['date']} succeeded",
            UNRECORDED: f"The run of {metrics['date']} is recorded",
            MISTYPED: f"The run of {metrics['date']} succeeded",
            ANOMALIES: f"No figure jumped at {metrics['date']}",
            REJECTS: "No rows are rejected any more",
            INCOMPLETE: f"The report of {metrics['date']} is complete",
            STALE: f"The figures are as of {metrics['as_of'] or metrics['date']} now",
        }[cause]
    if kpi is None:
        return f"{name} is not computed any more"
    if kpi["status"] == "not_computable":
        return None
    return f"{called(name, kpi)} is {format_value(kpi)}{'' if kind == UNCOMPUTED else ', within its limits'}"


def eased(cause: str, severity: str) -> str:
    """Return the line that says a cause of that severity is milder now: a figure, a facility or rejected rows."""
    kind, _, name = cause.partition(":")
    if kind == facility_rules.KIND:
        return f"{name.replace(':', ': ')} is past a milder level only"
    if kind == "kpi":
        return f"{name} is past its warning limit only"
    return "The rejected rows do not stop the run any more" if severity == "P2" else "Fewer rows are rejected"


def _count(count: int, what: str) -> str:
    return f"{count:,} {what}{'' if count == 1 else 's'}"
