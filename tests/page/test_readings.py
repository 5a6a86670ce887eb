"""A KPI in words."""

import pytest

from abaco.page import readings


def test_four_first_kpis_come_first(metrics):
    assert [name for name, _ in readings.in_order(metrics)] == [
        "PAR30",
        "PAR90",
        "CollectionRate",
        "PortfolioHealth",
        "PAR60",
    ]


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (3.6773, "3.68\u00a0%"),
        (5.0012, "5.001\u00a0%"),
        (4.9999, "4.9999\u00a0%"),
        (5.0, "5.00\u00a0%"),
        (8.004, "8.004\u00a0%"),
    ],
)
def test_rounding_never_hides_a_passed_limit(metrics, value, shown):
    kpi = metrics["kpis"]["PAR30"] | {"value": value}
    assert readings.short(kpi) == shown


def test_limits_follow_the_direction(metrics):
    kpis = metrics["kpis"]
    assert readings.limits(kpis["PAR30"]) == "warning above 5, critical above 8"
    assert readings.limits(kpis["CollectionRate"]) == "warning below 1.5, critical below 1"
    assert readings.limits(kpis["PAR60"]) == ""


@pytest.mark.parametrize(
    ("change", "direction", "expected"),
    [
        (0.2144, "lower", ("↑", "up 0.21\u00a0points", "worse")),
        (-0.2144, "lower", ("↓", "down 0.21\u00a0points", "better")),
        (0.2144, "higher", ("↑", "up 0.21\u00a0points", "better")),
        (-0.0003, "higher", ("↓", "down 0.0003\u00a0points", "worse")),
        (0, "lower", ("→", "unchanged", "")),
    ],
)
def test_change_is_judged_by_direction(metrics, change, direction, expected):
    kpi = metrics["kpis"]["PAR30"] | {"change": change, "direction": direction}
    assert tuple(readings.change(kpi).values()) == expected


def test_no_change_without_a_previous_value(metrics):
    assert readings.change(metrics["kpis"]["PAR60"]) is None
