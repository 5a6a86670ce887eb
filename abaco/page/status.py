"""The states of a figure, each with a word and a symbol, and the state of the whole book."""

from abaco.page.language import phrase, say
from abaco.page.markup import Html, fill

# worst first; every status has a word and a symbol, so that none depends on its colour
STATUSES = {
    "critical": {"word": "Critical", "symbol": "✕"},
    "warning": {"word": "Warning", "symbol": "!"},
    "ok": {"word": "OK", "symbol": "✓"},
    "none": {"word": "No limits set", "symbol": "○"},
    "not_computable": {"word": "Not computable", "symbol": "–"},
}


def sign(status: str) -> dict[str, str]:
    """Return a status as templates take it: itself, its word in the page's language, and its symbol."""
    return {
        "status": status,
        "word": phrase(STATUSES[status]["word"]),
        "symbol": STATUSES[status]["symbol"],
    }


def marked(status: str, value: str | None) -> Html:
    """Return a value with the symbol and the word of a status that needs attention; without one, a dash."""
    noted = status in ("warning", "critical", "not_computable")
    return fill("mark.html.j2", value=value, **(sign(status) if noted else {"status": status, "symbol": ""}))


def overall_status(metrics: dict) -> str:
    """Return the worst status of all KPIs; what could not be computed decides only when nothing could."""
    found = {kpi["status"] for kpi in metrics["kpis"].values()}
    return next((status for status in STATUSES if status in found), "not_computable")


def verdict(metrics: dict) -> str:
    """Return the state of the book in one sentence."""
    overall, total = overall_status(metrics), len(metrics["kpis"])
    states = [kpi["status"] for kpi in metrics["kpis"].values()]
    hits, judged = states.count(overall), sum(state in ("critical", "warning", "ok") for state in states)
    if overall in ("critical", "warning"):
        one, many = (
            f"{{hits}} of {{judged}} figures with limits is past its {overall} limit.",
            f"{{hits}} of {{judged}} figures with limits are past their {overall} limit.",
        )
        return say(one if hits == 1 else many, hits=hits, judged=judged)
    if overall == "not_computable":
        return say("none of the {total} figures could be computed.", total=total)
    if overall == "none":
        return phrase("no figure has limits to judge it by.")
    if hits == 1:
        return phrase("the one figure with limits is within them.")
    return say("all {hits} figures with limits are within them.", hits=hits)
