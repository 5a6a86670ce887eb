"""The page of a KPI over time: its line with limits, a range of dates, and the figures behind it."""

import threading
from typing import Any

from abaco.database import queries
from abaco.database.connection import reading
from abaco.page.kpi_text import in_order, marked, short, status_at
from abaco.page.language import phrase, say
from abaco.page.markup import Html
from abaco.page.svg import picture
from abaco.page.tables import figures
from abaco.page.trend import trend_detail, trend_figure, trend_finding, trends
from abaco.page.words import NOTHING, day
from abaco.service import pages
from abaco.service.reports import Book
from abaco.service.tables import entries

DRAWING = threading.Lock()  # Matplotlib draws one picture at a time


def page(book: Book, kpi: str, first: str, last: str) -> str | None:
    """Return the page of a KPI, by default the first one, from a date to another, by default all; None: no such KPI."""
    with reading(book.engine) as connection:
        latest = queries.latest(connection)
        kpis = entries(connection, latest) if latest else {}
        kpi = kpi or next(iter(kpis), "")
        if kpi not in kpis:
            return None
        rows = queries.history(connection, latest["run_id"], kpi)
    dates = [str(row["date"]) for row in rows]
    shown = [row for row in rows if (first or dates[0]) <= str(row["date"]) <= (last or dates[-1])]
    one = kpis[kpi] | {"change": None, "previous": None}
    return pages.framed(
        "history.html.j2", say("{title} over time", title=one["title"]), kpi=kpi, one=one, dates=dates,
        first=first or dates[0], last=last or dates[-1],
        kpis=[(name, entry["title"]) for name, entry in in_order({"kpis": kpis})],
        chart=_chart(kpi, one, shown), table=_table(one, shown), until=day(latest["date"]),
    )  # fmt: skip


def _chart(name: str, kpi: dict[str, Any], rows: list[dict[str, Any]]) -> Html | str:
    known = [row for row in rows if row["value"] is not None]
    if len(known) < 2:
        return Html("")
    end = rows[-1]
    shown = kpi | {"value": end["value"], "status": end["status"]}
    past = [{**row, "date": str(row["date"]), "kpi": name} for row in rows[:-1]]
    date = str(end["date"])
    panels, series = trends({"date": date, "as_of": date, "kpis": {name: shown}}, past, (name,))
    with DRAWING:
        wide, narrow = (trend_figure(panels, series, form) for form in ("large", "narrow"))
        finding, detail = trend_finding(panels, series), trend_detail(panels, series)
        return picture(wide, finding, "history", detail, narrow)


def _table(kpi: dict[str, Any], rows: list[dict[str, Any]]) -> Html:
    cells = [[day(row["date"]), _value(kpi, row["value"])] for row in reversed(rows)]
    note = phrase("! past the warning limit; ✕ past the critical limit; – not computable.")
    return figures(phrase("By date, newest first"), [phrase("Date"), kpi["title"]], cells, quiet=True, note=note)


def _value(kpi: dict[str, Any], value: float | None) -> Html | str:
    return NOTHING if value is None else marked(status_at(kpi, value), short(kpi, value))
