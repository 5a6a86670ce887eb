"""Vintages: the share of each quarter's disbursements that was ever 90 days late, by months on book."""

from typing import TYPE_CHECKING

from abaco.page.labels import points_along
from abaco.page.language import phrase, say
from abaco.page.markup import Html, absent, fill
from abaco.page.svg import COLOURS, bare, canvas, picture, placed, tell
from abaco.page.tables import rows_of
from abaco.page.words import count, listing, number, percent, plural, quarter

if TYPE_CHECKING:
    from matplotlib.figure import Figure

SIZE = {"wide": (540, 340), "narrow": (340, 300)}
MARGIN = {"left": 40, "right": 84, "top": 14, "bottom": 48}
NAMED = 4  # of the curves, at most: the worst, the youngest, and the next worst
NAME = (78, 16)  # how much room a cohort's name takes
LOWEST = 4  # height of a name's middle above the axis, whose labels stand below
BESIDE = 9  # from the end of a curve to its name
MONTHS_SHOWN = (3, 6, 9, 12, 18, 24, 36)


def curves(vintages) -> dict[str, list[tuple[int, float]]]:
    """Return (months on book, share) points by cohort, both in order; what has no share is left out."""
    found = {}
    for row in sorted(rows_of(vintages), key=lambda row: (row["cohort"], row["months_on_book"])):
        if row["share"] is not None:
            found.setdefault(row["cohort"], []).append((int(row["months_on_book"]), float(row["share"])))
    return found


def vintage_chart(vintages) -> Html:
    """Return one curve a quarter of disbursement, a few named at their ends, beside a heat map of all by age."""
    found = curves(vintages)
    if not any(len(points) > 1 for points in found.values()):
        return absent(
            phrase(
                "To see vintages, add what the input lacks of these: when and how much was lent, what was written off, "
                "and balances of every month since."
            )
        )
    finding = _finding(found)
    ends = listing(f"{quarter(name)} {percent(points[-1][1])}" for name, points in found.items())
    detail = say("Line chart, one line for each quarter. {finding} Latest values: {ends}.", finding=finding, ends=ends)
    drawn = picture(
        vintage_figure(found, "wide"), finding, name="vintages", detail=detail, narrow=vintage_figure(found, "narrow")
    )
    return fill("beside.html.j2", parts=[drawn, vintage_table(vintages)])


def _worst(found):
    """Return the cohort with the largest share so far."""
    return max(found, key=lambda name: found[name][-1][1])


def _finding(found):
    worst = _worst(found)
    months, share = found[worst][-1]
    if not share:
        return say("None of the {count} has a loan that was ever 90 days late.", count=plural(len(found), "quarter"))
    return say(
        "The quarter {cohort} stands worst: {share} of what it disbursed was 90 days late within {months}.",
        cohort=quarter(worst), share=percent(share), months=plural(months, "month"),
    )  # fmt: skip


def vintage_figure(found: dict, form: str) -> "Figure":
    """Return the curves, the worst and the youngest in colour."""
    width, height = SIZE[form]
    figure = canvas(width, height)
    room = width - MARGIN["left"] - MARGIN["right"], height - MARGIN["top"] - MARGIN["bottom"]
    axes = placed(figure, MARGIN["left"], MARGIN["bottom"], *room)
    longest = max(points[-1][0] for points in found.values())
    top = max(share for points in found.values() for _, share in points) * 1.08 or 1
    axes.set(xlim=(0, longest or 1), ylim=(0, top))
    looks = _looks(found)
    for name, points in found.items():
        colour, weight = looks[name]
        (line,) = axes.plot(*zip(*points, strict=True), color=colour, linewidth=weight, clip_on=False)
        tell(line, f"{quarter(name)}: {_latest(points)}")
        axes.plot(*points[-1], "o", color=colour, markersize=4.5 if weight < 2 else 6.5, clip_on=False)
    _names(axes, found, looks, room)
    bare(axes, "%")
    axes.set_xlabel(phrase("Months since disbursement"), color=COLOURS["muted"], fontsize=12.5, labelpad=6)
    return figure


def _latest(points):
    """Return the last share of a curve: '3.50 % within 9 months'."""
    months, share = points[-1]
    return say("{share} within {months}", share=percent(share), months=plural(months, "month"))


def _looks(found):
    """Return colour and weight of each curve: the worst and the youngest stand out."""
    youngest = [name for name in found if len(found[name]) > 1][-1]
    looks = dict.fromkeys(found, (COLOURS["quiet"], 1.4))
    return looks | {youngest: (COLOURS["accent"], 2.6), _worst(found): (COLOURS["critical"], 2.6)}


def _names(axes, found, looks, room):
    """Write a few cohorts with their values beside the ends of their curves, a little higher or lower where needed.

    Those that stand out come first, and may lie over a thin curve; then the next worst, where nothing is in their way.
    """
    taken = []  # left edges and heights of names
    across, down = (length / side for length, side in zip(room, (axes.get_xlim()[1], axes.get_ylim()[1]), strict=True))
    drawn = {name: [(months * across, share * down) for months, share in points] for name, points in found.items()}
    along = [point for points in drawn.values() for point in points_along(points)]
    for name in sorted(found, key=lambda name: (looks[name][1] < 2, -found[name][-1][1])):
        if len(taken) == NAMED:
            break
        x, y = drawn[name][-1]
        place = _free(x, y, taken, along)
        if place is None and looks[name][1] > 2:
            place = _free(x, y, taken, [points[-1] for other, points in drawn.items() if other != name])
        if place is None:
            continue
        taken.append(place)
        months, share = found[name][-1]
        colour, weight = looks[name]
        axes.annotate(
            f"{quarter(name)} {number(share, 1)}", (months, share), (place[0] - x, place[1] - y),
            textcoords="offset points", va="center",
            color=colour if weight > 2 else COLOURS["muted"], fontsize=12,
            fontweight="bold" if weight > 2 else "normal", annotation_clip=False, parse_math=False,
        )  # fmt: skip


def _free(x, y, taken, drawn):
    """Return left edge and height of a name beside (x, y) that covers no name, nothing drawn and no axis, or None."""
    for left in (x + BESIDE, max(x - BESIDE - NAME[0], 0)):
        for step in (0, 1, -1, 2, -2, 3, 4):
            place = y + step * NAME[1] / 2
            apart = all(abs(left - other) >= NAME[0] or abs(place - height) >= NAME[1] for other, height in taken)
            bare = all(not left < at < left + NAME[0] or abs(place - height) >= NAME[1] / 2 for at, height in drawn)
            if apart and bare and place >= LOWEST:
                return left, place
    return None


def vintage_table(vintages) -> Html:
    """Return the cohorts' shares at the usual ages as a heat map, without what is not that old yet."""
    found = curves(vintages)
    longest = max((points[-1][0] for points in found.values()), default=0)
    shown = [month for month in MONTHS_SHOWN if month <= longest]
    if not shown:
        return Html("")
    disbursed = {row["cohort"]: row["disbursed_usd"] for row in rows_of(vintages)}
    most = max(share for points in found.values() for _, share in points)
    rows = [
        {"name": quarter(name), "total": count(disbursed[name]),
         "cells": [_cell(dict(points).get(month), most) for month in shown]}
        for name, points in found.items()
    ]  # fmt: skip
    return fill(
        "heat.html.j2", rows=rows,
        caption=phrase("Per cent of the disbursed amount that was ever 90 days late, by months since disbursement"),
        heads=[phrase("Quarter"), phrase("Disbursed, USD"), *map(str, shown)],
    )  # fmt: skip


def _cell(share, most):
    """Return a cell's text and the strength of its colour; an age that is not reached is empty."""
    if share is None:
        return {"text": "", "kind": "none", "depth": 0}
    return {"text": number(share, 1), "kind": "worse", "depth": f"{(share / (most or 1)) ** 0.5 * 100:.0f}"}
