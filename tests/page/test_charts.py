"""The pictures: what they say, and that they are small, themed, named and the same on every run."""

import datetime as dt
import itertools
import re

import pytest
from bs4 import BeautifulSoup
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.path import Path

from abaco import page
from abaco.page.kpi_text import limits
from abaco.page.markup import stylesheet
from abaco.page.svg import COLOURS, date_ticks, draw, inline
from abaco.page.trend import trend_figure

from .example import collections, vintages


def texts(html):
    """Return the texts of each drawing of a figure: the wide one, then the narrow one."""
    return [
        [text.get_text() for text in svg.find_all("text")] for svg in BeautifulSoup(html, "html.parser").find_all("svg")
    ]


def test_trend_names_its_limits_and_its_last_values(metrics, history):
    wide, narrow = texts(page.trend_chart(metrics, history))
    for label in (
        "warning above 5",
        "critical above 8",
        "warning above 3",
        "critical above 5",
        "3.68\u00a0%",
        "3.25\u00a0%",
    ):
        assert label in wide
        assert label in narrow


def test_trend_states_its_finding(metrics, history):
    soup = BeautifulSoup(page.trend_chart(metrics, history), "html.parser")
    assert soup.figcaption.get_text().replace("\u00a0", " ") == (
        "PAR30 is at 3.68 %; its peak was 5.50 % at 30 Sep 25. PAR90 is at 3.25 %; its peak was 3.50 % at 30 Nov 25. "
        "A gap in a line is a date without a value."
    )
    assert "No value at 31\u00a0October\u00a02025." in soup.svg["aria-label"]
    assert "Limits: warning above 5, critical above 8." in soup.svg["aria-label"]
    assert {svg["role"] for svg in soup.find_all("svg")} == {"img"}


def test_every_point_of_the_trend_has_a_title_and_peak_and_low_have_their_values(metrics, history):
    """October has no value of PAR30, and so no mark."""
    for svg in BeautifulSoup(page.trend_chart(metrics, history), "html.parser").find_all("svg"):
        told = [title.get_text().replace("\u00a0", " ") for title in svg.find_all("title")]
        assert told == [
            "PAR30, 30 September 2025: 5.50 %", "PAR30, 30 November 2025: 3.46 %", "PAR30, 10 December 2025: 3.68 %",
            "PAR90, 30 September 2025: 2.75 %", "PAR90, 31 October 2025: 3.00 %", "PAR90, 30 November 2025: 3.50 %",
            "PAR90, 10 December 2025: 3.25 %",
        ]  # fmt: skip
        drawn = {text.get_text().replace("\u00a0", " ") for text in svg.find_all("text")}
        assert {"5.50 % Sep 2025", "3.46 % Nov 2025", "2.75 % Sep 2025", "3.50 % Nov 2025"} <= drawn


def test_table_behind_the_trend_is_folded_away(metrics, history):
    found = BeautifulSoup(page.trend_chart(metrics, history), "html.parser").select_one("figure > details")
    rows = [[cell.get_text().replace("\u00a0", " ") for cell in row.select("th, td")] for row in found.select("tr")]
    assert rows[:3] == [
        ["Date", "PAR30", "PAR90"], ["10 December 2025", "3.68 %", "!Warning:  3.25 %"],
        ["30 November 2025", "3.46 %", "!Warning:  3.50 %"],
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("first", "last", "named"),
    [
        (dt.date(2025, 9, 30), dt.date(2025, 12, 10), ["Sep 2025", "Oct 2025", "Nov 2025"]),
        (dt.date(2025, 1, 31), dt.date(2025, 12, 31), ["Mar 2025", "Jun 2025", "Sep 2025", "Dec 2025"]),
        (dt.date(2023, 1, 31), dt.date(2025, 12, 10), ["Jun 2023", "Dec 2023", "Jun 2024", "Dec 2024", "Jun 2025"]),
        (dt.date(2016, 1, 31), dt.date(2025, 12, 10), ["Dec 2016", "Dec 2018", "Dec 2020", "Dec 2022", "Dec 2024"]),
        (dt.date(2025, 12, 1), dt.date(2025, 12, 10), ["1 Dec 25", "10 Dec 25"]),
    ],
)
def test_ticks_stand_at_even_ends_of_months_quarters_or_years(first, last, named):
    axes = Figure().add_subplot()
    date_ticks(axes, [first, last], most=5)
    assert [label.get_text().replace("\u00a0", " ") for label in axes.get_xticklabels()] == named


@pytest.mark.parametrize("dates", [[], ["2025-12-31"]])
def test_trend_of_a_single_date_is_a_sentence(metrics, dates):
    history = [{"date": date, "kpi": "PAR30", "value": 3.6773, "status": "ok"} for date in dates]
    assert page.trend_chart(metrics, history) == (
        '<p class="sentence">No trend can be drawn yet: fewer than two dates have a value (PAR30, PAR90).</p>'
    )


def test_trend_when_nothing_is_computable(empty, history):
    gone = [row | {"value": None, "status": "not_computable"} for row in history]
    assert "No trend can be drawn yet" in page.trend_chart(empty, gone)


def test_trend_of_zeros_without_limits(metrics, history):
    for name in ("PAR30", "PAR90"):
        metrics["kpis"][name].update(value=0.0, thresholds=None)
    html = page.trend_chart(metrics, [row | {"value": 0.0} for row in history])
    assert "PAR30 stayed at 0.00\u00a0%" in html


def test_a_dollar_sign_in_a_title_is_no_formula(metrics, history):
    metrics["kpis"]["PAR30"]["title"] = "From $1 to $2"
    assert "From $1 to $2 (PAR30)" in texts(page.trend_chart(metrics, history))[0]


def test_zones_past_the_limits_are_shaded_up_to_the_next(metrics, history):
    svg = BeautifulSoup(page.trend_chart(metrics, history), "html.parser").svg
    fills = [path.get("style", "") for path in svg.find_all("path")]
    for level in ("warning", "critical"):
        assert sum(f"fill: var(--{level}-tint" in style for style in fills) == 2


def test_limit_far_above_every_value_is_named_at_the_edge_and_leaves_the_scale_to_the_values(metrics):
    kpi = metrics["kpis"]["PAR30"]
    for values, shown in (([1.0, 2.0], ["warning above 5", "↑ critical above 8"]), ([0.5, 0.9], [f"↑ {limits(kpi)}"])):
        figure = trend_figure({"PAR30": kpi}, {"PAR30": [("2025-11-30", values[0]), ("2025-12-31", values[1])]}, "wide")
        (axes,) = figure.axes
        assert [text.get_text() for text in axes.texts if " above " in text.get_text()] == shown
        assert axes.get_ylim()[1] < 4 * values[1]


def test_zone_of_a_figure_that_should_be_high_lies_below_its_limit(metrics, history):
    metrics["kpis"]["PAR30"].update(direction="higher", thresholds={"warning": 3, "critical": 1})
    wide, _ = texts(page.trend_chart(metrics, history))
    assert {"warning below 3", "critical below 1"} <= set(wide)


SHAPES = {
    "flat below the warning": [1.9, 1.3, 2.6, 2.4, 2.6, 2.5, 1.6, 1.6, 2.2, 2.3, 2.5, 1.7, 1.3],
    "peak at the critical limit": [4.0, 4.4, 4.9, 4.3, 3.4, 3.8, 7.9, 6.5, 5.2, 3.7, 4.1, 4.0, 3.7],
    "peak just below the critical limit": [4.0, 4.4, 4.9, 4.3, 3.4, 3.8, 6.6, 6.5, 5.2, 3.7, 4.1, 4.0, 3.7],
    "peak first": [9.0, 5.0, 4.0, 3.0, 2.0, 1.0, 1.0, 2.0, 3.0, 4.0, 4.5, 4.6, 4.7],
    "peak before the end": [4.9, 5.0, 5.1, 5.2, 5.0, 4.9, 4.8, 4.9, 5.0, 5.1, 5.2, 5.9, 5.0],
    "from 0, slowly": [0, 0.1, 0.3, 0.5, 0.6, 0.5, 0.7, 0.6, 0.8, 0.9, 0.7, 0.6, 0.8],
    "from 0, fast": [0, 1.5, 2.5, 3.4, 3.9, 4.0, 4.1, 4.2, 4.5, 4.7, 4.1, 4.0, 4.2],
    "low in the middle": [5.1, 5.2, 5.1, 5.0, 4.9, 3.0, 2.9, 3.0, 4.9, 5.0, 5.1, 5.2, 5.1],
}


@pytest.mark.parametrize("form", ["wide", "narrow", "mail", "large"])
@pytest.mark.parametrize("values", SHAPES.values(), ids=SHAPES)
@pytest.mark.parametrize("thresholds", [{"warning": 5, "critical": 8}, {"warning": 3, "critical": 5}, {}], ids=str)
def test_labels_of_the_trend_cover_no_other_and_neither_line_nor_limit(metrics, form, values, thresholds):
    kpi = metrics["kpis"]["PAR30"] | {"thresholds": thresholds, "value": values[-1]}
    days = [(dt.date(2025, 1, 31) + dt.timedelta(days=30 * step)).isoformat() for step in range(len(values))]
    figure = trend_figure({"PAR30": kpi}, {"PAR30": list(zip(days, values, strict=True))}, form)
    renderer = FigureCanvasAgg(figure).get_renderer()
    (axes,) = figure.axes
    boxes = {text.get_text(): text.get_window_extent(renderer) for text in axes.texts}
    assert len(boxes) >= 3 + bool(thresholds)
    pairs = itertools.combinations(boxes.items(), 2)
    assert [(one, other) for (one, box), (other, box2) in pairs if box.overlaps(box2)] == []
    heights = {name: axes.transData.transform((axes.get_xlim()[0], limit))[1] for name, limit in thresholds.items()}
    named = {text: box for text, box in boxes.items() if "20" in text}  # the end is written beside the axes
    cut = [(text, name) for text, box in named.items() for name, y in heights.items() if box.y0 < y < box.y1]
    assert cut == []
    places = [(dt.date.fromisoformat(day).toordinal(), value) for day, value in zip(days, values, strict=True)]
    line = Path(axes.transData.transform(places))
    assert [text for text, box in named.items() if line.intersects_bbox(box.padded(-2), filled=False)] == []


def test_a_thin_line_leads_from_a_label_that_stands_far_from_its_point(metrics):
    kpi, values = metrics["kpis"]["PAR30"], SHAPES["peak just below the critical limit"]
    days = [(dt.date(2025, 1, 31) + dt.timedelta(days=30 * step)).isoformat() for step in range(len(values))]
    (axes,) = trend_figure({"PAR30": kpi}, {"PAR30": list(zip(days, values, strict=True))}, "wide").axes
    leads = [line.get_xydata() for line in axes.lines if line.get_linewidth() < 1]
    assert [tuple(lead[0]) for lead in leads] == [(dt.date.fromisoformat(days[6]).toordinal(), 6.6)]
    assert leads[0][1][1] > 8


def test_charts_are_the_same_on_every_run(metrics, history):
    assert page.trend_chart(metrics, history) == page.trend_chart(metrics, history)
    assert page.vintage_chart(vintages()) == page.vintage_chart(vintages())
    assert page.collection_chart(metrics, collections()) == page.collection_chart(metrics, collections())


def test_ids_of_several_charts_do_not_clash(metrics, history):
    html = "".join(
        (
            page.trend_chart(metrics, history),
            page.vintage_chart(vintages()),
            page.collection_chart(metrics, collections()),
        )
    )
    ids = re.findall(r'\bid="([^"]+)"', html)
    assert len(ids) == len(set(ids))
    referred = set(re.findall(r'href="#([^"]+)"', html)) | set(re.findall(r"url\(#([^)]+)\)", html))
    assert referred <= set(ids)


def test_figure_of_an_analyst_keeps_its_text_and_escapes_its_finding():
    figure = Figure(figsize=(4, 2))
    figure.add_subplot().set_title("Tickets <b>")
    html = page.picture(figure, "Half are <b>small</b>.", name="tickets")
    assert "Tickets &lt;b&gt;" in html
    assert "Half are &lt;b&gt;small&lt;/b&gt;." in html
    assert "font-family" not in html
    assert "http" not in html
    assert "<metadata" not in html


def test_foreign_svg_is_stripped_of_scripts():
    scripts = '<script>alert(1)</script><style>*{}</style><rect id="a"/>'
    source = f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 9 9">{scripts}</svg>'
    assert inline(source, "x", "A box") == (
        '<svg viewBox="0 0 9 9" role="img" aria-label="A box" class="chart" '
        'style="fill: currentColor; max-width: 9px"><rect /></svg>'
    )


def test_drawing_carries_no_date():
    assert "date" not in draw(Figure()).lower()


def _themes():
    light, dark = re.split(r"@media screen and \(prefers-color-scheme: dark\)", stylesheet("colours.css"))
    return [dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", theme)) for theme in (light, dark)]


def _luminance(colour):
    parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [part / 12.92 if part <= 0.03928 else ((part + 0.055) / 1.055) ** 2.4 for part in parts]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one, other):
    high, low = sorted([_luminance(one), _luminance(other)], reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("theme", _themes(), ids=["light", "dark"])
def test_text_has_contrast_aa_and_marks_have_three_to_one(theme):
    for text in ("ink", "muted", "accent", "ok", "warning", "critical"):
        assert _contrast(theme[text], theme["paper"]) >= 4.5, text
        assert _contrast(theme[text], theme["tint"]) >= 4.5, text
    for text, ground in (
        ("warning", "warning-tint"),
        ("critical", "critical-tint"),
        ("ink", "warning-tint"),
        ("ink", "critical-tint"),
        *(("ink", shade) for shade in ("better", "same", "worse")),
    ):
        assert _contrast(theme[text], theme[ground]) >= 4.5, (text, ground)
    for mark in ("quiet", "rise", "accent"):
        assert _contrast(theme[mark], theme["paper"]) >= 3, mark


def test_charts_are_drawn_in_the_colours_of_the_style_sheet():
    light = _themes()[0]
    assert {name: light[name] for name in COLOURS} == COLOURS


def test_notebook_style_follows_jupyter_and_not_the_desktop():
    style = page.notebook_style()
    assert "prefers-color-scheme" not in style
    assert '[data-jp-theme-light="false"] {' in style
    assert style.count("{") == style.count("}")
