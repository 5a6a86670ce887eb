"""What runs left: the visible report of each date, and later runs of it that failed."""

from pathlib import Path
from typing import Any

from rich.table import Table

from abaco import project, runs, settings
from abaco.errors import InputError


def reports_folder(output: Path | None) -> Path:
    """Return the folder of the reports: `output`, or the setting ``run.output``."""
    return output.absolute() if output else project.resolve(settings.load()["run"]["output"])


def visible(output: Path) -> dict[str, dict[str, Any]]:
    """Return run.json of the visible report of each date, oldest first."""
    return {path.parent.name: runs.read_json(path) for path in sorted(output.glob("[0-9]*/run.json"))}


def failed_since(output: Path, date: str, started_at: str) -> list[dict[str, Any]]:
    """Return the runs of a date that failed after the visible one started, oldest first."""
    found = [runs.read_json(path) for path in sorted((output / runs.RUNS / date).glob("*/run.json"))]
    return [run for run in found if run["status"] == "failed" and run["started_at"] >= started_at]


def overview(output: Path | None = None) -> Table:
    """Return a table of all dates: the visible report with its KPIs, and failures since.

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
    table = Table("date", "run", "finished", "KPIs", "failed since", box=None, pad_edge=False)
    for date in dates:
        run = shown.get(date)
        failures = failed_since(folder, date, run["started_at"] if run else "")
        last = f"{len(failures)}: {failures[-1]['error']}" if failures else ""
        if run is None:
            table.add_row(date, "none", "", "", last)
            continue
        kpis = runs.read_json(folder / date / "metrics.json")["kpis"]
        figures = ", ".join(f"{name} {kpi['value']} {kpi['status']}" for name, kpi in kpis.items())
        table.add_row(date, run["run_id"], run["finished_at"], figures, last)
    return table
