"""The first screen: date, verdict, cards, conclusion, where the risk is, arrears over time, and what it rests on."""

from collections.abc import Mapping
from typing import Any

from abaco.page.conclusion import concluded
from abaco.page.key_figures import kpi_cards
from abaco.page.kpi_text import standing
from abaco.page.language import phrase, say
from abaco.page.lateness import risk_table
from abaco.page.markup import Html, fill
from abaco.page.masthead import masthead, source
from abaco.page.quality import reconciles
from abaco.page.tables import rows_of
from abaco.page.trend import trend_chart
from abaco.page.words import count, listing, plural, usd

MOST_LENDERS = 4  # more are counted


def front_page(metrics: dict, tables: Mapping[str, Any]) -> Html:
    """Return what a reader sees first and can forward alone.

    Parameters
    ----------
    tables
        ``history``, ``bridges``, ``segments`` and ``concentration``, as frames or as lists of dicts.
    """
    history, bridges, segments = tables["history"], tables["bridges"], tables["segments"]
    return fill(
        "front.html.j2",
        masthead=masthead(metrics),
        **concluded(metrics, history, bridges, segments, tables["concentration"]),
        cards=kpi_cards(metrics, history, bridges),
        risk=risk_table(metrics, segments),
        trend=trend_chart(metrics, history),
        trust=trust(metrics, segments),
    )


def trust(metrics: dict, segments=()) -> list[str]:
    """Return what the figures rest on: the facilities that are sound, the lenders, what is accounted for, the files."""
    rows, kpis = metrics["reconciliation"], metrics["kpis"].values()
    known = sum(kpi["value"] is not None for kpi in kpis)
    sentences = [f"✓ {standing(one)}" for one in metrics.get("facilities", {}).values() if one["status"] == "ok"]
    if lenders := [row["value"] for row in rows_of(segments, date=metrics["date"], dimension="company")]:
        shown = lenders if len(lenders) <= MOST_LENDERS else [plural(len(lenders), "company", "companies")]
        sentences.append(say("Lent by {lenders}", lenders=listing(shown)))
    if reconciles(rows):
        sentences.append(
            say(
                "✓ Every row and amount of the balances accounted for: {rows} rows, {amount} over all dates",
                rows=count(rows["rows_in"]), amount=usd(rows["amount_in"], 0),
            )
        )  # fmt: skip
    if known == len(kpis):
        sentences.append(phrase("✓ Every figure computed"))
    else:
        sentences.append(
            say(
                "{known} of {all} figures computed; the report says under “What to add to see more” what the rest need",
                known=known, all=len(kpis),
            )
        )  # fmt: skip
    return [*sentences, *filter(None, [source(metrics["inputs"]).rstrip(".")])]
