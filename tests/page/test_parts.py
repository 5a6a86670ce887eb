"""The tables and charts of single sections: roll rates, vintages, collection, concentration, segments, groups."""

import pytest
from bs4 import BeautifulSoup
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.path import Path

from abaco import page
from abaco.page import language
from abaco.page.collection import collection_table
from abaco.page.lateness import riskiest
from abaco.page.sparkline import sparkline
from abaco.page.vintages import curves, vintage_figure, vintage_table

from .example import DATE, bridge_loans, collections, concentration, frame, roll_forward, roll_rates, segments, vintages
from .test_bridge import cells


def plain(rows):
    """Return rows of texts without what keeps a bucket on one line."""
    return [[cell.replace("\u2060", "") for cell in row] for row in rows]


def caption(html):
    return BeautifulSoup(html, "html.parser").figcaption.get_text().replace("\u00a0", " ")


# Roll rates


def test_roll_rates_have_a_row_a_bucket_and_a_column_a_state(metrics):
    assert plain(cells(page.roll_rate_matrix(metrics, roll_rates()))) == [
        ["At the start", "USD", "Paid", "0–6", "7–29", "30–59", "60–89", "90+", "Written off"],
        ["0–6 days", "10,000", "10.0", "90.0", "", "", "", "", ""],
        ["7–29 days", "1,000", "", "25.0", "", "75.0", "", "", ""],
        ["90+ days", "40", "", "", "", "", "", "", "100.0"],
        ["New loans", "500", "", "100.0", "", "", "", "", ""],
    ]


def test_roll_rates_say_how_to_read_them(metrics):
    text = BeautifulSoup(page.roll_rate_matrix(metrics, roll_rates()), "html.parser").p.get_text()
    assert text.replace("\u00a0", " ").replace("\u2060", "") == (
        "Read along a row: of the balance that was 90+ days at 30 November 2025, 100.0 % is written off now. "
        "Left of the framed cells is better, right of them worse."
    )


def test_colour_tells_better_from_worse_and_depth_how_much(metrics):
    found = BeautifulSoup(page.roll_rate_matrix(metrics, roll_rates()), "html.parser").select("td.cell")
    known = [(cell["class"][2], cell["style"]) for cell in found if cell.get_text()]
    assert known == [
        ("better", "--depth:32%"), ("same", "--depth:95%"), ("better", "--depth:50%"), ("worse", "--depth:87%"),
        ("worse", "--depth:100%"), ("same", "--depth:100%"),
    ]  # fmt: skip


# Roll-forward


def test_roll_forward_lists_its_lines_from_opening_to_closing(metrics):
    found = cells(page.roll_forward_table(metrics, roll_forward()))
    assert found == [
        ["Line", "Amount, USD"],
        ["Opening balance", "9,850.00"],
        ["Lent", "500.00"],
        ["Principal paid", "−300.00"],
        ["Written off", "−60.00"],
        ["Recovered of what was written off", "12.50"],
        ["Not explained by the exports", "−2.50"],
        ["Closing balance", "10,000.00"],
    ]


def test_roll_forward_without_written_off_balances_says_so(metrics):
    table = roll_forward()
    table.loc[table["line"].isin(["written off", "recovered", "not explained"]), "amount_usd"] = None
    html = page.roll_forward_table(metrics, table)
    assert [row[1] for row in cells(html)[4:7]] == ["–"] * 3
    assert "nobody can say what is not explained" in html


@pytest.mark.parametrize("unknown", ["lent", "principal paid"])
def test_roll_forward_without_loans_or_payments_says_what_to_add(metrics, unknown):
    table = roll_forward()
    table.loc[table["line"] == unknown, "amount_usd"] = None
    assert "add loans, payments and balances of two dates" in page.roll_forward_table(metrics, table)


# Vintages


def test_curves_end_where_a_cohort_is_not_yet_older():
    assert {name: len(points) for name, points in curves(vintages()).items()} == {
        "2025 Q1": 10,
        "2025 Q2": 7,
        "2025 Q3": 4,
    }


def test_vintages_are_named_at_their_ends():
    html = page.vintage_chart(vintages())
    for svg in BeautifulSoup(html, "html.parser").find_all("svg"):
        drawn = {text.get_text().replace("\u00a0", " ") for text in svg.find_all("text")}
        assert {"2025 Q1 3.5", "2025 Q2 1.2", "2025 Q3 0.0", "Months since disbursement"} <= drawn
        titles = [title.get_text().replace("\u00a0", " ") for title in svg.find_all("title")]
        assert titles == [
            "2025 Q1: 3.50 % within 9 months", "2025 Q2: 1.20 % within 6 months", "2025 Q3: 0.00 % within 3 months",
        ]  # fmt: skip
    assert caption(html) == (
        "The quarter 2025 Q1 stands worst: 3.50 % of what it disbursed was 90 days late within 9 months."
    )


def test_few_curves_have_names_the_worst_the_youngest_and_those_next_to_the_worst():
    rows = [
        (f"{year} Q1", month, 5000.0, (year - 2009) * month * 0.1)
        for year in range(2010, 2022) for month in range(0, 3 * (2022 - year) + 1)
    ]  # fmt: skip
    html = page.vintage_chart(frame("cohort months_on_book disbursed_usd share", *rows))
    for svg in BeautifulSoup(html, "html.parser").find_all("svg"):
        named = [text.get_text() for text in svg.find_all("text") if "Q1" in text.get_text()]
        assert 2 <= len(named) <= 4
        assert any(name.startswith("2021") for name in named)  # the youngest


@pytest.mark.parametrize("form", ["wide", "narrow"])
def test_name_of_a_curve_covers_no_curve_that_rises_where_it_ends(form):
    worst = [(0, 0), (3, 0), (4, 0.18), (5, 0.18), (6, 0.87), (9, 0.87)]
    found = {"2025 Q1": worst, "2025 Q2": [(0, 0), (4, 0), (5, 0.48), (6, 0.48)], "2025 Q3": [(0, 0), (3, 0)]}
    figure = vintage_figure(found, form)
    (axes,), renderer = figure.axes, FigureCanvasAgg(figure).get_renderer()
    boxes = {text.get_text()[:7]: text.get_window_extent(renderer).padded(-2) for text in axes.texts}
    assert {name.replace("\u00a0", " ") for name in boxes} == set(found)
    line = Path(axes.transData.transform(worst))
    assert [name for name, box in boxes.items() if line.intersects_bbox(box, filled=False)] == []


def test_vintages_without_a_default():
    table = vintages()
    table["share"] = 0.0
    assert caption(page.vintage_chart(table)) == "None of the 3 quarters has a loan that was ever 90 days late."


def test_heat_map_leaves_what_is_not_that_old_empty():
    html = vintage_table(vintages())
    assert cells(html) == [
        ["Quarter", "Disbursed, USD", "3", "6", "9"],
        ["2025 Q1", "5,000", "0.5", "2.0", "3.5"],
        ["2025 Q2", "5,000", "0.6", "1.2", ""],
        ["2025 Q3", "5,000", "0.0", "", ""],
    ]
    depths = [cell["style"] for cell in BeautifulSoup(html, "html.parser").select("td.cell.worse")]
    assert depths[:3] == ["--depth:38%", "--depth:76%", "--depth:100%"]


# Collection


def test_collection_names_the_last_whole_month_and_the_partial_one(metrics):
    assert caption(page.collection_chart(metrics, collections())) == (
        "In Nov 2025, 90.00 % of what was due was paid. Over the months before it was 95.00 %. "
        "Dec 2025 is not complete."
    )


def test_collection_chart_marks_the_partial_month_with_a_pattern(metrics):
    wide = BeautifulSoup(page.collection_chart(metrics, collections()), "html.parser").svg
    assert [text.get_text() for text in wide.find_all("text")] == [
        "95%", "Oct", "2025", "90%", "Nov", "2025", "50%", "Dec", "partial",
    ]  # fmt: skip
    assert wide.find("pattern")


def test_collection_table_is_newest_first_and_has_no_hindsight(metrics):
    assert cells(collection_table(metrics | {"date": "2025-11-30"}, collections())) == [
        [
            "Month",
            "Rate",
            "Due, USD",
            "Paid, USD",
            "Principal due, USD",
            "Paid by the due date",
            "By 30 days after",
            "By 60 days after",
        ],
        ["Nov 2025", "90.00 %", "1,200", "1,080", "1,000", "85.00 %", "87.00 %", "–"],
        ["Oct 2025", "95.00 %", "1,000", "950", "800", "90.00 %", "92.00 %", "94.00 %"],
    ]
    assert cells(collection_table(metrics, collections()))[1][0] == "Dec 2025 (partial)"


def test_month_with_nothing_due_has_no_rate(metrics):
    table = frame(
        "month due_usd paid_usd rate principal_due_usd principal_rate paid_30_rate paid_60_rate is_partial",
        (DATE, 0.0, 5.0, None, None, None, None, None, False),
    )
    assert "absent" in page.collection_chart(metrics, table)
    assert cells(collection_table(metrics, table))[1] == ["Dec 2025", "–", "0", "5", "–", "–", "–", "–"]


# Concentration and segments


def test_concentration_adds_up_the_largest(metrics):
    html = page.concentration_table(metrics, concentration())
    assert "The largest borrower owes 20.00\u00a0% of the book, the 2 largest 30.00\u00a0%. If the largest" in html
    assert cells(html) == [
        ["Borrower", "Bar", "Share of the book", "Outstanding, USD", "PAR30 if all down to this one stopped"],
        ["Borrower 1", "", "20.00 %", "2,000", "✕ Critical: 23.50 %"],
        ["Borrower 2", "", "10.00 %", "1,000", "–"],
        ["Together", "", "30.00 %", "3,000", ""],
    ]


NUMBERS = {
    "en": "The numbers hold within this report only and are no ranks; with ABACO_PII_KEY, names are the same in every "
    "report.",
    "es": "Los números valen solo dentro de este informe y no son posiciones; con ABACO_PII_KEY, los nombres son los "
    "mismos en todos los informes.",
}


@pytest.mark.parametrize("spoken", ["en", "es"])
def test_numbers_in_place_of_names_are_explained_and_tokens_are_not(metrics, spoken):
    with language.speaking(spoken):
        numbered, tokens = concentration(), concentration().assign(borrower="tok_" + "0a" * 16)
        assert NUMBERS[spoken] in page.concentration_table(metrics, numbered)
        assert NUMBERS[spoken] not in page.concentration_table(metrics, tokens)
        loans = bridge_loans()
        assert NUMBERS[spoken] in page.bridge_loans_table(metrics, loans.assign(loan="Loan 7"))
        assert NUMBERS[spoken] not in page.bridge_loans_table(metrics, loans.assign(loan="tok_" + "0a" * 16))


@pytest.mark.parametrize(
    ("spoken", "told"),
    [
        ("en", "Synthetic sample: invented loans, no real book."),
        ("es", "Muestra sintética: préstamos inventados, ninguna cartera real."),
    ],
)
def test_report_of_the_sample_says_so_at_its_head(metrics, spoken, told):
    with language.speaking(spoken):
        assert told not in page.masthead(metrics)
        assert told in page.masthead(metrics | {"synthetic": True})


def test_segments_are_sorted_by_what_they_hold_of_the_arrears(metrics):
    html = page.segment_tables(metrics, segments())
    assert [h3.get_text() for h3 in BeautifulSoup(html, "html.parser").find_all("h3")] == [
        "By lending company",
        "By ticket, USD disbursed",
    ]
    assert [row[0] for row in cells(html)] == [
        "Part of the book", "Abaco Factoring", "Abaco Tech",
        "Part of the book", "1,000–4,999", "below 1,000",
    ]  # fmt: skip
    assert cells(html)[1] == [
        "Abaco Factoring", "", "4.9 %", "99.9 %", "75.0 %", "4.3 %", "7,500 USD", "3",
    ]  # fmt: skip


def test_bar_of_a_segment_has_the_limit_of_the_book_and_a_part_past_it_is_marked(metrics):
    """The scale goes to the largest PAR, here 40; the warning limit is 5."""
    table = segments().assign(par30=[0.0, 40.0, None, 2.0, 3.97])
    found = BeautifulSoup(page.segment_tables(metrics, table), "html.parser")
    assert found.select_one("tbody .bar span")["style"] == "width:100.0%"
    assert found.select_one("tbody .bar i")["style"] == "left:12.5%"
    assert found.select_one("tbody .mark")["class"] == ["mark", "critical"]
    assert "limit of the whole book (warning above 5, critical above 8)." in found.get_text()


@pytest.mark.parametrize("value", ["Not Provided", "not_given", "sin dato", None])
def test_part_without_a_name_is_called_missing_data(metrics, value):
    table = segments().assign(value=["Abaco Tech", value, "Factoring", "below 1,000", "1,000–4,999"])
    assert cells(page.segment_tables(metrics, table))[1][0] == "not given (missing data)"
    assert riskiest(metrics, table)[0]["cells"][0] == "Company not given (missing data)"


def test_parts_of_one_value_are_not_asked_for(metrics):
    columns = "date dimension value loans outstanding_usd share par30 par90"
    table = frame(columns, *((DATE, name, "one", 5, 100.0, 100.0, 1.0, 0.0) for name in ("product", "region")))
    told = "add others to these, which are one part each: By product and By region."
    assert told in page.segment_tables(metrics, table)


def test_many_segments_are_cut_and_counted(metrics):
    columns = "date dimension value loans outstanding_usd share par30 par90"
    table = frame(columns, *((DATE, "region", f"R{n}", 1, 100.0 - n, 5.0, 1.0, 0.0) for n in range(15)))
    html = page.segment_tables(metrics, table)
    assert len(cells(html)) == 13
    assert "Not shown: 3\u00a0parts, each smaller" in html


@pytest.mark.parametrize(
    "shown",
    [
        lambda metrics: page.roll_rate_matrix(metrics, []),
        lambda metrics: page.vintage_chart([]),
        lambda metrics: page.collection_chart(metrics, []),
        lambda metrics: page.concentration_table(metrics, []),
        lambda metrics: page.segment_tables(metrics, []),
    ],
)
def test_a_section_without_a_table_says_what_to_add(metrics, shown):
    assert shown(metrics).startswith('<p class="absent">To see ')


# All other figures


def test_other_figures_stand_by_group_and_what_is_lost_below(metrics, history):
    history += [{"date": date, "kpi": "PAR60", "value": 3.0, "status": "none"} for date in ("2025-11-30",)]
    metrics["kpis"]["PAR60"].update(previous={"date": "2025-11-30", "value": 3.0}, change=0.5, status="warning")
    metrics["kpis"]["NPL"] = metrics["kpis"]["PAR60"] | {"title": "NPL", "value": None, "reason": "no dates"}
    html = page.kpi_tables(metrics, history)
    assert cells(html) == [
        ["Figure", "Value", "Change since 30 Nov 25", "Trend", "Limits"],
        [
            "Portfolio at risk, 60 days PAR60 Σ a / Σ b × 100 Lower is better.",
            "! Warning: 3.50 %", "↑ up 0.50 points, worse", "", "",
        ],
    ]  # fmt: skip
    (lost,) = BeautifulSoup(html, "html.parser").select(".group > details")
    assert lost.summary.get_text() == "NPL: not computable"
    assert "Not computable: no dates." in lost.get_text()
    assert "<svg" in html


def test_without_other_figures_there_is_a_sentence(metrics):
    del metrics["kpis"]["PAR60"]
    assert page.kpi_tables(metrics, []) == '<p class="sentence">No other figures are defined.</p>'


def test_course_breaks_where_a_value_is_missing(metrics):
    values = [1.0, 2.0, None, 3.0, 2.0]
    points = [(f"2025-0{month}-01", value) for month, value in enumerate(values, start=1)]
    path = BeautifulSoup(sparkline(metrics["kpis"]["PAR30"], points), "html.parser").path["d"]
    assert path.count("M") == 2
    assert path.count("L") == 2


@pytest.mark.parametrize("values", [[], [1.0], [None, 1.0, None]])
def test_course_of_less_than_two_values_is_nothing(metrics, values):
    points = [(f"2025-0{month}-01", value) for month, value in enumerate(values, start=1)]
    assert sparkline(metrics["kpis"]["PAR30"], points) == ""


def test_course_that_never_moves_is_a_level_line(metrics):
    points = [("2025-01-01", 0.0), ("2025-02-01", 0.0)]
    assert 'd="M3 13L101 13"' in sparkline(metrics["kpis"]["PAR30"], points)
