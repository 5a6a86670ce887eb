"""The short table of the email: figures past a limit, the size of the book, and the largest moves."""

from abaco.page.kpi_text import (
    FIRST_KPIS,
    concise,
    concise_change,
    drawn_limits,
    in_order,
    partial_mark,
    side,
    sign,
)  # fmt: skip
from abaco.page.language import phrase, say
from abaco.page.words import plain, plural

TELLING = (
    "Outstanding", "ActiveLoans", "ActiveBorrowers", "Disbursed", "CollectedOfDue", "WriteOffRate", "Cash",
)  # fmt: skip
MOST_PAST, MOST_MOVED = 6, 3


def short_table(metrics: dict) -> list[dict]:
    """Return the groups of the table that have rows, each with its heading and a note.

    A figure stands once. The key figures, which the cards show, stand here only when they are past a limit.
    """
    kpis = dict(in_order(metrics))
    past = past_limits(metrics)
    telling = [name for name in TELLING if name in kpis and name not in past]
    moved = moved_most(metrics, leave_out={*past, *telling, *FIRST_KPIS})
    more = len(past) - MOST_PAST
    groups = [
        (phrase("Past a limit"), past[:MOST_PAST], _further(more) if more > 0 else ""),
        (phrase("The book"), telling, ""),
        (phrase("Moved most, in per cent of the value before"), moved, ""),
    ]
    return [
        {"title": title, "rows": [row(kpis[name]) for name in names], "note": note}
        for title, names, note in groups
        if names
    ]


def _further(more):
    return say("And {others}: see the full report.", others=plural(more, "further figure"))


def past_limits(metrics: dict) -> list[str]:
    """Return the ids of the KPIs that are past a limit, the critical ones first."""
    return [name for level in ("critical", "warning") for name, kpi in in_order(metrics) if kpi["status"] == level]


def moved_most(metrics: dict, leave_out: set[str], most: int = MOST_MOVED) -> list[str]:
    """Return the ids of the other KPIs that changed most, in parts of their former value."""
    moves = {
        name: abs(kpi["change"] / (kpi["value"] - kpi["change"]))
        for name, kpi in in_order(metrics)
        if kpi["change"] and kpi["value"] != kpi["change"] and name not in leave_out
    }
    return sorted(moves, key=lambda name: -moves[name])[:most]


def row(kpi: dict) -> dict:
    """Return a row of the table: title, value, change, whether its month is partial, and a limit that is passed."""
    noted = kpi["status"] in ("warning", "critical")
    return {
        "title": kpi["title"],
        "value": phrase("Not computable") if kpi["value"] is None else concise(kpi),
        "change": concise_change(kpi),
        "limit": _passed(kpi) if noted else "",
        "partial": partial_mark(kpi),
        **(sign(kpi["status"]) if noted else {"status": kpi["status"], "symbol": "", "word": ""}),
    }


def _passed(kpi):
    """Return the limit that was passed, in words: 'warning above 4'."""
    limit = plain(drawn_limits(kpi)[kpi["status"]])
    return say(f"{kpi['status']} {side(kpi)} {{limit}}", limit=limit)
