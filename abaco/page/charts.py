"""Charts and tables of the deep dives: a table in, a picture in the page's look out, or a sentence for an empty one."""

import datetime as dt
import re
from collections.abc import Mapping, Sequence
from numbers import Integral
from typing import Any

import pandas as pd
from markupsafe import escape
from matplotlib.axes import Axes

from abaco.core.bands import UNKNOWN
from abaco.core.currencies import current
from abaco.page import COLOURS, Html, canvas, frame_table, picture
from abaco.page.column_names import capital
from abaco.page.labels import Labels, Place
from abaco.page.lateness import is_missing
from abaco.page.svg import bare, date_ticks, dots, placed, tell
from abaco.page.words import bucket, day, month, number

LINES = ("accent", "critical", "warning", "quiet", "ink", "muted")
DASHES = ("-", (0, (5, 2)), (0, (1.5, 1.5)))  # told apart without colour
WIDTH, HEIGHT = 880, 330
MARGIN = {"left": 66, "top": 16, "bottom": 46}
UNIT = "unit"  # the attribute of a frame of figures that says the unit of all of them
LETTER, DIGIT = 6.6, 7.5  # pixels of a letter of a name, and of a digit of the scale
BESIDE, ROW = 10, 17  # pixels from a line to its name, and of a row of text
STEPS = (1, 2, 3, 6, 12, 24)  # of counted months, or of borrowers
MOST = 9  # ticks
HEADINGS = {
    "term": "what happened", "dimension": "part of the book", "value": "which", "loans_risen": "loans that rose",
    "share_of_rise": "share of rise", "share_of_book": "share of book", "paid_30_rate": "paid by 30 days after",
    "paid_60_rate": "paid by 60 days after", "principal_rate": "principal paid by the due date", "rate": "paid of due",
    "months_on_book": "months since disbursement", "cohort": "quarter", "last": "who stops last",
}  # fmt: skip
BUCKET = re.compile(r"\d+(–\d+|\+)")


def sentence(text: str) -> Html:
    """Return a sentence as a notebook shows it."""
    return Html(f"<p>{escape(text)}</p>")


def table(frame: pd.DataFrame, caption: str, otherwise: str = "", *, verbatim: bool = False) -> Html:
    """Return a frame as a table in the page's look and words, or `verbatim`; a sentence when it has no rows."""
    if frame.empty:
        return sentence(otherwise or f"{caption}: none.")
    if verbatim:
        return frame_table(frame.apply(_whole), caption)
    buckets = {name for name in (*frame.columns, *frame.to_numpy().ravel()) if _is_bucket(name)}
    said = frame.map(lambda value: _said(value, buckets)).apply(_whole)
    return frame_table(said.set_axis([heading(str(name), buckets) for name in frame.columns], axis=1), caption)


def _is_bucket(value: Any) -> bool:
    return isinstance(value, str) and bool(BUCKET.fullmatch(value))


def _said(value: Any, buckets: set[str]) -> Any:
    """Return a text as the page says it; other values as they are."""
    if not isinstance(value, str):
        return value
    if value in buckets:
        return bucket(value, buckets)
    if is_missing(value):
        return f"{UNKNOWN} (missing data)"
    return value.replace("_", " ")


def heading(name: str, buckets: Sequence[str] = ()) -> str:
    """Return the name of a column as the page writes it.

    Examples
    --------
    >>> heading("share_of_rise"), heading("unpaid_usd"), heading("par30")
    ('Share of rise, %', 'Unpaid, USD', 'PAR30')
    """
    if name in buckets:
        return bucket(name, buckets)
    if re.fullmatch(r"par\d+", name):
        return name.upper()
    words = HEADINGS.get(name) or name.removesuffix("_usd").removesuffix("_pct").replace("_", " ")
    unit = f", {current()}" if name.endswith("_usd") else ", %" if re.search(r"share|rate$|_pct$", name) else ""
    return f"{capital(words)}{unit}"


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
    unit: str | None = None,
    limits: Mapping[str, float] | None = None,
    axis_title: str = "",
) -> Html:
    """Return a line a column over the frame's index, named at its end with its last value.

    Parameters
    ----------
    frame
        Numbers; null is a gap. Its index holds dates, whole numbers or names.
    finding
        What the lines show, in a sentence.
    name
        Unique in the notebook.
    otherwise
        The sentence shown instead when the frame is empty.
    unit
        What stands behind each value, such as `` USD``; by default the unit of a history (see `Dive.history`), and
        per cent of any other frame.
    limits
        Thresholds by what they are called.
    axis_title
        What the index is, where its values do not tell.
    """
    unit = frame.attrs.get(UNIT, " %") if unit is None else unit
    frame = frame.dropna(how="all")
    if frame.empty:
        return sentence(otherwise)
    columns, places = frame.astype(float), _places(frame.index)
    names = {column: _line(column) for column in columns}
    ends = {column: _end(names[column], columns[column], places, unit) for column in columns}
    highest = max([columns.max().max(), *(limits or {}).values()])
    right = max((len(text) for *_, text in ends.values()), default=0) * LETTER + BESIDE
    axes = _axes(right, highest=f"{number(highest, 0)}{unit}")
    for i, column in enumerate(columns):
        colour, style = _look(i)
        axes.plot(places, columns[column], color=colour, linewidth=2, linestyle=style, clip_on=False)
        values = list(columns[column])
        texts = [
            f"{names[column]}, {_named(row)}: {number(value, 2)}{unit}" if value == value else ""
            for row, value in zip(frame.index, values, strict=True)
        ]
        dots(axes, places, values, texts, colour)
    axes.set_xlim(places[0], max(places[-1], places[0] + 1))
    axes.set_ylim(bottom=min(0, columns.min().min()), top=highest * 1.1 or 1)
    _ticks(axes, frame.index, places, unit, axis_title)
    labels = Labels(axes)
    _name_ends(axes, columns, ends)
    for label, limit in (limits or {}).items():
        axes.axhline(limit, color=COLOURS["muted"], linewidth=1, linestyle=(0, (4, 4)))
        sides = ((places[0], 5, "left"), (places[-1], -5, "right"))
        beside = [
            Place((place, limit), across, up, ha, va)
            for up, va in ((3, "bottom"), (-3, "top"))
            for place, across, ha in sides
        ]
        labels.add(f"{label} {limit:g}", beside, fontsize=11.5, color=COLOURS["muted"])
    return picture(axes.figure, finding, name=name)


def _line(column: Any) -> str:
    """Return the name of a line or of bars: that of the column without its unit, which the scale has."""
    return heading(str(column)).removesuffix(", %").removesuffix(f", {current()}")


def _look(place: int) -> tuple[str, Any]:
    return COLOURS[LINES[place % len(LINES)]], DASHES[place // 2 % len(DASHES)]


def _places(index: pd.Index) -> list[int]:
    """Return where the rows stand: dates by their day, whole numbers where they are, others one after the other."""
    if all(isinstance(value, dt.date) for value in index):
        return [value.toordinal() for value in index]
    return list(map(int, index)) if all(isinstance(value, Integral) for value in index) else list(range(len(index)))


def _named(row: Any) -> str:
    return day(row) if isinstance(row, dt.date) else str(row)


def _end(name: str, values: pd.Series, places: Sequence[int], unit: str) -> tuple[int, float, str]:
    """Return where a line ends, and its name with its last value; a line without values ends nowhere."""
    known = [i for i, value in enumerate(values) if value == value]
    if not known:
        return places[-1], float("nan"), ""
    last = float(values.iloc[known[-1]])
    return places[known[-1]], last, f"{name} {number(last, 2)}{unit}"


def _name_ends(axes: Axes, columns: pd.DataFrame, ends: Mapping[Any, tuple[int, float, str]]) -> None:
    """Name each line beside its last value; names at one place are kept apart."""
    low, high = axes.get_ylim()
    step = (high - low) * ROW / (axes.bbox.height * 72 / axes.figure.dpi)
    looks = {column: _look(i)[0] for i, column in enumerate(columns)}
    for place in {place for place, value, _ in ends.values() if value == value}:
        here = sorted(
            (value, str(column), column) for column, (at, value, _) in ends.items() if at == place and value == value
        )
        level, room = low - step, high - step * len(here)
        for rank, (value, _, column) in enumerate(here):
            level = max(min(value, room + step * (rank + 1)), level + step)
            axes.annotate(
                ends[column][2], (place, level), (BESIDE, 0), textcoords="offset points", va="center", fontsize=12,
                color=looks[column], annotation_clip=False, parse_math=False,
            )  # fmt: skip


def bars(frame: pd.DataFrame, finding: str, name: str, otherwise: str = "", unit: str | None = None) -> Html:
    """Return a group of bars a row, one a column, above their names; see `lines`."""
    if frame.empty:
        return sentence(otherwise)
    unit = f" {current()}" if unit is None else unit
    highest = number(frame.astype(float).max().max(), 0)
    axes, places = _axes(right=8, top=34, highest=f"{highest}{unit}"), list(range(len(frame)))
    width = 0.8 / len(frame.columns)
    for i, column in enumerate(frame):
        colour = COLOURS[("quiet", "accent", "warning")[i % 3]]
        across = [place + (i - (len(frame.columns) - 1) / 2) * width for place in places]
        values = frame[column].astype(float)
        drawn = axes.bar(across, values, width * 0.92, color=colour, label=_line(column))
        for row, value, bar in zip(frame.index, values, drawn, strict=True):
            tell(bar, f"{_line(column)}, {_named(row)}: {number(value, 2)}")
    axes.legend(loc="lower left", bbox_to_anchor=(0, 1), ncols=3, frameon=False, fontsize=12, borderaxespad=0)
    _ticks(axes, frame.index, places, unit)
    return picture(axes.figure, finding, name=name)


def _axes(right: float, top: float = MARGIN["top"], highest: str = "") -> Axes:
    left = max(MARGIN["left"], len(highest) * DIGIT + BESIDE)
    room = WIDTH - left - right, HEIGHT - top - MARGIN["bottom"]
    axes = placed(canvas(WIDTH, HEIGHT), left, MARGIN["bottom"], *room)
    axes.grid(axis="y", color=COLOURS["line"], linewidth=0.8)
    axes.set_axisbelow(True)
    return axes


def _ticks(axes: Axes, index: pd.Index, places: Sequence[int], unit: str, title: str = "") -> None:
    """Name few places at even steps: ends of quarters or years, whole numbers from 0, or every so many names."""
    bare(axes, unit.replace(" %", "%"))
    axes.set_xlabel(title, color=COLOURS["muted"], fontsize=12)
    if places[0] > MOST and isinstance(index[0], dt.date):
        date_ticks(axes, list(index), most=MOST)
    elif isinstance(index[0], Integral):
        step = next(step for step in STEPS if places[-1] // step < MOST or step == STEPS[-1])
        axes.set_xticks([place for place in range(places[0], places[-1] + 1) if place % step == 0])
    else:
        step = -(-len(places) // MOST)
        shown = [place for place in places if (len(places) - 1 - place) % step == 0]
        axes.set_xticks(shown, [_short(index[place]) for place in shown])


def _short(row: Any) -> str:
    return month(row) if isinstance(row, dt.date) else str(row).replace("_", " ")
