"""Charts and tables of the deep dives: a table in, a picture in the page's look out, or a sentence for an empty one."""

from collections.abc import Iterable, Mapping, Sequence
from decimal import Decimal
from typing import Any

import pandas as pd
from markupsafe import escape
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from abaco.core.currencies import current
from abaco.page import COLOURS, Html, canvas, frame_table, picture
from abaco.page.bridge import ENDS, naming, signed
from abaco.page.column_names import capital
from abaco.page.svg import dots, few_ticks, tell
from abaco.page.words import number

LINES = ("accent", "critical", "warning", "quiet", "ink", "muted")
DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)))  # told apart without colour
WIDTH, HEIGHT = 880, 330


def sentence(text: str) -> Html:
    """Return a sentence as a notebook shows it."""
    return Html(f"<p>{escape(text)}</p>")


def table(frame: pd.DataFrame, caption: str, otherwise: str = "") -> Html:
    """Return a frame as a table in the page's look, and `otherwise` as a sentence when it has no rows."""
    if frame.empty:
        return sentence(otherwise or f"{caption}: none.")
    return frame_table(frame.apply(_whole), caption)


def _whole(column: pd.Series) -> pd.Series:
    """Return counts as whole numbers again, which pandas makes floats of where one is not known."""
    if column.dtype != float or not (column.dropna() % 1 == 0).all():
        return column
    return pd.Series([None if value != value else int(value) for value in column], column.index, object)


def lines(
    frame: pd.DataFrame,
    finding: str,
    name: str,
    otherwise: str = "",
    unit: str = " %",
    limits: Mapping[str, float] | None = None,
    heading: str = "",
) -> Html:
    """Return a line a column over the frame's index, named at its end.

    Parameters
    ----------
    frame
        Numbers; null is a gap.
    finding
        What the lines show, in a sentence.
    name
        Unique in the notebook.
    otherwise
        The sentence shown instead when the frame is empty.
    limits
        Thresholds by what they are called.
    heading
        What the index is, where its values do not tell.
    """
    frame = frame.dropna(how="all")
    if frame.empty:
        return sentence(otherwise)
    figure, axes = _axes(right=0.84)
    columns, places = frame.astype(float), list(range(len(frame)))
    for i, column in enumerate(columns):
        colour = COLOURS[LINES[i % len(LINES)]]
        style = DASHES[i // 2 % len(DASHES)]
        axes.plot(places, columns[column], color=colour, linewidth=2, linestyle=style)
        values = list(columns[column])
        texts = [f"{column}, {row}: {value:,.10g}{unit}" for row, value in zip(frame.index, values, strict=True)]
        dots(axes, places, values, texts, colour)
    for label, limit in (limits or {}).items():
        axes.axhline(limit, color=COLOURS["muted"], linewidth=1, linestyle=(0, (4, 4)))
        axes.annotate(f"{label} {limit:g}", (0, limit), (2, 3), textcoords="offset points", fontsize=11)
    axes.set_ylim(bottom=min(0, columns.min().min()), top=axes.get_ylim()[1] * 1.05)
    _name_ends(axes, columns)
    _ticks(axes, [str(value) for value in frame.index], unit, heading)
    return picture(figure, finding, name=name)


def _name_ends(axes: Axes, columns: pd.DataFrame) -> None:
    """Name each line beside its last value, the names kept apart."""
    ends = sorted((columns[c].dropna().iloc[-1], i, c) for i, c in enumerate(columns) if columns[c].count())
    low, high = axes.get_ylim()
    step, at = (high - low) / 18, low - 1
    room = high - step * len(ends)
    for place, (value, i, column) in enumerate(ends):
        at = max(min(value, room + step * (place + 1)), at + step)
        axes.annotate(
            str(column), (len(columns) - 1, at), (10, 0), textcoords="offset points", va="center", fontsize=12,
            color=COLOURS[LINES[i % len(LINES)]], annotation_clip=False, parse_math=False,
        )  # fmt: skip


def bars(frame: pd.DataFrame, finding: str, name: str, otherwise: str = "", unit: str | None = None) -> Html:
    """Return a group of bars a row, one a column, above their names; see `lines`."""
    if frame.empty:
        return sentence(otherwise)
    figure, axes = _axes()
    width = 0.8 / len(frame.columns)
    for i, column in enumerate(frame):
        colour = COLOURS[("quiet", "accent", "warning")[i % 3]]
        places = [place + (i - (len(frame.columns) - 1) / 2) * width for place in range(len(frame))]
        drawn = axes.bar(places, frame[column].astype(float), width * 0.92, color=colour, label=str(column))
        for row, bar in zip(frame.index, drawn, strict=True):
            tell(bar, f"{column}, {row}: {bar.get_height():,.10g}")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, fontsize=12, borderaxespad=0)
    _ticks(axes, [str(value) for value in frame.index], f" {current()}" if unit is None else unit)
    return picture(figure, finding, name=name)


def waterfall(
    steps: Iterable[Mapping[str, Any]], finding: str, name: str, otherwise: str = "", unit: str = " %"
) -> Html:
    """Return a bridge: how terms lead from an opening value to a closing one.

    Parameters
    ----------
    steps
        ``term`` and ``points``, ``opening`` first and ``closing`` last; a term without points is left out.
    """
    known = [(row["term"], naming(row)[0], row["points"]) for row in steps if row["points"] is not None]
    if not known:
        return sentence(otherwise)
    figure, axes = _axes()
    level = Decimal(0)
    for place, (term, name, points) in enumerate(known):
        start = Decimal(0) if term in ENDS else level
        colour = COLOURS["quiet"] if term in ENDS else COLOURS["rise"] if points > 0 else COLOURS["accent"]
        (bar,) = axes.bar(place, float(points), 0.62, bottom=float(start), color=colour)
        text = number(points, 2) if term in ENDS else signed(points)
        tell(bar, f"{name}: {text}")
        top = float(max(start, start + points))
        axes.annotate(text, (place, top), (0, 3), textcoords="offset points", ha="center", fontsize=12)
        level = start + points
    axes.set_ylim(top=axes.get_ylim()[1] * 1.08)
    _ticks(axes, [capital(name) for _, name, _ in known], unit)
    return picture(figure, finding, name=name)


def _axes(right: float = 0.98) -> tuple[Figure, Axes]:
    figure = canvas(WIDTH, HEIGHT)
    axes = figure.add_axes([0.09, 0.14, right - 0.09, 0.76])
    axes.spines[["top", "left", "right"]].set_visible(False)
    axes.spines["bottom"].set_color(COLOURS["muted"])
    axes.grid(axis="y", color=COLOURS["line"], linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(axis="both", length=0, colors=COLOURS["muted"], labelsize=12)
    return figure, axes


def _ticks(axes: Axes, names: Sequence[str], unit: str, heading: str = "") -> None:
    step = -(-len(names) // 8)
    shown = [place for place in range(len(names)) if (len(names) - 1 - place) % step == 0]
    axes.set_xticks(shown, [names[place] for place in shown])
    axes.set_xlabel(heading, color=COLOURS["muted"], fontsize=12)
    few_ticks(axes)
    axes.yaxis.set_major_formatter(lambda value, _: f"{value:,.10g}{unit}")
