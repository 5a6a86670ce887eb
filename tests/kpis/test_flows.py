"""Exports in one form: payments keyed with their company, rebates as credits, what is no payment set apart."""

import pytest

from abaco.kpis import flows
from tests.support.exports import rows_of

from .books import book

LOANS = """
    loan_id  disburse_date  disburse_principal  interest_rate
    ABF - 1  2025-01-10     100.00              0.300000
    ABT - 1  2025-01-20     900.00              0.500000
"""


def paid(found):
    rows = rows_of(flows.paid(found))
    return sorted([str(v) for v in row.values()] for row in rows)


def test_transactions_are_paid_lent_or_other_by_their_type(frame):
    found = book(
        frame,
        transactions="""
            loan_id  transaction_type  date_paid   principal  interest  fees  to_tax
            ABF - 1  DISBURSEMENT      2025-01-10  100.00     0.00      0.00  0.00
            ABF - 1  PAYMENT           2025-02-10  50.00      5.00      0.00  0.65
            ABF - 1  Payment           2025-02-11  0.00       -1.00     -     -0.13
            ABF - 1  WRITEOFF          2025-03-10  50.00      -         -     -
        """,
    )
    assert paid(found) == [
        ["ABF - 1", "2025-01-10", "lent", "100.00", "0.00", "0.00", "0.00"],
        ["ABF - 1", "2025-02-10", "paid", "50.00", "5.00", "0.00", "0.65"],
        ["ABF - 1", "2025-02-11", "paid", "0.00", "-1.00", "None", "-0.13"],
        ["ABF - 1", "2025-03-10", "other", "50.00", "None", "None", "None"],
    ]


def test_bare_ids_of_two_companies_do_not_collide(frame):
    found = book(
        frame,
        loans=LOANS,
        payments="""
            company  loan_id  paid_on     paid_principal
            ABF      1        2025-02-10  10.00
            ABT      1        2025-02-10  20.00
            ABT      ABT - 1  2025-02-11  30.00
            -        1        2025-02-12  40.00
        """,
    )
    assert [row[:4] for row in paid(found)] == [
        ["1", "2025-02-12", "paid", "40.00"],
        ["ABF - 1", "2025-02-10", "paid", "10.00"],
        ["ABT - 1", "2025-02-10", "paid", "20.00"],
        ["ABT - 1", "2025-02-11", "paid", "30.00"],
    ]


def test_ids_stay_bare_where_no_loan_has_a_prefix(frame):
    found = book(
        frame,
        loans=LOANS.replace("ABF - 1", "1      ").replace("ABT - 1", "2      "),
        payments="""
            company  loan_id  paid_on     paid_principal
            ABF      1        2025-02-10  10.00
        """,
    )
    assert paid(found)[0][0] == "1"


@pytest.mark.parametrize("rebate", ["1.50", "-1.50"])
def test_a_rebate_of_a_real_payment_comes_off_the_interest_whatever_its_sign(frame, rebate):
    found = book(
        frame,
        loans=LOANS,
        payments=f"""
            loan_id  paid_on     paid_principal  paid_interest  paid_rebates  paid_fees  paid_tax  paid_fees_tax
            ABF - 1  2025-02-10  10.00           5.00           {rebate}      0.00       0.65      0.02
            ABF - 1  2025-02-11  10.00           5.00           -             -          -         0.02
            ABF - 1  2025-02-12  10.00           -              -             -          -         -
        """,
    )
    assert [row[3:] for row in paid(found)] == [
        ["10.00", "3.50", "0.00", "0.67"],
        ["10.00", "5.00", "None", "0.02"],
        ["10.00", "None", "None", "None"],
    ]


def test_a_real_payment_counts_when_its_status_says_paid_or_nothing(frame):
    found = book(
        frame,
        loans=LOANS,
        payments="""
            loan_id  paid_on     paid_principal  status
            ABF - 1  2025-02-10  10.00           On Time
            ABF - 1  2025-02-11  10.00           LATE
            ABF - 1  2025-02-12  10.00           Prepayment
            ABF - 1  2025-02-13  10.00           -
            ABF - 1  2025-02-14  10.00           Pending
        """,
    )
    assert [row[2] for row in paid(found)] == ["paid"] * 4 + ["other"]


def test_transactions_go_before_real_payments(frame):
    payments = """
        loan_id  paid_on     paid_principal
        ABF - 1  2025-02-10  10.00
    """
    transactions = """
        loan_id  transaction_type  date_paid   principal
        ABF - 1  PAYMENT           2025-02-10  11.00
    """
    both = book(frame, transactions=transactions, payments=payments)
    assert (paid(both)[0][3], flows.paid_title(both)) == ("11.00", "transactions")
    assert flows.paid_title(book(frame, payments=payments)) == "real payments"


def test_without_exports_nothing_is_known(frame):
    found = book(frame)
    assert (flows.paid(found), flows.due(found), flows.lent(found)) == (None, None, None)


def test_a_tape_made_of_loans_tells_what_was_lent(frame):
    found = book(
        frame,
        tape="""
            measurement_date  loan_id  total_receivable_usd  disbursed_on  disbursed_usd  interest_rate
            2025-03-31        ABF - 1  10.00                 2025-01-10    100.00         0.300000
        """,
    )
    assert [str(v) for v in rows_of(flows.lent(found))[0].values()] == [
        "ABF - 1", "2025-01-10", "100.00", "0.300000",
    ]  # fmt: skip
