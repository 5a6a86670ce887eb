"""Where arrears came from, between any two dates of the tape."""

import datetime as dt
from decimal import Decimal

import pytest

from abaco.core.parquet import arrow_schema
from abaco.core.text import finding
from abaco.kpis import catalog, contributors, movement
from abaco.kpis.segments import RISE, rise_by_segment

from .books import book

JANUARY, MARCH = dt.date(2025, 1, 31), dt.date(2025, 3, 31)
PAR30 = catalog.Definition(
    title="PAR30", group="core", unit="%", direction="lower", precision=4, owner="-",
    numerator=("dpd_30_60_usd", "dpd_60_90_usd", "dpd_90_plus_usd"), denominator=("total_receivable_usd",),
)  # fmt: skip
COLUMNS = """
    measurement_date  loan_id  company  product  region  total_receivable_usd  written_off_usd  dpd_0_7_usd  \
dpd_7_30_usd  dpd_30_60_usd  dpd_60_90_usd  dpd_90_plus_usd
"""


def row(day, loan, product, current="0.00", late="0.00"):
    """Write out a loan that owes something on time, or 30 days late, or nothing."""
    owed = Decimal(current) + Decimal(late)
    return f"{day}  {loan}  A  {product}  -  {owed}  0.00  {current}  0.00  {late}  0.00  0.00"


ROWS = (
    row(JANUARY, "A - 1", "x", current="100.00"),
    row(JANUARY, "A - 2", "y", late="50.00"),
    row(JANUARY, "A - 3", "-", current="50.00"),
    row("2025-02-28", "A - 1", "x", current="999.00"),  # in between: no part of the comparison
    row(MARCH, "A - 1", "x", late="80.00"),
    row(MARCH, "A - 2", "y", current="20.00"),
    row(MARCH, "A - 4", "x", late="10.00"),
    row(MARCH, "A - 5", "y", current="290.00"),
)


@pytest.fixture
def quarter(frame):
    return book(frame, tape=COLUMNS + "\n".join(ROWS))


def test_rise_and_fall_are_told_by_part_the_largest_rise_first(quarter):
    found = rise_by_segment(quarter, MARCH, JANUARY, 30).to_pylist()
    assert [(row["dimension"], row["value"]) for row in found] == [
        ("product", "x"), ("product", "not given"), ("product", "y"), ("company", "A"),
    ]  # fmt: skip
    x, _, y, company = found
    assert (x["loans_risen"], x["risen_usd"], x["share_of_rise"], x["share_of_book"]) == (
        2, Decimal("90.00"), Decimal("100.00"), Decimal("22.50"),
    )  # fmt: skip
    assert (y["risen_usd"], y["fallen_usd"], y["change_usd"]) == (0, Decimal("50.00"), Decimal("-50.00"))
    assert company["change_usd"] == Decimal("40.00")


def test_shares_of_nothing_are_not_zero(frame):
    still = book(frame, tape=COLUMNS + "\n".join([row(JANUARY, "A - 1", "x"), row(MARCH, "A - 1", "x")]))
    (product, _) = rise_by_segment(still, MARCH, JANUARY, 30).to_pylist()
    assert (product["share_of_rise"], product["share_of_book"]) == (None, None)


def test_without_an_earlier_date_there_is_no_origin(quarter):
    assert rise_by_segment(quarter, MARCH, None, 30).equals(RISE.empty_table())


def test_balances_roll_between_any_two_dates(quarter):
    rolled = movement.rolled_between(quarter, MARCH, JANUARY).to_pylist()
    assert [(row["opening"], row["closing"], row["loans"], str(row["amount_usd"])) for row in rolled] == [
        ("0–7", "30–60", 1, "100.00"),
        ("0–7", "paid", 1, "50.00"),
        ("30–60", "0–7", 1, "50.00"),
        ("new", "0–7", 1, "290.00"),
        ("new", "30–60", 1, "10.00"),
    ]
    assert [str(row["share"]) for row in rolled[:3]] == ["66.6667", "33.3333", "100.0000"]


def test_without_an_earlier_date_nothing_rolls(quarter):
    assert movement.rolled_between(quarter, MARCH, None).equals(arrow_schema(movement.TABLE).empty_table())


def test_bridge_between_any_two_dates_leads_from_one_value_to_the_other(quarter):
    steps, loans = contributors.bridged(quarter, PAR30, "PAR30", JANUARY, limit=2)
    assert [str(row["amount_usd"]) for row in steps.to_pylist()] == [
        "50.00", "90.00", "0.00", "-20.00", "-30.00", "0.00", "None", "90.00",
    ]  # fmt: skip
    assert [(row["loan"], row["change_usd"]) for row in loans.to_pylist()] == [
        ("Loan 1", Decimal("80.00")), ("Loan 2", Decimal("-50.00")),
    ]  # fmt: skip
    assert finding(steps.to_pylist()) == (
        "PAR30 moved by -2.50 points, from 25.00 % on 2025-01-31 to 22.50 % on 2025-03-31; "
        "most by new arrears (+22.50)."
    )


@pytest.mark.parametrize("against", [None, JANUARY])
def test_without_a_bridge_there_are_no_steps_and_nothing_is_found(frame, against):
    pooled = "\n".join(r.replace("A - 1", "-") for r in (row(JANUARY, "A - 1", "x"), row(MARCH, "A - 1", "x")))
    steps, loans = contributors.bridged(book(frame, tape=COLUMNS + pooled), PAR30, "PAR30", against)
    assert (steps.num_rows, loans.num_rows, finding(steps.to_pylist())) == (0, 0, "")
