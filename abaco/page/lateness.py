"""The parts of the book that hold most of the arrears, and the outlook of PAR90."""

from collections.abc import Iterable

from abaco.core.bands import BANDS, UNKNOWN
from abaco.core.precision import drawn_limits
from abaco.core.text import late_days, par_name
from abaco.engines.base import NO_ID_WORDS
from abaco.page.kpi_text import short, side
from abaco.page.language import phrase, say
from abaco.page.markup import Html
from abaco.page.tables import bar, figures, rows_of
from abaco.page.words import count, listing, percent, plain

# A part of the book is named when it is so many times as late as the whole, and holds so much of the late balance.
TIMES, LEAST_PCT = 2, 25
ROOM = 1.6  # of the scale of a bar, in critical limits of the book, where no part is later than that
NAMES = {
    "company": "Loans lent by company {name} make up",
    "product": "Loans of product {name} make up",
    "segment": "Borrowers of segment {name} owe",
    "region": "Borrowers in region {name} owe",
}
# what a table calls a part
PARTS = {
    "company": "Company {name}", "product": "Product {name}", "segment": "Segment {name}", "region": "Region {name}",
    "ticket": "Ticket {name} USD", "term": "Term {name} days",
}  # fmt: skip
MISSING = {
    "company": "Company not given (missing data)", "product": "Product not given (missing data)",
    "segment": "Segment not given (missing data)", "region": "Region not given (missing data)",
    "ticket": "Ticket not given (missing data)", "term": "Term not given (missing data)",
}  # fmt: skip
# what a sentence calls the bands of a dimension: with an upper bound alone, with both, with a lower one alone
FORMS = {
    "ticket": (
        "Loans below {high} USD hold", "Loans of {low}–{high} USD hold", "Loans of {low} USD and more hold",
    ),
    "term": ("", "Loans with a term of {low}–{high} days hold", "Loans with a term above {low} days hold"),
}  # fmt: skip
NEXT = "60–90"  # the bucket that is 90 days late a month later


def where(metrics: dict, segments) -> str:
    """Return in a sentence which part of the book holds far more of the arrears than of the balance; empty if none."""
    kpi = metrics["kpis"].get("PAR30")
    if not kpi or not kpi["value"]:
        return ""
    parts = [row for row in rows_of(segments, date=metrics["date"]) if _is_late(row, kpi)]
    if not parts:
        return ""
    part = max(parts, key=lambda row: _held(row, "par30", kpi) - float(row["share"]))
    late = [
        say("{share} of what is {days} days late or more", share=percent(held, 1), days=late_days(name, par))
        for name in ("PAR30", "PAR90")
        if (held := _held(part, name.lower(), par := metrics["kpis"].get(name)))
    ]
    return say(
        "{part} {share} of the book, but {late}.",
        part=_named(part), share=percent(part["share"], 1), late=listing(late),
    )  # fmt: skip


def _is_late(row, kpi):
    """Return whether a part is past the book's own limit, far later than the whole, and much of all that is late."""
    if not row["par30"] or is_missing(row["value"]):
        return False
    limit = min(drawn_limits(kpi).values(), default=0)
    is_later = row["par30"] > limit and row["par30"] >= TIMES * kpi["value"]
    return is_later and _held(row, "par30", kpi) >= LEAST_PCT


def is_missing(value) -> bool:
    """Return whether the value of a part says that the input does not give it: 'Not Provided', 'sin dato'."""
    return value is None or str(value).replace("_", " ").casefold() in (UNKNOWN, *NO_ID_WORDS)


def risk_table(metrics: dict, segments) -> Html:
    """Return the parts that hold most of the arrears; nothing where no part holds more of them than of the book."""
    parts = riskiest(metrics, segments)
    scale = bar_scale(metrics["kpis"].get("PAR30"), [part["par30"] for part in parts])
    rows = [[*part["cells"], bar(part["par30"], *scale)] for part in parts]
    heads = [*risk_heads(metrics), f"│ {say('limit {limit}', limit=plain(scale[1]))}" if scale[1] else phrase("Bar")]
    look = {"kinds": ("", "n", "n", "n", "b"), "quiet": True, "look": "full risk"}
    return figures(phrase("Where the risk is"), heads, rows, **look) if rows else Html("")


def bar_scale(kpi: dict | None, values: Iterable[float | None]) -> tuple[float, float | None]:
    """Return how much of PAR30 a whole bar stands for, and the limit that is drawn in it."""
    limits = drawn_limits(kpi).values() if kpi else ()
    return max([*(value or 0 for value in values), max(limits, default=0) * ROOM]), min(limits, default=None)


def risk_heads(metrics: dict) -> list[str]:
    """Return the headings of the cells of `riskiest`."""
    par30 = par_name("PAR30", metrics["kpis"].get("PAR30", {}))
    return [phrase("Part of the book"), phrase("Of the book"), phrase("Of the arrears"), par30]


def riskiest(metrics: dict, segments, most: int = 3) -> list[dict]:
    """Return the parts that hold most of the arrears beyond their share of the book, the largest holder first.

    Returns
    -------
    list
        ``cells``, the part's name, its share of the book and of the arrears, and its PAR30; and ``par30`` as a number.
    """
    kpi = metrics["kpis"].get("PAR30")
    rows = [row | {"held": contribution(row, kpi)} for row in rows_of(segments, date=metrics["date"]) if row["share"]]
    rows = [row for row in rows if row["held"] > row["share"]]
    rows.sort(key=lambda row: float(row["share"]) - row["held"])
    return [
        {
            "cells": [part_name(row), *(percent(row[name], 1) for name in ("share", "held", "par30"))],
            "par30": row["par30"],
        }
        for row in sorted(rows[:most], key=lambda row: -row["held"])
    ]


def part_name(row: dict) -> str:
    """Return a part with its dimension: 'Company ABF', 'Region not given (missing data)'."""
    dimension, value = row["dimension"], str(row["value"])
    if is_missing(row["value"]):
        return phrase(MISSING[dimension])
    return say(PARTS[dimension], name=phrase(value) if dimension in BANDS else value.replace("_", " "))


def contribution(row: dict, kpi: dict | None) -> float:
    """Return how much of all that is 30 days late a part holds, in per cent; 0 where that is not known."""
    return _held(row, "par30", kpi)


def _held(row, column, kpi):
    """Return how much of all that is late a part holds, in per cent; 0 where that is not known."""
    if not kpi or not kpi["value"] or not row[column]:
        return 0.0
    return float(row["share"]) * float(row[column]) / kpi["value"]


def _named(row):
    name = str(row["value"])
    if row["dimension"] in NAMES:
        return say(NAMES[row["dimension"]], name=name.replace("_", " "))
    below, between, above = FORMS[row["dimension"]]
    band = BANDS[row["dimension"]][name]
    if band.low is None:
        return say(below, high=count(band.high))
    if band.high is None:
        return say(above, low=count(band.low))
    return say(between, low=count(band.low), high=count(band.high))


def outlook(metrics: dict) -> str:
    """Return what PAR90 comes to in 30 days if all that is 60 days late reaches 90 and the book stays as large.

    Empty unless that is past a limit.
    """
    kpi = metrics["kpis"].get("PAR90")
    share = next((row["share"] for row in metrics["aging"] if row["bucket"] == NEXT), None)
    if not kpi or kpi["value"] is None or share is None:
        return ""
    then = round(kpi["value"] + share, kpi["precision"])
    passed = [(level, limit) for level, limit in drawn_limits(kpi).items() if kpi["value"] <= limit < then]
    if not passed:
        return ""
    level, limit = passed[-1]
    return say(
        "Another {share} of the book is 60 to 89 days late. If none of it is paid for 30 days, and the book stays as "
        "large as it is, PAR90 comes to {value} ({limit}).",
        share=percent(share), value=short(kpi, then), limit=say(f"{level} {side(kpi)} {{limit}}", limit=plain(limit)),
    )  # fmt: skip
