"""The aging of the book: how late the balance is, as bars and as a table."""

import re
from decimal import Decimal

from matplotlib.patches import Rectangle

from abaco.page.markup import Html, fill
from abaco.page.svg import COLOURS, canvas, picture
from abaco.page.tables import figures
from abaco.page.words import NBSP, listing, money, percent, usd

LATE_DAYS = 30


def _amounts(metrics):
    return [Decimal(bucket["amount"] or 0) for bucket in metrics["aging"]]


def _days(bucket):
    """Return the bucket's name in days, and the day that it begins at."""
    return f"{bucket['bucket']}{NBSP}days", int(re.match(r"\d+", bucket["bucket"])[0])


def _share(amount, whole):
    return None if not whole else amount * 100 / whole


def aging_chart(metrics: dict) -> Html:
    """Return one bar a bucket, its amount and share written beside it; a sentence when the book is empty."""
    amounts = _amounts(metrics)
    whole = sum(amounts)
    if not whole:
        return fill(
            "sentence.html.j2", text="No balance is outstanding on this date, so there is nothing to age."
        )
    rows = [
        (*_days(bucket), amount, bucket["share"])
        for bucket, amount in zip(metrics["aging"], amounts, strict=True)
    ]
    late = sum(amount for _, start, amount, _ in rows if start >= LATE_DAYS)
    share = percent(_share(late, whole))
    finding = f"{usd(late)} of {usd(whole)} is {LATE_DAYS} days late or more: {share} of the aged balance."
    bars = listing(f"{name}: {usd(amount)} ({percent(part)})" for name, _, amount, part in rows)
    return picture(
        _wide(rows), finding, name="aging", detail=f"Bar chart. {finding} {bars}.", narrow=_narrow(rows)
    )


def _axes(width, height):
    """Return a figure and axes that count in pixels from the upper left corner."""
    figure = canvas(width, height)
    axes = figure.add_axes([0, 0, 1, 1])
    axes.set(xlim=(0, width), ylim=(height, 0))
    axes.axis("off")
    return figure, axes


def _bar(axes, row, most, left, top, room, thickness):
    _, start, amount, _ = row
    colour = COLOURS["accent"] if start >= LATE_DAYS else COLOURS["quiet"]
    axes.add_patch(
        Rectangle((left, top), room, thickness, facecolor=COLOURS["line"], alpha=0.45, linewidth=0)
    )
    length = max(float(amount / most) * room, 1.5) if amount else 0
    axes.add_patch(Rectangle((left, top), length, thickness, facecolor=colour, linewidth=0))


def _wide(rows):
    """Name, bar, amount and share in one line."""
    step, most = 42, max(row[2] for row in rows)
    figure, axes = _axes(880, step * len(rows) + 30)
    for x, text in ((766, "USD"), (878, "share")):
        axes.text(x, 14, text, ha="right", va="center", color=COLOURS["muted"], fontsize=12.5)
    for index, row in enumerate(rows):
        middle = 30 + step * index + step / 2
        bold = "bold" if row[1] >= LATE_DAYS else "normal"
        axes.text(0, middle, row[0], va="center", fontsize=14, fontweight=bold)
        _bar(axes, row, most, 104, middle - 12, 500, 24)
        axes.text(766, middle, money(row[2]), ha="right", va="center", fontsize=14, fontweight=bold)
        axes.text(878, middle, percent(row[3]), ha="right", va="center", fontsize=14, fontweight=bold)
    return figure


def _narrow(rows):
    """Name, amount and share above the bar."""
    step, most = 50, max(row[2] for row in rows)
    figure, axes = _axes(340, step * len(rows) + 24)
    for x, text in ((250, "USD"), (339, "share")):
        axes.text(x, 10, text, ha="right", va="center", color=COLOURS["muted"], fontsize=13)
    for index, row in enumerate(rows):
        top = 24 + step * index
        bold = "bold" if row[1] >= LATE_DAYS else "normal"
        axes.text(0, top + 12, row[0], va="center", fontsize=14, fontweight=bold)
        axes.text(250, top + 12, money(row[2]), ha="right", va="center", fontsize=14, fontweight=bold)
        axes.text(339, top + 12, percent(row[3]), ha="right", va="center", fontsize=14, fontweight=bold)
        _bar(axes, row, most, 0, top + 24, 340, 12)
    return figure


def aging_table(metrics: dict) -> Html:
    """Return amount and share by bucket, and of it with all later buckets, which is what the PARs count."""
    amounts = _amounts(metrics)
    whole = sum(amounts)
    shares = [Decimal(str(bucket["share"])) for bucket in metrics["aging"] if bucket["share"] is not None]
    rows = []
    for index, (bucket, amount) in enumerate(zip(metrics["aging"], amounts, strict=True)):
        rest = sum(amounts[index:])
        rows.append(
            [
                _days(bucket)[0],
                money(amount),
                percent(bucket["share"], 4),
                money(rest),
                percent(_share(rest, whole), 4),
            ]
        )
    return figures(
        "The book by days past due",
        ["Days past due", "USD", "Share", "This late or later, USD", "Its share"],
        rows,
        total=["All", money(whole), percent(sum(shares)) if whole and shares else percent(None), "", ""],
    )
