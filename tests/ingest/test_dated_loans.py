"""A date, a loan, what it owes and its days past due are a tape: all that follows from them is computed."""

import datetime as dt
from decimal import Decimal

import pytest

from abaco.core.errors import DateError, InputError
from abaco.ingest import coverage
from abaco.ingest.recognition import recognise
from tests.support.computation import computed
from tests.support.exports import ingest, write

NOVEMBER, DECEMBER = dt.date(2025, 11, 30), dt.date(2025, 12, 31)
TAPE = (
    "reporting_date,loan_id,outstanding_balance,dpd",
    "2025-11-30,A,100.00,0", "2025-11-30,B,200.00,20", "2025-11-30,C,300.00,45", "2025-11-30,D,400.00,120",
    "2025-12-31,A,90.00,0", "2025-12-31,B,200.00,51", "2025-12-31,C,150.00,5", "2025-12-31,D,360.00,151",
    "2025-12-31,E,200.00,0",
)  # fmt: skip
FIGURES = {"Outstanding": "1000.00", "PAR1": "71.0000", "PAR7": "56.0000", "PAR30": "56.0000", "PAR60": "36.0000",
           "PAR90": "36.0000", "NPL": "36.0000", "ActiveLoans": "5"}  # fmt: skip


def test_date_loan_balance_and_days_late_are_a_tape(tmp_path):
    found = computed(write(tmp_path / "tape.csv", *TAPE), DECEMBER)
    assert {name: str(found.kpis[name]) for name in FIGURES} == FIGURES
    terms = {row["term"]: row["amount_usd"] for row in found.bridges if row["kpi"] == "PAR30"}
    assert {term: str(usd) for term, usd in terms.items()} == {
        "opening": "700.00", "new arrears": "0.00", "rolled on": "200.00", "cured": "-150.00", "paid": "-190.00",
        "written off": "None", "book growth": "None", "closing": "560.00",
    }  # fmt: skip
    assert found.gaps == []
    assert found.sums["opening_30_plus_usd"] == Decimal("700.00")
    assert {found.kpis[n] for n in ("TopBorrower", "APR", "WriteOffRate", "RDR90", "CollectionRate")} == {None}
    assert found.reasons["TopBorrower"] == "the input does not give the balance of the largest borrower on 2025-12-31"


@pytest.mark.parametrize("heading", ["reporting_date", "as_of_date", "Report Date", "Cut-off date", "Fecha de saldo"])
def test_tape_that_says_its_date_is_taken_for_no_other(tmp_path, heading):
    path = write(tmp_path / "tape.csv", TAPE[0].replace("reporting_date", heading), *TAPE[5:])
    with pytest.raises(
        DateError, match=r"^No row for 2025-11-30 in the input; the nearest that it has: DATE=2025-12-31$"
    ):
        coverage.check_date(dict.fromkeys(ingest(path, NOVEMBER).dates, True), NOVEMBER)


def test_amount_lent_is_not_taken_for_what_is_owed():
    headings = ["reporting_date", "loan_id", "Loan Amount", "dpd"]
    with pytest.raises(InputError, match=r"also needs outstanding_balance \(Loan Amount is the amount lent\);"):
        recognise(headings, "mfi.csv")
