"""The conclusion, written from the figures: three sentences, and points that need attention.

The sentences say where the book is late, what moved and why, and what may come.
"""

import re

from abaco.core.precision import shown_decimals
from abaco.core.text import acceptance, late_days
from abaco.page.bridge import bridge_rows, explanation
from abaco.page.column_names import capital
from abaco.page.concentration import what_if
from abaco.page.key_figures import BRIDGED, SUMS, sums
from abaco.page.kpi_text import (
    chips,
    first,
    headline,
    in_order,
    named,
    short,
    state_sign,
    undecided,
    unsound,
    verdict,
    with_unit,
)
from abaco.page.language import phrase, say
from abaco.page.lateness import outlook, where
from abaco.page.masthead import undated
from abaco.page.quality import reconciles
from abaco.page.words import NBSP, count, day, listing, percent, plain, plural, usd

MOST_UNUSUAL = 5
SENTENCES = 3


def concluded(metrics: dict, history=(), bridges=(), segments=(), concentration=()) -> dict:
    """Return the state with its word and symbol, the figures past a limit, alarms, the three sentences, points."""
    sentences = [
        where(metrics, segments), next(_moves(metrics, history, bridges), ""), outlook(metrics),
        what_if(metrics, concentration), _state(metrics),
    ]  # fmt: skip
    return {
        **state_sign(metrics["verdict"]),
        "headline": headline(metrics),
        "chips": chips(metrics),
        "undecided": undecided(metrics),
        "verdict": verdict(metrics),
        "sentences": [sentence for sentence in sentences if sentence][:SENTENCES],
        "points": [point for point in _attention(metrics) if point],
        "alarms": [alarm for alarm in _alarms(metrics) if alarm],
    }


def _alarms(metrics):
    """Return what makes the figures less than they seem."""
    found = metrics["verdict"]["findings"]
    return [*unsound(metrics), *found, _accepting(metrics["verdict"]), undated(metrics), _unreconciled(metrics)]


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
    """Yield how each PAR moved since the date before, and why; then the cash."""
    moved = [(name, kpi) for name, kpi in first(metrics) if kpi["change"] is not None]
    if moved and not any(kpi["change"] for _, kpi in moved):
        yield phrase("None of the key figures moved against the date before.")
        return
    for name, kpi in moved:
        if name in BRIDGED and kpi["change"]:
            rows = bridge_rows(bridges, metrics, name)
            cause = f", {why}" if rows and (why := explanation(rows)) else ""
            move = f"{_move(name, kpi)}{cause}{_earlier(metrics, name, kpi)}."
            yield say("Since {date}, {move}", date=day(kpi["previous"]["date"]), move=move)
    for name, kpi in moved:
        if name in SUMS and kpi["change"]:
            changes = sums(kpi, name, history)
            yield f"{capital(_move(name, kpi))}{changes and '; '}{changes}."


def _earlier(metrics, name, kpi):
    """Return that balances late for fewer days rose unusually, where a PAR fell; of several, that with most points."""
    kpis = metrics["kpis"]
    rises = [
        (move["value"] - move["previous"], move) for move in metrics["anomalies"]
        if re.fullmatch(r"PAR\d+", move["kpi"]) and move["kpi"] in kpis and int(move["kpi"][3:]) < int(name[3:])
    ]  # fmt: skip
    points, move = max(rises, key=lambda rise: rise[0], default=(0, None))
    if kpi["change"] >= 0 or points <= 0:
        return ""
    early = kpis[move["kpi"]]
    form = "but balances {days} or more days late rose from {old} to {new}"
    old, new = short(early, move["previous"]), short(early, move["value"])
    return "; " + say(form, days=late_days(move["kpi"], early), old=old, new=new)


def _move(name, kpi):
    former = kpi["value"] - kpi["change"]
    old, new = (with_unit(kpi, value, shown_decimals(kpi, value)) for value in (former, kpi["value"]))
    form = "{name} rose from {old} to {new}" if kpi["change"] > 0 else "{name} fell from {old} to {new}"
    return say(form, name=named(name, kpi), old=old, new=new)


def _attention(metrics):
    """Yield what is wrong with the input, unusual moves, and what the rejected balances could change."""
    yield from metrics["quality"].get("headlines", ())  # reports of earlier versions have none
    yield _unusual(metrics)
    rows = metrics["reconciliation"]
    if rows["quarantined"]:
        yield say(
            "{bad} of {all} of the balances were rejected (listed in tables/quarantine.csv of the report's folder); "
            "those of this date, or of none that can be read, hold {amount}, {share} of its balances.",
            bad=count(rows["quarantined"]), all=plural(rows["rows_in"], "row"),
            amount=usd(metrics["quality"]["rejected_usd"]), share=percent(metrics["quality"]["reject_amount_pct"]),
        )  # fmt: skip
    yield from _bounded(metrics)


def _bounded(metrics):
    """Yield the range of each figure that the rejected balances could move past a limit, in one sentence."""
    form, ranges = "{name} would lie between {low} and {high}", []
    for name, kpi in in_order(metrics):
        if kpi["bounds"]:
            low, high = (with_unit(kpi, kpi["bounds"][end], shown_decimals(kpi)) for end in ("low", "high"))
            ranges.append(say(form, name=named(name, kpi), low=low, high=high))
            form = "{name} between {low} and {high}"
    if ranges:
        yield say("With them, {ranges}.", ranges=listing(ranges))


def _unusual(metrics):
    moves = [move for move in metrics["anomalies"] if move["kpi"] in metrics["kpis"]]
    if not moves:
        return ""
    named_moves = [_unusual_move(metrics, move) for move in moves[:MOST_UNUSUAL]]
    if len(moves) > MOST_UNUSUAL:
        named_moves.append(plural(len(moves) - MOST_UNUSUAL, "further figure"))
    usual = f"{plain(moves[0]['limit_pct'])}{NBSP}%"
    form = "Unusually large moves, of more than {usual} of the former value: {moves}."
    return say(form, usual=usual, moves=listing(named_moves))


def _unusual_move(metrics, move):
    kpi = metrics["kpis"][move["kpi"]]
    old, new = short(kpi, move["previous"]), short(kpi, move["value"])
    return say("{name} from {old} to {new}", name=named(move["kpi"], kpi), old=old, new=new)
