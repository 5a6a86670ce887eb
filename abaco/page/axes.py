"""What the line and column charts share: places in pixels, few ticks, no frame."""

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from abaco.page.svg import COLOURS
from abaco.page.words import plain

SMALL = 12.5


def placed(figure: Figure, left: float, bottom: float, width: float, height: float) -> Axes:
    """Return axes at a place given in pixels from the lower left corner."""
    across, down = figure.get_size_inches() * 72
    return figure.add_axes((left / across, bottom / down, width / across, height / down))


def bare(axes: Axes, unit: str = "") -> None:
    """Leave a base line and few ticks; the unit stands at each value of the scale."""
    axes.spines[["top", "left", "right"]].set_visible(False)
    axes.spines["bottom"].set_color(COLOURS["muted"])
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(lambda value, _: f"{plain(round(value, 6))}{unit}")
    axes.tick_params(axis="y", length=0, colors=COLOURS["muted"], labelsize=SMALL)
    axes.tick_params(axis="x", length=4, colors=COLOURS["muted"], labelsize=SMALL, color=COLOURS["muted"])
