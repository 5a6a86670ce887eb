"""The picture of the email as PNG: the course of the arrears."""

import io
from dataclasses import dataclass

from matplotlib.figure import Figure
from matplotlib.transforms import Bbox

from abaco.page.language import phrase
from abaco.page.trend import no_trend, trend_detail, trend_figure, trend_finding, trends

WIDTH, FRAME = 428, 6  # of charts, and white around them for clients with dark grounds, in 1/72 inch
SHOWN = 550  # pixels of the message that chart and frame take
DENSITY = 2
SCALE = SHOWN / (WIDTH + 2 * FRAME)


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
    title = phrase("Arrears over time")
    panels, series = trends(metrics, history)
    if not series:
        return Picture(title, no_trend())
    finding = trend_finding(panels, series)
    figure = trend_figure(panels, series, "mail")
    return _picture(figure, title=title, finding=finding, name="trend", alt=trend_detail(panels, series))
