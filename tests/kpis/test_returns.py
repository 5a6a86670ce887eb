"""Twelve months of payments against twelve month-ends: neither more nor less, closed loans included."""

import datetime as dt
from decimal import Decimal

import pytest

from abaco.core.dates import months_before
from abaco.core.errors import NotComputableError
from abaco.kpis.returns import mean_balance, year_up_to

from .books import book, found, reason

NAMES = ("year_interest_usd", "year_fees_usd", "year_principal_usd")
MARCH = dt.date(2025, 3, 31)
ENDS = [months_before(MARCH, months) for months in range(12)]


def year(frame, *rows, **more):
    lines = (f"A - 1  PAYMENT  {day}  {principal}  {interest}  {fees}" for day, principal, interest, fees in rows)
    heading = "loan_id  transaction_type  date_paid  principal  interest  fees"
    return book(frame, transactions="\n".join([heading, *lines]), **more)


def test_a_year_has_twelve_months_and_what_closed_loans_paid_counts(frame):
    rows = [
        ("2024-03-31", "1.00", "1.00", "1.00"),  # a day too early
        ("2024-04-01", "10.00", "2.00", "0.50"),
        ("2024-09-15", "20.00", "-1.00", "0.00"),  # a rebate; A - 1 is on no tape since
        ("2025-03-31", "40.00", "8.00", "0.25"),
    ]
    assert found(year(frame, *rows), *NAMES) == ["9.00", "0.75", "70.00"]


def test_a_year_up_to_the_day_that_the_figures_are_from(frame):
    rows = [
        ("2024-03-10", "1.00", "1.00", "1.00"),
        ("2024-03-11", "10.00", "2.00", "0.50"),
        ("2025-03-10", "20.00", "4.00", "0.00"),
        ("2025-03-11", "40.00", "8.00", "0.25"),
    ]
    assert found(year(frame, *rows, as_of=dt.date(2025, 3, 10)), *NAMES) == ["6.00", "0.50", "30.00"]


def test_twelve_months_are_needed(frame):
    enough = [("2024-04-30", "1.00", "1.00", "1.00"), ("2025-03-01", "1.00", "1.00", "1.00")]
    assert found(year(frame, *enough), *NAMES) == ["2.00"] * 3
    late = [("2024-05-01", "1.00", "1.00", "1.00"), ("2025-03-01", "1.00", "1.00", "1.00")]
    for name in NAMES:
        assert reason(year(frame, *late), name) == (
            "the transactions reach back only to 2024-05-01, too short for the figures"
        )
    assert reason(year(frame, enough[0]), NAMES[0]) == ("the transactions end on 2024-04-30, too early for the figures")


def test_days_from_lending_to_payment_are_weighted_by_principal(frame):
    """30 for 90 days and 10 for 10: 2,800 over 40 is 70 days; A - 9 was lent on a day that nobody knows."""
    transactions = """
        loan_id  transaction_type  date_paid   principal  interest  fees
        A - 1    PAYMENT           2024-03-31  500.00     0.00      0.00
        A - 1    PAYMENT           2024-12-30  30.00      5.00      0.00
        A - 2    PAYMENT           2025-03-11  10.00      0.00      0.00
        A - 9    PAYMENT           2025-03-11  70.00      0.00      0.00
    """
    loans = """
        loan_id  disburse_date  disburse_principal  interest_rate
        A - 1    2024-10-01     600.00              0.100000
        A - 2    2025-03-01     10.00               0.100000
    """
    march = book(frame, transactions=transactions, loans=loans)
    assert found(march, "year_principal_days_usd", "year_dated_principal_usd") == ["2800.00", "40.00"]
    undated = book(frame, transactions=transactions)
    assert found(undated, "year_principal_days_usd", "year_dated_principal_usd") == ["0.00", "0.00"]


def test_without_payments_nothing_is_known(frame):
    assert found(book(frame), *NAMES) == [None] * 3


@pytest.mark.parametrize(
    ("last", "first"),
    [("2024-02-29", "2023-03-01"), ("2025-02-28", "2024-03-01"), ("2024-02-28", "2023-03-01"),
     ("2025-12-31", "2025-01-01"), ("2025-12-30", "2024-12-31")],
)  # fmt: skip
def test_year_up_to(last, first):
    assert year_up_to(dt.date.fromisoformat(last)) == tuple(map(dt.date.fromisoformat, (first, last)))


def test_mean_of_twelve_month_ends(frame):
    tape = ["measurement_date  loan_id  total_receivable_usd"]
    tape += [f"{end}  A - 1  {100 + n}.00" for n, end in enumerate(ENDS)]
    tape += [f"{months_before(MARCH, 12)}  A - 1  9999.00"]
    assert found(book(frame, tape="\n".join(tape)), "year_mean_balance_usd") == "105.50"
    tape.remove(f"{ENDS[5]}  A - 1  105.00")
    assert reason(book(frame, tape="\n".join(tape)), "year_mean_balance_usd") == (
        "the balances of twelve month-ends are not all there (none of 2024-10)"
    )


def test_the_last_date_of_a_month_is_its_end():
    balances = dict.fromkeys(ENDS, Decimal(12)) | {dt.date(2025, 1, 15): Decimal(600)}
    assert mean_balance(balances, MARCH) == 12


def test_the_mean_is_rounded_half_up_to_the_cent():
    balances = dict.fromkeys(ENDS, Decimal("0.00")) | {MARCH: Decimal("0.06")}
    assert str(mean_balance(balances, MARCH)) == "0.01"


def test_a_month_of_unknown_balance_is_not_zero():
    with pytest.raises(NotComputableError, match="none of 2025-03"):
        mean_balance(dict.fromkeys(ENDS, Decimal(1)) | {MARCH: None}, MARCH)
