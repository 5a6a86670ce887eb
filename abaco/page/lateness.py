"""The part of the book that holds most of the arrears, and the outlook of PAR90."""

from abaco.core.bands import BANDS, UNKNOWN
from abaco.core.text import late_days
from abaco.page.kpi_text import drawn_limits, short, side
from abaco.page.language import say
from abaco.page.tables import rows_of
from abaco.page.words import count, listing, percent, plain

# A part of the book is named when it is so many times as late as the whole, and holds so much of the late balance.
TIMES, LEAST_PCT = 2, 25
NAMES = {
    "company": "Loans lent by company {name} make up",
    "product": "Loans of product {name} make up",
    "segment": "Borrowers of segment {name} owe",
    "region": "Borrowers in region {name} owe",
}
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
    if not row["par30"] or row["value"] in (None, UNKNOWN):
        return False
    limit = min(drawn_limits(kpi).values(), default=0)
    is_later = row["par30"] > limit and row["par30"] >= TIMES * kpi["value"]
    return is_later and _held(row, "par30", kpi) >= LEAST_PCT


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
