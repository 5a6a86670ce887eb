"""Rows of other exports find their loan where only one fits, and those that have none are told."""

import pytest

from tests.support.book_of_two_dates import FILES, OCTOBER, figures, folder
from tests.support.exports import LOANS, PAR, PAYMENTS, TRANSACTIONS, ingest, write

STRAYS = "Without a loan in the loans export, and only in the sums of their month:"


def payments(*rows):
    """Return the lines of real payments: company, customer, loan and principal each."""
    columns = PAYMENTS.split(",")
    lines = []
    for company, customer, loan, usd in rows:
        cells = dict.fromkeys(columns, "") | {
            "Company": company, "Customer ID": customer, "Loan ID": loan, "True Payment Date": "2025-11-28",
            "True Principal Payment": usd,
        }  # fmt: skip
        lines.append(",".join(map(str, cells.values())))
    return PAYMENTS, *lines


def matched(path, loans, *rows):
    """Return the loan that each real payment is of."""
    write(path / "loans.csv", f"{LOANS},company", *loans)
    write(path / "par.csv", *FILES["loan_par_balances.csv"])
    write(path / "payments.csv", *payments(*rows))
    return [payment["loan_id"] for payment in ingest(path).accepted["payments"]]


def loan(loan_id, customer, company):
    return f"{loan_id},{customer},2025-01-01,0.3,100,100,0,{company}"


ABF, ABT = loan("ABF - 1", "C1", "Abaco Factoring"), loan("ABT - 1", "C2", "Abaco Term")


def test_a_payment_finds_its_loan_by_company_or_by_borrower(tmp_path):
    expected = {
        ("ABF", "", "1", 1): "ABF - 1",
        ("abt", "", "1", 2): "ABT - 1",
        ("Abaco Term", "", "1", 3): "ABT - 1",
        ("", "C1", "1", 4): "ABF - 1",
        ("Another name", "C2", "1", 5): "ABT - 1",
        ("ABF", "C2", "1", 6): "ABF - 1",  # the company is part of the id
        ("ABT", "C2", "ABF - 1", 7): "ABF - 1",
        ("", "", "1", 8): "1",
        ("", "C3", "1", 9): "1",
        ("Another name", "", "1", 10): "1",
        ("ABF", "C1", "2", 11): "2",
    }
    found = matched(tmp_path, [ABF, ABT], *expected)
    assert dict(zip(expected, found, strict=True)) == expected


def test_of_two_loans_of_one_borrower_none_is_taken(tmp_path):
    loans = [ABF, loan("ABT - 1", "C1", "Abaco Term")]
    assert matched(tmp_path, loans, ("", "C1", "1", 5)) == ["1"]


def test_an_id_without_company_stays_where_loans_have_none(tmp_path):
    assert matched(tmp_path, [loan("1", "C1", "ABF"), loan("2", "C2", "ABF")], ("ABF", "C1", "1", 5)) == ["1"]


def test_without_loans_export_the_tape_and_the_schedules_tell_the_loans(tmp_path):
    write(tmp_path / "par.csv", *FILES["loan_par_balances.csv"])
    write(tmp_path / "payments.csv", *payments(("X", "", "1", 5), ("Y", "", "7", 6)))
    write(tmp_path / "schedules.csv", FILES["schedules.csv"][0], "Y - 7,2025-11-16,10,0,0,0,0,0,0,USD")
    assert [row["loan_id"] for row in ingest(tmp_path).accepted["payments"]] == ["X - 1", "Y - 7"]


def test_payments_keep_their_order(tmp_path):
    rows = [("X", "", number, usd) for usd, number in enumerate("1231321")]
    write(tmp_path / "par.csv", *FILES["loan_par_balances.csv"])
    write(tmp_path / "payments.csv", *payments(*rows))
    found = ingest(tmp_path).accepted["payments"]
    assert [int(row["paid_principal"]) for row in found] == list(range(7))


def test_real_payments_without_company_give_the_figures_of_the_transactions(tmp_path):
    base = figures(folder(tmp_path / "base", {}))
    lines = payments(("", "C1", "1", 990))
    header, row = [line.split(",") for line in lines]
    for name, usd in (("True Interest Payment", "35"), ("True Fee Payment", "10"), ("True Tax Payment", "5")):
        row[header.index(name)] = usd
    changes = {"transactions.csv": None, "real_payment.csv": (",".join(header), ",".join(row))}
    found = figures(folder(tmp_path / "payments", changes))
    assert (found.values, found.notes) == (base.values, [])


def test_an_id_without_its_zeros_or_blanks_is_that_of_the_only_loan_that_fits(tmp_path):
    loans = [
        loan("ABF - 001", "C1", "ABF"),
        loan("007", "C7", ""),
        loan("ABF - 02", "C2", "ABF"),
        loan("ABF - 2", "C3", "ABF"),
    ]
    rows = [
        ("ABF", "C1", "1", 5),
        ("ABF", "", "abf-001", 5),
        ("", "", "7", 5),
        ("ABF", "", "2", 5),
        ("ABT", "", "1", 5),
    ]
    assert matched(tmp_path, loans, *rows) == ["ABF - 001", "ABF - 001", "007", "ABF - 2", "1"]


def test_an_id_that_is_another_companys_loan_lacks_its_company(tmp_path):
    loans = [loan("ABF - 1", "C1", "ABF"), loan("1", "D1", "ABT")]
    rows = [("ABF", "C1", "1", 5), ("ABT", "D1", "1", 6), ("", "C1", "1", 7), ("", "", "1", 8), ("XYZ", "C9", "1", 9)]
    assert matched(tmp_path, loans, *rows) == ["ABF - 1", "1", "ABF - 1", "1", "1"]


def test_transactions_without_zeros_in_front_find_the_loans_of_the_tape_and_are_told(tmp_path):
    write(tmp_path / "par.csv", PAR, "0007,2025-12-31,100,0,0,0,0")
    write(tmp_path / "transactions.csv", TRANSACTIONS, "7,PAYMENT,2025-12-28,50,0,0,0,0,0,0,USD")
    result = ingest(tmp_path)
    assert [row["loan_id"] for row in result.accepted["transactions"]] == ["0007"]
    assert [str(note) for batch in result.batches for note in batch.notes] == [
        "The id of their loan written in another way (without zeros in front, say), and counted for the only loan that "
        "fits: 1 row (50.00 USD of principal) of the transactions."
    ]


# Loans lent later, and rows without a loan


def test_instalments_of_loans_that_are_lent_later_are_later(tmp_path):
    book = ingest(folder(tmp_path, {}), OCTOBER).books["schedules"]
    assert (book["rows_in"], book["accepted"], book["later"], book["amount_later"]) == (3, 2, 1, "5000.00")
    assert figures(tmp_path, OCTOBER).notes == []


def test_a_payment_before_the_day_of_lending_counts_and_is_no_stray(tmp_path):
    rows = (*FILES["transactions.csv"], "X - 3,PAYMENT,2025-11-29,0,0,0,25,0,0,0,USD")
    found = figures(folder(tmp_path, {"transactions.csv": rows}))
    assert (found.sums["month_paid_usd"], found.notes) == (1065.0, [])


def test_rows_without_a_loan_are_told_by_export(tmp_path):
    changes = {
        name: (*FILES[name], *rows)
        for name, rows in {
            "transactions.csv": [
                "X - 8,PAYMENT,2025-11-29,1000,0,0,0,0,0,0,USD", "X - 8,PAYMENT,2025-11-30,,5,0,0,0,0,0,USD",
            ],
            "schedules.csv": ["X - 9,2025-11-16,60.25,0,0,0,0,0,0,USD"],
        }.items()
    }  # fmt: skip
    assert figures(folder(tmp_path, changes)).notes == [
        f"{STRAYS} 1 row (60.25 USD of principal) of the payment schedules.",
        f"{STRAYS} 2 rows (1,000.00 USD of principal) of the transactions.",
    ]


def test_a_refund_of_a_loan_that_is_not_in_the_book_lowers_what_was_paid_and_is_told(tmp_path):
    rows = (*FILES["transactions.csv"], "X - 8,REFUND,2025-11-29,40,0,0,0,0,0,0,USD")
    found = figures(folder(tmp_path, {"transactions.csv": rows}))
    assert found.sums["month_paid_usd"] == 1000.0
    assert found.notes == [f"{STRAYS} 1 row (40.00 USD of principal) of the transactions."]


@pytest.mark.parametrize(("loans", "due", "is_told"), [(5, "N-1", True), (5, "S-4", False), (4, "N-1", False)])
def test_file_whose_loans_no_instalment_or_payment_knows_is_told(tmp_path, loans, due, is_told):
    for name, count in (("north", 5), ("south", loans)):
        rows = (f"{name[0].upper()}-{n},2025-12-31,100,0,0,0,0" for n in range(count))
        write(tmp_path / f"{name}.csv", PAR, *rows)
    instalments = (f"{loan},2026-01-15,10" for loan in ("N-0", "N-2", "N-3", due))
    write(tmp_path / "schedules.csv", "loan_id,date_due,principal", *instalments)
    told = (str(note) for batch in ingest(tmp_path).batches for note in batch.notes)
    found = [note for note in told if "unlike the others: south.csv. They may be of another lender." in note]
    assert bool(found) == is_told


def test_payments_without_principal_stand_beside_loans(tmp_path):
    write(tmp_path / "par.csv", PAR, "A-1,2025-12-31,100,0,0,0,0")
    write(tmp_path / "loans.csv", LOANS, "A-1,C1,2025-01-01,0.3,100,100,0")
    write(tmp_path / "transactions.csv", "loan_id,transaction_type,date_paid", "X-9,PAYMENT,2025-12-05")
    assert len(ingest(tmp_path).tape) == 1
