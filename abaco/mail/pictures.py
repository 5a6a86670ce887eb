"""The two pictures of the email as PNG: the course of the arrears, and why PAR30 moved or how late the book is."""

import io
from dataclasses import dataclass
from decimal import Decimal

from matplotlib.figure import Figure
from matplotlib.patches import Rectangle
from matplotlib.transforms import Bbox

from abaco.page.aging import aging_finding
from abaco.page.bridge import bridge_rows, waterfall
from abaco.page.language import phrase, say
from abaco.page.svg import COLOURS, canvas
from abaco.page.trend import no_trend, trend_detail, trend_figure, trend_finding, trends
from abaco.page.words import bucket, percent

WIDTH, FRAME = 428, 6  # of charts, and white around them for clients with dark grounds, in 1/72 inch
SHOWN = 550  # pixels of the message that chart and frame take
DENSITY = 2
SCALE = SHOWN / (WIDTH + 2 * FRAME)
ROW, BAR = 31, 19
TOP, BOTTOM = 4, 4
NAMES, VALUES = 154, 76  # what the names and the values of bars take of the width
COLOUR = {"end": "quiet", "rise": "rise", "fall": "accent", "none": "quiet"}
RISE = "#b0560f"  # --rise of the page's light theme


@dataclass(frozen=True)
class Picture:
    """A picture of the email, or without `png` the sentence that stands in its place.

    Attributes
    ----------
    title
        The heading above it.
    finding
        What it shows, in a sentence.
    name
        Names its file and its part of the message.
    alt
        The text alternative.
    note
        How to read it, where that is not plain.
    """

    title: str
    finding: str
    name: str = ""
    png: bytes = b""
    alt: str = ""
    height: int = 0
    note: str = ""
    width: int = SHOWN


def pictures(metrics: dict, history, bridges) -> list[Picture]:
    """Return the pictures of a report: the trend of the PARs, and the bridge of PAR30, else the aging of the book."""
    rows = bridge_rows(bridges, metrics, "PAR30")
    return [trend_picture(metrics, history), bridge_picture(metrics, rows) if rows else aging_picture(metrics)]


def png(figure: Figure) -> bytes:
    """Return a figure as PNG at twice the pixels it is shown in; the same figure gives the same bytes."""
    width, height = figure.get_size_inches()
    framed = Bbox([[-FRAME / 72, -FRAME / 72], [width + FRAME / 72, height + FRAME / 72]])
    with io.BytesIO() as out:
        figure.savefig(
            out, format="png", dpi=72 * DENSITY * SCALE, bbox_inches=framed, facecolor="#ffffff",
            metadata={"Software": None},
        )  # fmt: skip
        return out.getvalue()


def _picture(figure, **texts):
    height = round((figure.get_size_inches()[1] * 72 + 2 * FRAME) * SCALE)
    return Picture(png=png(figure), height=height, **texts)


def trend_picture(metrics: dict, history) -> Picture:
    """Return the PARs over all dates, or a sentence when fewer than two dates have a value."""
    title = phrase("How arrears have moved")
    panels, series = trends(metrics, history)
    if not series:
        return Picture(title, no_trend())
    finding = trend_finding(panels, series)
    figure = trend_figure(panels, series, "mail")
    return _picture(figure, title=title, finding=finding, name="trend", alt=trend_detail(panels, series))


def bridge_picture(metrics: dict, rows: list[dict]) -> Picture:
    """Return the bridge of PAR30 from the date before: a bar a term."""
    bridge = waterfall(metrics, "PAR30", rows)
    bars = [
        (row["name"], float(row["left"]), float(row["width"]), row["points"], row["kind"]) for row in bridge["rows"]
    ]
    parts = "; ".join(f"{name} {points}" for name, _, _, points, _ in bars)
    alt = say("Bar chart. {finding} In parts: {parts}.", finding=bridge["finding"], parts=parts)
    note = phrase("The scale does not begin at 0, so that the moves can be seen.") if bridge["is_cut"] else ""
    return _picture(
        bars_figure(bars), title=phrase("Why arrears moved"), finding=bridge["finding"], name="bridge", alt=alt,
        note=note,
    )  # fmt: skip


def aging_picture(metrics: dict) -> Picture:
    """Return the shares of the book by days past due, or a sentence when nothing is outstanding."""
    title, finding = phrase("How late the book is"), aging_finding(metrics)
    if not sum(Decimal(row["amount"] or 0) for row in metrics["aging"]):
        return Picture(title, finding)
    bars = [
        (bucket(row["bucket"]), 0.0, float(row["share"] or 0), percent(row["share"]), "fall")
        for row in metrics["aging"]
    ]
    parts = "; ".join(f"{name} {share}" for name, _, _, share, _ in bars)
    alt = say("Bar chart. {finding} In parts: {parts}.", finding=finding, parts=parts)
    return _picture(bars_figure(bars), title=title, finding=finding, name="aging", alt=alt)


def bars_figure(bars: list[tuple[str, float, float, str, str]]) -> Figure:
    """Return horizontal bars between their names and their values.

    Parameters
    ----------
    bars
        (name, start, length, value, kind) of each, start and length in per cent of the scale.
    """
    height = TOP + ROW * len(bars) + BOTTOM
    figure = canvas(WIDTH, height)
    axes = figure.add_axes((0, 0, 1, 1))
    axes.set(xlim=(0, WIDTH), ylim=(height, 0))
    axes.axis("off")
    scale = (WIDTH - NAMES - VALUES) / 100
    for index, (name, start, length, value, kind) in enumerate(bars):
        middle, weight = TOP + ROW * (index + 0.5), "bold" if kind == "end" else "normal"
        look = {"va": "center", "fontsize": 12.5, "fontweight": weight, "color": COLOURS["ink"], "parse_math": False}
        axes.text(0, middle, name, **look)
        axes.text(WIDTH - 2, middle, value, ha="right", **look)
        if kind != "none":
            place = (NAMES + start * scale, middle - BAR / 2)
            axes.add_patch(Rectangle(place, max(length * scale, 1.5), BAR, linewidth=0, facecolor=_colour(kind)))
    axes.plot([NAMES] * 2, [TOP, height - BOTTOM], color=COLOURS["line"], linewidth=1, zorder=0)
    return figure


def _colour(kind):
    return RISE if kind == "rise" else COLOURS[COLOUR[kind]]
