"""The KPI cards: each figure with its status, its change and its limits."""

from abaco.page.markup import Html, fill
from abaco.page.readings import card_decimals, change, in_order, limits, short
from abaco.page.status import STATUSES
from abaco.page.words import day, number, plain


def _comparison(kpi):
    """Return what the value is compared with, in words."""
    previous = kpi["previous"]
    if previous is None:
        return "No earlier date to compare with"
    if previous["value"] is None:
        return f"Not computable at {day(previous['date'])}"
    return f"from {short(kpi, previous['value'])} at {day(previous['date'])}"


def _card(name, kpi, moves):
    return {
        "id": name,
        "title": kpi["title"],
        "value": None if kpi["value"] is None else number(kpi["value"], card_decimals(kpi)),
        "unit": kpi["unit"],
        "reason": kpi["reason"] or "The figures for it are missing.",
        "status": kpi["status"],
        **STATUSES[kpi["status"]],
        "change": change(kpi),
        "comparison": _comparison(kpi),
        "limits": limits(kpi),
        "unusual": plain(moves[name]) if moves.get(name) is not None else None,
    }


def kpi_cards(metrics: dict) -> Html:
    """Return one card a KPI, the four of every report first; a reason stands in place of a missing value."""
    moves = {move["kpi"]: move["change_pct"] for move in metrics["anomalies"]}
    return fill("cards.html.j2", cards=[_card(name, kpi, moves) for name, kpi in in_order(metrics)])
