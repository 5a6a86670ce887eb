"""Vintage curves held against each other, worked out by hand."""

from decimal import Decimal

import pyarrow as pa
import pytest

from abaco.core.parquet import arrow_schema
from abaco.kpis import cohorts
from abaco.kpis.vintage import TABLE, vintages

from .books import book


def curve(cohort, disbursed, *defaulted):
    """Return the rows of a quarter from age 0 on."""
    return [
        {"cohort": cohort, "months_on_book": age, "loans": 1, "disbursed_usd": Decimal(disbursed),
         "defaulted_usd": Decimal(usd), "share": None}
        for age, usd in enumerate(defaulted)
    ]  # fmt: skip


@pytest.fixture
def curves():
    old, middle = (curve("2024 Q4", "100.00", "0.00", "10.00", "20.00"), curve("2025 Q1", "300.00", "0.00", "6.00"))
    return pa.Table.from_pylist([*old, *middle, *curve("2025 Q2", "100.00", "5.00")], schema=arrow_schema(TABLE))


def test_all_quarters_together_add_what_fell_behind_at_each_age(curves):
    # age 0: 5 of 500; age 1: 16 of 400; age 2: 10 of 100
    found = cohorts.pooled(curves).to_pylist()
    assert [(row["cohorts"], str(row["disbursed_usd"]), str(row["share"])) for row in found] == [
        (3, "500.00", "1.0000"), (2, "400.00", "5.0000"), (1, "100.00", "15.0000"),
    ]  # fmt: skip


def test_quarter_is_held_against_all_earlier_ones_at_the_same_age(curves):
    found = cohorts.against_predecessors(curves).to_pylist()
    assert [
        (r["cohort"], r["months_on_book"], *(str(r[c]) for c in ("share", "share_before", "difference"))) for r in found
    ] == [
        ("2025 Q1", 0, "0.0000", "0.0000", "0.0000"),
        ("2025 Q1", 1, "2.0000", "10.0000", "-8.0000"),
        ("2025 Q2", 0, "5.0000", "0.0000", "5.0000"),
    ]
    assert found[2]["cohorts_before"] == 2


@pytest.mark.parametrize("compare", [cohorts.pooled, cohorts.against_predecessors])
def test_no_curves_compare_to_nothing(compare):
    assert compare(arrow_schema(TABLE).empty_table()).num_rows == 0


LOANS = """
    loan_id  product  disburse_date  disburse_principal  interest_rate
    A - 1    x        2025-01-05     100.00              0.100000
    A - 2    y        2025-03-05     400.00              0.100000
    A - 3    -        2024-11-05     50.00               0.100000
    A - 4    x        2025-04-05     70.00               0.100000
"""
HEADING = (
    "measurement_date  loan_id  product  disbursed_on  total_receivable_usd  written_off_usd  days_past_due  "
    "dpd_90_plus_usd"
)
TAPE = "\n".join(
    [HEADING, *(f"2025-0{month}-28  A - 2  y  2025-03-05  400.00  0.00  0  0.00" for month in (1, 2, 3)),
     "2025-04-30  A - 1  x  2025-01-05  80.00  0.00  95  80.00"]
)  # fmt: skip


@pytest.fixture
def spring(frame):
    return book(frame, tape=TAPE, loans=LOANS)


def test_each_value_has_a_curve_of_its_own(spring):
    found = cohorts.by_value(spring, "product").to_pylist()
    assert [(row["value"], row["months_on_book"], str(row["disbursed_usd"]), str(row["share"])) for row in found] == [
        ("x", 0, "100.00", "0.0000"), ("x", 1, "100.00", "0.0000"),
        ("y", 0, "400.00", "0.0000"), ("y", 1, "400.00", "0.0000"),
    ]  # fmt: skip


def test_column_that_nobody_has_gives_no_curves(spring):
    assert cohorts.by_value(spring, "facility").num_rows == 0


def test_coverage_tells_what_was_lent_in_every_quarter_and_how_far_its_curve_goes(spring):
    found = cohorts.coverage(spring, vintages(spring)).to_pylist()
    assert [(row["cohort"], row["loans"], str(row["disbursed_usd"]), row["months_on_book"]) for row in found] == [
        ("2024 Q4", 1, "50.00", None), ("2025 Q1", 2, "500.00", 1), ("2025 Q2", 1, "70.00", None),
    ]  # fmt: skip


def test_coverage_without_loans_is_empty(frame):
    assert cohorts.coverage(book(frame), arrow_schema(TABLE).empty_table()).num_rows == 0
