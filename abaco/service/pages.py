"""The pages: the reports by date, a run with its files, and two runs side by side; in the look of the report."""

import datetime as dt
from pathlib import Path
from typing import Any
from urllib.parse import quote

from sqlalchemy import Connection

from abaco import comparison as differences
from abaco.database import queries
from abaco.database.connection import reading
from abaco.page.cards import kpi_cards
from abaco.page.markup import Html, fill, stylesheet
from abaco.page.readings import FIRST_KPIS, card_decimals
from abaco.page.status import marked
from abaco.page.tables import figures
from abaco.page.words import NBSP, NOTHING, day, number
from abaco.service import files
from abaco.service.book import Book
from abaco.service.health import health

TEMPLATES = Path(__file__).parent / "templates"
DATES = 36  # on one page
WORDS = {
    "report.html": "the report", "email.html": "its short form for mail programs", "email.eml": "the same as a message",
    "metrics.json": "the figures", "run.json": "what happened", "manifest.json": "every input and output, with hashes",
}  # fmt: skip
KINDS = {"tables": "table", "notebooks": "executed notebook", "email": "picture of the short form"}


def find(book: Book, name: str) -> dict[str, Any] | None:
    """Return a run by its id, or the one that a date shows; None when there is none."""
    with reading(book.engine) as connection:
        return queries.run_named(connection, name)


def reports(book: Book, before: str) -> str:
    """Return the page of all reports by date, the latest first, from the date before `before` on."""
    state = health(book)
    with reading(book.engine) as connection:
        shown = list(reversed(queries.shown(connection).values()))
        listed = [run for run in shown if not before or str(run["date"]) < before]
        here, rest = listed[:DATES], listed[DATES:]
        latest = _cards(connection, shown[0]) if shown and not before else None
        table = _reports_table(connection, here)
        values = {
            "failed": _failed(connection, shown),
            "alerts": queries.open_alerts(connection),
            "deliveries": queries.deliveries_with(connection, "pending", "dead"),
        }
    dates = [str(run["date"]) for run in shown]
    return _page(
        "reports.html.j2", "Reports", state=state, mark=MARKS[state["status"]], latest=shown[0] if latest else None,
        cards=latest, table=table, dates=dates, older=str(here[-1]["date"]) if rest else None, **values,
    )  # fmt: skip


MARKS = {"healthy": ("ok", "✓"), "degraded": ("warning", "!"), "unhealthy": ("critical", "✕")}


def run(found: dict[str, Any], book: Book, base: str) -> str:
    """Return the page of a run: its figures, its files below `base`, and the other runs of its date."""
    with reading(book.engine) as connection:
        cards = _cards(connection, found)
        seen = queries.shown(connection)[str(found["date"])]["run_id"]
        runs = queries.runs_of(connection, found["date"])
    folder = files.folder_of(book.output, found)
    sizes = files.listed(folder) if folder else {}
    title = f"Report of {day(found['date'])}" if base.startswith("/reports") else f"Run {found['run_id']}"
    return _page(
        "run.html.j2", title, run=found, base=base, cards=cards, is_seen=seen == found["run_id"],
        files=_files_table(sizes, base), has_report="report.html" in sizes, runs=_runs_table(runs, found, seen),
    )  # fmt: skip


def comparison(one: dict[str, Any], other: dict[str, Any], book: Book) -> str:
    """Return the page of what differs between two runs: figures, inputs, parameters and code."""
    with reading(book.engine) as connection:
        kpis, inputs = (
            [read(connection, run) for run in (one, other)]
            for read in (
                queries.figures,
                lambda connection, run: queries.inputs_of(connection, run["run_id"]),
            )
        )
    code = [{"code": {"commit": run["code_commit"], "sha256": run["code_sha256"]}} for run in (one, other)]
    found = {
        "Figures": (
            ("KPI", "first", "second", "change"),
            differences.figures(*kpis),
            "Every figure is the same.",
        ),
        "Inputs": (("file", "difference"), differences.inputs(*inputs), "The same files."),
        "Parameters": (
            ("setting", "first", "second"),
            differences.parameters(one["parameters"], other["parameters"]),
            "The same parameters.",
        ),
        "Code": (
            ("", "first", "second"),
            [(k, *(str(c["code"][k])[:12] for c in code)) for k in code[0]["code"]]
            if code[0] != code[1]
            else [],
            "The same code.",
        ),
    }
    parts = {title: _part(title, *content) for title, content in found.items()}
    return _page("comparison.html.j2", "Two runs side by side", one=one, other=other, parts=parts)


def failure(text: str) -> str:
    """Return the page that says why there is none."""
    return _page("failure.html.j2", "Not found" if text.startswith("There is no") else "Not shown", text=text)


def _page(template: str, title: str, **values: Any) -> str:
    style = stylesheet("colours.css", "pieces.css", "charts.css", "page.css")
    own = (TEMPLATES / "service.css").read_text(encoding="utf-8")
    body = fill(template, TEMPLATES, title=title, **values)
    return fill("frame.html.j2", TEMPLATES, title=title, style=Html(style + own), body=body) + "\n"


def _cards(connection: Connection, run: dict[str, Any]) -> Html:
    """Return the cards of the four first KPIs as the report has them: value, status, change and trend."""
    kpis = queries.figures(connection, run)
    past = []
    for name in FIRST_KPIS:
        rows = [{**row, "kpi": name} for row in queries.history(connection, run["run_id"], name)]
        earlier = [row for row in rows if row["date"] < run["date"]]
        past += rows
        if kpi := kpis.get(name):
            kpi |= _against(kpi, earlier[-1] if earlier else None)
    return kpi_cards({"date": str(run["date"]), "kpis": kpis, "anomalies": []}, past)


def _against(kpi: dict[str, Any], before: dict[str, Any] | None) -> dict[str, Any]:
    """Return the previous value of a KPI and the change since, as metrics.json has them."""
    if before is None:
        return {"previous": None, "change": None}
    known = None not in (kpi["value"], before["value"])
    change = round(kpi["value"] - before["value"], kpi["precision"]) if known else None
    return {"previous": {"date": str(before["date"]), "value": before["value"]}, "change": change}


def _reports_table(connection: Connection, runs: list[dict[str, Any]]) -> Html:
    rows = []
    for run in runs:
        kpis, date = queries.figures(connection, run), str(run["date"])
        rows.append(
            [
                _link(f"/reports/{date}/report.html", day(date)),
                *(_value(kpis.get(name)) for name in FIRST_KPIS),
            ]
            + [moment(run["finished_at"]), _link(f"/reports/{date}/", "Files and runs", day(date))]
        )
    heads = ["Report", "PAR30, %", "PAR90, %", "CollectionRate, %", "PortfolioHealth", "Made, UTC", "More"]
    kinds = ("", "n", "n", "n", "n", "t", "t")
    note = "! past the warning limit; ✕ past the critical limit; – not computable."
    return figures(
        "Reports by date, newest first", heads, rows, kinds=kinds, quiet=True, note=note, look="reports"
    )


def _value(kpi: dict[str, Any] | None) -> Html | str:
    if kpi is None:
        return NOTHING
    return marked(kpi["status"], None if kpi["value"] is None else number(kpi["value"], card_decimals(kpi)))


def _link(address: str, text: str, of: str = "") -> Html:
    return fill("link.html.j2", TEMPLATES, address=quote(address), text=text, of=of)


def _failed(connection: Connection, shown: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return the runs that failed since their date got the report that it shows, the newest first."""
    since = {run["date"]: run["finished_at"] for run in shown}
    failed = [one for one in queries.failed(connection) if one["started_at"] > since.get(one["date"], one["started_at"])
              or one["date"] not in since]  # fmt: skip
    return [{**one, "at": moment(one["finished_at"] or one["started_at"])} for one in reversed(failed)][:10]


def _files_table(sizes: dict[str, int], base: str) -> Html | None:
    if not sizes:
        return None
    order = sorted(
        sizes, key=lambda name: (name not in WORDS, list(WORDS).index(name) if name in WORDS else 0, name)
    )
    rows = [
        [_link(base + name, name), WORDS.get(name, KINDS.get(name.split("/")[0], "")), size(sizes[name])]
        for name in order
    ]
    return figures("Files", ["file", "what it is", "size"], rows, texts=2, quiet=True)


def _runs_table(runs: list[dict[str, Any]], here: dict[str, Any], seen: str) -> Html:
    rows = []
    for run in runs:
        address = f"/compare?one={run['run_id']}&other={here['run_id']}"
        other = Html(f'<a href="{address}">compare</a>') if run["run_id"] != here["run_id"] else "this one"
        shown = "shown" if run["run_id"] == seen else ""
        rows.append(
            [_link(f"/runs/{run['run_id']}/", run["run_id"]), shown, moment(run["finished_at"]), other]
        )
    return figures("Runs of this date", ["run", "", "ended, UTC", "with this one"], rows, texts=4, quiet=True)


def _part(title: str, heads: tuple[str, ...], rows: list[tuple[str, ...]], otherwise: str) -> Html | str:
    cells = [[cell for cell in row if cell != "→"] for row in rows]
    kinds = ("", *("n" for _ in heads[1:])) if title == "Figures" else ("",) * len(heads)
    return figures(title, list(heads), cells, kinds=kinds, quiet=True) if cells else otherwise


def moment(time: dt.datetime) -> str:
    """Return a time as people read it, in UTC.

    >>> moment(dt.datetime(2025, 12, 31, 2, 5, tzinfo=dt.UTC))
    '31 Dec 2025, 02:05'
    """
    return f"{time.astimezone(dt.UTC):%-d %b %Y, %H:%M}"


def size(count: int) -> str:
    """Return a number of bytes as people read it.

    >>> size(512), size(20_480)
    ('512\\xa0B', '20\\xa0kB')
    """
    for unit in ("B", "kB", "MB"):
        if count < 1000:
            return f"{count:.0f}{NBSP}{unit}"
        count /= 1000
    return f"{count:.1f}{NBSP}GB"
