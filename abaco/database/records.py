"""What is written of a run: all that its folder says, once, whoever writes it and however often."""

import datetime as dt
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Table, delete, select, update

from abaco.core import dates, files
from abaco.core.parquet import read_rows
from abaco.database import schema
from abaco.run.manifest import NAME

KILLED = "killed"
# Of run.json's entry of a phase: neither figures nor of interest afterwards.
NO_METRICS = ("key", "outputs", "taken_from")


def write_run(connection: Connection, output: Path, folder: Path) -> int:
    """Write a run from its folder, whether it succeeded, failed or was killed, and return how many rows came.

    The same run written again gives no rows. One that succeeded is from its end on the visible one of its date.
    """
    run = files.read_json(folder / "run.json")
    where = folder.relative_to(output).as_posix()
    if run["status"] != "success":
        return insert(connection, schema.failures, [_failure(run, where)])
    written = insert(connection, schema.runs, [_run(run, folder, where)])
    if written:
        for table, rows in _contents(run, folder).items():
            written += insert(connection, table, [{"run_id": run["run_id"], **row} for row in rows])
    else:
        _renew(connection, run, where)
    return written + show(
        connection, run["date"], run["run_id"], dates.time_of(run["finished_at"]), "published"
    )


def show(connection: Connection, date: str, run_id: str, since: dt.datetime, why: str) -> int:
    """Write that a date shows a run from `since` on, unless it did already, and return how many rows came."""
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


def write_metric(connection: Connection, run_id: str, phase: str, metric: str, value: float | None) -> None:
    """Write a phase metric that is known only after the phase, or that has changed since."""
    table = schema.phase_metrics
    row, value = {"run_id": run_id, "phase": phase, "metric": metric}, None if value is None else float(value)
    if not insert(connection, table, [{**row, "value": value}]):
        connection.execute(
            update(table).where(*(table.c[k] == v for k, v in row.items())).values(value=value)
        )


def write_settlement(connection: Connection, run: str, place: str, folder: str, missing: str | None) -> None:
    """Write that what a run is delivered to at a place is written down."""
    table, now = schema.settlements, dt.datetime.now(dt.UTC)
    connection.execute(delete(table).where(table.c.run == run, table.c.place == place))
    row = {"run": run, "place": place, "folder": folder, "at": now, "missing": missing}
    connection.execute(table.insert(), row)


def insert(connection: Connection, table: Table, rows: list[dict[str, Any]]) -> int:
    """Insert the rows whose key is not there yet, also when another process writes the same, and count them."""
    if not rows:
        return 0
    dialect = import_module(f"sqlalchemy.dialects.{connection.dialect.name}")  # each takes long to import
    statement = dialect.insert(table).on_conflict_do_nothing().returning(*table.primary_key.columns)
    return len(connection.execute(statement, rows).all())


def _run(run: dict[str, Any], folder: Path, where: str) -> dict[str, Any]:
    kept, figures = files.read_json(folder / NAME), files.read_json(folder / "metrics.json")
    return {
        "run_id": run["run_id"],
        "date": dt.date.fromisoformat(run["date"]),
        "as_of": figures["as_of"] and dt.date.fromisoformat(figures["as_of"]),
        "started_at": dates.time_of(run["started_at"]),
        "finished_at": dates.time_of(run["finished_at"]),
        "seconds": run["seconds"],
        "input": run["input"],
        "engine": run["engine"],
        "code_commit": kept["code"]["commit"],
        "code_sha256": kept["code"]["sha256"],
        "parameters": kept["parameters"],
        "folder": where,
    }


def _renew(connection: Connection, run: dict[str, Any], where: str) -> None:
    """Let a run that was made again be the folder that was made last."""
    ended = {
        "started_at": dates.time_of(run["started_at"]),
        "finished_at": dates.time_of(run["finished_at"]),
    }
    later = (schema.runs.c.run_id == run["run_id"], schema.runs.c.folder < where)
    values = {
        **ended,
        "seconds": run["seconds"],
        "folder": where,
        "input": run["input"],
        "engine": run["engine"],
    }
    connection.execute(update(schema.runs).where(*later).values(**values))


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
    figures = files.read_json(folder / "metrics.json")
    return {
        schema.phase_metrics: list(_phase_metrics(run["phases"])),
        schema.kpis: list(_definitions(figures["kpis"])),
        schema.kpi_values: list(_values(figures, folder)),
        schema.inputs: [
            {k: i.get(k) for k in ("name", "sha256", "bytes", "rows")} for i in figures["inputs"]
        ],
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
        kept = {k: kpi.get(k) for k in ("title", "precision", "direction", "formula")}
        limits = {level: (kpi.get("thresholds") or {}).get(level) for level in ("warning", "critical")}
        yield {"kpi": name, "position": position, "kpi_group": kpi["group"], **kept, **limits}


def _values(figures: dict[str, Any], folder: Path) -> Iterator[dict[str, Any]]:
    own = dt.date.fromisoformat(figures["date"])
    for name, kpi in figures["kpis"].items():
        kept = ("value", "unit", "status", "reason", "numerator", "denominator", "rows")
        last = kpi.get("partial_through")  # reports of earlier versions have none
        partial = last and dt.date.fromisoformat(last)
        yield {"date": own, "kpi": name, **{k: kpi[k] for k in kept}, "partial_through": partial}
    for row in read_rows(folder / "tables" / "history.parquet"):
        if row["date"] != own and row["kpi"] in figures["kpis"]:
            amounts = {k: None if row[k] is None else str(row[k]) for k in ("numerator", "denominator")}
            value = None if row["value"] is None else float(row["value"])
            more = {"unit": figures["kpis"][row["kpi"]]["unit"], "partial_through": None}
            yield {**row, **amounts, "value": value, **more}


def _quality(figures: dict[str, Any]) -> Iterator[dict[str, Any]]:
    for part in ("reconciliation", "quality"):
        for measure, value in figures[part].items():
            if isinstance(value, dict):
                yield from ({"measure": f"{measure}: {k}", "value": _text(v)} for k, v in value.items())
            elif value is not None:
                yield {"measure": measure, "value": _text(value)}


def _text(value: Any) -> str:
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)
