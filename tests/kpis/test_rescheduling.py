"""Loans whose schedule was replaced by a longer one, by hand."""

import datetime as dt

import pyarrow as pa
import pytest

from abaco.kpis.book import Book
from abaco.kpis.rescheduling import rescheduled
from tests.support.tapes import DECEMBER, tape

FORMER = {"date": "2025-11-30"}
LOANS = """
measurement_date  loan_id  total_receivable_usd  restructured
2025-12-31        A-1      100.00                -
2025-12-31        A-2      200.00                -
2025-12-31        A-3      300.00                true
2025-12-31        A-4      400.00                false
2025-12-31        A-5      0.00                  -
2025-12-31        A-6      500.00                -
"""


def schedules(**last):
    """Return schedules of two instalments a loan, the last on that day of March."""
    days = {name.replace("_", "-"): dt.date(2026, 3, day) for name, day in last.items()}
    rows = [(loan, day) for loan, late in days.items() for day in (dt.date(2025, 12, 15), late)]
    return pa.table({"loan_id": [loan for loan, _ in rows], "date_due": pa.array([d for _, d in rows], pa.date32())})


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({"A_1": 8}, None),  # a week is a holiday
        ({"A_1": 9}, "1 row (100.00 USD)"),
        ({"A_1": 9, "A_2": 31}, "2 rows (300.00 USD)"),
        ({"A_3": 31}, None),  # an export says it
        ({"A_4": 31}, "1 row (400.00 USD)"),  # it says no
        ({"A_5": 31}, None),  # it is paid
        ({"A_6": 31}, None),  # it is new
    ],
)
def test_loans_that_fall_due_later_are_told_beyond_a_week(frame, changes, told):
    first = dict.fromkeys(("A_1", "A_2", "A_3", "A_4", "A_5"), 1)
    now = {**first, "A_6": 1, **changes}
    book = Book(frame(tape(LOANS)), [DECEMBER], DECEMBER, {"schedules": frame(schedules(**now))})
    found = rescheduled(book, frame(schedules(**first)), FORMER)
    assert [str(reason) for reason in found] == ([
        "Due later than the schedules of the former report of 2025-11-30 said, though no export calls them "
        f"restructured: {told}. If they are, say so in a column is_restructured."
    ] if told else [])  # fmt: skip


def test_without_schedules_of_either_report_nothing_is_told(frame):
    book = Book(frame(tape(LOANS)), [DECEMBER], DECEMBER, {"schedules": frame(schedules(A_1=31))})
    assert rescheduled(book, None, None) == []
    without = Book(frame(tape(LOANS)), [DECEMBER], DECEMBER)
    assert rescheduled(without, frame(schedules(A_1=1)), FORMER) == []
