"""What fits nowhere is counted and told, in rows and dollars."""

import datetime as dt

from abaco.kpis import notes as book_notes

from .books import book

LOANS = """
    loan_id  disburse_date  disburse_principal  interest_rate
    A - 1    2025-01-10     100.00              0.300000
"""
TAPE = """
    measurement_date  loan_id  total_receivable_usd
    2025-02-28        A - 9    7.00
    2025-03-31        A - 1    50.00
"""
TRANSACTIONS = """
    loan_id  transaction_type  date_paid   principal
    A - 1    DISBURSEMENT      2025-01-10  100.00
    A - 1    PAYMENT           2025-02-10  50.00
"""


def notes(book):
    return [str(note) for note in book_notes.notes(book, {})]


def test_all_that_fits_needs_no_word(frame):
    assert notes(book(frame, tape=TAPE, loans=LOANS, transactions=TRANSACTIONS)) == []
    assert notes(book(frame, tape=TAPE)) == []


def test_balances_without_a_loan_are_told(frame):
    assert notes(book(frame, tape=TAPE + "    2025-03-31  A - 2  1234.50", loans=LOANS)) == [
        "Without a loan in the loans export, and so without a vintage: 1 row (1,234.50 USD of principal) of the tape."
    ]


def test_loans_that_are_late_for_longer_than_they_are_lent_are_told(frame):
    tape = """
        measurement_date  loan_id  total_receivable_usd  days_past_due  disbursed_on
        2025-03-31        A        1.00                  90             2025-01-01
        2025-03-31        B        2.00                  91             2025-01-01
        2025-03-31        C        4.00                  10950          1990-01-01
        2025-03-31        D        8.00                  10951          1990-01-01
        2025-03-31        E        0.00                  15000          2025-01-01
    """
    told = "Late by more days than since they were lent, or than 30 years: 2 rows ({} USD of principal)"
    assert notes(book(frame, tape=tape)) == [f"{told.format('10.00')}. See whether these are days past due."]


def test_words_that_nobody_knows_and_payments_that_came_back_are_told_with_their_amounts(frame):
    payments = """
        company  loan_id  paid_on     paid_principal  status
        A        1        2025-02-10  10.00           Late
        B        1        2025-02-10  20.00           Bounced
        A        1        2025-02-11  30.00           Pending
        A        1        2025-02-11  1000.00         Quién sabe
    """
    assert notes(book(frame, tape=TAPE, loans=LOANS, payments=payments)) == [
        "Left out of the real payments: 1 row (1,000.00 USD of principal), as Quién sabe is not in params/flows.yml; "
        "add it there.",
        "Payments of the real payments that were reversed or failed, and do not count: 1 row (20.00 USD of principal).",
        "Left out of the real payments: 1 row (30.00 USD of principal), whose status does not say that something was "
        "paid.",
    ]


def test_of_many_unknown_words_the_first_are_named(frame):
    rows = "".join(f"    A - 1  {word}  2025-02-11  1.00\n" for word in ("Zeta", "Beta", "Alfa", "Gama"))
    [note] = notes(book(frame, tape=TAPE, transactions=TRANSACTIONS + rows))
    assert "4 rows (4.00 USD of principal)" in note and "Alfa, Beta, Gama, … is not" in note


def test_words_that_may_be_a_name_or_a_number_are_not_quoted(frame):
    rows = "".join(f"    A - 1  {word}  2025-02-11  1.00\n" for word in ("Ana Planted", "to 7777-8888", "Late fee"))
    [note] = notes(book(frame, tape=TAPE, transactions=TRANSACTIONS + rows))
    assert "3 rows (3.00 USD of principal), as Late fee, … is not in params/flows.yml" in note


def test_types_that_are_no_payment_and_payments_not_used_are_told(frame):
    found = book(
        frame,
        tape=TAPE,
        transactions=TRANSACTIONS + "    A - 1  WRITEOFF  2025-02-11  50.00",
        payments="""
            loan_id  paid_on     paid_principal
            A - 1    2025-02-10  10.00
        """,
    )
    assert notes(found) == [
        "The real payments are not used: the transactions tell what was paid.",
        "Left out of the transactions: 1 row (50.00 USD of principal), whose type does not say that something was "
        "paid.",
    ]


def test_days_past_due_that_fall_to_0_long_after_maturity_are_told(frame):
    """A - 1 matured on 28 February, 31 days before; A - 2 a day later; A - 3 paid off, A - 4 was not late."""
    rows = """
        measurement_date  loan_id  total_receivable_usd  days_past_due  disbursed_on  term_days
        2025-02-28        A - 1    1486.37               35             2025-01-29    30
        2025-02-28        A - 2    1486.37               35             2025-01-30    30
        2025-02-28        A - 3    1486.37               35             2025-01-29    30
        2025-02-28        A - 4    1486.37               0              2025-01-29    30
        2025-03-31        A - 1    37.53                 0              2025-01-29    30
        2025-03-31        A - 2    37.53                 0              2025-01-30    30
        2025-03-31        A - 3    0.00                  0              2025-01-29    30
        2025-03-31        A - 4    37.53                 0              2025-01-29    30
    """
    assert notes(book(frame, tape=rows)) == [
        "1 row (37.53 USD of principal) of the tape: matured more than 30 days ago, late on 2025-02-28, and 0 days "
        "late now with a balance. See whether the days past due were reset."
    ]


def test_dates_of_the_first_of_each_month_are_told(frame):
    shifted = TAPE.replace("02-28", "03-01").replace("03-31", "04-01")
    assert notes(book(frame, tape=shifted)) == [
        "Every date is the first of a month: its balances count as the close of the month before."
    ]


def test_a_month_that_is_not_whole_is_told(frame):
    found = book(frame, tape=TAPE, transactions=TRANSACTIONS, as_of=dt.date(2025, 3, 10))
    assert notes(found) == ["What was paid in 2025-03 counts up to 2025-03-10: the month is not whole."]
