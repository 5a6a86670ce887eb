"""The history of a KPI for the terminal: every date of the input, or weeks and months, with a bar for each value."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from abaco import archive, project, runs
from abaco.errors import InputError
from abaco.listing import aligned

BAR = 32
EIGHTHS = " ▏▎▍▌▋▊▉█"
PERIODS = {"day": "%Y-%m-%d", "week": "%G-W%V", "month": "%Y-%m"}


def history(kpi: str, output: Path | None = None, date: str | None = None, by: str = "day") -> Iterator[str]:
    """Yield a line a date of the input of a finished report: value, status and a bar.

    Parameters
    ----------
    kpi
        Its id, such as PAR30.
    date
        The report whose input is meant; by default the latest one. Later dates are no part of it.
    by
        ``day``, ``week`` or ``month``: of a longer period the last value is shown, and the lowest and highest in it.

    Raises
    ------
    InputError
        When there is no such report, KPI or period.
    """
    if by not in PERIODS:
        raise InputError(f"--by {by} is not one of {', '.join(PERIODS)}")
    folder = report_of(archive.reports_folder(output), date)
    entry = kpi_of(runs.read_json(folder / "metrics.json"), kpi)
    rows = [row for row in pq.read_table(folder / "tables/history.parquet").to_pylist() if row["kpi"] == kpi]
    yield f"{entry['title']} ({kpi}), in {entry['unit']}: {entry['formula']}"
    periods = rolled_up(rows, by)
    largest = max((abs(p["value"]) for p in periods if p["value"] is not None), default=Decimal(0))
    heads = (by, kpi, *(("lowest", "highest") if by != "day" else ()), "status", "")
    lines = [heads]
    for period in periods:
        values = [period["value"]] if by == "day" else [period["value"], period["lowest"], period["highest"]]
        shown = ("–" if v is None else f"{v:.{entry['precision']}f}" for v in values)
        lines.append((period["name"], *shown, period["status"], bar(period["value"], largest)))
    yield from aligned(lines)


def report_of(output: Path, date: str | None) -> Path:
    """Return the folder of the finished report of a date, or of the latest one."""
    found = sorted(archive.visible(output))
    if not found:
        raise InputError(f"No report in {project.shown(output)} yet: run make report DATE=YYYY-MM-DD")
    if date is not None and date not in found:
        raise InputError(
            f"No report of {date} in {project.shown(output)}; there are: {', '.join(found[-5:])}"
        )
    return output / (date or found[-1])


def kpi_of(figures: dict[str, Any], kpi: str) -> dict[str, Any]:
    """Return the entry of a KPI in the figures of a report."""
    if kpi not in figures["kpis"]:
        raise InputError(
            f"{kpi} is no KPI of the report of {figures['date']}; these are: {', '.join(figures['kpis'])}"
        )
    return figures["kpis"][kpi]


def rolled_up(rows: Iterable[dict[str, Any]], by: str) -> list[dict[str, Any]]:
    """Return the last value of each period, its status, and the lowest and highest value in it, oldest first.

    Parameters
    ----------
    rows
        ``date``, ``value`` and ``status``, one row a date.
    by
        A key of `PERIODS`. A ratio of a period is that of its last date: ratios of several dates are never averaged.
    """
    periods: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: row["date"]):
        periods.setdefault(row["date"].strftime(PERIODS[by]), []).append(row)
    found = []
    for name, group in periods.items():
        values = [row["value"] for row in group if row["value"] is not None]
        edges = {"lowest": min(values, default=None), "highest": max(values, default=None)}
        found.append({"name": name, **{key: group[-1][key] for key in ("date", "value", "status")}, **edges})
    return found


def bar(value: Decimal | None, largest: Decimal) -> str:
    """Return a bar as long as a value is against the largest one.

    Examples
    --------
    >>> bar(Decimal("1"), Decimal("4")), bar(None, Decimal("4"))
    ('████████', '')
    """
    if value is None or not largest:
        return ""
    eighths = int(abs(value) / largest * BAR * 8)
    return "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()
