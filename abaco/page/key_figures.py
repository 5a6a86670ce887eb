"""The cards of the four figures that every report has: value, status, change, trend and limits."""

from abaco.page.column_names import capital
from abaco.page.history import course, timeline
from abaco.page.kpi_text import (
    GROUPS,
    by_group,
    card_decimals,
    change,
    concise,
    concise_change,
    first,
    limits,
    marked,
    short,
    sign,
)
from abaco.page.language import phrase, say
from abaco.page.markup import Html, fill
from abaco.page.masthead import partial
from abaco.page.sparkline import sparkline
from abaco.page.tables import figures
from abaco.page.words import day, listing, number, plain, short_day


def comparison(kpi: dict) -> str:
    """Return the former value and its date, in words."""
    previous = kpi["previous"]
    if previous is None:
        return phrase("No earlier date to compare with")
    if previous["value"] is None:
        return say("Not computable at {date}", date=day(previous["date"]))
    return say("from {value} at {date}", value=short(kpi, previous["value"]), date=day(previous["date"]))


def _card(name, kpi, moves, past):
    return {
        "id": name,
        "title": kpi["title"],
        "partial": partial(kpi),
        "value": None if kpi["value"] is None else number(kpi["value"], card_decimals(kpi)),
        "unit": kpi["unit"],
        "reason": capital(kpi["reason"] or phrase("The figures for it are missing.")),
        **sign(kpi["status"]),
        "change": change(kpi),
        "comparison": comparison(kpi),
        "trend": sparkline(kpi, course(past, name), 180, 40),
        "limits": capital(limits(kpi)),
        "unusual": plain(moves[name]) if moves.get(name) is not None else None,
    }


def kpi_cards(metrics: dict, history) -> Html:
    """Return one card for each of the four first KPIs; a reason stands in place of a missing value."""
    return fill("cards.html.j2", cards=card_entries(metrics, history))


def card_entries(metrics: dict, history) -> list[dict]:
    """Return the content of each card."""
    moves = {move["kpi"]: move["change_pct"] for move in metrics["anomalies"]}
    past = timeline(metrics, history)
    return [_card(name, kpi, moves, past) for name, kpi in first(metrics)]


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
