"""The conclusion, which a reader sees first, written from the figures.

A paragraph says how the book stands, where it is late, and what moved most and why; the points below it, what needs
attention.
"""

from abaco.core.text import acceptance, late_days
from abaco.page.bridge import bridge_rows, explanation
from abaco.page.column_names import capital
from abaco.page.key_figures import BRIDGED, SUMS, sums
from abaco.page.kpi_text import card_decimals, first, in_order, named, short, state_sign, verdict, with_unit
from abaco.page.language import phrase, say
from abaco.page.lateness import outlook, where
from abaco.page.markup import Html, fill
from abaco.page.masthead import undated
from abaco.page.quality import reconciles
from abaco.page.words import NBSP, count, day, listing, number, percent, plain, plural, usd

MOST_UNUSUAL = 3


def conclusion(metrics: dict, history=(), bridges=(), segments=()) -> Html:
    """Return the overall state, the paragraph and its points."""
    return fill("conclusion.html.j2", **concluded(metrics, history, bridges, segments))


def concluded(metrics: dict, history=(), bridges=(), segments=()) -> dict:
    """Return the overall status with its word and symbol, the verdict, alarms, the paragraph's sentences, points."""
    sentences = [_state(metrics), where(metrics, segments), *_moves(metrics, history, bridges)]
    return {
        **state_sign(metrics["verdict"]),
        "verdict": verdict(metrics),
        "sentences": [sentence for sentence in sentences if sentence],
        "points": [point for point in _attention(metrics) if point],
        "alarms": [alarm for alarm in _alarms(metrics) if alarm],
    }


def _alarms(metrics):
    """Return what makes the figures less than they seem."""
    return [*metrics["verdict"]["findings"], _accepting(metrics["verdict"]), undated(metrics), _unreconciled(metrics)]


def _accepting(found):
    """Return how to accept what the input lacks; empty where it lacks nothing."""
    if not (settings := acceptance(found)):
        return ""
    return say("If all of this is right, make the report with PARAMS={settings}.", settings=settings)


def _unreconciled(metrics):
    if reconciles(metrics["reconciliation"]):
        return ""
    return phrase("The rows of the input do not add up: see “Where every row went” before using these figures.")


def _state(metrics):
    """Return the size of the book and how much of it is late."""
    outstanding, late = metrics["book"]["outstanding"], []
    for name in ("PAR30", "PAR90"):
        kpi = metrics["kpis"].get(name)
        if kpi and kpi["value"] is not None:
            late.append(say("{share} is {days} days late or more", share=short(kpi), days=late_days(name, kpi)))
    if outstanding is None or not late:
        return ""
    size = usd(outstanding, 0)
    return say("Of the {size} outstanding, {late}.", size=size, late=listing(late))


def _moves(metrics, history, bridges):
    """Yield how the PARs moved since the date before, and why, the larger move in points first; then the cash."""
    moved = [(name, kpi) for name, kpi in first(metrics) if kpi["change"] is not None]
    if moved and not any(kpi["change"] for _, kpi in moved):
        yield phrase("None of the key figures moved against the date before.")
        return
    pars = [(name, kpi) for name, kpi in moved if name in BRIDGED and kpi["change"]]
    pars.sort(key=lambda pair: -abs(pair[1]["change"]))
    for i, (name, kpi) in enumerate(pars):
        rows = bridge_rows(bridges, metrics, name)
        cause = f", {why}" if rows and (why := explanation(rows)) else ""
        move = f"{_move(name, kpi)}{cause}."
        yield move if i else say("Since {date}, {move}", date=day(kpi["previous"]["date"]), move=move)
    for name, kpi in moved:
        if name in SUMS and kpi["change"]:
            changes = sums(kpi, name, history)
            yield f"{capital(_move(name, kpi))}{changes and '; '}{changes}."


def _move(name, kpi):
    former = kpi["value"] - kpi["change"]
    old, new = (with_unit(kpi, value, card_decimals(kpi, value)) for value in (former, kpi["value"]))
    form = "{name} rose from {old} to {new}" if kpi["change"] > 0 else "{name} fell from {old} to {new}"
    return say(form, name=named(name, kpi), old=old, new=new)


def _attention(metrics):
    """Yield what is wrong with the input, figures past a limit or soon to be, unusual moves, and what is missing."""
    yield from metrics["quality"].get("headlines", ())  # reports of earlier versions have none
    yield outlook(metrics)
    yield _unusual(metrics)
    rows = metrics["reconciliation"]
    if rows["quarantined"]:
        yield say(
            "{bad} of {all} of the balances were rejected (tables/quarantine.csv has them); those of this date hold "
            "{amount}, {share} of its balances.",
            bad=count(rows["quarantined"]), all=plural(rows["rows_in"], "row"),
            amount=usd(metrics["quality"]["rejected_usd"]), share=percent(metrics["quality"]["reject_amount_pct"]),
        )  # fmt: skip
    yield from _bounded(metrics)
    yield from _lost(metrics)


def _bounded(metrics):
    """Yield the range of each figure that the rejected balances could move past a limit."""
    for name, kpi in in_order(metrics):
        if kpi["bounds"]:
            low, high = (with_unit(kpi, kpi["bounds"][side], kpi["precision"]) for side in ("low", "high"))
            yield say(
                "With them, {name} would lie between {low} and {high}.", name=named(name, kpi), low=low, high=high
            )


def _unusual(metrics):
    moves = [move for move in metrics["anomalies"] if move["kpi"] in metrics["kpis"]]
    if not moves:
        return ""
    named_moves = [_unusual_move(metrics, move) for move in moves[:MOST_UNUSUAL]]
    if len(moves) > MOST_UNUSUAL:
        named_moves.append(plural(len(moves) - MOST_UNUSUAL, "further figure"))
    usual = f"{plain(moves[0]['limit_pct'])}{NBSP}%"
    return say("Unusually large moves, of more than {usual}: {moves}.", usual=usual, moves=listing(named_moves))


def _unusual_move(metrics, move):
    kpi = metrics["kpis"][move["kpi"]]
    if move["change_pct"] is None:
        size = phrase("from 0")
    else:
        size = f"{'+' if move['change_pct'] > 0 else ''}{number(move['change_pct'], 1)}{NBSP}%"
    return f"{named(move['kpi'], kpi)} ({size})"


def _lost(metrics):
    core = [(name, kpi) for name, kpi in first(metrics) if kpi["value"] is None]
    reasons = {}
    for _, kpi in core:
        reason = (kpi["reason"] or phrase("no reason given")).rstrip(".")
        # a figure made of others has the reason of one of them
        _, titles = reasons.setdefault(kpi.get("root_reason", reason), (reason, []))
        titles.append(kpi["title"])
    for reason, titles in reasons.values():
        yield say("{titles} could not be computed: {reason}.", titles=capital(listing(titles)), reason=reason)
    addable = {item["kpi"] for item in metrics["missing"]}
    others = [name for name, kpi in in_order(metrics) if kpi["value"] is None and name not in dict(core)]
    noun = "further figure" if core else "figure"
    if lacking := sum(name in addable for name in others):
        yield say(
            "{others} could not be computed from this input; “What to add to see more” says what they need.",
            others=plural(lacking, noun),
        )
    if rest := len(others) - lacking:
        yield say(
            "{others} could not be computed: the reasons stand beside their formulas in “How to read these figures”.",
            others=plural(rest, "further figure" if lacking else noun),
        )
