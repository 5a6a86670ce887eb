"""The cards of the four figures that every report has: value, status, change, trend and limits."""

from abaco.core.precision import shown_decimals
from abaco.core.text import late_days
from abaco.page.bridge import UNUSUAL, bridge_rows
from abaco.page.column_names import capital
from abaco.page.glossary import definition
from abaco.page.history import course, timeline
from abaco.page.kpi_text import GROUPS, by_group, change, concise, concise_change, first, limits, marked, short, sign
from abaco.page.language import phrase, say
from abaco.page.markup import Html, fill
from abaco.page.masthead import partial
from abaco.page.sparkline import sparkline
from abaco.page.tables import figures, rows_of
from abaco.page.words import day, listing, number, percent, short_day, usd

BRIDGED = ("PAR30", "PAR90")
# how the two sums of a ratio rose or fell, for the reason of its change
SUMS = {
    "CollectionRate": (
        ("cash on hand rose by {size}", "cash on hand fell by {size}"),
        ("the eligible receivables rose by {size}", "the eligible receivables fell by {size}"),
    )
}


def comparison(kpi: dict) -> str:
    """Return the former value and its date, in words."""
    previous = kpi["previous"]
    if previous is None:
        return phrase("No earlier date to compare with")
    if previous["value"] is None:
        return say("Not computable at {date}", date=short_day(previous["date"]))
    return say("from {value} at {date}", value=short(kpi, previous["value"]), date=short_day(previous["date"]))


def _card(metrics, name, kpi, moves, past, history, bridges):
    change_ = change(kpi)
    if change_ and (judged := _by_others(metrics, name, kpi, bridges)):
        change_["judgement"] = judged
    return {
        "id": name,
        "title": kpi["title"].partition(" (")[0],
        "partial": partial(kpi),
        "value": None if kpi["value"] is None else number(kpi["value"], shown_decimals(kpi)),
        "unit": kpi["unit"],
        "reason": capital(kpi["reason"] or phrase("The figures for it are missing.")),
        **sign(kpi["status"]),
        "change": change_,
        "comparison": comparison(kpi),
        "trend": sparkline(kpi, course(past, name), 180, 30),
        "limits": capital(limits(kpi)),
        "definition": _definition(metrics, name, kpi, history),
        "is_unusual": name in moves,
    }


def _definition(metrics, name, kpi, history):
    """Return the definition of a card's figure; the index of runs has none."""
    if "formula" not in kpi:
        return ""
    return definition(name, kpi, phrase("Definition"), _detail(metrics, name, kpi, history))


def sums(kpi: dict, name: str, history) -> str:
    """Return how the two sums of a ratio moved: 'cash on hand rose by 20.10 %, …'; empty where that is not known."""
    former = _former(kpi, name, history)
    if not former.get("numerator") or not former.get("denominator"):
        return ""
    changes = []
    for part, (rose, fell) in zip(("numerator", "denominator"), SUMS[name], strict=True):
        change_pct = (float(kpi[part]) / float(former[part]) - 1) * 100
        changes.append(say(rose if change_pct > 0 else fell, size=percent(abs(change_pct), 1)))
    return listing(changes)


def _former(kpi, name, history):
    """Return the row of the history that a KPI is compared with; empty without one."""
    rows = rows_of(history, date=kpi["previous"]["date"], kpi=name) if kpi["previous"] else []
    return rows[0] if rows else {}


def _by_others(metrics, name, kpi, bridges):
    """Return what lowered a PAR that would not have fallen without it; empty for others."""
    points = {row["term"]: row["points"] for row in bridge_rows(bridges, metrics, name)}
    if not points or kpi["change"] >= 0:
        return ""
    if any(points.get(term, 0) < 0 for term in UNUSUAL):
        return phrase("but see what is rejected or gone")
    return phrase("by write-offs alone") if kpi["change"] - float(points["written off"] or 0) >= 0 else ""


def _detail(metrics, name, kpi, history):
    """Return the amounts of a PAR, the two sums of a cash coverage, and whether a figure decides."""
    parts = []
    before = _former(kpi, name, history).get("numerator")
    if name in BRIDGED and kpi["value"] is not None and before is not None:
        form = "{now} is {days} or more days late, and {before} was before"
        now, before = (usd(amount, 0) for amount in (kpi["numerator"], before))
        parts.append(say(form, now=now, before=before, days=late_days(name, kpi)))
    if name in SUMS and kpi["change"]:
        parts.append(capital(sums(kpi, name, history)))
    if name in SUMS and kpi["value"] is not None and (as_of := metrics["as_of"]) and as_of < metrics["date"]:
        parts.append(
            say("Receivables of {as_of}, cash as given for {date}", as_of=day(as_of), date=day(metrics["date"]))
        )
    if not kpi.get("decides", True):
        parts.append(phrase("The state of the report does not depend on it"))
    return [part for part in parts if part]


def kpi_cards(metrics: dict, history, bridges=()) -> Html:
    """Return one card for each of the four first KPIs; a reason stands in place of a missing value."""
    return fill("cards.html.j2", cards=card_entries(metrics, history, bridges))


def card_entries(metrics: dict, history, bridges=()) -> list[dict]:
    """Return the content of each card."""
    moves = {move["kpi"] for move in metrics["anomalies"]}
    past = timeline(metrics, history)
    return [_card(metrics, name, kpi, moves, past, history, bridges) for name, kpi in first(metrics)]


def kpi_tables(metrics: dict, history) -> Html:
    """Return a table a group of KPIs, without the four of the cards; below it what could not be computed."""
    groups = {title: kpis for title, kpis in by_group(metrics).items() if title != phrase(GROUPS["core"])}
    if not groups:
        return fill("sentence.html.j2", text=phrase("No other figures are defined."), kind="sentence")
    past = timeline(metrics, history)
    parts = [
        {"title": title, "table": _table(metrics, title, kpis, past), "lost": _lost(kpis)}
        for title, kpis in groups.items()
    ]
    return fill("groups.html.j2", groups=parts)


def _lost(kpis):
    """Return the definition of each KPI that could not be computed, with the reason."""
    lost = [(name, kpi) for name, kpi in kpis if kpi["value"] is None]
    return [definition(name, kpi, say("{kpi}: not computable", kpi=kpi["title"])) for name, kpi in lost]


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
        definition(name, kpi, fill("name.html.j2", title=kpi["title"], id=name, partial=partial(kpi))),
        marked(kpi["status"], concise(kpi)),
        fill("change.html.j2", change=concise_change(kpi)),
        sparkline(kpi, course(past, name)),
        capital(limits(kpi)),
    ]
