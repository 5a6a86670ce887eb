"""The short table: what is past a limit first, then the book, then what moved most, each figure once."""

import pytest

from abaco.mail.selection import MOST_PAST, moved_most, past_limits, row, short_table
from tests.page.example import kpi


def report(**kpis):
    return {"kpis": kpis}


LIMITS = {"warning": 4, "critical": 8}


@pytest.fixture
def one_of_each():
    return report(
        Outstanding=kpi("Outstanding balance", 12345.67, unit="USD", direction=None, status="none", change=-2345.67,
                        precision=2),
        TopBorrower=kpi("Largest borrower", 5.0, status="warning", thresholds=LIMITS, change=1.0),
        NPL=kpi("Non-performing loans", 9.0, status="critical", thresholds=LIMITS, change=0.0),
        CureRate=kpi("Cure rate", 2.0, status="none", change=-2.0, direction="higher"),
        APR=kpi("Contract rate", 40.0, status="none", change=1.0),
    )  # fmt: skip


def plain(text):
    return text.replace("\u00a0", " ")


def test_groups_in_order_and_no_figure_twice(one_of_each):
    groups = {group["title"]: [one["title"] for one in group["rows"]] for group in short_table(one_of_each)}
    assert groups == {
        "Past a limit": ["Non-performing loans", "Largest borrower"],
        "The book": ["Outstanding balance"],
        "Moved most, in per cent of the value before": ["Cure rate", "Contract rate"],
    }


def test_row_past_a_limit_names_it_with_a_sign(one_of_each):
    found = row(one_of_each["kpis"]["TopBorrower"])
    assert (found["symbol"], found["limit"]) == ("!", "warning above 4")
    assert row(one_of_each["kpis"]["NPL"])["limit"] == "critical above 8"
    assert row(one_of_each["kpis"]["APR"])["limit"] == ""


def test_figure_exactly_on_its_limit_is_not_past_it():
    assert past_limits(report(A=kpi("A", 4.0, status="ok", thresholds=LIMITS))) == []


def test_large_amounts_are_in_whole_dollars_and_small_ones_to_the_cent(one_of_each):
    found = row(one_of_each["kpis"]["Outstanding"])
    assert (plain(found["value"]), plain(found["change"]["amount"])) == ("12,346 USD", "down 2,346 USD")
    small = row(kpi("Average ticket", 9999.99, unit="USD", precision=2, change=0.5, status="none"))
    assert (plain(small["value"]), plain(small["change"]["amount"])) == ("9,999.99 USD", "up 0.50 USD")


def test_unit_that_the_title_says_is_not_said_again():
    assert row(kpi("Active loans", 127.0, unit="loans", precision=0, status="none"))["value"] == "127"


def test_figure_that_cannot_be_computed_is_no_0():
    found = row(kpi("Cash", unit="USD", status="not_computable"))
    assert (found["value"], found["change"]) == ("Not computable", None)


def test_move_is_measured_against_what_the_figure_was():
    moves = report(
        A=kpi("A", 102.0, change=2.0), B=kpi("B", 3.0, change=1.0), C=kpi("C", 5.0, change=5.0),
        D=kpi("D", 1.0, change=0.0), E=kpi("E"), F=kpi("F", 1.0, change=-1.0),
    )  # fmt: skip
    assert moved_most(moves, leave_out=set()) == ["B", "F", "A"]  # C was 0, D stayed
    assert moved_most(moves, leave_out={"B"}, most=1) == ["F"]


def test_what_does_not_fit_is_counted():
    many = {f"K{i}": kpi(f"K{i}", 9.0, status="critical", thresholds=LIMITS) for i in range(MOST_PAST + 2)}
    (group,) = short_table(report(**many))
    assert len(group["rows"]) == MOST_PAST
    assert plain(group["note"]) == "And 2 further figures: see the full report."


def test_key_figures_of_the_cards_are_not_told_again_as_movers():
    assert short_table(report(PAR30=kpi("Portfolio at risk, 30 days", 3.0, change=1.0))) == []


def test_nothing_to_tell_gives_no_table():
    assert short_table(report()) == []
