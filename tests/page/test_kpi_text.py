"""A KPI in words."""

import pytest

from abaco.page import kpi_text


def test_groups_stand_in_the_pages_order_under_their_headings(metrics):
    metrics["kpis"]["Cash"] = metrics["kpis"]["PAR60"] | {"group": "balance sheet"}
    metrics["kpis"]["Odd"] = metrics["kpis"]["PAR60"] | {"group": "invented"}
    metrics["kpis"]["Old"] = {key: value for key, value in metrics["kpis"]["PAR60"].items() if key != "group"}
    groups = {title: [name for name, _ in kpis] for title, kpis in kpi_text.by_group(metrics).items()}
    assert groups == {
        "Key figures": ["PAR30", "PAR90", "CollectionRate", "PortfolioHealth"],
        "Arrears": ["PAR60"],
        "Balance sheet": ["Cash"],
        "Other figures": ["Odd", "Old"],
    }
    assert list(groups) == ["Key figures", "Arrears", "Balance sheet", "Other figures"]


def test_four_first_kpis_come_first(metrics):
    assert [name for name, _ in kpi_text.in_order(metrics)] == [
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
    assert kpi_text.short(kpi) == shown


def test_limits_follow_the_direction(metrics):
    kpis = metrics["kpis"]
    assert kpi_text.limits(kpis["PAR30"]) == "warning above 5, critical above 8"
    assert kpi_text.limits(kpis["CollectionRate"]) == "warning below 1.5, critical below 1"
    assert kpi_text.limits(kpis["PAR60"]) == ""


@pytest.mark.parametrize(
    ("change", "direction", "expected"),
    [
        (0.2144, "lower", ("↑", "up 0.21\u00a0points", "worse")),
        (-0.2144, "lower", ("↓", "down 0.21\u00a0points", "better")),
        (0.2144, "higher", ("↑", "up 0.21\u00a0points", "better")),
        (-0.0003, "higher", ("↓", "down 0.0003\u00a0points", "worse")),
        (0, "lower", ("→", "unchanged", "")),
        (0.2144, None, ("↑", "up 0.21\u00a0points", "")),
    ],
)
def test_change_is_judged_by_direction(metrics, change, direction, expected):
    kpi = metrics["kpis"]["PAR30"] | {"change": change, "direction": direction}
    assert tuple(kpi_text.change(kpi).values()) == expected


def test_whole_numbers_have_no_decimals(metrics):
    kpi = metrics["kpis"]["PAR60"] | {"value": 1234, "precision": 0, "unit": "loans", "change": -6}
    assert kpi_text.short(kpi) == "1,234\u00a0loans"
    assert kpi_text.change(kpi)["amount"] == "down 6"


def test_a_single_limit_is_enough(metrics):
    kpi = metrics["kpis"]["PAR30"] | {"thresholds": {"warning": 30, "critical": None}, "value": 34.2}
    assert kpi_text.limits(kpi) == "warning above 30"
    assert kpi_text.short(kpi) == "34.20\u00a0%"


def test_no_change_without_a_previous_value(metrics):
    assert kpi_text.change(metrics["kpis"]["PAR60"]) is None
