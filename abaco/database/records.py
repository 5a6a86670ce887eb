"""Records: the content of a run's folder, written to the database exactly once."""

import datetime as dt
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, delete, func, select, update
from sqlalchemy.dialects import postgresql, sqlite

from abaco.core import dates, files
from abaco.database import schema
from abaco.run.manifest import NAME

KILLED = "killed"
INSERT = {"postgresql": postgresql.insert, "sqlite": sqlite.insert}
# keys of a phase in run.json that are not metrics
NO_METRICS = ("key", "outputs", "taken_from")


def write_run(connection: Connection, output: Path, folder: Path) -> int:
    """Write a run from its folder, whether it succeeded, failed or was killed, and return the number of new rows.

    Writing the same run again adds no rows. A successful run becomes the visible one of its date when it ends.
    """
    run = files.read_object(folder / "run.json")
    where = folder.relative_to(output).as_posix()
    if run["status"] != "success":
        return insert(connection, schema.failures, [_failure(run, where)])
    written = insert(connection, schema.runs, [_run(run, folder, where)])
    if written:
        for table, rows in _contents(run, folder).items():
            written += insert(connection, table, [{"run_id": run["run_id"], **row} for row in rows])
    elif (output / run["date"]).resolve() == folder.resolve():
        _update_run(connection, run, where)
    return written + write_visible(
        connection, run["date"], run["run_id"], dates.time_of(run["finished_at"]), "published"
    )


def write_visible(connection: Connection, date: str, run_id: str, since: dt.datetime, why: str) -> int:
    """Record that a date shows a run from `since` on, unless it did already, and return the number of new rows."""
    day, table = dt.date.fromisoformat(date), schema.visible
    before = connection.scalar(
        select(table.c.run_id)
        .where(table.c.date == day, table.c.since <= since)
        .order_by(table.c.since.desc(), table.c.id.desc())
        .limit(1)
    )
    if before == run_id:
        return 0
    row = {"date": day, "run_id": run_id, "since": since, "why": why}
    connection.execute(table.insert(), row)
    return 1


def follow_link(connection: Connection, date: str, run: dict[str, Any], where: str) -> None:
    """Record that a date shows the run of a folder from now on, also when another one is dated ahead of now.

    A run that could not be recorded is left out.
    """
    if _update_run(connection, run, where):
        visible = schema.visible.c
        latest = connection.scalar(select(func.max(visible.since)).where(visible.date == dt.date.fromisoformat(date)))
        now = dt.datetime.now(dt.UTC)
        write_visible(connection, date, run["run_id"], max(latest or now, now), "found")


def write_metric(connection: Connection, run_id: str, phase: str, metric: str, value: float | None) -> None:
    """Write a phase metric that became known, or changed, after the run."""
    table = schema.phase_metrics
    row, value = {"run_id": run_id, "phase": phase, "metric": metric}, None if value is None else float(value)
    if not insert(connection, table, [{**row, "value": value}]):
        connection.execute(update(table).where(*(table.c[k] == v for k, v in row.items())).values(value=value))


def write_delivery_plan(connection: Connection, run: str, place: str, folder: str, missing: str | None) -> None:
    """Write that the deliveries of a run to a place are enqueued, or which variable is missing for them."""
    table, now = schema.delivery_plans, dt.datetime.now(dt.UTC)
    connection.execute(delete(table).where(table.c.run == run, table.c.place == place))
    row = {"run": run, "place": place, "folder": folder, "at": now, "missing": missing}
    connection.execute(table.insert(), row)


def insert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> int:
    """Insert the rows whose key is new, even while another process inserts the same, and return their number."""
    if not rows:
        return 0
    statement = INSERT[connection.dialect.name](table).on_conflict_do_nothing().returning(*table.primary_key.columns)
    return len(connection.execute(statement, rows).all())


def _run(run: dict[str, Any], folder: Path, where: str) -> dict[str, Any]:
    manifest, figures = files.read_object(folder / NAME), files.read_object(folder / "metrics.json")
    return {
        "run_id": run["run_id"],
        "date": dt.date.fromisoformat(run["date"]),
        "as_of": figures["as_of"] and dt.date.fromisoformat(figures["as_of"]),
        "started_at": dates.time_of(run["started_at"]),
        "finished_at": dates.time_of(run["finished_at"]),
        "seconds": run["seconds"],
        "input": run["input"],
        "engine": run["engine"],
        "code_commit": manifest["code"]["commit"],
        "code_sha256": manifest["code"]["sha256"],
        "parameters": manifest["parameters"] | manifest.get("params", {}),  # not of earlier versions
        "folder": where,
    }


def _update_run(connection: Connection, run: dict[str, Any], where: str) -> bool:
    """Let the row of a run that was repeated describe the repetition that is shown; return whether there is a row."""
    values = {
        "started_at": dates.time_of(run["started_at"]),
        "finished_at": dates.time_of(run["finished_at"]),
        "seconds": run["seconds"],
        "folder": where,
        "input": run["input"],
        "engine": run["engine"],
    }
    change = update(schema.runs).where(schema.runs.c.run_id == run["run_id"]).values(**values)
    return bool(connection.execute(change).rowcount)


def _failure(run: dict[str, Any], where: str) -> dict[str, Any]:
    phase, _, _ = (run["error"] or "").partition(":")
    return {
        "folder": where,
        "run_id": run["run_id"],
        "date": dt.date.fromisoformat(run["date"]),
        "started_at": dates.time_of(run["started_at"]),
        "finished_at": run["finished_at"] and dates.time_of(run["finished_at"]),
        "phase": phase if phase[:2].isdigit() else None,
        "error": run["error"] or KILLED,
    }


def _contents(run: dict[str, Any], folder: Path) -> dict[Table, list[dict[str, Any]]]:
    figures = files.read_object(folder / "metrics.json")
    return {
        schema.phase_metrics: list(_phase_metrics(run["phases"])),
        schema.kpis: list(_definitions(figures["kpis"])),
        schema.kpi_values: list(_values(figures, folder)),
        schema.inputs: [{k: i.get(k) for k in ("name", "sha256", "bytes", "rows")} for i in figures["inputs"]],
        schema.quality: list(_quality(figures)),
    }


def _phase_metrics(phases: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for phase, figures in phases.items():
        for metric, figure in figures.items():
            value = len(figure) if isinstance(figure, dict | list) else figure
            if metric not in NO_METRICS and (value is None or isinstance(value, int | float)):
                yield {"phase": phase, "metric": metric, "value": None if value is None else float(value)}


def _definitions(kpis: dict[str, dict[str, Any]]) -> Iterator[dict[str, Any]]:
    for position, (name, kpi) in enumerate(kpis.items()):
        definition = {k: kpi.get(k) for k in ("title", "precision", "direction", "formula")}
        limits = {level: (kpi.get("thresholds") or {}).get(level) for level in ("warning", "critical")}
        yield {"kpi": name, "position": position, "kpi_group": kpi["group"], **definition, **limits}


def _values(figures: dict[str, Any], folder: Path) -> Iterator[dict[str, Any]]:
    own = dt.date.fromisoformat(figures["date"])
    for name, kpi in figures["kpis"].items():
        columns = ("value", "unit", "status", "reason", "numerator", "denominator", "rows")
        last = kpi.get("partial_through")  # not in reports of earlier versions
        partial = last and dt.date.fromisoformat(last)
        yield {"date": own, "kpi": name, **{k: kpi[k] for k in columns}, "partial_through": partial}
    for row in files.read_rows(folder / "tables" / "history.parquet"):
        if row["date"] != own and row["kpi"] in figures["kpis"]:
            amounts = {k: None if row[k] is None else str(row[k]) for k in ("numerator", "denominator")}
            value = None if row["value"] is None else float(row["value"])
            more = {"unit": figures["kpis"][row["kpi"]]["unit"], "partial_through": None}
            yield {**row, **amounts, "value": value, **more}


def _quality(figures: dict[str, Any]) -> Iterator[dict[str, Any]]:
    if currency := figures.get("currency"):  # not in reports of earlier versions
        yield {"measure": "currency", "value": currency}
    if verdict := figures.get("verdict"):  # not in reports of earlier versions
        known = {key: verdict[key] for key in ("state", "limits", "checked")}
        for key, value in (known | {key: bool(verdict.get(key)) for key in ("lost", "shrunk", "absent")}).items():
            yield {"measure": f"verdict: {key}", "value": str(value)}
    for key, one in figures.get("facilities", {}).items():
        yield {"measure": f"{schema.FACILITY}{key}", "value": json.dumps(one)}
    for part in ("reconciliation", "quality"):
        for measure, value in figures[part].items():
            if isinstance(value, dict):
                yield from ({"measure": f"{measure}: {k}", "value": _text(v)} for k, v in value.items())
            elif value is not None:
                yield {"measure": measure, "value": _text(value)}


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
