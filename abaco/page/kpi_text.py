"""A KPI in words: its value, its limits and its change, as cards, tables and sentences name them."""

from collections.abc import Mapping
from typing import Any

from abaco.core.currencies import current
from abaco.core.precision import change_decimals, drawn_limits, shown_decimals
from abaco.core.text import FIRST_KPIS, STATES, causes, is_incomplete, par_name, state
from abaco.page.column_names import small
from abaco.page.language import phrase, say
from abaco.page.markup import Html, fill
from abaco.page.words import NBSP, listing, number, plain, the, usd

CENTS_UP_TO = 10_000  # a larger amount is written without cents where many stand together
# group in metrics.json → its heading on the page, in the page's order
GROUPS = {
    "core": "Key figures",
    "risk": "Arrears",
    "movement": "Movement of arrears",
    "write-off": "Write-offs",
    "vintage": "Vintages",
    "collection": "Collection",
    "pricing": "Pricing",
    "book": "The book",
    "concentration": "Concentration",
    "prepayment": "Prepayment",
    "balance sheet": "Balance sheet",
    "expected loss": "Expected loss",
    "other": "Other figures",
}

# every status has a word and a symbol, so that none depends on its colour
# how one figure, or several, are past a limit
OF_ALL = (
    "{hits} of {judged} figures with limits is past a limit",
    "{hits} of {judged} figures with limits are past a limit",
)
OF_THESE = ("{hits} of these is past a limit", "{hits} of these are past a limit")
SYMBOLS = {"critical": "✕", "incomplete": "◐", "warning": "!", "ok": "✓", "none": "○", "not_computable": "–"}


def named(name: str, kpi: dict) -> str:
    """Return the name of a KPI in a sentence, with its article in Spanish: the id of a PAR, or the title."""
    return the(par_name(name, kpi) if name.startswith("PAR") and name[3:].isdigit() else small(kpi["title"]))


def in_order(metrics: dict) -> list[tuple[str, dict]]:
    """Return (id, KPI) pairs: the four that every report has, then the others in their own order."""
    kpis = metrics["kpis"]
    ids = [kpi for kpi in FIRST_KPIS if kpi in kpis]
    return [(kpi, kpis[kpi]) for kpi in ids + [kpi for kpi in kpis if kpi not in ids]]


def first(metrics: dict) -> list[tuple[str, dict]]:
    """Return (id, KPI) pairs of the four that every report has."""
    return [(name, kpi) for name, kpi in in_order(metrics) if name in FIRST_KPIS]


def by_group(metrics: dict) -> dict[str, list[tuple[str, dict]]]:
    """Return (id, KPI) pairs by the heading of their group, the four first under their own."""
    found = {heading: [] for heading in GROUPS.values()}
    for name, kpi in in_order(metrics):
        group = "core" if name in FIRST_KPIS else kpi.get("group", "other")
        found[GROUPS.get(group if group != "core" or name in FIRST_KPIS else "other", GROUPS["other"])] += [(name, kpi)]
    return {phrase(heading): kpis for heading, kpis in found.items() if kpis}


def status_at(kpi: dict, value: float) -> str:
    """Return the status that the KPI would have at another value."""
    above = side(kpi) == "above"
    passed = [level for level, limit in drawn_limits(kpi).items() if (value > limit if above else value < limit)]
    return passed[-1] if passed else "ok"


def with_unit(kpi: dict, value: float, decimals: int) -> str:
    """Return `value` in the KPI's unit: '3.68 %', '8.90 of 10'."""
    if kpi["unit"] == current():
        return usd(value, decimals)
    return f"{number(value, decimals)}{NBSP}{kpi['unit']}".rstrip()


def short(kpi: dict, value: float | None = None) -> str:
    """Return the KPI's value, or another of its values, as short as it can honestly be written."""
    value = kpi["value"] if value is None else value
    return with_unit(kpi, value, shown_decimals(kpi, value))


def is_large(kpi: dict, value: float | None = None) -> bool:
    """Return whether the KPI is an amount of so many dollars that cents say nothing."""
    value = kpi["value"] if value is None else value
    return kpi["unit"] == current() and abs(value) >= CENTS_UP_TO


def concise(kpi: dict) -> str:
    """Return the value with its unit, unless the title says it: 'Active loans' are 127, not '127 loans'."""
    if is_large(kpi):
        return with_unit(kpi, kpi["value"], 0)
    is_in_title = kpi["unit"] != "%" and kpi["unit"].lower() in kpi["title"].lower()
    return number(kpi["value"], shown_decimals(kpi)) if is_in_title else short(kpi)


def side(kpi: dict) -> str:
    """Return on which side of a limit the KPI is past it: 'above' or 'below'."""
    return "below" if kpi["direction"] == "higher" else "above"


def limits(kpi: dict) -> str:
    """Return the thresholds in words: 'warning above 5, critical above 8'; empty when there are none."""
    return ", ".join(limit_at(kpi, level) for level in drawn_limits(kpi))


def limit_at(kpi: dict, level: str) -> str:
    """Return one threshold in words: 'warning above 5'."""
    return say(f"{level} {side(kpi)} {{limit}}", limit=plain(kpi["thresholds"][level]))


def change(kpi: dict) -> dict | None:
    """Return the change against the previous date: arrow, amount and judgement; None without one."""
    if kpi["change"] is None:
        return None
    if kpi["change"] == 0:
        return {"arrow": "→", "amount": phrase("unchanged"), "judgement": ""}
    rose = kpi["change"] > 0
    size = with_unit(kpi | {"unit": _change_unit(kpi)}, abs(kpi["change"]), change_decimals(kpi, kpi["change"]))
    judgement = partial_mark(kpi)  # a part of a month is not judged against a whole one
    if not judgement and kpi["direction"] is not None:
        judgement = _judgement(rose == (kpi["direction"] == "higher"))
    amount = say("up {size}" if rose else "down {size}", size=size)
    return {"arrow": "↑" if rose else "↓", "amount": amount, "judgement": judgement}


def concise_change(kpi: dict) -> dict | None:
    """Return the change against the previous date, of many dollars without their cents."""
    moved = change(kpi)
    if moved and kpi["change"] and is_large(kpi):
        size = with_unit(kpi, abs(kpi["change"]), 0)
        moved["amount"] = say("up {size}" if kpi["change"] > 0 else "down {size}", size=size)
    return moved


def _judgement(better):
    return phrase("better") if better else phrase("worse")


def _change_unit(kpi):
    if kpi["unit"] == "%":
        return phrase("points")
    return current() if kpi["unit"] == current() else ""


def sign(status: str) -> dict[str, str]:
    """Return a status as templates take it: itself, its word in the page's language, and its symbol."""
    return {"status": status, "word": phrase(STATES[status]), "symbol": SYMBOLS[status]}


def state_sign(verdict: dict) -> dict[str, str]:
    """Return the same of a report's state, which may be critical and incomplete at once."""
    return {**sign(verdict["state"]), "word": phrase(state(verdict))}


def marked(status: str, value: str | None) -> Html:
    """Return a value with the symbol and the word of a status that needs attention; without one, a dash."""
    noted = status in ("warning", "critical", "not_computable")
    return fill("mark.html.j2", value=value, **(sign(status) if noted else {"status": status, "symbol": ""}))


def headline(metrics: dict) -> str:
    """Return the state of the book in a few words: how many figures are past a limit, without their names."""
    found, hits = metrics["verdict"], len(past_limits(metrics))
    if is_incomplete(found):
        passes = _past(OF_THESE, hits, found) if hits else phrase("none of these is passed")
        return f"{checked(found)}; {passes}"
    if hits:
        return _past(OF_ALL, hits, found)
    if found["state"] == "not_computable":
        return say("none of the {total} figures could be computed", total=len(metrics["kpis"]))
    if found["state"] == "none":
        return phrase("no figure has limits to judge it by")
    if found["checked"] == 1:
        return phrase("the one figure with limits is within them")
    return say("all {hits} figures with limits are within them", hits=found["checked"])


def verdict(metrics: dict) -> str:
    """Return the state of the book in one sentence, with each figure that is past a limit, the first KPIs first."""
    past = past_limits(metrics)
    if not past:
        return f"{headline(metrics)}."
    names = listing(passed(name, kpi) for name, kpi in past)
    return " ".join(filter(None, [f"{headline(metrics)}: {names}.", undecided(metrics)]))


def unsound(metrics: dict) -> list[str]:
    """Return the verdicts of the facilities that are not sound, a text each."""
    return [standing(one) for one in metrics.get("facilities", {}).values() if one["status"] != "ok"]


def standing(facility: Mapping[str, Any]) -> str:
    """Return the verdict of a facility in a text; no line breaks before a sign of per cent."""
    return " ".join(facility["verdict"]).replace(" %", f"{NBSP}%")


def past_limits(metrics: dict) -> list[tuple[str, dict]]:
    """Return the (id, KPI) pairs that are past a limit, the critical ones first."""
    found = metrics["verdict"]
    return [(name, kpi) for level in ("critical", "warning") for name, kpi in in_order(metrics) if name in found[level]]


def checked(found: Mapping[str, Any]) -> str:
    """Return how many limits were checked, and what is missing besides."""
    start = say("{checked} of {limits} limits checked", checked=found["checked"], limits=found["limits"])
    missing = [phrase(cause) for cause in causes(found)]
    return say("{start}, but {missing}", start=start, missing=listing(missing)) if missing else start


def _past(forms, hits, found):
    """Return how many figures are past a limit."""
    return say(forms[hits > 1], hits=hits, judged=found["checked"])


def passed(name: str, kpi: dict) -> str:
    """Return a figure that is past a limit, with its value and the limit: 'PAR30 at 6.00 % (warning above 5)'."""
    level = kpi["status"]
    limit = "; ".join(filter(None, [plain(kpi["thresholds"][level]), partial_mark(kpi)]))
    form = f"{{title}} at {{value}} ({level} {side(kpi)} {{limit}})"
    return say(form, title=named(name, kpi), value=short(kpi), limit=limit)


def chips(metrics: dict) -> list[dict]:
    """Return each figure that is past a limit as a short mark: title, value and limit."""
    return [
        {**sign(kpi["status"]), "text": _chip(kpi), "partial": partial_mark(kpi)} for _, kpi in past_limits(metrics)
    ]


def _chip(kpi):
    limit = say("limit {limit}", limit=plain(kpi["thresholds"][kpi["status"]])).replace(" ", NBSP)
    return f"{kpi['title'].partition(' (')[0]} {short(kpi)} · {limit}"


def partial_mark(kpi: dict) -> str:
    """Return two words for a figure that counts its month only up to a day, when that is not over."""
    return phrase("partial month") if kpi.get("partial_through") else ""


def undecided(metrics: dict) -> str:
    """Return which facilities alone make the report's state, or which figures alone would and do not; empty if none."""
    order, state = list(STATES), metrics["verdict"]["state"]
    own = [one["title"] for one in metrics.get("facilities", {}).values() if one["status"] == state]
    is_decided = any(kpi["decides"] and kpi["status"] == state for _, kpi in past_limits(metrics))
    if own and state in ("critical", "warning") and not is_decided:
        return say("The state of the report is that of {names}.", names=listing(own))
    worse = [
        name for name, kpi in past_limits(metrics)
        if order.index(kpi["status"]) < order.index(state)
    ]  # fmt: skip
    return say("The state of the report does not depend on {names}.", names=listing(worse)) if worse else ""
