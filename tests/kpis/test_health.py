"""Portfolio health: worked out by hand, and kept within 0 and 10."""

from decimal import Decimal

import pytest

from abaco.kpis.functions import portfolio_health


@pytest.mark.parametrize(
    ("par30", "collection_rate", "expected"),
    [
        ("5.175", "1.98", "1.877535"),  # (10 - 0.5175) * 0.198
        ("0", "5", "5.0"),
        ("100", "50", "0.0"),
        ("0", "0", "0.0"),
        ("3.5", "10.3", "9.9395"),  # 9.65 * 1.03
        ("3.5", "10.4", "10"),  # 9.65 * 1.04 = 10.036: it saturates
        ("0", "10", "10"),
        ("0", "10.01", "10"),
        ("0", "250", "10"),
        ("100.01", "50", "0"),
    ],
)
def test_health(par30, collection_rate, expected):
    assert portfolio_health(Decimal(par30), Decimal(collection_rate)) == Decimal(expected)


def test_zero_has_no_sign():
    assert not portfolio_health(Decimal("120"), Decimal("0")).is_signed()
