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
            ABF - 1  2025-02-15  10.00           Returned
            ABF - 1  2025-02-16  10.00           Cancelado
        """,
    )
    # "cancelado" says paid off in some countries and called off in others
    assert [row[2] for row in paid(found)] == ["paid"] * 4 + ["other", "reversed", "unknown"]


def test_a_rebate_credit_counts_and_is_not_taken_off_twice(frame):
    found = book(
        frame,
        loans=LOANS,
        payments="""
            loan_id  paid_on     paid_principal  paid_interest  paid_tax  paid_rebates  status
            ABF - 1  2025-11-28  990.00          35.00          5.00      0.00          Late
            ABF - 1  2025-11-28  20.00           -17.00         -3.00     20.00         Rebate Credit
            ABF - 1  2025-11-28  3.00            0.00           -3.00     3.00          Rebate Credit
            ABF - 1  2025-11-28  20.00           0.00           0.00      20.00         Rebate Credit
        """,
    )
    assert [row[2:] for row in paid(found)] == [
        ["paid", "20.00", "-17.00", "None", "-3.00"],
        ["paid", "20.00", "-20.00", "None", "0.00"],
        ["paid", "3.00", "0.00", "None", "-3.00"],
        ["paid", "990.00", "35.00", "None", "5.00"],
    ]


# Words, reversals and flags


@pytest.mark.parametrize(
    ("word", "kind"),
    [
        ("PAYMENT", "paid"), ("Repayment", "paid"), ("abono", "paid"), ("Pago", "paid"), ("Cuota 3", "paid"),
        ("PAGO_DE_CUOTA", "paid"), ("recoveryRepayment", "paid"), ("Amortización", "paid"), ("Desembolso", "lent"),
        ("WRITEOFF", "other"), ("Waive Interest", "other"), ("Ajuste", "unknown"), ("3", "unknown"),
        ("付款", "unknown"), ("Payment plan", "unknown"), ("fee", "unknown"),
    ],
)  # fmt: skip
def test_types_are_compared_whole_without_case_accents_and_digits(frame, word, kind):
    transactions = f"""
        loan_id  transaction_type  date_paid   principal
        ABF - 1  {word}  2025-02-10  11.00
    """
    assert paid(book(frame, transactions=transactions))[0][2] == kind


@pytest.mark.parametrize("word", ["Reversal", "Reverso de pago", "PAYMENT_REVERSAL", "Chargeback", "Devolución"])
@pytest.mark.parametrize("sign", ["", "-"])
def test_a_reversal_takes_a_payment_back_whichever_sign_it_has(frame, word, sign):
    found = book(
        frame,
        transactions=f"""
            loan_id  transaction_type  date_paid   principal  interest   fees
            ABF - 1  PAYMENT           2025-02-10  10.00      2.00       -
            ABF - 1  {word}            2025-03-11  {sign}10.00  {sign}2.00  -
        """,
    )
    assert [row[1:5] for row in paid(found)] == [
        ["2025-02-10", "paid", "10.00", "2.00"],
        ["2025-03-11", "paid", "-10.00", "-2.00"],
    ]


def test_a_type_of_reversals_with_a_negative_amount_counts_by_its_signs(frame):
    found = book(
        frame,
        transactions="""
            loan_id  transaction_type  date_paid   principal
            ABF - 1  PAYMENT           2025-02-10  10.00
            ABF - 1  Reversal          2025-02-11  -10.00
            ABF - 1  Reversal          2025-02-12  10.00
        """,
    )
    assert [row[2:4] for row in paid(found)] == [["paid", "10.00"], ["paid", "-10.00"], ["paid", "10.00"]]


def test_what_is_paid_back_to_the_borrower_lowers_the_principal(frame):
    found = book(
        frame,
        loans=LOANS,
        payments="""
            loan_id  paid_on     paid_devolution  paid_principal
            ABF - 1  2025-02-10  10.00            10.00
            ABF - 1  2025-02-11  0.00             10.00
        """,
    )
    assert [row[3] for row in paid(found)] == ["0.00", "10.00"]


def test_a_reversed_rebate_has_the_signs_of_its_principal(frame):
    found = book(
        frame,
        transactions="""
            loan_id  transaction_type  date_paid   principal  interest  to_tax
            ABF - 1  Reversal          2025-02-10  20.00      -17.00    -3.00
            ABF - 1  Reversal          2025-02-11  -          2.00      -
        """,
    )
    assert [row[3:] for row in paid(found)] == [["-20.00", "17.00", "None", "3.00"], ["None", "-2.00", "None", "None"]]


FLAGGED = """
    loan_id  transaction_type  date_paid   principal  is_reversed
"""


@pytest.mark.parametrize(
    ("rows", "kinds"),
    [
        # a payment that was entered twice, and the first one undone
        ("A PAYMENT 10 10.00 true|A PAYMENT 10 10.00 false", "reversed paid"),
        # a flagged payment and the row that takes it back tell one thing
        ("A PAYMENT 10 10.00 true|A Reversal 12 10.00 false", "reversed reversed"),
        ("A PAYMENT 10 10.00 true|A PAYMENT 12 -10.00 -", "reversed reversed"),
        ("A PAYMENT 10 10.00 true|A PAYMENT 12 -10.00 true", "reversed reversed"),
        # only the row that takes the payment back is flagged
        ("A PAYMENT 10 10.00 false|A PAYMENT 12 -10.00 true", "paid paid"),
        # two reversals, one of them of a payment that is flagged
        ("A PAYMENT 10 10.00 true|A PAYMENT 11 10.00 -|A PAYMENT 12 -10.00 -|A PAYMENT 13 -10.00 -",
         "reversed paid reversed paid"),
        # of another loan, or of another amount
        ("A PAYMENT 10 10.00 true|B PAYMENT 12 -10.00 -", "reversed paid"),
        ("A PAYMENT 10 10.00 true|A PAYMENT 12 -9.00 -", "reversed paid"),
        # a reversal that was itself undone
        ("A PAYMENT 10 10.00 false|A Reversal 12 10.00 true", "paid other"),
        ("A PAYMENT 10 10.00 2025-02-11|A PAYMENT 12 10.00 NO", "reversed paid"),
        ("A PAYMENT 10 10.00 perhaps", "unknown"),
        ("A DISBURSEMENT 10 10.00 true", "lent"),
    ],
)  # fmt: skip
def test_what_is_flagged_as_reversed_does_not_count(frame, rows, kinds):
    lines = [[*cells.split(" ")] for cells in rows.split("|")]
    text = "".join(f"    {loan}  {type_}  2025-02-{day}  {usd}  {flag}\n" for loan, type_, day, usd, flag in lines)
    found = rows_of(flows.paid(book(frame, transactions=FLAGGED + text)).sort("day"))
    assert sorted(row["kind"] for row in found) == sorted(kinds.split(" "))
    usd = {"A": 0, "B": 0}
    for row in found:
        usd[row["loan_id"]] += row["principal_usd"] if row["kind"] == "paid" else 0
    assert all(total <= 10 for total in usd.values())


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
