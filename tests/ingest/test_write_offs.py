"""Loans that are restructured, by a flag or by their status, and what nothing is said of."""

import datetime as dt

import pyarrow as pa
import pytest

from abaco.ingest.write_offs import OUTSTANDING, STANDING, restructured, standing

STATUSES = ["Restructured", "Reestructurado", "Active", "Charged off", "Zzz", None]


def column(frame, name, made, **cells):
    rows = frame(pa.table({heading: pa.array(values, pa.string()) for heading, values in cells.items()}))
    return rows.with_columns(made).lazy().collect("pyarrow")[name].to_list()


@pytest.mark.parametrize(
    ("tells_others", "expected"),
    [(False, [True, True, None, None, None, None]), (True, [True, True, False, False, None, None])],
)
def test_status_says_that_a_loan_is_restructured_and_of_others_only_where_there_is_one_for_it(
    frame, tells_others, expected
):
    made = restructured({"loan_status"}, tells_others)
    assert column(frame, "restructured", made, loan_status=STATUSES) == expected


def test_flag_says_it_of_each_loan_and_the_status_of_one_more(frame):
    made = restructured({"loan_status", "is_restructured"}, False)
    flags, statuses = ["Yes", "no", "no", "maybe", None], ["Active", "Active", "Refinanced", "Active", "Modified"]
    found = column(frame, "restructured", made, is_restructured=flags, loan_status=statuses)
    assert found == [True, False, True, None, True]


def test_balance_of_a_restructured_loan_is_outstanding(frame):
    made = standing({"loan_status"}, False, dt.date(2025, 12, 31))
    assert column(frame, STANDING, made, loan_status=STATUSES)[:3] == [OUTSTANDING] * 3
