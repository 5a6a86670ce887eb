"""Rates that are more than a division, at the ends of their range."""

from decimal import Decimal

import pytest

from abaco.core.errors import NotComputableError
from abaco.kpis import functions


@pytest.mark.parametrize(
    ("monthly", "yearly"),
    [
        ("0", "0"),
        ("100", "100"),
        ("50", "99.9755859375"),  # 1 − 1/4096
        ("10", "71.7570463519"),  # 1 − 0.9¹² = 1 − 0.282429536481
        ("1", "11.3615128283870719341"),
    ],
)
def test_year_of_a_monthly_rate_by_hand(monthly, yearly):
    assert functions.annual_rate(Decimal(monthly)) == Decimal(yearly)


@pytest.mark.parametrize("monthly", ["100.0001", "5000"])
def test_more_than_all_in_a_month_has_no_year(monthly):
    with pytest.raises(NotComputableError, match="more than all that was there"):
        functions.annual_rate(Decimal(monthly))


@pytest.mark.parametrize(
    ("paid", "due", "opening", "early"),
    [
        ("150.00", "100.00", "1100.00", "5"),
        ("100.00", "100.00", "1100.00", "0"),  # paid exactly what was due
        ("1100.00", "100.00", "1100.00", "100"),
        ("50.00", "0.00", "1000.00", "5"),
        ("0.00", "0.00", "0.01", "0"),
    ],
)
def test_early_principal_by_hand(paid, due, opening, early):
    found = functions.single_monthly_mortality(Decimal(paid), Decimal(due), Decimal(opening))
    assert found == Decimal(early)


@pytest.mark.parametrize("opening", ["100.00", "99.99", "0.00"])
def test_nothing_is_early_of_a_book_that_is_all_due(opening):
    with pytest.raises(NotComputableError, match="all that was outstanding at the month's start was due"):
        functions.single_monthly_mortality(Decimal("100.00"), Decimal("100.00"), Decimal(opening))


def test_less_than_was_due_is_no_prepayment():
    with pytest.raises(NotComputableError, match="less principal was paid than was due"):
        functions.single_monthly_mortality(Decimal("99.99"), Decimal("100.00"), Decimal("1000.00"))


@pytest.mark.parametrize(("rotation", "days"), [("1", "365"), ("5", "73"), ("0.5", "730"), ("365", "1")])
def test_days_to_collect_by_hand(rotation, days):
    assert functions.days_to_collect(Decimal(rotation)) == Decimal(days)


@pytest.mark.parametrize("rotation", ["0", "0.00", "-0.01"])
def test_nothing_collected_takes_no_number_of_days(rotation):
    with pytest.raises(NotComputableError, match="no principal was paid in twelve months"):
        functions.days_to_collect(Decimal(rotation))
