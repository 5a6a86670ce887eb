"""Every table of the page."""

import datetime
from decimal import Decimal

import pandas as pd
import pytest
from bs4 import BeautifulSoup

from abaco import page
from abaco.page.glossary import definition
from abaco.page.tables import cell


def rows(html):
    """Return a table's rows as lists of texts."""
    table = BeautifulSoup(html, "html.parser").table
    return [
        [" ".join(cell.get_text().replace("\u2060", "").split()) for cell in row.find_all(["th", "td"])]
        for row in table.find_all("tr")
    ]


def test_tables_have_a_caption_and_scopes():
    soup = BeautifulSoup(page.figures("Rows by reason", ["Reason", "Rows"], [["late", "2"]]), "html.parser")
    assert soup.caption.get_text() == "Rows by reason"
    assert [th["scope"] for th in soup.find_all("th")] == ["col", "col", "row"]
    assert soup.td["class"] == ["n"]
    assert soup.div["tabindex"] == "0"


def test_caption_is_read_out_once_and_seen_once():
    soup = BeautifulSoup(page.figures("Rows by reason", ["Reason", "Rows"], [["late", "2"]]), "html.parser")
    assert soup.caption["class"] == ["unseen"]
    assert soup.p.get_text() == "Rows by reason"
    assert soup.p["aria-hidden"] == "true"
    assert BeautifulSoup(page.figures("A", ["B"], [["c"]], quiet=True), "html.parser").p is None


def test_aging(metrics):
    assert rows(page.aging_table(metrics)) == [
        ["Days past due", "Bar", "Share", "USD", "This late or later", "This late or later, USD"],
        ["0–6 days", "", "90.00 %", "9,000", "100.00 %", "10,000"],
        ["7–29 days", "", "6.32 %", "632", "10.00 %", "1,000"],
        ["30–59 days", "", "0.18 %", "18", "3.68 %", "368"],
        ["60–89 days", "", "0.25 %", "25", "3.50 %", "350"],
        ["90+ days", "", "3.25 %", "325", "3.25 %", "325"],
        ["All", "", "100.00 %", "10,000", "", ""],
    ]
    assert (
        "368\u00a0USD of 10,000\u00a0USD is 30 days late or more: 3.68\u00a0% of the aged balance."
        in page.aging_table(metrics)
    )


def test_aging_of_an_empty_book_is_a_sentence(empty):
    assert page.aging_table(empty).startswith('<p class="sentence">No balance is outstanding')
    assert "<table" not in page.aging_table(empty | {"aging": []})


def test_history_is_newest_first_and_marks_are_words_too(metrics, history):
    assert rows(page.history_table(metrics, history)) == [
        ["Date", "PAR30, %", "PAR90, %", "CollectionRate, %", "PortfolioHealth, of 10"],
        ["10 December 2025", "3.68", "!Warning: 3.25", "–Not computable", "–Not computable"],
        ["30 November 2025", "3.46", "3.50", "–", "–"],
        ["31 October 2025", "–Not computable", "3.00", "–", "–"],
        ["30 September 2025", "!Warning: 5.50", "2.75", "–", "–"],
    ]


def test_history_of_the_others_has_a_row_a_figure(metrics, history):
    history.append({"date": "2025-11-30", "kpi": "PAR60", "value": 3.25, "status": "none"})
    others = page.history_table(metrics, history).split('<p class="caption"')[2]
    assert rows(others) == [
        ["Figure", "10 Dec 25", "30 Nov 25", "31 Oct 25", "30 Sep 25"],
        ["Portfolio at risk, 60 days, %", "3.50", "3.25", "–", "–"],
    ]


def test_unit_that_the_title_says_is_not_said_again(metrics, history):
    metrics["kpis"]["PAR60"].update(title="Active loans", unit="loans", precision=0, value=127)
    assert rows(page.history_table(metrics, history).split('<p class="caption"')[2])[1][:2] == ["Active loans", "127"]


def test_history_from_a_frame_is_the_same(metrics, history):
    frame = pd.DataFrame(history)
    frame["date"] = [datetime.date.fromisoformat(date) for date in frame["date"]]
    assert page.history_table(metrics, frame) == page.history_table(metrics, history)


def test_history_shows_the_last_dates_only(metrics, history):
    html = page.history_table(metrics, history, dates=2)
    assert [row[0] for row in rows(html)] == ["Date", "10 December 2025", "30 November 2025"]
    assert "2\u00a0earlier dates are not shown." in html


def test_history_has_no_hindsight(metrics, history):
    later = {"date": "2026-01-31", "kpi": "PAR30", "value": 9.9, "status": "critical"}
    assert page.history_table(metrics, [*history, later]) == page.history_table(metrics, history)


def test_history_of_one_date(metrics):
    assert [row[0] for row in rows(page.history_table(metrics, []))] == ["Date", "10 December 2025"]


def test_reconciliation_adds_up(metrics):
    html = page.reconciliation_table(metrics)
    assert page.reconciles(metrics["reconciliation"])
    assert "It adds up: 1,000 + 6 + 1 + 0 + 3 = 1,010\u00a0rows, and " in html
    assert "10,000.00 + 500.10 + 500.10 + 0.00 + 1,000.20 = 12,000.40\u00a0USD." in html
    assert rows(html) == [
        ["What became of them", "Rows of all dates", "Balances of all dates added up, USD"],
        ["Accepted", "1,000", "10,000.00"],
        ["Rejected: could not be used", "6", "500.10"],
        ["Dropped: copies of another row", "1", "500.10"],
        ["Left out: totals of other rows", "0", "0.00"],
        ["Left out: dated after 31 December 2025", "3", "1,000.20"],
        ["Came in", "1,010", "12,000.40"],
    ]
    assert "2 rows have no amount that can be read" in html
    assert "they are not the size of the book." in html


@pytest.mark.parametrize(
    ("part", "value", "said"),
    [
        ("accepted", 999, "1,010\u00a0rows came in and 1,009 were found again (difference 1)"),
        (
            "amount_later",
            "1000.21",
            "12,000.40\u00a0USD came in and 12,000.41\u00a0USD were found again (difference −0.01\u00a0USD)",
        ),
    ],
)
def test_reconciliation_that_fails_is_loud(metrics, part, value, said):
    metrics["reconciliation"][part] = value
    html = page.reconciliation_table(metrics)
    assert not page.reconciles(metrics["reconciliation"])
    assert 'class="alarm"' in html
    assert "IT DOES NOT ADD UP." in html
    assert said in html


def test_quality(metrics):
    html = page.data_quality(page.in_words(metrics))
    assert "0.59\u00a0% of the rows were rejected; the run stops above 5\u00a0%." in html
    assert "1\u00a0row has aging buckets that do not add up to the receivable, by 3.10\u00a0USD in all." in html
    assert "1\u00a0balance beyond 25 times the mean balance, and 2\u00a0balances below" in html
    assert "Personal data (the borrower&#39;s name and the borrower&#39;s email) is replaced by keyed tokens" in html
    assert "Columns that are not read, of <code>sample.csv</code>: <code>collector_note</code>." in html
    assert rows(html) == [["Reason", "Rows"], ["Amount: negative", "4"], ["The measurement date: not a date", "2"]]
    assert "region" not in html


def test_empty_cells_are_named_in_words(metrics):
    html = page.data_quality(metrics).split('<p class="caption"')[2]
    assert rows(html) == [["What is empty", "Rows"], ["Cash on hand", "4"]]


def test_cash_that_statements_give_is_not_called_empty(metrics):
    metrics["inputs"].append(metrics["inputs"][0] | {"name": "bank.csv", "used_for": "cash"})
    metrics["kpis"]["CollectionRate"].update(value=2.0, status="ok")
    html = page.data_quality(page.in_words(metrics))
    assert "Cash on hand comes from the financial statements; the loan rows carry none." in html
    assert "What is empty" not in html


def test_quality_of_clean_data(metrics):
    metrics["quality"].update(rejects={}, nulls={}, unbalanced_rows=0, columns_left_behind={}, pii_columns=[])
    html = page.data_quality(metrics)
    assert "In every row the aging buckets add up to the receivable." in html
    assert "The input holds no personal columns." in html
    assert "<table" not in html


def test_redaction_is_told_from_tokens(metrics):
    metrics["quality"].update(masking="redacted", pii_columns=["email"])
    assert "Personal data (email) is blacked out, since no masking key was set." in page.data_quality(metrics)


def test_missing_names_each_addition_once(metrics):
    html = page.missing_list(page.in_words(metrics))
    assert html.count("<li>") == 1
    assert (
        "<strong>Cash coverage (CollectionRate) and Arrears-and-cash index (PortfolioHealth)</strong>, "
        "add a financial statement of that date with its cash"
    ) in html
    assert "Nothing is missing" in page.missing_list(metrics | {"missing": []})


def test_definition_says_how_a_figure_is_judged_and_why_it_is_not_computable(metrics):
    kpis = metrics["kpis"]
    lost = definition("CollectionRate", kpis["CollectionRate"], "Cash coverage")
    assert "Higher is better; warning below 1.5, critical below 1." in lost
    assert "Not computable: no cash figures." in lost
    assert "Neither high nor low is better." in definition("PAR60", kpis["PAR60"] | {"direction": None}, "PAR60")


def test_provenance(metrics):
    html = page.provenance(metrics)
    assert "<code>20251231-3fa9c1d2e4b0</code>" in html
    assert rows(html)[1] == ["sample.csv", "canonical snapshot", "snapshot.yml", "tape", "ab" * 32, "1,010", "81,234"]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (None, "–"), (float("nan"), "–"), (True, "True"), ("abc", "abc"), (1234, "1,234"),
        (Decimal("1234.5"), "1,234.50"), (0.12345, "0.1235"),
        (datetime.date(2025, 12, 31), "31\u00a0December\u00a02025"),
    ],
)  # fmt: skip
def test_cell(value, shown):
    assert cell(value) == shown


def test_frame_of_an_analyst():
    frame = pd.DataFrame({"region": ["North", "South"], "usd": [Decimal("1.50"), None], "loans": [1200, 3]})
    assert rows(page.frame_table(frame, "By region")) == [
        ["region", "usd", "loans"], ["North", "1.50", "1,200"], ["South", "–", "3"],
    ]  # fmt: skip
