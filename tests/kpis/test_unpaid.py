"""The oldest unpaid instalment of each loan, worked out by hand."""

import datetime as dt

import pytest

from abaco.kpis.unpaid import LATENESS, LOANS, by_lateness, by_loan, latest

from .books import book

TAPE = """
    measurement_date  loan_id  company  product  total_receivable_usd  written_off_usd  dpd_0_7_usd  dpd_7_30_usd  dpd_30_60_usd  dpd_60_90_usd  dpd_90_plus_usd
    2025-03-31        A - 1    A        x        150.00                0.00             0.00         150.00        0.00           0.00           0.00
    2025-03-31        A - 2    A        x        0.00                  90.00            0.00         0.00          0.00           0.00           0.00
    2025-03-31        A - 3    A        y        40.00                 0.00             40.00        0.00          0.00           0.00           0.00
"""  # noqa: E501
SCHEDULES = """
    loan_id  date_due    principal  interest  fees  to_tax
    A - 1    2025-01-31  100.00     9.00      0.00  0.00
    A - 1    2025-03-01  60.00      9.00      0.00  0.00
    A - 1    2025-03-20  60.00      9.00      0.00  0.00
    A - 1    2025-04-20  30.00      9.00      0.00  0.00
    A - 2    2025-01-31  90.00      0.00      0.00  0.00
    A - 3    2025-03-31  10.00      0.00      0.00  0.00
    A - 3    2025-04-30  40.00      0.00      0.00  0.00
    A - 4    2025-05-31  70.00      0.00      0.00  0.00
"""
TRANSACTIONS = """
    loan_id  transaction_type  date_paid   principal  interest  fees  to_tax
    A - 1    PAYMENT           2025-01-31  60.00      9.00      0.00  0.00
    A - 1    PAYMENT           2025-03-10  60.00      9.00      0.00  0.00
    A - 1    DISBURSEMENT      2025-01-01  250.00     0.00      0.00  0.00
    A - 4    PAYMENT           2025-02-10  70.00      0.00      0.00  0.00
    A - 3    PAYMENT           2025-04-01  10.00      0.00      0.00  0.00
"""


@pytest.fixture
def march(frame):
    return book(frame, tape=TAPE, schedules=SCHEDULES, transactions=TRANSACTIONS)


def test_payments_serve_the_oldest_instalment_first(march):
    found = {row["loan_id"]: row for row in by_loan(march).to_pylist()}
    late = found["A - 1"]  # 120 paid: all of January, 20 of 60 on 1 March, none of 20 March
    assert (late["oldest_unpaid_on"], late["days_late"], late["instalments"]) == (dt.date(2025, 3, 1), 30, 2)
    assert (str(late["unpaid_usd"]), str(late["ahead_usd"]), late["state"]) == ("100.00", "0.00", "owed")


def test_instalment_due_on_the_day_is_not_yet_late(march):
    found = {row["loan_id"]: row for row in by_loan(march).to_pylist()}
    assert (found["A - 3"]["oldest_unpaid_on"], found["A - 3"]["days_late"]) == (None, 0)


def test_what_is_paid_before_it_is_due_is_ahead_and_states_are_the_tapes(march):
    found = {row["loan_id"]: row for row in by_loan(march).to_pylist()}
    assert (str(found["A - 4"]["ahead_usd"]), found["A - 4"]["state"]) == ("70.00", "not on the tape")
    assert (str(found["A - 2"]["unpaid_usd"]), found["A - 2"]["state"]) == ("90.00", "written off")


def test_latest_comes_first(march):
    assert [row["loan_id"] for row in by_loan(march).to_pylist()] == ["A - 2", "A - 1", "A - 3", "A - 4"]


def test_a_day_decides_the_bucket_and_the_tape_stands_beside(march):
    found = by_lateness(by_loan(march), march).to_pylist()
    assert [(row["days_late"], row["loans"], str(row["outstanding_usd"]), str(row["tape_usd"])) for row in found] == [
        ("0–7", 1, "40.00", "40.00"), ("7–30", 0, "0.00", "150.00"), ("30–60", 1, "150.00", "0.00"),
        ("60–90", 0, "0.00", "0.00"), ("90+", 0, "0.00", "0.00"),
    ]  # fmt: skip


@pytest.mark.parametrize(("key", "name"), [(None, "Loan 1"), (b"key", "tok_")])
def test_loans_still_owed_are_named_so_that_nobody_knows_them(march, key, name):
    (row,) = latest(by_loan(march), 10, key).to_pylist()
    assert row["loan"].startswith(name)
    assert "loan_id" not in row


@pytest.mark.parametrize("given", [{}, {"schedules": SCHEDULES}, {"transactions": TRANSACTIONS}])
def test_without_schedules_or_payments_nothing_is_told(frame, given):
    lacking = book(frame, tape=TAPE, **given)
    assert by_loan(lacking).equals(LOANS.empty_table())
    assert by_lateness(by_loan(lacking), lacking).equals(LATENESS.empty_table())


def test_payments_that_begin_after_the_schedules_tell_nothing(frame):
    rows = [line for line in TRANSACTIONS.splitlines() if "2025-01" not in line]
    assert by_loan(book(frame, tape=TAPE, schedules=SCHEDULES, transactions="\n".join(rows))).num_rows == 0
