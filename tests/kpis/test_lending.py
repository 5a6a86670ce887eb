"""What was lent in the month: all loans of the export, those that never reached the tape too."""

import datetime as dt

from .books import book, found, reason

LOANS = """
    loan_id  disburse_date  disburse_principal  interest_rate
    A - 1    2025-02-28     50.00               0.900000
    A - 2    2025-03-01     100.00              0.300000
    A - 3    2025-03-31     300.00              0.500000
    A - 4    2025-03-31     600.00              -
"""
NAMES = ("month_disbursed_usd", "month_loans", "month_rate_weighted_usd", "month_rated_usd")


def test_lent_in_the_month(frame):
    # 100 · 0.3 + 300 · 0.5
    assert found(book(frame, loans=LOANS), *NAMES) == ["1000.00", "3", "180.00", "400.00"]


def test_lent_since_january_and_in_twelve_months(frame):
    """Since January: 50 · 0.9 + 100 · 0.3 + 300 · 0.5; in twelve months 1,000 · 0.2 more, lent on 1 April."""
    earlier = """
        A - 5    2024-04-01     1000.00             0.200000
        A - 6    2024-03-31     9000.00             0.700000
    """
    names = [f"{span}_{name}" for span in ("this_year", "year") for name in ("rate_weighted_usd", "rated_usd")]
    assert found(book(frame, loans=LOANS.rstrip() + earlier), *names) == ["225.00", "450.00", "425.00", "1450.00"]
    assert reason(book(frame, loans=LOANS), "year_rated_usd") == (
        "the loans reach back only to 2025-02-28, too short for the figures"
    )


def test_a_product_keeps_all_its_places_until_the_end(frame):
    thirds = """
        loan_id  disburse_date  disburse_principal  interest_rate
        A - 1    2025-03-01     0.03                0.166665
        A - 2    2025-03-01     0.03                0.166665
    """
    assert found(book(frame, loans=thirds), "month_rate_weighted_usd") == "0.01"  # 0.0099999


def test_lent_counts_up_to_the_day_that_the_figures_are_from(frame):
    march = book(frame, loans=LOANS, as_of=dt.date(2025, 3, 30))
    assert found(march, *NAMES[:2]) == ["100.00", "1"]


def test_a_month_in_which_nothing_was_lent_is_zero_and_one_before_the_export_is_unknown(frame):
    assert found(book(frame, loans="\n".join(LOANS.splitlines()[:3])), *NAMES[:2]) == ["0.00", "0"]
    later = book(frame, loans="\n".join(LOANS.splitlines()[:2]) + "\n    A - 9  2025-04-01  1.00  0.100000")
    assert reason(later, "month_loans") == ("the loans reach back only to 2025-04-01, too short for the figures")


def test_without_known_rates_there_is_no_weight(frame):
    unknown = book(frame, loans="\n".join([*LOANS.splitlines()[:2], LOANS.splitlines()[5]]))
    assert found(unknown, *NAMES) == ["600.00", "1", None, None]


def test_a_disbursement_of_an_unknown_amount_leaves_no_sum_of_its_month(frame):
    unknown = book(frame, loans=LOANS.rstrip() + "\n    A - 5    2025-03-02     -                   0.100000")
    assert found(unknown, *NAMES) == [None, "4", "180.00", "400.00"]
    assert reason(unknown, "month_disbursed_usd") == (
        "the loans have rows from 2025-03-01 to 2025-03-31 whose principal cannot be read (1)"
    )


def test_without_the_export_nothing_is_known(frame):
    for exports in ({}, {"loans": LOANS.splitlines()[1]}):
        assert found(book(frame, **exports), *NAMES) == [None] * 4


def test_a_tape_made_of_the_loans_export_tells_it(frame):
    tape = """
        measurement_date  loan_id  total_receivable_usd  disbursed_on  disbursed_usd  interest_rate
        2025-03-31        A - 1    10.00                 2025-03-10    100.00         0.300000
        2025-03-31        A - 2    10.00                 2025-02-10    100.00         0.300000
    """
    assert found(book(frame, tape=tape), *NAMES) == ["100.00", "1", "30.00", "100.00"]
