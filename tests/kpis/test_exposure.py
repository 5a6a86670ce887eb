"""What hangs on single borrowers, worked out by hand."""

import pytest

from abaco.kpis.concentration import paths, stopped

from .books import book

TAPE = """
    measurement_date  loan_id  total_receivable_usd  dpd_30_60_usd  dpd_60_90_usd  dpd_90_plus_usd
    2025-01-31        A - 1    400.00                0.00           0.00           0.00
    2025-02-28        A - 1    300.00                0.00           0.00           0.00
    2025-02-28        A - 2    200.00                100.00         0.00           50.00
    2025-02-28        A - 3    500.00                0.00           0.00           0.00
"""
BORROWERS = """
    measurement_date  borrower  borrower_id  balance_usd  par_30_usd  loans
    2025-01-31        2         redacted     100.00       0.00        1
    2025-01-31        1         redacted     300.00       0.00        1
    2025-02-28        1         redacted     500.00       0.00        1
    2025-02-28        2         redacted     200.00       150.00      1
    2025-02-28        3         tok_1        200.00       0.00        2
"""


@pytest.fixture
def february(frame):
    return book(frame, tape=TAPE, borrowers=BORROWERS)


def test_what_is_late_already_counts_once(february):
    found = stopped(february, 2).to_pylist()
    assert [(row["borrowers"], row["last"], str(row["par30"])) for row in found] == [
        (0, None, "15.0000"), (1, "Borrower 1", "65.0000"), (2, "Borrower 2", "70.0000"),
    ]  # fmt: skip
    assert [str(found[2][name]) for name in ("loans", "amount_usd", "late_usd")] == ["1", "200.00", "150.00"]


def test_more_stops_than_borrowers_are_all_of_them(february):
    assert str(stopped(february, 10).to_pylist()[-1]["par30"]) == "90.0000"


def test_shares_of_the_largest_of_today_are_followed_back(february):
    found = paths(february, 2).to_pylist()
    assert [(str(row["date"]), row["borrower"], str(row["share"])) for row in found] == [
        ("2025-01-31", "Borrower 1", "75.0000"), ("2025-01-31", "Borrower 2", "25.0000"),
        ("2025-02-28", "Borrower 1", "50.0000"), ("2025-02-28", "Borrower 2", "20.0000"),
    ]  # fmt: skip


@pytest.mark.parametrize("borrowers", [{}, {"borrowers": BORROWERS.replace("2025-02-28", "2025-01-15")}])
@pytest.mark.parametrize("follow", [paths, stopped])
def test_unknown_borrowers_give_no_rows(frame, follow, borrowers):
    assert follow(book(frame, tape=TAPE, **borrowers), 3).num_rows == 0


def test_unknown_arrears_are_not_zero(frame):
    unknown = TAPE.replace("0.00           0.00           0.00", "-  0.00  0.00").replace("100.00  ", "-  ")
    assert stopped(book(frame, tape=unknown, borrowers=BORROWERS), 1).num_rows == 0
