"""The archive: what runs left, the visible report of each date and what became of later runs."""

import os
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from abaco import metrics, project, runs, settings
from abaco.errors import InputError
from abaco.listing import aligned


def reports_folder(output: Path | None) -> Path:
    """Return the folder of the reports: `output`, or the setting ``run.output``."""
    return output.expanduser().absolute() if output else project.resolve(settings.load()["run"]["output"])


def visible(output: Path) -> dict[str, dict[str, Any]]:
    """Return run.json of the visible report of each date, oldest first."""
    return {path.parent.name: runs.read_json(path) for path in sorted(output.glob("[0-9]*/run.json"))}


def later(output: Path, date: str, run: dict[str, Any] | None) -> list[dict[str, Any]]:
    """Return the runs of a date since `run`, or all without one, that did not succeed, oldest first."""
    found = [runs.read_json(path) for path in sorted((output / runs.RUNS / date).glob("*/run.json"))]
    since = run["started_at"] if run else ""
    return [one for one in found if one["status"] != "success" and one["started_at"] >= since]


def outcome(output: Path, run: dict[str, Any]) -> str:
    """Return in words what became of a run that did not succeed."""
    if run["status"] == "failed":
        return f"failed at {run['finished_at']}: {run['error']}"
    if holder := _alive(runs.holder(output, run["date"])):
        return f"is at work since {run['started_at']}, process {holder['pid']} on {holder['host']}"
    return f"started at {run['started_at']} and was killed"


def _alive(holder: dict[str, Any] | None) -> dict[str, Any] | None:
    if holder and holder["host"] == socket.gethostname():
        try:
            os.kill(holder["pid"], 0)
        except ProcessLookupError:
            return None
        except PermissionError:  # it is there, and somebody else's
            pass
    return holder


def overview(output: Path | None = None) -> Iterator[str]:
    """Yield a line for each date with the KPIs of its visible report, and below it what became of later runs.

    Raises
    ------
    InputError
        When there is no report yet.
    """
    folder = reports_folder(output)
    shown = visible(folder)
    dates = sorted({*shown, *(p.name for p in (folder / runs.RUNS).glob("[0-9]*"))})
    if not dates:
        raise InputError(f"No report in {project.shown(folder)} yet: run make report DATE=YYYY-MM-DD")
    kpis = {date: runs.read_json(folder / date / "metrics.json")["kpis"] for date in shown}
    names = list(
        dict.fromkeys(n for entries in kpis.values() for n, kpi in entries.items() if kpi["group"] == "core")
    )
    rows = [("date", *names, "finished", "run", "input")]
    for date in dates:
        figures = [_figure(kpis.get(date, {}).get(name)) for name in names]
        run = shown.get(date, {"finished_at": "no report", "run_id": "", "input": None})
        source = project.shown(run["input"]) if run["input"] else ""
        rows.append((date, *figures, run["finished_at"], run["run_id"], source))
    heading, *lines = aligned(rows)
    yield heading
    for date, line in zip(dates, lines, strict=True):
        yield line
        if unfinished := later(folder, date, shown.get(date)):
            kind, count = "later run" if date in shown else "run", len(unfinished)
            which = f"a {kind}" if count == 1 else f"{count} {kind}s did not succeed, the last"
            yield f"  {which} {outcome(folder, unfinished[-1])}"


def _figure(kpi: dict[str, Any] | None) -> str:
    return "" if kpi is None else metrics.judged(kpi)
