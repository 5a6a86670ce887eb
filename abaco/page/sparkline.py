"""Small trend lines, drawn by hand: forty of them cost less than one chart."""

from datetime import date

from abaco.page.kpi_text import short
from abaco.page.language import say
from abaco.page.markup import Html, fill
from abaco.page.words import day

EDGE = 3  # room for the last value's dot


def sparkline(kpi: dict, points: list[tuple[str, float | None]], width: int = 104, height: int = 26) -> Html:
    """Return the course of a KPI as a line with a dot at its last value; nothing for fewer than two values.

    Parameters
    ----------
    kpi
        Its entry in metrics.json, for the words.
    points
        (ISO date, value) pairs, oldest first; a date without a value breaks the line.
    width, height
        Its size in pixels.
    """
    known = [(then, value) for then, value in points if value is not None]
    if len(known) < 2:
        return Html("")
    places = _places(points, width, height)
    runs = [[]]
    for place in places:
        runs[-1].append(place) if place else runs.append([])
    path = "".join("M" + "L".join(f"{x:g} {y:g}" for x, y in run) for run in runs if len(run) > 1)
    last = [place for place in places if place][-1]
    return fill("sparkline.html.j2", path=path, last=last, width=width, height=height, label=_label(kpi, known))


def _places(points, width, height):
    """Return where each value stands, None where there is none."""
    days = [date.fromisoformat(then).toordinal() for then, _ in points]
    values = [value for _, value in points if value is not None]
    low, span = min(values), max(values) - min(values)
    across, down = width - 2 * EDGE, height - 2 * EDGE
    return [
        None
        if value is None
        else (
            round(EDGE + across * (then - days[0]) / (days[-1] - days[0]), 1),
            round(EDGE + down * ((1 - (value - low) / span) if span else 0.5), 1),
        )
        for then, (_, value) in zip(days, points, strict=True)
    ]


def _label(kpi, known):
    low, high = min(known, key=lambda point: point[1]), max(known, key=lambda point: point[1])
    return say(
        "Since {start}: lowest {low} on {low_day}, highest {high} on {high_day}",
        start=day(known[0][0]),
        low=short(kpi, low[1]),
        low_day=day(low[0]),
        high=short(kpi, high[1]),
        high_day=day(high[0]),
    )
