"""The trend of the arrears: one panel a KPI, its warning and critical zones shaded and named."""

from datetime import date
from typing import TYPE_CHECKING

from abaco.core.precision import drawn_limits
from abaco.core.text import par_name
from abaco.page.history import course, timeline
from abaco.page.kpi_text import limit_at, limits, marked, short, side, status_at
from abaco.page.labels import Labels, Place
from abaco.page.language import phrase, say
from abaco.page.markup import Html, sentence
from abaco.page.svg import COLOURS, bare, canvas, date_ticks, dots, picture, placed
from abaco.page.tables import figures
from abaco.page.words import NOTHING, day, listing, month, plural, short_day

if TYPE_CHECKING:
    from matplotlib.figure import Figure

PANEL = {"wide": (500, 150), "narrow": (340, 185), "mail": (428, 180), "large": (960, 300)}
PLACES = {"ok": "within its limits", "warning": "past its warning limit", "critical": "past its critical limit"}
LABEL_ROOM, LABEL_HEIGHT = 0.1, 16  # the part of the scale that the name of a zone needs, in pixels at least
MARGIN = {"left": 36, "right": 62, "top": 26, "bottom": 26}
HEADROOM, HEADROOM_NAMED = 1.25, 1.4  # of the scale above the highest value, for its label and that of a far limit
BESIDE = (("left", 1), ("right", -1))  # how a text beside a point is aligned, and where that is
FAR = 2.5  # a limit that is more times as high as every value is named at the upper edge
TICK_ROOM = 70  # pixels that the name of a date needs


def trend_chart(metrics: dict, history, kpis: tuple[str, ...] = ("PAR30", "PAR90")) -> Html:
    """Return the KPIs over all dates with their thresholds; a sentence for fewer than two values."""
    panels, series = trends(metrics, history, kpis)
    if not series:
        return sentence(no_trend(kpis))
    return picture(
        trend_figure(panels, series, "wide"),
        trend_finding(panels, series),
        name="trend",
        detail=trend_detail(panels, series),
        narrow=trend_figure(panels, series, "narrow"),
        table=_table(panels, series),
    )


def _table(panels, series):
    """Return the values behind the lines, newest first, with the symbol of a limit that is passed."""
    values = {name: dict(points) for name, points in series.items()}
    dates = sorted({then for points in values.values() for then in points}, reverse=True)
    return figures(
        phrase("PAR by date, newest first"),
        [phrase("Date"), *(par_name(name, kpi) for name, kpi in panels.items())],
        [[day(then), *(_cell(kpi, values[name].get(then)) for name, kpi in panels.items())] for then in dates],
        quiet=True,
    )


def _cell(kpi, value):
    return NOTHING if value is None else marked(status_at(kpi, value), short(kpi, value))


def trends(metrics: dict, history, kpis: tuple[str, ...] = ("PAR30", "PAR90")) -> tuple[dict, dict]:
    """Return the KPIs with two values or more, by id, and the (date, value) points of each."""
    past = timeline(metrics, history)
    series = {name: course(past, name) for name in kpis if name in metrics["kpis"]}
    series = {name: points for name, points in series.items() if len(_known(points)) > 1}
    return {name: metrics["kpis"][name] for name in series}, series


def no_trend(kpis: tuple[str, ...] = ("PAR30", "PAR90")) -> str:
    """Return what stands in the place of the chart."""
    names = ", ".join(kpis)
    return say("No trend can be drawn yet: fewer than two dates have a value ({names}).", names=names)


def trend_detail(panels: dict, series: dict) -> str:
    """Return the text alternative: the course of each line."""
    details = [_detail(name, panels[name], series[name]) for name in series]
    return f"{phrase('Line chart.')} {' '.join(details)}"


def _known(points):
    return [(then, value) for then, value in points if value is not None]


def trend_finding(panels: dict, series: dict) -> str:
    """Return where each line stands against its peak."""
    sentences = [_standing(name, panels[name], _known(points)) for name, points in series.items()]
    if any(value is None for points in series.values() for _, value in points):
        sentences.append(phrase("A gap in a line is a date without a value."))
    return " ".join(sentences)


def _standing(name, kpi, known):
    """Return the last value and the peak: 'PAR30 is at 3.68 %; its peak was 14.90 % in April 2024.'"""
    (then, high), now = max(known, key=lambda point: point[1]), known[-1][1]
    if high == now:
        return say("{name} is at {end}, as high as ever.", name=par_name(name, kpi), end=short(kpi, now))
    return say(
        "{name} is at {end}; its peak was {high} at {date}.",
        name=par_name(name, kpi), end=short(kpi, now), high=short(kpi, high), date=short_day(then),
    )  # fmt: skip


def _move(name, kpi, step):
    """Return the last step of a line: 'PAR30 rose from 3.46 % to 3.68 % (within its limits)'."""
    (_, old), (_, new) = step
    start, end = short(kpi, old), short(kpi, new)
    form = "{name} stayed at {end}" if start == end else "{name} rose from {start} to {end}"
    if start != end and new < old:
        form = "{name} fell from {start} to {end}"
    place = f" ({phrase(PLACES[kpi['status']])})" if kpi["status"] in PLACES else ""
    return say(form, name=par_name(name, kpi), start=start, end=end) + place


def _detail(name, kpi, points):
    """Return the course of the line as its text alternative."""
    known = _known(points)
    low, high = min(known, key=lambda point: point[1]), max(known, key=lambda point: point[1])
    sentences = [
        _move(name, kpi, known[-2:]) + ".",
        say(
            "{dates} from {start} ({first}) to {end}; lowest {low} on {low_day}, highest {high} on {high_day}.",
            dates=plural(len(known), "date"), start=day(known[0][0]), first=short(kpi, known[0][1]),
            end=day(known[-1][0]), low=short(kpi, low[1]), low_day=day(low[0]), high=short(kpi, high[1]),
            high_day=day(high[0]),
        ),
    ]  # fmt: skip
    if limits(kpi):
        sentences.append(say("Limits: {limits}.", limits=limits(kpi)))
    if gaps := [day(then) for then, value in points if value is None]:
        sentences.append(say("No value at {dates}.", dates=listing(gaps)))
    return " ".join(sentences)


def trend_figure(panels: dict, series: dict, form: str) -> "Figure":
    """Return the panels below one another, each as high as its values and the limits near them."""
    width, height = PANEL[form]
    figure = canvas(width, height * len(panels))
    room = width - MARGIN["left"] - MARGIN["right"], height - MARGIN["top"] - MARGIN["bottom"]
    for index, (name, kpi) in enumerate(panels.items()):
        base = height * (len(panels) - 1 - index) + MARGIN["bottom"]
        _panel(placed(figure, MARGIN["left"], base, *room), par_name(name, kpi), kpi, series[name])
    return figure


def _near(kpi, points):
    """Return the limits that lie on the scale with their levels, lowest first."""
    edge = FAR * max(value for _, value in _known(points))
    limits = sorted((limit, level) for level, limit in drawn_limits(kpi).items())
    return [(limit, level) for limit, level in limits if side(kpi) != "above" or limit <= edge]


def _panel(axes, name, kpi, points):
    dates = [date.fromisoformat(then) for then, _ in points]
    days = [then.toordinal() for then in dates]
    values = [float("nan") if value is None else value for _, value in points]
    near, known = _near(kpi, points), [value for value in values if value == value]
    room = HEADROOM if len(near) == len(drawn_limits(kpi)) else HEADROOM_NAMED
    axes.set_ylim(min([*known, 0]) * 1.1, max([*known, *(limit for limit, _ in near)]) * room or 1)
    axes.set_xlim(days[0], days[-1])
    _zones(axes, kpi, near)
    axes.plot(days, values, color=COLOURS["accent"], linewidth=2, solid_capstyle="round", clip_on=False, zorder=3)
    axes.annotate(
        f"{kpi['title']} ({name})", (0, 1), (-MARGIN["left"], 12), fontsize=13.5, fontweight="bold",
        xycoords="axes fraction", textcoords="offset points", parse_math=False,
    )  # fmt: skip
    labels = Labels(axes)
    _name_end(labels, axes, kpi, days, values)
    _name_limits(labels, kpi, near, days, axes)
    _name_extreme(labels, kpi, points, days, values, max)
    _name_extreme(labels, kpi, points, days, values, min)
    texts = ["" if value is None else f"{name}, {day(then)}: {short(kpi, value)}" for then, value in points]
    dots(axes, days, values, texts, COLOURS["accent"])
    bare(axes, "%" if kpi["unit"] == "%" else "")
    date_ticks(axes, dates, most=int(axes.bbox.width / axes.figure.dpi * 72 / TICK_ROOM))


def _name_end(labels, axes, kpi, days, values):
    """Write the last value at the end of the line."""
    last = max(i for i, value in enumerate(values) if value == value)
    end = days[last], values[last]
    axes.plot(*end, "o", color=COLOURS["accent"], markersize=6, clip_on=False, zorder=4)
    look = {"color": COLOURS["accent"], "fontsize": 14, "fontweight": "bold", "zorder": 6}
    labels.add(short(kpi, values[last]), [Place(end, 8, 0, "left", "center")], **look)


def _name_extreme(labels, kpi, points, days, values, pick):
    """Write value and month at the peak or the low of the line, on its side of the line if there is room."""
    known = [i for i, value in enumerate(values) if value == value]
    found = pick(known, key=values.__getitem__)
    if found == known[-1] or values[found] == values[known[-1]]:
        return
    here, near = (days[found], values[found]), (("center", 0), ("left", 0), ("right", 0))
    own, other = ((1, "bottom"), (-1, "top")) if pick is max else ((-1, "top"), (1, "bottom"))
    places = [Place(here, across, away * own[0], ha, own[1]) for away in (5, 11, 20, 30) for ha, across in near]
    places += [Place(here, 8, 0, "left", "center"), Place(here, -8, 0, "right", "center")]
    places += [Place(here, sign * away, 2, ha, "bottom") for away in (16, 40, 70, 100) for ha, sign in BESIDE]
    places += [Place(here, across, away * other[0], ha, other[1]) for away in (5, 30, 60) for ha, across in near]
    text = f"{short(kpi, values[found])} {month(points[found][0])}"
    labels.add(text, places, fontsize=11.5, color=COLOURS["ink"], zorder=6)


def _zones(axes, kpi, near):
    """Shade what lies past each limit, and draw the limit."""
    edges, above = [limit for limit, _ in near], side(kpi) == "above"
    for index, (limit, level) in enumerate(near):
        end = edges[index - 1] if not above and index else axes.get_ylim()[0]
        if above:
            end = edges[index + 1] if index + 1 < len(edges) else axes.get_ylim()[1]
        axes.axhspan(limit, end, facecolor=COLOURS[f"{level}-tint"], linewidth=0, zorder=0)
        style = (0, (5, 3)) if level == "warning" else "-"
        axes.axhline(limit, color=COLOURS[level], linewidth=1.25, linestyle=style)


def _name_limits(labels, kpi, near, days, axes):
    """Name each limit on the side that is past it, two that lie close by one name, and those far above at the edge."""
    needed = max(LABEL_ROOM, LABEL_HEIGHT / (axes.bbox.height * 72 / axes.figure.dpi))
    above, top = side(kpi) == "above", axes.get_ylim()[1]
    names = [(limit_at(kpi, level), limit, level) for limit, level in near]
    if len(near) == 2 and near[1][0] - near[0][0] < top * needed:
        names = [(limits(kpi), near[1][0], "critical" if above else "warning")]
    if far := [limit_at(kpi, level) for level, limit in drawn_limits(kpi).items() if (limit, level) not in near]:
        names.append((f"↑ {', '.join(far)}", top, "critical" if near else "warning"))
    for name, limit, level in names:
        up, va = (3, "bottom") if limit < top and (above or len(names) < len(near)) else (-3, "top")
        middle = (days[0] + days[-1]) / 2
        sides = ((days[0], 5, "left"), (days[-1], -5, "right"), (middle, 0, "center"))
        places = [Place((day, limit), across, up, ha, va) for day, across, ha in sides]
        labels.add(name, places, color=COLOURS[level], fontsize=11.5, zorder=5)
