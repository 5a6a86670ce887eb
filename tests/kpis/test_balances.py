"""Balances of each date, measure by measure, worked out by hand."""

from decimal import Decimal

import pytest

from abaco.kpis import balances
from tests.support.tapes import DECEMBER, NOVEMBER, book, shown

LATE = ("par_1_usd", "npl_usd", "gross_90_plus_usd")
THREE_LOANS = """
    measurement_date  loan_id  total_receivable_usd  days_past_due  written_off_usd  interest_rate
    2025-11-30        A-1      200.00                0              0.00             0.100000
    2025-12-31        A-1      100.00                91             0.00             0.100000
    2025-12-31        A-2      50.50                 1              0.00             -
    2025-12-31        A-3      0.00                  400            25.25            0.300000
"""


def measured(frame, text, *names, accounts=None):
    """Return the sums by date, in text."""
    found = balances.measure(book(frame, text, accounts=accounts or {}), names or balances.columns(), {})
    return {day: shown(total.sums) for day, total in found.items()}


def one(frame, text, *names):
    """Return the sums of December, in text."""
    return measured(frame, text, *names)[DECEMBER]


def loan(days="0", balance="100.00", written_off="5.00"):
    """Return a tape of one loan."""
    return f"""
        loan_id  total_receivable_usd  days_past_due  written_off_usd
        A-1      {balance}             {days}         {written_off}
    """


def test_every_measure_by_hand_and_no_date_with_another(frame):
    assert measured(frame, THREE_LOANS) == {
        NOVEMBER: {
            "par_1_usd": "0.00",
            "par_30_restructured_usd": None,
            "npl_usd": "0.00",
            "gross_usd": "200.00",
            "gross_90_plus_usd": "0.00",
            "active_loans": "1",
            "rate_weighted_usd": "20.00",
            "rated_usd": "200.00",
        },
        DECEMBER: {
            "par_1_usd": "150.50",
            "par_30_restructured_usd": None,  # nobody says it of any loan
            "npl_usd": "100.00",
            "gross_usd": "175.75",  # 100.00 + 50.50 + 25.25
            "gross_90_plus_usd": "125.25",  # 100.00 + 25.25
            "active_loans": "2",
            "rate_weighted_usd": "10.00",  # A-2 has no rate, A-3 no balance
            "rated_usd": "100.00",
        },
    }


@pytest.mark.parametrize(
    ("days", "par_1", "npl", "gross_90_plus"),
    [
        ("0", "0.00", "0.00", "0.00"),
        ("1", "100.00", "0.00", "0.00"),
        ("89", "100.00", "0.00", "0.00"),
        ("90", "100.00", "0.00", "105.00"),
        ("91", "100.00", "100.00", "105.00"),
    ],
)
def test_loan_counts_from_the_very_day(frame, days, par_1, npl, gross_90_plus):
    found = one(frame, loan(days), *LATE)
    assert tuple(found.values()) == (par_1, npl, gross_90_plus)


def test_days_unknown_of_a_loan_with_a_balance_make_nothing_of_it_known(frame):
    text = f"{loan('40').rstrip()}\n        A-2      1.00    -    0.00\n"
    assert one(frame, text, *LATE) == dict.fromkeys(LATE)


def test_days_unknown_of_a_loan_without_a_balance_do_not_matter(frame):
    text = f"{loan('91').rstrip()}\n        A-2      0.00    -    0.00\n"
    assert one(frame, text, *LATE) == {"par_1_usd": "100.00", "npl_usd": "100.00", "gross_90_plus_usd": "105.00"}


def test_days_unknown_of_a_loan_that_is_written_off_matter_to_the_gross_balance_alone(frame):
    found = one(frame, loan("-", balance="0.00"), *LATE)
    assert found == {"par_1_usd": "0.00", "npl_usd": "0.00", "gross_90_plus_usd": None}


@pytest.mark.parametrize("days", ["90", "-"])
def test_written_off_unknown_of_a_late_loan_leaves_no_gross_balance(frame, days):
    found = one(frame, loan(days, written_off="-"), "gross_usd", "gross_90_plus_usd")
    assert found == {"gross_usd": None, "gross_90_plus_usd": None}


def test_written_off_unknown_of_a_loan_that_is_not_late_adds_nothing_90_days_late(frame):
    found = one(frame, loan("89", written_off="-"), "gross_usd", "gross_90_plus_usd")
    assert found == {"gross_usd": None, "gross_90_plus_usd": "0.00"}


def test_book_without_a_balance_has_zeros_and_no_rate(frame):
    found = one(frame, loan("5", balance="0.00", written_off="0.00"))
    zeros = dict.fromkeys(("par_1_usd", "par_30_restructured_usd", "npl_usd", "gross_usd", "gross_90_plus_usd"), "0.00")
    assert found == {**zeros, "active_loans": "0", "rate_weighted_usd": None, "rated_usd": None}


def test_rows_without_loan_ids_are_no_number_of_loans(frame):
    text = "loan_id  total_receivable_usd\n-  100.00\n"
    assert one(frame, text, "total_receivable_usd", "active_loans") == {
        "total_receivable_usd": "100.00",
        "active_loans": None,
    }


def test_cent_is_a_balance(frame):
    assert one(frame, loan("1", balance="0.01"), "par_1_usd", "active_loans") == {
        "par_1_usd": "0.01",
        "active_loans": "1",
    }


def test_rates_weigh_by_what_is_owed_and_only_where_they_are_known(frame):
    text = """
        loan_id  total_receivable_usd  interest_rate
        A-1      1000.00               0.405000
        A-2      333.33                2.123457
        A-3      500.00                -
        A-4      10.00                 0.000000
    """
    found = one(frame, text, "rate_weighted_usd", "rated_usd")
    # 405.00 + 333.33 · 2.123457 = 405.00 + 707.81192181
    assert found == {"rate_weighted_usd": "1112.81", "rated_usd": "1343.33"}


def test_rates_missing_for_all_loans_give_none(frame):
    text = "loan_id  total_receivable_usd\nA-1  100.00\n"
    assert one(frame, text, "rate_weighted_usd", "rated_usd") == {"rate_weighted_usd": None, "rated_usd": None}


def test_statement_of_the_same_date_fills_cash_that_the_tape_lacks(frame):
    text = "measurement_date  loan_id  total_receivable_usd\n2025-11-30  A-1  5.00\n2025-12-31  A-1  5.00\n"
    accounts = {DECEMBER: {"cash_usd": Decimal("7.25")}}
    found = measured(frame, text, "cash_available_usd", accounts=accounts)
    assert found == {NOVEMBER: {"cash_available_usd": None}, DECEMBER: {"cash_available_usd": "7.25"}}


def test_cash_of_the_tape_wins_over_the_statement(frame):
    text = "loan_id  total_receivable_usd  cash_available_usd\nA-1  5.00  0.00\n"
    found = measured(frame, text, "cash_available_usd", accounts={DECEMBER: {"cash_usd": Decimal("7.25")}})
    assert found == {DECEMBER: {"cash_available_usd": "0.00"}}


def test_rows_are_counted_with_a_value_and_without(frame):
    found = balances.measure(book(frame, THREE_LOANS), ("rated_usd", "gross_usd"), {})[DECEMBER]
    assert (found.rows, found.counts) == (3, {"rated_usd": 1, "gross_usd": 3})


def test_empty_tape_has_no_dates(frame):
    assert measured(frame, "loan_id  total_receivable_usd\n", *balances.MEASURES) == {}


def test_restructured_loan_counts_late_or_not_and_another_from_30_days(frame):
    """A-1 and A-4 are restructured; A-3 is late by exactly 30 days. Of A-5 nothing is said, and nothing is owed."""
    text = """
        loan_id  total_receivable_usd  days_past_due  restructured
        A-1      100.00                0              true
        A-2      50.00                 29             false
        A-3      20.50                 30             false
        A-4      7.00                  400            true
        A-5      0.00                  0              -
    """
    assert one(frame, text, "par_30_restructured_usd") == {"par_30_restructured_usd": "127.50"}
    unsaid = text.replace("29             false", "29             -")
    assert one(frame, unsaid, "par_30_restructured_usd") == {"par_30_restructured_usd": None}
