"""All other figures, a compact table a group: value, change, trend, limits."""

from abaco.page.column_names import capital
from abaco.page.history import course, timeline
from abaco.page.kpi_text import GROUPS, by_group, concise, concise_change, limits
from abaco.page.language import phrase, say
from abaco.page.markup import Html, fill
from abaco.page.period import partial
from abaco.page.sparkline import sparkline
from abaco.page.status import marked
from abaco.page.tables import figures
from abaco.page.words import listing, short_day


def kpi_tables(metrics: dict, history) -> Html:
    """Return a table a group of KPIs, without the four of the cards; below it what could not be computed."""
    groups = {title: kpis for title, kpis in by_group(metrics).items() if title != phrase(GROUPS["core"])}
    if not groups:
        return fill("sentence.html.j2", text=phrase("No other figures are defined."), kind="sentence")
    past = timeline(metrics, history)
    parts = [
        {"title": title, "table": _table(metrics, title, kpis, past), "lost": not_computed(kpis)}
        for title, kpis in groups.items()
    ]
    return fill("groups.html.j2", groups=parts)


def not_computed(kpis: list[tuple[str, dict]]) -> str:
    """Return which of the KPIs could not be computed; the glossary says why. Empty when all could."""
    titles = [kpi["title"] for _, kpi in kpis if kpi["value"] is None]
    return say("Not computable from this input: {kpis}.", kpis=listing(titles)) if titles else ""


def _table(metrics, title, kpis, past):
    shown = [(name, kpi) for name, kpi in kpis if kpi["value"] is not None]
    if not shown:
        return ""
    previous = next((kpi["previous"]["date"] for _, kpi in shown if kpi["previous"]), None)
    since = say("Change since {date}", date=short_day(previous)) if previous else phrase("Change")
    heads = [phrase("Figure"), phrase("Value"), since, phrase("Trend"), phrase("Limits")]
    rows = [_row(name, kpi, past) for name, kpi in shown]
    kinds = ("", "n", "n", "c", "t")
    return figures(title, heads, rows, kinds=kinds, quiet=True, look="kpis")


def _row(name, kpi, past):
    return [
        fill("name.html.j2", title=kpi["title"], id=name, partial=partial(kpi)),
        marked(kpi["status"], concise(kpi)),
        fill("change.html.j2", change=concise_change(kpi)),
        sparkline(kpi, course(past, name)),
        capital(limits(kpi)),
    ]
