"""The history of a KPI for the terminal, by day, week or month, with a bar for each value."""

from collections.abc import Iterable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from abaco.core import project, text
from abaco.core.errors import InputError
from abaco.core.precision import shown_decimals
from abaco.core.text import aligned
from abaco.database import connection, queries
from abaco.page.language import phrase, say
from abaco.review import status, terminal
from abaco.run import folders

BAR = 32
EIGHTHS = " ▏▎▍▌▋▊▉█"
PERIODS = {"day": "%Y-%m-%d", "week": "%G-W%V", "month": "%Y-%m"}


def history(kpi: str, output: Path | None = None, date: str | None = None, by: str = "day") -> Iterator[str]:
    """Yield one line a date of a finished report's input: value, status and a bar.

    Parameters
    ----------
    kpi
        Id of the KPI, such as PAR30.
    date
        Date of the report, and last date of the history; by default the latest.
    by
        ``day``, ``week`` or ``month``. A week or month shows its last, lowest and highest value.

    Raises
    ------
    InputError
        When there is no such report, KPI or period.
    """
    if by not in PERIODS:
        raise InputError(f"--by {by} is not one of {', '.join(PERIODS)}")
    folder = folders.reports_folder(output)
    with connection.reading(status.database(folder)) as opened:
        run = report_of(queries.visible_runs(opened), folder, date)
        entry = kpi_of(queries.figures(opened, run), kpi, run["date"])
        rows = queries.history(opened, run["run_id"], kpi)
        verdict = queries.verdicts(opened).get(run["run_id"])
    rows = [{**row, "value": None if row["value"] is None else Decimal(str(row["value"]))} for row in rows]
    names = {name: phrase(entry[name]) for name in ("title", "unit", "formula")}
    yield say("{title} ({kpi}), in {unit}: {formula}", **names, kpi=kpi)
    periods = rolled_up(rows, by)
    largest = max((abs(p["value"]) for p in periods if p["value"] is not None), default=Decimal(0))
    heads = (phrase(by), kpi, *(map(phrase, ("lowest", "highest")) if by != "day" else ()), phrase("status"), "")
    lines = [heads]
    for period in periods:
        values = [period["value"]] if by == "day" else [period["value"], period["lowest"], period["highest"]]
        cells = ("–" if v is None else f"{v:,.{shown_decimals(entry, v)}f}" for v in values)
        lines.append((period["name"], *cells, terminal.status(period["status"]), bar(period["value"], largest)))
    heading, *rest = aligned(lines)
    yield heading
    for period, line in zip(periods, rest, strict=True):
        yield line
        if remark := terminal.partial(period):
            yield f"  {kpi}{remark}"
    if remark := terminal.completeness(verdict):
        yield say("Report of {date}: {remark}", date=run["date"], remark=remark)


def report_of(reports: dict[str, dict[str, Any]], output: Path, date: str | None) -> dict[str, Any]:
    """Return the run of a date's report; by default the latest."""
    if not reports:
        raise status.no_report_error(output)
    if date is not None and date not in reports:
        newest = ", ".join(list(reports)[-5:])
        raise InputError(f"No report of {date} in {project.display_path(output)}; there are: {newest}")
    return reports[date or max(reports)]


def kpi_of(figures: dict[str, Any], kpi: str, date: Any) -> dict[str, Any]:
    """Return the entry of a KPI in the figures of a report."""
    if kpi not in figures:
        raise InputError(f"{kpi} is not a KPI of the report of {date}: {text.nearest(kpi, figures)}")
    return figures[kpi]


def rolled_up(rows: Iterable[dict[str, Any]], by: str) -> list[dict[str, Any]]:
    """Return the last row of each period, oldest first, with the period's lowest and highest value.

    Parameters
    ----------
    rows
        ``date``, ``value``, ``status`` and ``partial_through``, one row per date.
    by
        A key of `PERIODS`. The value of a period is that of its last date; ratios are never averaged.
    """
    periods: dict[str, list[dict[str, Any]]] = {}
    for row in sorted(rows, key=lambda row: row["date"]):
        periods.setdefault(row["date"].strftime(PERIODS[by]), []).append(row)
    merged = []
    for name, group in periods.items():
        values = [row["value"] for row in group if row["value"] is not None]
        edges = {"lowest": min(values, default=None), "highest": max(values, default=None)}
        merged.append({"name": name, **group[-1], **edges})
    return merged


def bar(value: Decimal | None, largest: Decimal) -> str:
    """Return a bar in proportion to the largest value.

    Examples
    --------
    >>> bar(Decimal("1"), Decimal("4")), bar(None, Decimal("4"))
    ('████████', '')
    """
    if value is None or not largest:
        return ""
    eighths = int(abs(value) / largest * BAR * 8)
    return "█" * (eighths // 8) + EIGHTHS[eighths % 8].strip()
