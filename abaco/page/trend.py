"""The trend of the arrears: one panel a KPI on one scale, its limits drawn in and named where they stand."""

from datetime import date
from itertools import groupby

from matplotlib.ticker import MaxNLocator

from abaco.page.history import timeline
from abaco.page.markup import Html, fill
from abaco.page.readings import card_decimals, limits, short, with_unit
from abaco.page.svg import COLOURS, canvas, picture
from abaco.page.words import MONTHS, day, listing, plain, plural

PANEL = {"wide": (424, 300), "narrow": (340, 250)}
PLACES = {
    "ok": " (within its limits)",
    "warning": " (past its warning limit)",
    "critical": " (past its critical limit)",
}
LABEL_ROOM = 0.1  # the part of the scale that the name of a limit needs above its line
MARGIN = {"left": 44, "right": 66, "top": 40, "bottom": 44}


def trend_chart(metrics: dict, history, kpis: tuple[str, ...] = ("PAR30", "PAR90")) -> Html:
    """Return the KPIs over all dates with their thresholds; a sentence for fewer than two values."""
    past = timeline(metrics, history)
    series = {
        name: [(then, values.get(name, {}).get("value")) for then, values in past]
        for name in kpis
        if name in metrics["kpis"]
    }
    series = {name: points for name, points in series.items() if len(_known(points)) > 1}
    if not series:
        return fill(
            "sentence.html.j2",
            text=f"No trend can be drawn yet: fewer than two dates have a value ({', '.join(kpis)}).",
        )
    panels = {name: metrics["kpis"][name] for name in series}
    details = [_detail(name, panels[name], series[name]) for name in series]
    return picture(
        _figure(panels, series, "wide"),
        _findings(panels, series),
        name="trend",
        detail="Line chart. " + " ".join(details),
        narrow=_figure(panels, series, "narrow"),
    )


def _known(points):
    return [(then, value) for then, value in points if value is not None]


def _findings(panels, series):
    """Return what the last step of each line says, the date named once where it is the same for all."""
    steps = {name: _known(points)[-2:] for name, points in series.items()}
    moves = [(*(then for then, _ in step), _move(name, panels[name], step)) for name, step in steps.items()]
    text = ""
    for (before, now), group in groupby(moves, key=lambda move: move[:2]):
        text += f"From {day(before)} to {day(now)}, {listing(move for *_, move in group)}. "
    missing = any(value is None for points in series.values() for _, value in points)
    return text + ("A gap in a line is a date without a value." if missing else "")


def _move(name, kpi, step):
    """Return the last step of a line: 'PAR30 rose from 3.46 % to 3.68 % (within its limits)'."""
    (_, old), (_, new) = step
    decimals = card_decimals(kpi)
    start, end = with_unit(kpi, old, decimals), with_unit(kpi, new, decimals)
    move = f"stayed at {end}" if start == end else f"{'rose' if new > old else 'fell'} from {start} to {end}"
    return f"{name} {move}{PLACES.get(kpi['status'], '')}"


def _detail(name, kpi, points):
    """Return the course of the line for those who do not see it."""
    known = _known(points)
    named = [
        f"{short(kpi, value)} at {day(then)}" for then, value in sorted(known, key=lambda point: point[1])
    ]
    gaps = [day(then) for then, value in points if value is None]
    return (
        f"{_move(name, kpi, known[-2:])}. {plural(len(known), 'date')} "
        f"from {day(known[0][0])} ({short(kpi, known[0][1])}) to {day(known[-1][0])}; "
        f"lowest {named[0]}, highest {named[-1]}."
        + (f" Limits: {limits(kpi)}." if limits(kpi) else "")
        + (f" No value at {listing(gaps)}." if gaps else "")
    )


def _figure(panels, series, form):
    """Return the panels beside one another (wide) or below one another (narrow), on one scale."""
    width, height = PANEL[form]
    across = len(panels) if form == "wide" else 1
    down = 1 if form == "wide" else len(panels)
    gap = 32 if across > 1 else 0
    total_width, total_height = width * across + gap * (across - 1), height * down
    figure = canvas(total_width, total_height)
    limits_drawn = [
        limit for kpi in panels.values() for limit in (kpi["thresholds"] or {}).values() if limit is not None
    ]
    top = max([value for points in series.values() for _, value in _known(points)] + limits_drawn) * 1.1 or 1
    for index, (name, kpi) in enumerate(panels.items()):
        left = (index * (width + gap) if form == "wide" else 0) + MARGIN["left"]
        base = total_height - height * (1 if form == "wide" else index + 1) + MARGIN["bottom"]
        box = (
            left,
            base,
            width - MARGIN["left"] - MARGIN["right"],
            height - MARGIN["top"] - MARGIN["bottom"],
        )
        sides = (total_width, total_height, total_width, total_height)
        axes = figure.add_axes([length / side for length, side in zip(box, sides, strict=True)])
        _panel(axes, name, kpi, series[name], top)
    return figure


def _panel(axes, name, kpi, points, top):
    days = [date.fromisoformat(then).toordinal() for then, _ in points]
    values = [float("nan") if value is None else value for _, value in points]
    lows = min([value for value in values if value == value] + [0])
    axes.set_ylim(lows * 1.1, top)
    axes.set_xlim(days[0], days[-1])
    _limits(axes, kpi, top)
    axes.plot(
        days, values, color=COLOURS["accent"], linewidth=2.5, solid_capstyle="round", clip_on=False, zorder=3
    )
    alone = [
        i
        for i in range(len(values))
        if values[i] == values[i] and all(_gap(values, i + step) for step in (-1, 1))
    ]
    last = max(i for i, value in enumerate(values) if value == value)
    marks = sorted({*alone, last})
    axes.plot(
        [days[i] for i in marks],
        [values[i] for i in marks],
        "o",
        color=COLOURS["accent"],
        markersize=7,
        clip_on=False,
        zorder=4,
    )
    axes.annotate(
        short(kpi, values[last]), (days[last], values[last]), (9, 0), textcoords="offset points",
        va="center", color=COLOURS["accent"], fontsize=15, fontweight="bold",
        annotation_clip=False, parse_math=False,
    )  # fmt: skip
    axes.annotate(
        f"{kpi['title']} ({name})", (0, 1), (-MARGIN["left"], 18), fontsize=14, fontweight="bold",
        xycoords="axes fraction", textcoords="offset points", parse_math=False,
    )  # fmt: skip
    _axis(axes, kpi, points, days)


def _gap(values, index):
    """Return whether no value stands at `index`, the ends of the line included."""
    return not 0 <= index < len(values) or values[index] != values[index]


def _limits(axes, kpi, top):
    """Draw the thresholds, named at the left: on the side they guard, or apart where two lie close."""
    drawn = sorted((limit, level) for level, limit in (kpi["thresholds"] or {}).items() if limit is not None)
    close = len(drawn) == 2 and drawn[1][0] - drawn[0][0] < top * LABEL_ROOM
    side = "below" if kpi["direction"] == "higher" else "above"
    for index, (limit, level) in enumerate(drawn):
        upward = index == 1 if close else side == "above"
        axes.axhline(
            limit, color=COLOURS[level], linewidth=1.25, linestyle=(0, (5, 3)) if level == "warning" else "-"
        )
        axes.annotate(
            f"{level} {side} {plain(limit)}", (0, limit), (2, 4 if upward else -4),
            xycoords=("axes fraction", "data"), textcoords="offset points", va="bottom" if upward else "top",
            color=COLOURS[level], fontsize=12.5, zorder=5,
        )  # fmt: skip


def _axis(axes, kpi, points, days):
    """Few ticks, no frame: the first and last date and some between, and a scale from zero."""
    axes.spines[["top", "left", "right"]].set_visible(False)
    axes.spines["bottom"].set_color(COLOURS["muted"])
    axes.yaxis.set_major_locator(MaxNLocator(nbins=5, steps=[1, 2, 5, 10]))
    axes.yaxis.set_major_formatter(
        lambda value, _: f"{plain(round(value, 6))}{kpi['unit'] if kpi['unit'] == '%' else ''}"
    )
    axes.tick_params(axis="y", length=0, colors=COLOURS["muted"], labelsize=12.5)
    axes.tick_params(axis="x", length=4, colors=COLOURS["muted"], labelsize=12.5, color=COLOURS["muted"])
    steps = min(3, len(days) - 1)
    ticks = sorted({round(step * (len(days) - 1) / steps) for step in range(steps + 1)})
    monthly = len({then[:7] for then, _ in points}) == len(points)
    axes.set_xticks([days[i] for i in ticks], [_tick(points[i][0], monthly) for i in ticks])


def _tick(then, monthly):
    month = MONTHS[int(then[5:7]) - 1][:3]
    return f"{month} {then[:4]}" if monthly else f"{int(then[8:10])} {month} {then[2:4]}"
