"""Matplotlib figures as inline SVG: text stays text, colours follow the theme, same figure, same bytes."""

import datetime
import io
import re
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any
from xml.etree import ElementTree

from abaco.core.dates import month_end
from abaco.page.markup import Html, fill
from abaco.page.words import month, plain, short_day

if TYPE_CHECKING:
    from matplotlib.artist import Artist
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

# name in colours.css → the light theme's value, which charts are drawn in; a test keeps the two equal
COLOURS = {
    "ink": "#1b2430",
    "muted": "#55616e",
    "line": "#d5dbe1",
    "quiet": "#788796",
    "accent": "#0b5ea8",
    "warning": "#8a5200",
    "critical": "#a8123a",
    "rise": "#b0560f",
    "warning-tint": "#fff3dd",
    "critical-tint": "#fdecef",
}
THEMED = {value: f"var(--{name}, {value})" for name, value in COLOURS.items()} | {"#000000": "currentColor"}
SETTINGS = {"svg.fonttype": "none", "svg.hashsalt": "abaco"}

SMALL = 12.5
TOLD, NEXT = "told:", "␞"  # begin the id of a mark with a title, and stand between titles
STEPS = (1, 3, 6, 12, 24, 60, 120)  # months between ticks


def font_file(bold: bool = False) -> Path:
    """Return the font that charts are set in, for other documents."""
    import matplotlib

    return Path(matplotlib.get_data_path(), "fonts", "ttf", f"DejaVuSans{'-Bold' if bold else ''}.ttf")


def canvas(width: int, height: int) -> "Figure":
    """Return an empty figure whose size is in the page's pixels."""
    from matplotlib.figure import Figure

    return Figure(figsize=(width / 72, height / 72))


def renderer(figure: "Figure") -> Any:
    """Return what measures the texts of a figure."""
    from matplotlib.backends.backend_agg import FigureCanvasAgg

    return FigureCanvasAgg(figure).get_renderer()


def draw(figure: "Figure") -> str:
    """Return `figure` as Matplotlib writes it, without the date and the name of the program."""
    import matplotlib

    with matplotlib.rc_context(SETTINGS), io.BytesIO() as out:
        figure.savefig(out, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
        return out.getvalue().decode()


def inline(source: str, name: str, label: str, css_class: str = "") -> Html:
    """Return an SVG document as an element of the page.

    Parameters
    ----------
    source
        The SVG document.
    name
        Begins every id in it, so that pictures do not take one another's marks; unique on the page.
    label
        The text alternative.
    css_class
        The class of the element.
    """
    root = ElementTree.fromstring(source)
    for element in root.iter():
        element.tag = element.tag.rpartition("}")[2]
        for key in [key for key in element.attrib if "}" in key]:
            element.set(key.rpartition("}")[2], element.attrib.pop(key))
    for parent in list(root.iter()):
        for child in [child for child in parent if child.tag in ("metadata", "style", "script", "title", "desc")]:
            parent.remove(child)
    _tell_marks(root)
    _rename_ids(root, name)
    for element in root.iter():
        if "style" in element.attrib:
            element.set("style", _themed(element.get("style")))
        if "rotate(-0 " in element.get("transform", ""):
            del element.attrib["transform"]
        if "d" in element.attrib:
            element.set("d", " ".join(element.get("d").split()))
    _set_root(root, label, css_class)
    return Html(re.sub(r">\s+<", "><", ElementTree.tostring(root, encoding="unicode")))


def _tell_marks(root):
    """Give each mark that was drawn by `tell` its title."""
    for group in [element for element in root.iter() if element.get("id", "").startswith(TOLD)]:
        marks = [mark for mark in group.iter("use")] or [group]
        for mark, text in zip(marks, group.get("id").removeprefix(TOLD).split(NEXT), strict=True):
            if mark is not group:
                group.set("style", mark.attrib.pop("style", ""))
            ElementTree.SubElement(mark, "title").text = text


def _rename_ids(root, name):
    """Keep only the ids that something refers to, numbered in order under `name`."""
    text = " ".join(value for element in root.iter() for value in element.attrib.values())
    used = set(re.findall(r"url\(#([^)]+)\)", text)) | {
        element.get("href")[1:] for element in root.iter() if element.get("href", "").startswith("#")
    }
    new = {}
    for element in root.iter():
        if (old := element.attrib.pop("id", None)) in used:
            new[old] = f"{name}-{len(new) + 1}"
            element.set("id", new[old])
    for element in root.iter():
        if (target := element.get("href", "")[1:]) in new:
            element.set("href", f"#{new[target]}")
        for key in ("clip-path", "fill", "stroke", "mask", "filter", "style"):
            if "url(#" in element.get(key, ""):
                element.set(key, re.sub(r"url\(#([^)]+)\)", lambda m: f"url(#{new.get(m[1], m[1])})", element.get(key)))


def _themed(style):
    """Return a style with the page's font and with colours that change between light and dark."""
    style = re.sub(r"font-family:[^;]*;?\s*|white-space: pre;?\s*", "", style)
    style = re.sub(r"font: ([\d.]+px)[^;]*", r"font-size: \1", style)
    return re.sub(r"#[0-9a-f]{6}\b", lambda colour: THEMED.get(colour[0], colour[0]), style)


def _set_root(root, label, css_class):
    """Let the picture scale with its column, and name it."""
    view, height = root.get("viewBox"), root.get("height")
    width = float(view.split()[2]) if view else 0
    root.attrib.clear()
    root.attrib |= {"viewBox": view} if view else {"height": height or "auto"}
    root.attrib |= {"role": "img", "aria-label": label, "class": f"chart {css_class}".strip()}
    # Matplotlib leaves black fills out, which then have to follow the theme
    root.set("style", f"fill: currentColor; max-width: {width:g}px" if width else "fill: currentColor")


def picture(
    figure: "Figure",
    finding: str,
    name: str,
    detail: str = "",
    narrow: "Figure | None" = None,
    note: str = "",
    table: Html | str = "",
) -> Html:
    """Return a Matplotlib figure for the page, with its finding as the caption.

    Parameters
    ----------
    figure
        The figure; draw in `COLOURS` to have it follow the light and dark theme.
    finding
        What the figure shows, in a sentence: "PAR30 rose from 3.46 % to 3.68 %."
    name
        A short name, unique on the page.
    detail
        The text alternative, where more can be said than the finding.
    narrow
        The same drawn for phones, 340 pixels wide or so.
    note
        How to read it, where that is not plain.
    table
        The figures behind it, folded away below it.
    """
    label = detail or finding
    wide = inline(draw(figure), f"{name}-wide", label, "wide" if narrow else "")
    drawn = [wide] + ([inline(draw(narrow), f"{name}-narrow", label, "narrow")] if narrow else [])
    return fill("picture.html.j2", name=name, drawings=drawn, finding=finding, note=note, table=table)


def tell(artist: "Artist", *texts: str) -> None:
    """Let a mark say in words what it is where a pointer rests on it; a line of dots has a text a dot."""
    artist.set_gid(TOLD + NEXT.join(texts))


def dots(axes: "Axes", places: Sequence[float], values: Sequence[float], texts: Sequence[str], colour: str) -> None:
    """Draw a dot at each value, which tells its text within a few pixels of it; what is not a number has none."""
    known = [i for i, value in enumerate(values) if value == value]
    (line,) = axes.plot(
        [places[i] for i in known], [values[i] for i in known], "o", color=colour, markersize=3,
        markeredgecolor=(0, 0, 0, 0), markeredgewidth=9, clip_on=False, zorder=4,
    )  # fmt: skip
    tell(line, *(texts[i] for i in known))


def date_ticks(axes: "Axes", days: Sequence[datetime.date], most: int = 6) -> None:
    """Name the ends of months, quarters, half-years or years between the first day and the last, at even steps.

    Days between which no such end lies are named themselves.
    """
    first, last = days[0], days[-1]
    months = range(first.year * 12 + first.month - 1, last.year * 12 + last.month)
    ends = [month_end(datetime.date(month // 12, month % 12 + 1, 1)) for month in months]
    ends = [end for end in ends if first <= end <= last]
    for step in STEPS:
        shown = [end for end in ends if end.month % min(step, 12) == 0 and end.year % max(step // 12, 1) == 0]
        if len(shown) <= most:
            break
    names = [month(end) for end in shown] if len(shown) > 1 else [short_day(day) for day in (first, last)]
    axes.set_xticks([end.toordinal() for end in (shown if len(shown) > 1 else (first, last))], names)


def placed(figure: "Figure", left: float, bottom: float, width: float, height: float) -> "Axes":
    """Return axes at a place given in pixels from the lower left corner."""
    across, down = figure.get_size_inches() * 72
    return figure.add_axes((left / across, bottom / down, width / across, height / down))


def few_ticks(axes: "Axes") -> None:
    """Leave at most six values on the vertical scale, at steps of 1, 2, 5 or 10."""
    axes.locator_params(axis="y", nbins=5, steps=[1, 2, 5, 10])


def bare(axes: "Axes", unit: str = "") -> None:
    """Leave a base line and few ticks; the unit stands at each value of the scale."""
    axes.spines[["top", "left", "right"]].set_visible(False)
    axes.spines["bottom"].set_color(COLOURS["muted"])
    few_ticks(axes)
    axes.yaxis.set_major_formatter(lambda value, _: f"{plain(round(value, 6))}{unit}")
    axes.tick_params(axis="y", length=0, colors=COLOURS["muted"], labelsize=SMALL)
    axes.tick_params(axis="x", length=4, colors=COLOURS["muted"], labelsize=SMALL, color=COLOURS["muted"])
