"""The cards of the four figures that every report has: value, status, change, trend and limits."""

from abaco.page.column_names import capital
from abaco.page.history import course, timeline
from abaco.page.kpi_text import card_decimals, change, first, limits, short
from abaco.page.language import phrase, say
from abaco.page.markup import Html, fill
from abaco.page.period import partial
from abaco.page.sparkline import sparkline
from abaco.page.status import sign
from abaco.page.words import day, number, plain


def comparison(kpi: dict) -> str:
    """Return what the value is compared with, in words."""
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
    """Return what each card says, by part."""
    moves = {move["kpi"]: move["change_pct"] for move in metrics["anomalies"]}
    past = timeline(metrics, history)
    return [_card(name, kpi, moves, past) for name, kpi in first(metrics)]
