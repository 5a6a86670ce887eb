"""Loan numbers that a spreadsheet has rounded are refused; those of other capital letters are told."""

import pytest

from tests.support.figures import figures_of

from .test_cases import csv, loans, par, refused


@pytest.mark.parametrize(
    ("ids", "count"),
    [
        (["1.23457E+11"] * 2 + [f"12345678901{i}" for i in range(8)], 2),
        (["1,5E+5"] + [f"{i}" for i in range(9)], 1),
        ([f"123456789012{i}450000" for i in range(10)], 10),
    ],
)
def test_ids_that_a_spreadsheet_has_rounded_are_refused(tmp_path, ids, count):
    delimiter = ";" if "," in ids[0] else ","
    assert refused(csv(tmp_path / "loans.csv", loans(loan_id=ids), delimiter)) == (
        f"loans.csv: a spreadsheet has rounded {count} of the ids under loan_id (1.23457E+11 for 123456789012, say), "
        "so that loans cannot be told apart: export it again with that column as text"
    )


@pytest.mark.parametrize(
    "ids",
    [[f"12345678901234567{i}" for i in range(10)], [f"{i}E5" for i in range(10)], [f"1.{i}" for i in range(10)],
     ["1234567890123450", "1234567890123451", *map(str, range(8))]],
)  # fmt: skip
def test_other_ids_are_as_they_are(tmp_path, ids):
    assert figures_of(csv(tmp_path / "loans.csv", loans(loan_id=ids))).values["ActiveLoans"] == 10.0


def test_ids_of_other_capital_letters_are_two_loans_and_told(tmp_path):
    found = figures_of(csv(tmp_path / "par.csv", par(loan_id_raw=["a-1", "A-1", *[f"A-{i}" for i in range(2, 20)]])))
    assert found.values["ActiveLoans"] == 20.0
    told = (
        "Ids of PAR balances that differ only in capital letters count as different loans, 2 rows (200.00 USD) among "
    )
    assert [note for note in found.notes if note.startswith(told)]


def test_balance_that_is_split_between_borrowers_is_a_conflict_that_names_itself(tmp_path):
    rows = loans()
    rows.insert(2, ["L001", "C999", *rows[1][2:5], "500.00", "35"])
    message = refused(csv(tmp_path / "loans.csv", rows))
    assert "loan_id: rows for other borrowers have the same, with other values: give each loan one row with" in message


def test_ids_of_a_file_that_differ_in_zeros_in_front_are_refused_with_their_lines(tmp_path):
    ids = ["1056", *[f"10{i}0" for i in range(8)], "0001056 "]
    assert refused(csv(tmp_path / "loans.csv", loans(loan_id=ids))) == (
        "loans.csv lines 2 and 11 have ids under loan_id that differ only in zeros in front: they are one loan twice, "
        "or two; keep one of the rows, or write all ids at their full length"
    )
    other = ["0001", "0002", *[f"10{i}" for i in range(8)]]
    assert figures_of(csv(tmp_path / "loans.csv", loans(loan_id=other))).values["ActiveLoans"] == 10.0
