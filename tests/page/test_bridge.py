"""The bridge of a PAR: its waterfall, its sentence, and the loans behind it."""

import pytest
from bs4 import BeautifulSoup

from abaco import page
from abaco.page.bridge import bridge_rows, explanation, signed

from .example import DATE, bridge_loans, bridges, frame


def cells(html):
    """Return a table's rows as lists of texts."""
    return [
        [cell.get_text(" ", strip=True).replace("\u00a0", " ") for cell in row.find_all(["th", "td"])]
        for row in BeautifulSoup(html, "html.parser").find_all("tr")
    ]


def test_terms_stand_between_opening_and_closing_with_their_signs(metrics):
    assert cells(page.bridge_chart(metrics, bridges())) == [
        ["PAR30", "Bar", "Points", "USD"],
        ["30 Nov 25", "", "3.46 %", "346"],
        ["New arrears", "", "+0.36", "+36"],
        ["Rolled on", "", "+0.10", "+10"],
        ["Cured", "", "−0.15", "−15"],
        ["Paid", "", "−0.10", "−10"],
        ["Written off", "", "0.00", "0"],
        ["Change of the book", "", "0.00", "–"],
        ["10 Dec 25", "", "3.68 %", "368"],
    ]


@pytest.mark.parametrize(("points", "name"), [(-0.05, "Larger book"), (0.05, "Smaller book")])
def test_a_larger_book_makes_a_par_smaller(metrics, points, name):
    table = bridges()
    table.loc[6, "points"] = points
    assert name in page.bridge_chart(metrics, table)


def test_bars_hang_together(metrics):
    """Each bar begins where the one before it ended; the scale is cut, since the moves are small."""
    blocks = BeautifulSoup(page.bridge_chart(metrics, bridges()), "html.parser").select(".block")
    spans = []
    for block in blocks:
        left, width = (float(part.split(":")[1].rstrip("%")) for part in block["style"].split(";"))
        spans.append((left, left + width, block["class"][1]))
    opening, arrears, rolled, cured, paid, *_, closing = spans
    assert [kind for *_, kind in spans] == ["end", "rise", "rise", "fall", "fall", "none", "none", "end"]
    assert opening[0] == closing[0] == 0
    assert arrears[0] == pytest.approx(opening[1], abs=0.02)
    assert rolled[0] == pytest.approx(arrears[1], abs=0.02)
    assert cured[1] == pytest.approx(rolled[1], abs=0.02)
    assert paid[1] == pytest.approx(cured[0], abs=0.02)
    assert closing[1] == pytest.approx(paid[0], abs=0.02)
    assert max(end for _, end, _ in spans) <= 100
    assert "The scale does not begin at 0" in page.bridge_chart(metrics, bridges())


def test_scale_begins_at_zero_where_the_moves_are_large(metrics):
    table = bridges()
    table["points"] = [0.5, 3.0, 0.3, -0.15, -0.1, 0.0, 0.0, 3.55]
    html = page.bridge_chart(metrics, table)
    assert "does not begin at 0" not in html
    assert "cut" not in html


def test_finding_says_what_moved_it(metrics):
    caption = BeautifulSoup(page.bridge_chart(metrics, bridges()), "html.parser").figcaption.get_text()
    assert caption.replace("\u00a0", " ") == (
        "PAR30 rose from 3.46 % to 3.68 %: mainly new arrears (+0.36 points) and loans that rolled on "
        "(+0.10 points), against cures (−0.15 points) and payments (−0.10 points)."
    )


def test_a_par_that_stood_still_needs_no_explanation(metrics):
    table = bridges()
    table["points"] = [3.5, *[0.0] * 6, 3.5]
    assert explanation(bridge_rows(table, metrics, "PAR30")) == ""
    assert "PAR30 stayed at 3.50\u00a0%." in page.bridge_chart(metrics, table)


def test_a_par_that_was_zero(metrics):
    table = bridges()
    table["points"] = [0.0] * 8
    assert "PAR30 stayed at 0.00\u00a0%." in page.bridge_chart(metrics, table)


@pytest.mark.parametrize("lost", ["opening", "closing"])
def test_half_a_bridge_is_none(metrics, lost):
    table = bridges()
    html = page.bridge_chart(metrics, table[table["term"] != lost])
    assert html.startswith('<p class="absent">To see why the PARs moved, add')


def test_bridges_of_other_dates_are_not_shown(metrics):
    assert bridge_rows(bridges(), metrics | {"date": "2025-11-30"}, "PAR30") == []
    assert "absent" in page.bridge_chart(metrics, [])


def test_loans_are_listed_by_their_part_with_ids_cut_short(metrics):
    assert cells(page.bridge_loans_table(metrics, bridge_loans())) == [
        [
            "Loan", "Points", "What happened", "Company", "Product", "30+ days late before, USD",
            "30+ days late now, USD",
        ],
        ["01234567…", "+0.36", "New arrears", "Abaco Factoring", "Factoring", "0", "36"],
        ["Loan 2", "−0.15", "Cured", "Abaco Tech", "–", "15", "0"],
    ]  # fmt: skip
    assert "absent" in page.bridge_loans_table(metrics, bridge_loans().iloc[:0])


def test_hostile_names_are_escaped(metrics):
    loans = frame(
        "date kpi rank loan company product term before_usd after_usd points",
        (DATE, "PAR30", 1, "<b>", "<i>", "<u>", "<s>", 1.0, 2.0, 0.1),
    )
    html = page.bridge_loans_table(metrics, loans)
    assert not any(tag in html for tag in ("<b>", "<i>", "<u>", "<s>"))


@pytest.mark.parametrize(
    ("value", "shown"), [(0.5, "+0.50"), (-0.5, "−0.50"), (0.001, "0.00"), (-0.001, "0.00"), (None, "–")]
)
def test_signed(value, shown):
    assert signed(value) == shown
