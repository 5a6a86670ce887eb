"""What each borrower owes: numbers by size, and nothing of whoever owes nothing or is not known."""

from types import SimpleNamespace

import pytest

from abaco.ingest import transformation
from tests.support.exports import rows_of
from tests.support.tapes import tape

COLUMNS = ("measurement_date", "borrower", "borrower_id", "balance_usd", "loans")


@pytest.fixture
def owing(frame, tmp_path):
    """Return the rows of what borrowers owe, in text, for a tape that is written out."""
    kept = {}
    engine = SimpleNamespace(
        write=lambda rows, path, temporary: kept.update({path: rows}), scan=lambda path: kept[path]
    )

    def found(text):
        rows = rows_of(transformation.borrowers(frame(tape(text)), engine, tmp_path))
        return [tuple(str(row[name]) for name in COLUMNS) for row in rows]

    return found


def test_borrowers_are_numbered_by_what_they_owe(owing):
    assert owing(
        """
        loan_id  borrower_id  total_receivable_usd
        A-1      C-1          10.00
        A-2      C-2          30.00
        A-3      C-1          15.00
        """
    ) == [("2025-12-31", "1", "C-2", "30.00", "1"), ("2025-12-31", "2", "C-1", "25.00", "2")]


def test_number_of_a_borrower_is_the_same_on_every_date(owing):
    assert owing(
        """
        measurement_date  loan_id  borrower_id  total_receivable_usd
        2025-12-31        A-1      C-1          1.00
        2025-12-31        A-2      C-2          9.00
        2025-11-30        A-1      C-1          90.00
        2025-11-30        A-2      C-2          10.00
        """
    ) == [
        ("2025-11-30", "1", "C-1", "90.00", "1"),
        ("2025-11-30", "2", "C-2", "10.00", "1"),
        ("2025-12-31", "1", "C-1", "1.00", "1"),
        ("2025-12-31", "2", "C-2", "9.00", "1"),
    ]


def test_of_equal_borrowers_the_one_with_the_first_loan_has_the_lower_number(owing):
    rows = owing(
        """
        loan_id  borrower_id  total_receivable_usd
        A-3      C-1          5.00
        A-2      C-2          5.00
        A-1      C-3          5.00
        """
    )
    assert [row[1:3] for row in rows] == [("1", "C-3"), ("2", "C-2"), ("3", "C-1")]


def test_balance_without_a_borrower_belongs_to_nobody(owing):
    rows = owing("loan_id  borrower_id  total_receivable_usd\nA-1  -  500.00\nA-2  C-1  5.00\n")
    assert rows == [("2025-12-31", "1", "C-1", "5.00", "1")]


def test_loan_without_a_balance_is_none_of_a_borrowers(owing):
    rows = owing(
        """
        loan_id  borrower_id  total_receivable_usd
        A-1      C-1          0.00
        A-2      C-2          0.01
        A-3      C-2          0.00
        A-4      C-3          -
        """
    )
    assert rows == [("2025-12-31", "1", "C-2", "0.01", "1")]


@pytest.mark.parametrize(
    "text", ["loan_id\n", "loan_id  borrower_id  total_receivable_usd\nA-1  -  5.00\nA-2  C-1  0.00\n"]
)
def test_nobody_owes_anything(owing, text):
    assert owing(text) == []
