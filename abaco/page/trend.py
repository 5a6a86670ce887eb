"""The trend of the arrears: one panel a KPI on one scale, its warning and critical zones shaded and named."""

from datetime import date
from itertools import groupby

from matplotlib.figure import Figure

from abaco.core.text import par_name
from abaco.page.history import course, timeline
from abaco.page.kpi_text import drawn_limits, limits, short, side
from abaco.page.language import phrase, say
from abaco.page.markup import Html, sentence
from abaco.page.svg import COLOURS, bare, canvas, picture, placed
from abaco.page.words import day, listing, month, plain, plural, short_day

PANEL = {"wide": (430, 300), "narrow": (340, 250), "mail": (428, 200)}
PLACES = {"ok": "within its limits", "warning": "past its warning limit", "critical": "past its critical limit"}
LABEL_ROOM, LABEL_HEIGHT = 0.1, 16  # the part of the scale that the name of a zone needs, in pixels at least
MARGIN = {"left": 40, "right": 66, "top": 40, "bottom": 44}
TIGHT = MARGIN | {"top": 34, "bottom": 30}  # of the mail


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
    )


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
    """Return the last step of each line in a sentence, with dates named once where all share them."""
    steps = {name: _known(points)[-2:] for name, points in series.items()}
    moves = [(*(then for then, _ in step), _move(name, panels[name], step)) for name, step in steps.items()]
    sentences = [
        say(
            "From {before} to {now}, {moves}.",
            before=day(before),
            now=day(now),
            moves=listing(move for *_, move in group),
        )
        for (before, now), group in groupby(moves, key=lambda move: move[:2])
    ]
    if any(value is None for points in series.values() for _, value in points):
        sentences.append(phrase("A gap in a line is a date without a value."))
    return " ".join(sentences)


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


def trend_figure(panels: dict, series: dict, form: str) -> Figure:
    """Return the panels beside one another (wide) or below one another (narrow, mail), on one scale."""
    width, height = PANEL[form]
    beside, margin = form == "wide", TIGHT if form == "mail" else MARGIN
    gap = 20 if beside and len(panels) > 1 else 0
    across, down = (len(panels), 1) if beside else (1, len(panels))
    figure = canvas(width * across + gap * (across - 1), height * down)
    drawn = [limit for kpi in panels.values() for limit in drawn_limits(kpi).values()]
    top = max([value for points in series.values() for _, value in _known(points)] + drawn) * 1.15 or 1
    for index, (name, kpi) in enumerate(panels.items()):
        left = (index * (width + gap) if beside else 0) + margin["left"]
        base = height * (0 if beside else len(panels) - 1 - index) + margin["bottom"]
        room = width - margin["left"] - margin["right"], height - margin["top"] - margin["bottom"]
        _panel(placed(figure, left, base, *room), par_name(name, kpi), kpi, series[name], top)
    return figure


def _panel(axes, name, kpi, points, top):
    days = [date.fromisoformat(then).toordinal() for then, _ in points]
    values = [float("nan") if value is None else value for _, value in points]
    axes.set_ylim(min([value for value in values if value == value] + [0]) * 1.1, top)
    axes.set_xlim(days[0], days[-1])
    _zones(axes, kpi, top)
    axes.plot(days, values, color=COLOURS["accent"], linewidth=2.5, solid_capstyle="round", clip_on=False, zorder=3)
    last = max(i for i, value in enumerate(values) if value == value)
    alone = [i for i in range(len(values)) if not _gap(values, i) and _gap(values, i - 1) and _gap(values, i + 1)]
    marks = sorted({*alone, last})
    axes.plot(
        [days[i] for i in marks], [values[i] for i in marks], "o",
        color=COLOURS["accent"], markersize=7, clip_on=False, zorder=4,
    )  # fmt: skip
    axes.annotate(
        short(kpi, values[last]), (days[last], values[last]), (9, 0), textcoords="offset points",
        va="center", color=COLOURS["accent"], fontsize=15, fontweight="bold",
        annotation_clip=False, parse_math=False,
    )  # fmt: skip
    axes.annotate(
        f"{kpi['title']} ({name})", (0, 1), (-MARGIN["left"], 18), fontsize=14, fontweight="bold",
        xycoords="axes fraction", textcoords="offset points", parse_math=False,
    )  # fmt: skip
    bare(axes, "%" if kpi["unit"] == "%" else "")
    _dates(axes, points, days)


def _gap(values, index):
    """Return whether no value stands at `index`, the ends of the line included."""
    return not 0 <= index < len(values) or values[index] != values[index]


def _zones(axes, kpi, top):
    """Shade what lies past each limit, and name it at the limit: on its side, or apart where two lie close."""
    drawn = sorted((limit, level) for level, limit in drawn_limits(kpi).items())
    needed = max(LABEL_ROOM, LABEL_HEIGHT / (axes.bbox.height * 72 / axes.figure.dpi))
    close = len(drawn) == 2 and drawn[1][0] - drawn[0][0] < top * needed
    for index, (limit, level) in enumerate(drawn):
        edges = [limit for limit, _ in drawn]
        end = edges[index - 1] if side(kpi) == "below" and index else axes.get_ylim()[0]
        if side(kpi) == "above":
            end = edges[index + 1] if index + 1 < len(edges) else top
        axes.axhspan(limit, end, facecolor=COLOURS[f"{level}-tint"], linewidth=0, zorder=0)
        style = (0, (5, 3)) if level == "warning" else "-"
        axes.axhline(limit, color=COLOURS[level], linewidth=1.25, linestyle=style)
        upward = index == 1 if close else side(kpi) == "above"
        axes.annotate(
            say(f"{level} {side(kpi)} {{limit}}", limit=plain(limit)), (0, limit), (5, 4 if upward else -4),
            xycoords=("axes fraction", "data"), textcoords="offset points", va="bottom" if upward else "top",
            color=COLOURS[level], fontsize=12.5, zorder=5,
        )  # fmt: skip


def _dates(axes, points, days):
    """Name the first and the last date and at most two between."""
    steps = min(3, len(days) - 1)
    ticks = sorted({round(step * (len(days) - 1) / steps) for step in range(steps + 1)})
    monthly = len({then[:7] for then, _ in points}) == len(points)
    name = month if monthly else short_day
    axes.set_xticks([days[i] for i in ticks], [name(points[i][0]) for i in ticks])
