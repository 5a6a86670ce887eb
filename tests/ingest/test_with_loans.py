"""What the loans export says of each loan fills what the tape lacks, by whole loan id and nothing else."""

import datetime as dt
from decimal import Decimal

import narwhals as nw
import pytest

from abaco.ingest.tape import DTYPES, OF_LOAN, with_loans
from tests.support.exports import rows_of
from tests.support.tapes import NOVEMBER, tape, written

KINDS = {
    "loan_id": nw.String(),
    "borrower_id": nw.String(),
    "company": nw.String(),
    "product": nw.String(),
    "segment": nw.String(),
    "region": nw.String(),
    "disburse_date": nw.Date(),
    "disburse_principal": nw.Decimal(18, 2),
    "interest_rate": nw.Decimal(18, 6),
    "term": nw.Int64(),
    "payer_name": nw.String(),
    "maturity_date": nw.Date(),
    "facility": nw.String(),
    "pledge_date": nw.Date(),
    "documents": nw.String(),
    "outstanding_balance": nw.Decimal(18, 2),
    "days_past_due": nw.Int64(),
}
FULL = """
    loan_id  borrower_id  company  product    segment  region  disburse_date  disburse_principal  interest_rate  term
    A-1      C-1          ALF      factoring  retail   North   2025-01-02     500.00              0.405000       90
"""
PLEDGED = """
    loan_id  payer_name  maturity_date  facility  pledge_date  documents
    A-1      P-1         2025-04-02     SENIOR    2025-01-05   complete
"""


def filled(frame, balances, loans):
    """Return the rows of a tape, in its order of loans and dates, with what a loans export says."""
    headings = loans.split("\n")[1 if loans.startswith("\n") else 0].split()
    export = frame(written(loans, {name: KINDS[name] for name in headings}))
    found = rows_of(with_loans(frame(tape(balances)), export))
    return sorted(found, key=lambda row: (row["loan_id"] or "", row["measurement_date"]))


def test_loan_that_matches_is_filled_with_all_that_is_said_of_it(frame):
    [row] = filled(frame, "loan_id  total_receivable_usd\nA-1  100.00\n", FULL)
    assert tuple(row) == tuple(DTYPES)
    [pledged] = filled(frame, "loan_id  total_receivable_usd\nA-1  100.00\n", PLEDGED)
    assert {name: row[name] or pledged[name] for name in OF_LOAN} == {
        "borrower_id": "C-1",
        "company": "ALF",
        "product": "factoring",
        "segment": "retail",
        "region": "North",
        "disbursed_on": dt.date(2025, 1, 2),
        "disbursed_usd": Decimal("500.00"),
        "interest_rate": Decimal("0.405000"),
        "term_days": 90,
        "payer_name": "P-1",
        "maturity_date": dt.date(2025, 4, 2),
        "facility": "SENIOR",
        "pledge_date": dt.date(2025, 1, 5),
        "documents": "complete",
    }
    assert row["total_receivable_usd"] == Decimal("100.00")


def test_loan_without_a_match_stays_as_it_is(frame):
    [row] = filled(frame, "loan_id  total_receivable_usd\nA-2  100.00\n", FULL)
    assert {name for name, value in row.items() if value is not None} == {
        "loan_id",
        "measurement_date",
        "total_receivable_usd",
    }


def test_loan_of_the_loans_export_alone_does_not_get_on_the_tape(frame):
    assert filled(frame, "loan_id\n", FULL) == []


def test_value_of_the_tape_wins_and_what_it_lacks_is_filled(frame):
    balances = "loan_id  borrower_id  region  interest_rate\nA-1  C-9  -  0.000000\n"
    [row] = filled(frame, balances, FULL)
    assert (row["borrower_id"], row["region"]) == ("C-9", "North")
    assert row["interest_rate"] == Decimal("0.000000")  # 0 is a value


def test_every_date_of_a_loan_is_filled(frame):
    balances = "loan_id  measurement_date\nA-1  2025-11-30\nA-1  2025-12-31\nA-2  2025-11-30\n"
    found = filled(frame, balances, FULL)
    assert [(row["loan_id"], row["borrower_id"]) for row in found] == [("A-1", "C-1"), ("A-1", "C-1"), ("A-2", None)]


def test_same_number_of_two_companies_is_two_loans(frame):
    balances = "loan_id  total_receivable_usd\nABF - 1  10.00\nABT - 1  20.00\n1  30.00\n"
    loans = "loan_id  borrower_id\nABF - 1  C-1\nABT - 1  C-2\n"
    found = {row["loan_id"]: row["borrower_id"] for row in filled(frame, balances, loans)}
    assert found == {"ABF - 1": "C-1", "ABT - 1": "C-2", "1": None}


def test_balance_and_days_of_the_loans_export_are_todays_and_stay_out(frame):
    loans = "loan_id  borrower_id  outstanding_balance  days_past_due\nA-1  C-1  999.00  77\n"
    [row] = filled(frame, "loan_id  measurement_date  total_receivable_usd\nA-1  2025-11-30  100.00\n", loans)
    assert row["measurement_date"] == NOVEMBER
    assert (row["total_receivable_usd"], row["days_past_due"]) == (Decimal("100.00"), None)


def test_export_without_optional_columns_fills_what_it_has(frame):
    balances = "loan_id  region  term_days\nA-1  South  30\n"
    [row] = filled(frame, balances, "loan_id  disburse_principal\nA-1  500.00\n")
    assert (row["disbursed_usd"], row["region"], row["term_days"]) == (Decimal("500.00"), "South", 30)
    assert tuple(row) == tuple(DTYPES)


def test_export_without_a_row_changes_nothing(frame):
    [row] = filled(frame, "loan_id  region\nA-1  South\n", "loan_id  region  term\n")
    assert (row["region"], row["term_days"]) == ("South", None)


@pytest.mark.parametrize("loans", [FULL, "loan_id  region\n-  North\n"])
def test_rows_without_loan_ids_match_nothing(frame, loans):
    [row] = filled(frame, "loan_id  total_receivable_usd\n-  100.00\n", loans)
    assert (row["loan_id"], row["region"]) == (None, None)
