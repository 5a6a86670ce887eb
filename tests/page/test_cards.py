"""Masthead and KPI cards."""

import re

from abaco.page import kpi_cards, masthead


def card(html, kpi):
    return re.search(rf'<article class="card \w+" data-kpi="{kpi}">.*?</article>', html, re.DOTALL)[0]


def text(html):
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html).replace("&nbsp;", " ")).strip()


def test_masthead_says_when_figures_are_older_than_their_label(metrics):
    assert "Figures as of 10 December 2025, labelled 31 December 2025." in text(masthead(metrics))
    assert "10,000.00 USD outstanding in 4 loans with a balance." in text(masthead(metrics))


def test_masthead_is_silent_when_the_label_is_right(metrics):
    for as_of in ("2025-12-31", None):
        assert "labelled" not in masthead(metrics | {"as_of": as_of})


def test_masthead_of_one_loan(metrics):
    book = {"outstanding": "1.00", "loans_with_balance": 1, "rows": 1}
    assert text(masthead(metrics | {"book": book})).endswith("1.00 USD outstanding in 1 loan with a balance.")


def test_masthead_without_a_balance_or_loan_ids(metrics):
    book = {"outstanding": None, "loans_with_balance": None, "rows": 0}
    assert text(masthead(metrics | {"book": book})).endswith("The outstanding balance could not be computed.")
    book = {"outstanding": "5.00", "loans_with_balance": None, "rows": 1}
    assert text(masthead(metrics | {"book": book})).endswith("5.00 USD outstanding.")


def test_card_with_everything(metrics):
    assert text(card(kpi_cards(metrics), "PAR30")) == (
        "Portfolio at risk, 30 days PAR30 3.68 % ✓ OK ↑ up 0.21 points, worse "
        "from 3.46 % at 30 November 2025 Warning above 5, critical above 8"
    )


def test_reason_stands_in_place_of_a_value(metrics):
    shown = card(kpi_cards(metrics), "CollectionRate")
    assert text(shown) == (
        "Collection rate CollectionRate no cash figures – Not computable Not computable at 30 November 2025 "
        "Warning below 1.5, critical below 1"
    )
    assert 'class="value"' not in shown


def test_card_without_limits_or_past(metrics):
    assert text(card(kpi_cards(metrics), "PAR60")) == (
        "Portfolio at risk, 60 days PAR60 3.50 % ○ No limits set No earlier date to compare with"
    )


def test_cards_stand_in_order(metrics):
    names = re.findall(r'data-kpi="(\w+)"', kpi_cards(metrics))
    assert names == ["PAR30", "PAR90", "CollectionRate", "PortfolioHealth", "PAR60"]


def test_unusual_move_is_marked(metrics):
    metrics["anomalies"] = [
        {"kpi": "PAR30", "previous": 1, "value": 3.6773, "change_pct": 41.5, "limit_pct": 25}
    ]
    assert "Unusual move: 41.5 %" in text(card(kpi_cards(metrics), "PAR30"))
    assert "Unusual" not in card(kpi_cards(metrics), "PAR90")


def test_empty_portfolio_shows_no_zero(empty):
    assert 'class="value"' not in kpi_cards(empty)
    assert kpi_cards(empty).count("no balance is outstanding") == 5
