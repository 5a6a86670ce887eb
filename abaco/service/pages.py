"""The pages: the reports by date, a run with its files, and two runs side by side; in the look of the report."""

import re
import shlex
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.dataset as ds
from starlette.responses import HTMLResponse

from abaco.core import dates, project
from abaco.core.phases import PHASES
from abaco.database import queries
from abaco.database.connection import Connection, reading
from abaco.database.queries import group_deliveries
from abaco.ingest import sample_mark
from abaco.page.column_names import capital
from abaco.page.key_figures import kpi_cards
from abaco.page.kpi_text import FIRST_KPIS
from abaco.page.language import phrase, say, spoken
from abaco.page.markup import Html, fill, stylesheet
from abaco.page.masthead import title as title_of
from abaco.review import comparison as review_comparison
from abaco.review import terminal
from abaco.run import folders
from abaco.service import alerts, files, notebook, tables
from abaco.service.reports import Book, health, verdict_of
from abaco.service.security import SCRIPTED
from abaco.service.tables import moment

TEMPLATES = Path(__file__).parent / "templates"
DATES, FAILURES = 36, 10  # on one page
WAITING = {"dead": "Given up", "held": "Held since a restore", "pending": "Still to deliver"}  # deliveries, by status
# The state of the service in the colours and symbols of the report.
MARKS = {"healthy": ("ok", "✓"), "degraded": ("warning", "!"), "unhealthy": ("critical", "✕")}


class Page(HTMLResponse):
    """A page of the service, which may load the script of the service and no other."""

    def __init__(self, content: str, status_code: int = 200, headers: dict[str, str] | None = None):
        super().__init__(content, status_code, {**(headers or {}), "Content-Security-Policy": SCRIPTED})


def find(book: Book, name: str) -> dict[str, Any] | None:
    """Return a run by its id, or the visible run of a date; None when there is none."""
    with reading(book.engine) as connection:
        return queries.run_named(connection, name)


def find_failed(book: Book, name: str) -> dict[str, Any] | None:
    """Return a run that failed by its folder or id, the latest of several; None when there is none."""
    with reading(book.engine) as connection:
        runs = [run for run in queries.failed(connection) if name in (_name(run), run["run_id"])]
    return runs[-1] if runs else None


def reports(book: Book, before: str) -> str:
    """Return the page of all reports by date, the latest first; `before` a date, if it is not empty."""
    state, at_work = health(book), running(book)
    with reading(book.engine) as connection:
        visible = list(reversed(queries.visible_runs(connection).values()))
        earlier = [run for run in visible if not before or str(run["date"]) < before]
        page, rest = earlier[:DATES], earlier[DATES:]
        latest = visible[0] if visible and not before else None
        folder = latest and files.folder_of(book.output, latest)
        values = {
            "cards": latest and _cards(connection, latest, folder),
            "heading": latest and _title(latest),
            "remarks": latest and _remarks(connection, latest),
            "source": latest and project.display_path(latest["input"]),
            "facilities": queries.facilities(connection).get(latest["run_id"], {}).values() if latest else (),
            "table": tables.reports(connection, page),
            "failed": _failed(connection, visible),
            "alerts": alerts.explained(queries.open_alerts(connection), book.runbook),
            "deliveries": list(group_deliveries(queries.deliveries_with(connection, "pending", "dead", "held"))),
        }
    for name in ("last_run", "next_run"):
        values[name] = state[name] and moment(dates.time_of(state[name]))
    return framed(
        "reports.html.j2", phrase("Reports by date"), state=state, mark=MARKS[state["status"]], latest=latest,
        has_workbook=bool(folder) and (folder / "report.xlsx").is_file(),
        dates=[str(run["date"]) for run in visible], older=str(page[-1]["date"]) if rest else None,
        running=at_work, refresh=bool(at_work), can_make=book.maker is not None, first_kpis=FIRST_KPIS, waiting=WAITING,
        output=shlex.quote(project.display_path(book.output)), **values,
    )  # fmt: skip


def running(book: Book) -> list[dict[str, Any]]:
    """Return the runs at work as a page shows them: ``date, at, phases`` and the ``cell`` in words."""
    found = []
    for one in book.running():
        here = PHASES.index(one["phase"]) if one["phase"] in PHASES else -1
        marks = ["done" if place < here else "now" if place == here else "later" for place in range(len(PHASES))]
        cell = say("cell {cell} of {cells}", **one) if one["cells"] else phrase("starting")
        at = moment(dates.time_of(one["since"]))
        found.append({"date": one["date"], "at": at, "cell": cell, "phases": list(zip(PHASES, marks, strict=True))})
    return found


def health_page(state: dict[str, Any]) -> str:
    """Return the page of /health for people."""
    times = {name: state[name] and moment(dates.time_of(state[name])) for name in ("last_run", "next_run")}
    work = state["running"] and {**state["running"], "since": moment(dates.time_of(state["running"]["since"]))}
    verdict = state["verdict"] and {**state["verdict"], "text": terminal.standing(state["verdict"])}
    shown = state | times | {"running": work, "verdict": verdict}
    return framed("health.html.j2", phrase("Health"), state=shown, mark=MARKS[state["status"]])


def run(run: dict[str, Any], book: Book, base: str) -> str:
    """Return the page of a run: its figures, its files, whose addresses begin with `base`, the runs of its date."""
    folder = files.folder_of(book.output, run)
    with reading(book.engine) as connection:
        cards, remarks = _cards(connection, run, folder), _remarks(connection, run)
        visible = queries.visible_runs(connection)[str(run["date"])]["run_id"]
        of_date = queries.runs_of(connection, run["date"])
    sizes = files.listed(folder) if folder else {}
    title = _title(run) if base.startswith("/reports") else say("Run {run_id}", run_id=run["run_id"])
    return framed(
        "run.html.j2", title, run=run, base=base, cards=cards, remarks=remarks, is_seen=visible == run["run_id"],
        source=project.display_path(run["input"]), ended=moment(run["finished_at"]),
        files=tables.files(sizes, base), has_report="report.html" in sizes,
        has_workbook="report.xlsx" in sizes, runs=tables.runs(of_date, run, visible),
        verified=_verified(book, run) if visible == run["run_id"] else "",
    )  # fmt: skip


def failed_run(one: dict[str, Any], book: Book) -> str:
    """Return the page of a run that failed: its phase, its error and the way to its notebook."""
    path = notebook.path_of(book.output, one)
    return framed(
        "failed.html.j2", say("Run {run_id}", run_id=one["run_id"]), run=one, began=moment(one["started_at"]),
        ended=one["finished_at"] and moment(one["finished_at"]),
        notebook=path and f"{one['folder']}/notebooks/{path.name}", base=f"/runs/{_name(one)}/",
    )  # fmt: skip


def failed_notebook(one: dict[str, Any], path: Path) -> str:
    """Return the page of the notebook of a run that failed, up to the cell that failed."""
    cells = notebook.cells(path)
    title = say("Notebook {name} of a failed run", name=path.stem)
    return framed("notebook.html.j2", title, run=one, base=f"/runs/{_name(one)}/", cells=cells)


def comparison(one: dict[str, Any], other: dict[str, Any], book: Book) -> str:
    """Return the page that compares two runs: figures, inputs, parameters and code."""
    with reading(book.engine) as connection:
        for run in (one, other):
            run["kpis"] = tables.worded(review_comparison.all_figures(connection, run))
            run["inputs"] = queries.inputs_of(connection, run["run_id"])
            run["source"] = project.display_path(run["input"])
    parts = tables.differences(one, other)
    return framed("comparison.html.j2", phrase("Two runs side by side"), one=one, other=other, parts=parts)


def dictionary() -> str:
    """Return the page of the data dictionary: every table of a report, and what its columns mean."""
    return framed("dictionary.html.j2", phrase("Data dictionary"), tables=tables.dictionary())


def failure(text: str, path: str = "/") -> str:
    """Return the page of an error of the page at a path."""
    is_form = path.startswith("/make/")
    title = "Not found" if text.startswith("There is no") else "Not done" if is_form else "Not shown"
    back = ("/make", "Back to making a report") if is_form else ("/", "All reports")
    return framed("failure.html.j2", phrase(title), text=text, back=back)


def framed(template: str, title: str, **values: Any) -> str:
    """Return a page of the service: a template in the frame that all pages have."""
    style = stylesheet("colours.css", "pieces.css", "charts.css", "page.css")
    own = (TEMPLATES / "service.css").read_text(encoding="utf-8")
    body, refresh = fill(template, TEMPLATES, title=title, **values), values.get("refresh", False)
    style = Html(f"{style}\n{own}")
    words = {text: phrase(text) for text in _script_texts()} if spoken() != "en" else {}
    return fill("frame.html.j2", TEMPLATES, title=title, style=style, body=body, refresh=refresh, words=words) + "\n"


@cache
def _script_texts() -> list[str]:
    """Return the texts that the script of the pages shows."""
    return re.findall(r'phrase\("([^"]+)"\)', (TEMPLATES / "service.js").read_text(encoding="utf-8"))


def _cards(connection: Connection, run: dict[str, Any], folder: Path | None) -> Html:
    """Return the cards of the four first KPIs as the report has them: value, status, change and trend."""
    kpis, past = tables.entries(connection, run), []
    for name in FIRST_KPIS:
        rows = queries.history(connection, run["run_id"], name)
        past += [{**row, "kpi": name} for row in rows]
        if kpi := kpis.get(name):
            kpi |= _against(kpi, next((row for row in reversed(rows) if row["date"] < run["date"]), None))
    dates = {"date": str(run["date"]), "as_of": run["as_of"] and str(run["as_of"])}
    return kpi_cards({**dates, "kpis": kpis, "anomalies": []}, past, _bridges(folder))


def _bridges(folder: Path | None) -> list[dict[str, Any]]:
    """Return the bridges of a run, which say whether write-offs alone lowered a PAR; none where they cannot be read."""
    try:
        return ds.dataset(folder / "tables/bridges.parquet").to_table().to_pylist() if folder else []
    except (OSError, pa.ArrowException):  # gone or damaged, as /health says
        return []


def _verified(book: Book, run: dict[str, Any]) -> str:
    """Return when the visible run of a date was reproduced; empty where it was not."""
    note = folders.verified(book.output, str(run["date"]))
    at = note and moment(dates.time_of(note["at"]))
    return say("{time} UTC, all {count} files", time=at, count=note["files"]) if note else ""


def _title(run: dict[str, Any]) -> str:
    """Return the title of a run's report, with the day that its figures are from."""
    return title_of({"date": str(run["date"]), "as_of": run["as_of"] and str(run["as_of"])})


def _remarks(connection: Connection, run: dict[str, Any]) -> list[str]:
    """Return whether a report is of the sample, and its verdict."""
    sample = sample_mark.is_sample(queries.inputs_of(connection, run["run_id"]))
    verdict = verdict_of(connection, run, queries.figures(connection, run))
    found = [phrase(sample_mark.SENTENCE).rstrip(".")] if sample else []
    return found + ([capital(terminal.standing(verdict))] if verdict else [])


def _against(kpi: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
    """Return the previous value of a KPI and the change since, as metrics.json has them."""
    if before is None:
        return {"previous": None, "change": None}
    known = None not in (kpi["value"], before["value"])
    change = round(kpi["value"] - before["value"], kpi["precision"]) if known else None
    return {"previous": {"date": str(before["date"]), "value": before["value"]}, "change": change}


def _failed(connection: Connection, visible: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the runs that failed after the visible run of their date, the newest first."""
    since = {run["date"]: run["finished_at"] for run in visible}
    runs = [
        {**one, "at": moment(one["finished_at"] or one["started_at"]), "name": _name(one)}
        for one in queries.failed(connection)
        if one["date"] not in since or one["started_at"] > since[one["date"]]
    ]
    return runs[::-1][:FAILURES]


def _name(failed: dict[str, Any]) -> str:
    """Return the name of a failed run's folder: another run may have its id."""
    return failed["folder"].rpartition("/")[2]
