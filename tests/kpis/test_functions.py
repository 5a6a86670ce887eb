"""Rates that are more than a division, at the ends of their range."""

from decimal import Decimal

import pytest

from abaco.core.errors import NotComputableError
from abaco.kpis import functions


@pytest.mark.parametrize(
    ("kept", "months", "yearly"),
    [
        ("1", "1", "0"),
        ("0", "1", "100"),
        ("0.5", "1", "99.9755859375"),  # 1 − 1/4096
        ("0.9", "1", "71.7570463519"),  # 1 − 0.9¹² = 1 − 0.282429536481
        ("0.99", "1", "11.3615128283870719341"),
        ("0.9", "3", "34.39"),  # 1 − 0.9⁴
        ("0.9", "12", "10"),
        ("0.81", "24", "10"),  # the square root of 0.81
        ("0", "2.5", "100"),
    ],
)
def test_year_of_the_share_that_is_left_by_hand(kept, months, yearly):
    assert functions.annual_rate(Decimal(kept), Decimal(months)) == Decimal(yearly)


def test_ten_days_of_a_month_are_annualised_by_their_days():
    """0.99 in 10 of 31 days: ln 0.99 = −0.01005034; × 12 × 3.1 = −0.37387249; e to it = 0.688064."""
    found = functions.annual_rate(Decimal("0.99"), Decimal(10) / Decimal(31))
    assert round(found, 3) == Decimal("31.194")


@pytest.mark.parametrize(("rotation", "days"), [("1", "365"), ("5", "73"), ("0.5", "730"), ("365", "1")])
def test_days_to_collect_by_hand(rotation, days):
    assert functions.days_to_collect(Decimal(rotation)) == Decimal(days)


@pytest.mark.parametrize("rotation", ["0", "0.00", "-0.01"])
def test_nothing_collected_takes_no_number_of_days(rotation):
    with pytest.raises(NotComputableError, match="no principal was paid in twelve months"):
        functions.days_to_collect(Decimal(rotation))
