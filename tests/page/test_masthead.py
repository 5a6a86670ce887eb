"""A book that nobody dated, and figures of a month that is not over: told where they are read, in both languages."""

import re

import pytest

from abaco import mail, page
from abaco.page import in_words
from abaco.page.markup import Html

from .example import front, judged, kpi


def text(html: Html) -> str:
    return str(html).replace("&nbsp;", " ").replace("\u00a0", " ")


@pytest.fixture
def undated(metrics):
    """The report of a loans export alone, of which three loans were lent after the date."""
    metrics["as_of"] = None
    return metrics


@pytest.fixture
def partial(metrics):
    """The report with two figures of the month, which the figures do not reach to the end of."""
    month = {"partial_through": "2025-12-10", "group": "write-off", "previous": {"date": "2025-11-30", "value": 1.0}}
    metrics["kpis"] |= {
        "WriteOffRate": kpi("Newly written off", 3.0, status="warning", change=2.0,
                            thresholds={"warning": 2, "critical": 3.5}, **month),
        "Disbursed": kpi("Disbursed in the month", 9.0, status="none", unit="USD", change=-1.0, **month),
    }  # fmt: skip
    return judged(metrics)


def test_undated_book_carries_its_date_as_a_label_alone(undated):
    assert "<h1>Loan book labelled 31 December 2025</h1>" in text(page.masthead(undated))


def test_undated_book_is_an_alarm_in_the_conclusion(undated):
    alarm = (
        '<p class="alarm">These are not the figures of 31 December 2025: the loans export carries no date, so balances '
        "and days past due are those of the day it was made. That day is later than 31 December 2025: the export "
        "holds 3 loans lent after it, left out here. Add balances of 31 December 2025 to see the book of that date, "
        "or give its mapping their day as measurement_date.</p>"
    )
    assert alarm in text(front(undated))
    undated["reconciliation"] |= {"later": 0, "accepted": 1003}
    assert "That day is later" not in text(front(undated))


def test_dated_book_is_none(metrics):
    assert "These are not the figures" not in text(front(metrics))


@pytest.mark.parametrize(
    ("language", "subject", "alarm"),
    [
        (
            "en", "PAR30 3.68 % (+0.21) · incomplete · Loan book labelled 31 December 2025",
            "These are not the figures of 31 December 2025",
        ),
        (
            "es", "PAR30 3.68 % (+0.21) · incompleto · Cartera con fecha nominal 31 de diciembre de 2025",
            "Estas no son las cifras del",
        ),
    ],
)  # fmt: skip
def test_undated_book_says_so_in_the_email(undated, history, language, subject, alarm):
    letter = mail.compose(undated, history, [], language=language)
    assert letter.subject == subject
    html = letter.html(sources=dict.fromkeys(("trend", "aging"), "x.png"), report="report.html", link=True)
    assert alarm in text(html)
    assert alarm in " ".join(letter.text(report="report.html").split())


def test_partial_month_is_told_in_the_conclusion(partial):
    told = text(front(partial))
    assert "Newly written off 3.00 % · limit 2 (partial month)</li>" in told
    assert told.count("partial month") == 1


def test_partial_month_is_told_beside_each_figure_of_the_page(partial, history):
    for part in (page.kpi_tables, page.history_table):
        told = text(part(in_words(partial), history))
        assert told.count('<span class="partial">partial month, up to 10 Dec 25</span>') == 2


def test_change_of_a_partial_month_is_marked_and_not_judged(partial):
    told = text(page.kpi_tables(in_words(partial), []))
    assert '↑</span> up 2.00 points, <span class="muted">partial month</span>' in told
    assert "worse" not in told


def test_partial_month_is_told_in_the_email(partial, history):
    letter = mail.compose(partial, history, [])
    assert "newly written off at 3.00 % (warning above 2; partial month)" in " ".join(
        letter.text(report="report.html").split()
    )


def test_partial_month_of_a_key_figure_is_told_in_the_email(metrics, history):
    metrics["kpis"]["PAR30"]["partial_through"] = "2025-12-10"
    letter = mail.compose(metrics, history, [])
    html = letter.html(sources=dict.fromkeys(("trend", "aging"), "x.png"), report="report.html", link=True)
    for form in (text(html), " ".join(letter.text(report="report.html").split())):
        assert form.count("partial month, up to 10 Dec 25") == 1


def test_undated_book_in_spanish(undated, spanish):
    undated["reconciliation"] |= {"later": 1, "accepted": 1002}
    assert "trae 1 préstamo de desembolso posterior" in text(front(undated))


def test_partial_month_in_spanish(partial, history, spanish):
    assert "mes parcial, hasta el 10 dic 25" in text(page.kpi_tables(in_words(partial), history))


def test_balances_that_may_hold_what_was_written_off_are_told_in_a_sentence_of_their_own(undated):
    undated["reason_codes"]["notes"].append({"code": "balances_of_loans"})
    assert re.search(
        r"outstanding in [\w, ]+\. <strong>The balances come from the loans export", text(page.masthead(undated))
    )
