"""Contract rates with and without fees: what the loans tell of their own rates, by hand."""

import pytest

from abaco.core.reasons import Reason
from abaco.kpis.pricing import basis_note

from .books import book, found, reason

TAPE = """
    measurement_date  loan_id  total_receivable_usd  interest_rate
    2025-03-31        A - 1    1000.00               0.365000
    2025-03-31        A - 2    3000.00               0.200000
    2025-03-31        A - 3    0.00                  0.900000
"""
NAMES = ("rate_with_fees_weighted_usd", "rate_without_fees_weighted_usd", "rate_parts_usd")
HEADING = "loan_id  disburse_date  disburse_principal  interest_rate  total_interest  total_fees  term"


def loans(*rows):
    return "\n".join([HEADING, *(f"{loan}  2025-01-01  1000.00  {'  '.join(rest)}" for loan, *rest in rows)])


# 100 days: 0.365 / 365 · 100 · 1,000 = 100 of interest and fees; 0.20 / 365 · 73 · 1,000 = 40
HELD = (("A - 1", "0.365000", "75.00", "25.00", "100"), ("A - 2", "0.200000", "30.00", "10.00", "73"))
# the same interest with fees on top: 100 and 40 of interest
BARE = (("A - 1", "0.365000", "100.00", "25.00", "100"), ("A - 2", "0.200000", "40.00", "10.00", "73"))


def test_rates_that_hold_fees_lose_them_for_the_rate_without(frame):
    """1,000 · 0.365 + 3,000 · 0.2 = 965; three quarters of each is interest: 723.75."""
    march = book(frame, tape=TAPE, loans=loans(*HELD))
    assert found(march, *NAMES) == ["965.00", "723.75", "4000.00"]
    assert basis_note(march) == Reason("rates_hold_fees")


def test_rates_without_fees_gain_them_for_the_rate_with(frame):
    """1,000 · 0.365 · 1.25 + 3,000 · 0.2 · 1.25 = 1,206.25."""
    march = book(frame, tape=TAPE, loans=loans(*BARE))
    assert found(march, *NAMES) == ["1206.25", "965.00", "4000.00"]
    assert basis_note(march) is None


def test_rates_of_loans_of_a_hundred_trillion_are_exact(frame):
    """The first book times 10^11, but for the cent that three quarters of 0.2 leave."""
    zeros = "00000000000.00"
    large = [(*row[:2], *(usd.replace(".00", zeros) for usd in row[2:4]), row[4]) for row in HELD]
    tape = TAPE.replace("1000.00", "100000000000000.00").replace("3000.00", "300000000000000.00")
    text = loans(*large).replace("1000.00", "100000000000000.00")
    assert found(book(frame, tape=tape, loans=text), *NAMES) == [
        "96500000000000.00", "72375000000000.00", "400000000000000.00"
    ]  # fmt: skip


def test_year_of_360_days_is_told_as_well(frame):
    """0.36 / 360 · 100 · 1,000 = 100 of interest."""
    march = book(frame, tape=TAPE, loans=loans(("A - 1", "0.360000", "100.00", "20.00", "100")))
    assert found(march, *NAMES) == ["432.00", "360.00", "1000.00"]


def test_loan_without_interest_and_fees_is_left_out_of_both(frame):
    march = book(frame, tape=TAPE, loans=loans(HELD[0], ("A - 2", "0.200000", "0.00", "0.00", "73")))
    assert found(march, *NAMES) == ["365.00", "273.75", "1000.00"]


@pytest.mark.parametrize(
    "rows",
    [
        (HELD[0], BARE[1]),  # one of each
        (("A - 1", "0.365000", "55.00", "5.00", "100"), ("A - 2", "0.200000", "22.00", "2.00", "73")),  # instalments
        (("A - 1", "0.365000", "100.00", "0.00", "100"),),  # no fees: both bases are one
    ],
)
def test_rates_that_do_not_tell_are_not_guessed(frame, rows):
    march = book(frame, tape=TAPE, loans=loans(*rows))
    told = "interest and fees of the loans do not show whether the contract rates include fees"
    assert [reason(march, name) for name in NAMES] == [told] * 3


def test_without_the_columns_nothing_is_known(frame):
    plain = "\n".join("  ".join(line.split("  ")[:4]) for line in loans(*HELD).splitlines())
    for exports in ({}, {"loans": plain}):
        assert "the input does not give" in reason(book(frame, tape=TAPE, **exports), NAMES[0])
