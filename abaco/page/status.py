"""The state of the book in words, written from the figures: the first thing that a reader sees."""

from abaco.page.markup import Html, fill
from abaco.page.readings import in_order, short
from abaco.page.reconciliation import reconciles
from abaco.page.words import count, listing, plain, plural

# worst first; every status has a word and a symbol, so that none depends on its colour
STATUSES = {
    "critical": {"word": "Critical", "symbol": "✕"},
    "warning": {"word": "Warning", "symbol": "!"},
    "ok": {"word": "OK", "symbol": "✓"},
    "none": {"word": "No limits set", "symbol": "○"},
    "not_computable": {"word": "Not computable", "symbol": "–"},
}


def overall_status(metrics: dict) -> str:
    """Return the worst status of all KPIs; what could not be computed decides only when nothing could."""
    found = {kpi["status"] for kpi in metrics["kpis"].values()}
    return next((status for status in STATUSES if status in found), "not_computable")


def verdict(metrics: dict) -> str:
    """Return the state of the book in one sentence."""
    overall, total = overall_status(metrics), len(metrics["kpis"])
    by_status = [kpi["status"] for kpi in metrics["kpis"].values()]
    hits, lost = by_status.count(overall), by_status.count("not_computable")
    if overall in ("critical", "warning"):
        return f"{hits} of {total} figures {'is' if hits == 1 else 'are'} past the {overall} limit."
    if overall == "not_computable":
        return f"none of the {total} figures could be computed."
    if overall == "none":
        return "no figure has limits to judge it by."
    if lost:
        verb = "is" if hits == 1 else "are"
        return f"{hits} of {total} figures {verb} within the limits, {lost} could not be computed."
    return (
        "the one figure with limits is within them."
        if hits == 1
        else f"all {hits} figures with limits are within them."
    )


def _past_limits(metrics):
    for level in ("critical", "warning"):
        for name, kpi in in_order(metrics):
            if kpi["status"] == level:
                side = "below" if kpi["direction"] == "higher" else "above"
                limit = plain(kpi["thresholds"][level])
                yield f"{kpi['title']} ({name}) is at {short(kpi)}, {side} its {level} limit of {limit}."


def _not_computed(metrics):
    names = {}
    for name, kpi in in_order(metrics):
        if kpi["status"] == "not_computable":
            names.setdefault((kpi["reason"] or "no reason given").rstrip("."), []).append(name)
    for reason, lost in names.items():
        yield f"{listing(lost)} could not be computed: {reason}."


def _unusual_moves(metrics):
    for move in metrics["anomalies"]:
        kpi = metrics["kpis"][move["kpi"]]
        size = "" if move["change_pct"] is None else f" by {plain(abs(move['change_pct']))}\u00a0%"
        verb = "rose" if move["value"] > move["previous"] else "fell"
        yield (
            f"{move['kpi']} {verb}{size} against the date before, from {short(kpi, move['previous'])} to "
            f"{short(kpi, move['value'])}: more than the {plain(move['limit_pct'])}\u00a0% that is usual."
        )
    if not metrics["anomalies"] and any(kpi["change"] is not None for kpi in metrics["kpis"].values()):
        yield "No figure moved unusually far against the date before."


def _rows_left_out(metrics):
    rows = metrics["reconciliation"]
    if not reconciles(rows):
        yield "The rows of the input do not add up: see “Where every row went” before using these figures."
    if rows["quarantined"]:
        bad, verb = plural(rows["quarantined"], "row"), "stands" if rows["quarantined"] == 1 else "stand"
        yield f"{bad} of {count(rows['rows_in'])} could not be used and {verb} aside in quarantine."


def status_line(metrics: dict) -> Html:
    """Return the overall state, what is past a limit, what is not computable, and what moved unusually."""
    sources = (_past_limits, _not_computed, _unusual_moves, _rows_left_out)
    status = overall_status(metrics)
    return fill(
        "status.html.j2",
        status=status,
        **STATUSES[status],
        verdict=verdict(metrics),
        points=[point for source in sources for point in source(metrics)],
    )
