"""How to read the figures: each KPI's formula, what it means, and its limits."""

from abaco.page.markup import Html, fill
from abaco.page.readings import in_order, limits
from abaco.page.words import count, money


def glossary(metrics: dict) -> Html:
    """Return each KPI's formula with its numbers filled in, its note and its limits."""
    entries = [
        {
            "id": name,
            "title": kpi["title"],
            "formula": kpi["formula"],
            "numerator": money(kpi["numerator"]),
            "denominator": money(kpi["denominator"]),
            "filled": kpi["numerator"] is not None and kpi["denominator"] is not None,
            "rows": count(kpi["rows"]),
            "note": kpi.get("note") or "",
            "better": {"lower": "Lower is better", "higher": "Higher is better"}.get(kpi["direction"], ""),
            "limits": limits(kpi),
        }
        for name, kpi in in_order(metrics)
    ]
    return fill("glossary.html.j2", entries=entries)
