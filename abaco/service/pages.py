"""The pages: the reports by date, a run with its files, and two runs side by side; in the look of the report."""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection

from abaco.core import dates, project
from abaco.database import queries
from abaco.database.connection import reading
from abaco.database.queries import group_deliveries
from abaco.page.key_figures import kpi_cards
from abaco.page.kpi_text import FIRST_KPIS
from abaco.page.markup import Html, fill, stylesheet
from abaco.page.words import day
from abaco.service import files, tables
from abaco.service.reports import Book, health
from abaco.service.tables import moment

TEMPLATES = Path(__file__).parent / "templates"
DATES, FAILURES = 36, 10  # on one page
# What the service is in the colours and symbols of the report.
MARKS = {"healthy": ("ok", "✓"), "degraded": ("warning", "!"), "unhealthy": ("critical", "✕")}


def find(book: Book, name: str) -> dict[str, Any] | None:
    """Return a run by its id, or the one that a date shows; None when there is none."""
    with reading(book.engine) as connection:
        return queries.run_named(connection, name)


def find_failed(book: Book, name: str) -> dict[str, Any] | None:
    """Return a run that failed by the name of its folder or by its id, of several the last; None when there is none."""
    with reading(book.engine) as connection:
        found = [one for one in queries.failed(connection) if name in (_name(one), one["run_id"])]
    return found[-1] if found else None


def reports(book: Book, before: str) -> str:
    """Return the page of all reports by date, the latest first; `before` a date, if it is not empty."""
    state = health(book)
    with reading(book.engine) as connection:
        shown = list(reversed(queries.visible_runs(connection).values()))
        listed = [run for run in shown if not before or str(run["date"]) < before]
        here, rest = listed[:DATES], listed[DATES:]
        latest = shown[0] if shown and not before else None
        values = {
            "cards": latest and _cards(connection, latest),
            "table": tables.reports(connection, here),
            "failed": _failed(connection, shown),
            "alerts": queries.open_alerts(connection),
            "deliveries": list(group_deliveries(queries.deliveries_with(connection, "pending", "dead"))),
        }
    for name in ("last_run", "next_run"):
        values[name] = state[name] and moment(dates.time_of(state[name]))
    return _page(
        "reports.html.j2", "Reports by date", state=state, mark=MARKS[state["status"]], latest=latest,
        dates=[str(run["date"]) for run in shown], older=str(here[-1]["date"]) if rest else None, **values,
    )  # fmt: skip


def run(found: dict[str, Any], book: Book, base: str) -> str:
    """Return the page of a run: its figures, its files, whose addresses begin with `base`, the runs of its date."""
    with reading(book.engine) as connection:
        cards = _cards(connection, found)
        seen = queries.visible_runs(connection)[str(found["date"])]["run_id"]
        of_date = queries.runs_of(connection, found["date"])
    folder = files.folder_of(book.output, found)
    sizes = files.listed(folder) if folder else {}
    title = f"Report of {day(found['date'])}" if base.startswith("/reports") else f"Run {found['run_id']}"
    return _page(
        "run.html.j2", title, run=found, base=base, cards=cards, is_seen=seen == found["run_id"],
        source=project.display_path(found["input"]), ended=moment(found["finished_at"]),
        files=tables.files(sizes, base), has_report="report.html" in sizes, runs=tables.runs(of_date, found, seen),
    )  # fmt: skip


def failed_run(one: dict[str, Any], book: Book) -> str:
    """Return the page of a run that failed: in which phase, why, and where its notebook lies below the reports."""
    notebook = f"{one['folder']}/notebooks/{one['phase']}.ipynb"
    return _page(
        "failed.html.j2", f"Run {one['run_id']}", run=one, began=moment(one["started_at"]),
        ended=one["finished_at"] and moment(one["finished_at"]),
        notebook=notebook if (book.output / notebook).is_file() else None,
    )  # fmt: skip


def comparison(one: dict[str, Any], other: dict[str, Any], book: Book) -> str:
    """Return the page of what differs between two runs: figures, inputs, parameters and code."""
    with reading(book.engine) as connection:
        for found in (one, other):
            found["kpis"] = queries.figures(connection, found)
            found["inputs"] = queries.inputs_of(connection, found["run_id"])
    return _page(
        "comparison.html.j2",
        "Two runs side by side",
        one=one,
        other=other,
        parts=tables.differences(one, other),
    )


def failure(text: str) -> str:
    """Return the page that says why there is none."""
    return _page("failure.html.j2", "Not found" if text.startswith("There is no") else "Not shown", text=text)


def _page(template: str, title: str, **values: Any) -> str:
    style = stylesheet("colours.css", "pieces.css", "charts.css", "page.css")
    own = (TEMPLATES / "service.css").read_text(encoding="utf-8")
    body = fill(template, TEMPLATES, title=title, **values)
    return fill("frame.html.j2", TEMPLATES, title=title, style=Html(f"{style}\n{own}"), body=body) + "\n"


def _cards(connection: Connection, run: dict[str, Any]) -> Html:
    """Return the cards of the four first KPIs as the report has them: value, status, change and trend."""
    kpis, past = queries.figures(connection, run), []
    for name in FIRST_KPIS:
        rows = queries.history(connection, run["run_id"], name)
        past += [{**row, "kpi": name} for row in rows]
        if kpi := kpis.get(name):
            kpi |= _against(kpi, next((row for row in reversed(rows) if row["date"] < run["date"]), None))
    return kpi_cards({"date": str(run["date"]), "kpis": kpis, "anomalies": []}, past)


def _against(kpi: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
    """Return the previous value of a KPI and the change since, as metrics.json has them."""
    if before is None:
        return {"previous": None, "change": None}
    known = None not in (kpi["value"], before["value"])
    change = round(kpi["value"] - before["value"], kpi["precision"]) if known else None
    return {"previous": {"date": str(before["date"]), "value": before["value"]}, "change": change}


def _failed(connection: Connection, shown: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the runs that failed since their date got the report that it shows, the newest first."""
    since = {run["date"]: run["finished_at"] for run in shown}
    found = [
        {**one, "at": moment(one["finished_at"] or one["started_at"]), "name": _name(one)}
        for one in queries.failed(connection)
        if one["date"] not in since or one["started_at"] > since[one["date"]]
    ]
    return found[::-1][:FAILURES]


def _name(failed: dict[str, Any]) -> str:
    """Return the name of a failed run's folder: another run may have its id."""
    return failed["folder"].rpartition("/")[2]
