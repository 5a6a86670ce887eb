"""Texts on a chart, each at a place where it covers no other text and, where there is room, no line."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from math import ceil, hypot
from typing import TYPE_CHECKING

from abaco.page.svg import COLOURS, renderer

if TYPE_CHECKING:
    from matplotlib.axes import Axes

GAP, STEP = 3, 4  # pixels between two texts, and between points of a line that are looked at
EDGE = 2  # pixels between a text and a line
FAR = 9  # pixels between a point and a text that a thin line leads to it
RANK = 0.5  # points of a line that a text may hide to stand at a place before the next one
LIMIT, TOUCHED = 40, 10  # what a text costs that a limit runs through, or touches, in such points
ALIGNED = {"left": 0, "bottom": 0, "center": 0.5, "right": 1, "top": 1}  # the part of a text that lies before its point
Box = tuple[float, float, float, float]  # left, bottom, right, top


@dataclass(frozen=True)
class Place:
    """Where a text may stand: beside a point of the chart, at a distance in pixels, aligned so."""

    point: tuple[float, float]
    across: float
    up: float
    ha: str
    va: str


class Labels:
    """Writes texts on axes, the most important first: a later one makes way for those that stand.

    Parameters
    ----------
    axes
        The axes, with their limits set, their lines drawn and their title written.
    """

    def __init__(self, axes: "Axes"):
        self._axes, self._renderer = axes, renderer(axes.figure)
        self._pixel = axes.figure.dpi / 72
        standing = [text.get_window_extent(self._renderer) for text in axes.texts]
        self._taken: list[Box] = [(box.x0, box.y0, box.x1, box.y1) for box in standing]
        paths = [line.get_transform().transform(line.get_xydata()) for line in axes.lines]
        limits = [path for path in paths if len(path) == 2 and path[0][1] == path[1][1]]
        self._limits = [path[0][1] for path in limits]
        self._lines = [
            point for path in paths if not any(path is one for one in limits) for point in points_along(path)
        ]

    def add(self, text: str, places: Sequence[Place], **look: object) -> None:
        """Write a text at the best of its places, of which the first are preferred."""
        written = self._axes.annotate(
            text, places[0].point, (0, 0), textcoords="offset points", annotation_clip=False, parse_math=False, **look
        )
        extent = written.get_window_extent(self._renderer)
        boxes = [self._box(extent.width, extent.height, place) for place in places]
        best = min(range(len(places)), key=lambda rank: self._cost(boxes[rank]) + RANK * rank)
        written.xy = places[best].point
        written.set(position=(places[best].across, places[best].up), ha=places[best].ha, va=places[best].va)
        self._lead(boxes[best], places[best].point)
        left, bottom, right, top = boxes[best]
        self._taken.append((left - GAP, bottom - GAP, right + GAP, top + GAP))

    def _lead(self, box: Box, point: tuple[float, float]) -> None:
        """Draw a thin line from a text that stands far from its point to the point."""
        left, bottom, right, top = box
        x, y = self._axes.transData.transform(point)
        near = min(max(x, left), right), min(max(y, bottom), top)
        if hypot(x - near[0], y - near[1]) > FAR * self._pixel:
            end = self._axes.transData.inverted().transform(near)
            self._axes.plot(*zip(point, end, strict=True), color=COLOURS["muted"], linewidth=0.8, clip_on=False)

    def _box(self, width: float, height: float, place: Place) -> Box:
        """Return what a text of a size covers at a place."""
        x, y = self._axes.transData.transform(place.point)
        left = x + place.across * self._pixel - ALIGNED[place.ha] * width
        bottom = y + place.up * self._pixel - ALIGNED[place.va] * height
        return left, bottom, left + width, bottom + height

    def _cost(self, box: Box) -> float:
        """Return how bad a place is: most where it covers text, then where it leaves the axes or hides a line."""
        left, bottom, right, top = box
        room = self._axes.bbox
        beyond = (room.x0 - left, right - room.x1, room.y0 - bottom, top - room.y1)
        covered = sum(_shared(box, other) for other in self._taken)
        hidden = sum(left - EDGE <= x <= right + EDGE and bottom - EDGE <= y <= top + EDGE for x, y in self._lines)
        for height in self._limits:
            hidden += LIMIT if bottom <= height <= top else TOUCHED * (bottom - EDGE <= height <= top + EDGE)
        return 100 * covered + 10 * sum(max(0, side) for side in beyond) + hidden


def _shared(one: Box, other: Box) -> float:
    """Return the area that two boxes share."""
    width, height = (min(one[i + 2], other[i + 2]) - max(one[i], other[i]) for i in (0, 1))
    return max(0, width) * max(0, height)


def points_along(path: Sequence) -> Iterator[tuple[float, float]]:
    """Yield points along a line, a few pixels apart; gaps have none."""
    known = [(float(x), float(y)) for x, y in path if x == x and y == y]
    for (x, y), (to_x, to_y) in pairwise(known):
        count = ceil(hypot(to_x - x, to_y - y) / STEP) or 1
        yield from ((x + (to_x - x) * step / count, y + (to_y - y) * step / count) for step in range(count))
