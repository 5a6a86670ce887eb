"""Masthead and KPI cards."""

import re

import pytest
from bs4 import BeautifulSoup

from abaco.page import in_words, kpi_cards, masthead, reconciliation_table

from .example import front, kpi


def card(html, kpi):
    return re.search(rf'<article class="card \w+" data-kpi="{kpi}">.*?</article>', html, re.DOTALL)[0]


def text(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html).replace("&nbsp;", " ")).strip()


def seen(html):
    """Return the text of a card without its definition, which is folded away."""
    return text(re.sub(r"<details.*?</details>", "", html, flags=re.DOTALL))


def test_card_of_a_month_that_is_not_over_says_so(metrics):
    metrics["kpis"]["PAR30"]["partial_through"] = metrics["kpis"]["CollectionRate"]["partial_through"] = "2025-12-10"
    shown = kpi_cards(metrics, [])
    assert "days PAR30 partial month, up to 10 Dec 25 3.68 %" in text(card(shown, "PAR30")).replace("\u00a0", " ")
    assert "partial month" not in card(shown, "CollectionRate")  # it has no value


def test_masthead_says_what_figures_older_than_their_label_mean(metrics):
    shown = text(masthead(in_words(metrics)))
    assert (
        "labelled 31 December 2025, but the overdue dates of their loans show that they are those of 10 December"
        in shown
    )
    assert "in the last month covers only the days up to then." in shown


def test_masthead_is_silent_when_the_label_is_right(metrics):
    assert "labelled" not in masthead(metrics | {"as_of": "2025-12-31"})


def test_masthead_tells_the_size_of_the_book(metrics):
    metrics["kpis"]["ActiveBorrowers"] = kpi("Active borrowers", 3, unit="borrowers")
    assert "10,000 USD outstanding in 4 loans, 3 borrowers" in text(masthead(in_words(metrics)))


def test_reconciliation_tells_why_the_input_has_more_rows_than_loans(metrics):
    assert "The input has 5 rows for this date; 1 of them without a balance." in text(reconciliation_table(metrics))


def test_front_page_names_the_file_that_gives_the_tape_first(metrics):
    cash = metrics["inputs"][0] | {"name": "bank.csv", "used_for": "cash"}
    assert "Read from sample.csv and 1 other file" in text(front(metrics | {"inputs": [cash, *metrics["inputs"]]}))


@pytest.mark.parametrize(
    ("outstanding", "loans", "told"),
    [
        ("1.00", 1, "1 USD outstanding in 1 loan"),
        ("5.00", None, "5 USD outstanding"),
        (None, None, "The outstanding balance could not be computed."),
    ],
)
def test_masthead_tells_what_is_known_of_the_book(metrics, outstanding, loans, told):
    book = {"outstanding": outstanding, "loans_with_balance": loans, "rows": 1}
    assert text(masthead(metrics | {"book": book, "as_of": metrics["date"]})) == f"Loan book at 31 December 2025 {told}"


def test_card_with_everything(metrics):
    assert seen(card(kpi_cards(metrics, []), "PAR30")) == (
        "Portfolio at risk, 30 days PAR30 3.68 % ✓ OK ↑ up 0.21 points, worse "
        "from 3.46 % at 30 Nov 25 Warning above 5, critical above 8"
    )


def test_reason_stands_in_place_of_a_value(metrics):
    shown = card(kpi_cards(metrics, []), "CollectionRate")
    assert seen(shown) == (
        "Cash coverage CollectionRate No cash figures – Not computable Not computable at 30 Nov 25 "
        "Warning below 1.5, critical below 1"
    )
    assert 'class="value"' not in shown


def test_card_without_limits_or_past(metrics):
    metrics["kpis"]["PAR30"].update(thresholds=None, status="none", previous=None, change=None)
    assert seen(card(kpi_cards(metrics, []), "PAR30")) == (
        "Portfolio at risk, 30 days PAR30 3.68 % ○ No limits set No earlier date to compare with"
    )


def test_cards_stand_in_order(metrics):
    names = re.findall(r'data-kpi="(\w+)"', kpi_cards(metrics, []))
    assert names == ["PAR30", "PAR90", "CollectionRate", "PortfolioHealth"]


def test_unusual_move_is_marked(metrics):
    metrics["anomalies"] = [{"kpi": "PAR30", "previous": 1, "value": 3.6773, "change_pct": 41.5, "limit_pct": 25}]
    assert "Unusually large move" in text(card(kpi_cards(metrics, []), "PAR30"))
    assert "Unusual" not in card(kpi_cards(metrics, []), "PAR90")


def test_empty_portfolio_shows_no_zero(empty):
    assert 'class="value"' not in kpi_cards(empty, [])
    assert kpi_cards(empty, []).count("No balance is outstanding") == 4


def test_card_shows_its_course(metrics, history):
    shown = BeautifulSoup(card(kpi_cards(metrics, history), "PAR30"), "html.parser").svg
    assert shown["role"] == "img"
    assert shown["aria-label"].replace("\u00a0", " ") == (
        "Since 30 September 2025: lowest 3.46 % on 30 November 2025, highest 5.50 % on 30 September 2025"
    )


def test_definition_is_folded_into_its_card(metrics):
    found = BeautifulSoup(card(kpi_cards(metrics, []), "PAR30"), "html.parser").details
    assert found["id"] == "kpi-PAR30"
    assert not found.has_attr("open")
    assert [line.get_text() for line in found.find_all("p")] == [
        "Σ a / Σ b × 100", "Here: 367.73 / 10,000.00, from 4 rows.", "The whole balance of late loans.",
        "Lower is better; warning above 5, critical above 8.",
    ]  # fmt: skip
