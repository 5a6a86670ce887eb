"""Definitions at the edge: what would count otherwise than it looks is refused, and what is unusual is not."""

import pytest

from abaco.core.errors import InputError
from abaco.kpis import catalog

LATE = """
Late:
  title: Late
  group: risk
  numerator: [dpd_60_90_usd, dpd_90_plus_usd]
  denominator: [total_receivable_usd]
  unit: "%"
  direction: lower
  precision: 4
  owner: Credit risk
"""


@pytest.fixture
def load(tmp_path):
    """Load the definition of Late with a piece of it replaced."""

    def loaded(old, new):
        assert old in LATE
        path = tmp_path / "kpis.yml"
        path.write_text(LATE.replace(old, new), encoding="utf-8")
        return catalog.load(path)

    return loaded


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("precision: 4", "precision: yes", "Late.precision: write a whole number"),
        ("precision: 4", 'precision: "4"', "Late.precision: write a whole number"),
        ("precision: 4", "precision: 4\n  warning: yes", "Late.warning: write a number, such as 1500.00"),
        ("precision: 4", 'precision: 4\n  critical: "5"', "Late.critical: write a number, such as 1500.00"),
        ("dpd_60_90_usd,", "dpd_90_plus_usd,", "Late: numerator: dpd_90_plus_usd is listed twice"),
        ("[total_receivable_usd]", "[gross_usd, gross_usd]", "Late: denominator: gross_usd is listed twice"),
        ("[total_receivable_usd]", "[]", "Late: denominator is missing: a percentage needs one"),
        ("Late:\n", "Late loans:\n", "'Late loans' is not a valid name of a KPI"),
        ("Late:\n", "'':\n", "'' is not a valid name of a KPI"),
        ("Late:\n", "30:\n", "'30' is not a valid name of a KPI"),
        ("[dpd_60_90_usd, dpd_90_plus_usd]", "[Late]", "Late: numerator: Late is not a measure"),
        ("direction: lower", "warning: 0", "Late: has a limit, so it needs a direction"),
    ],
)
def test_what_would_count_otherwise_than_it_looks_is_refused(load, old, new, expected):
    with pytest.raises(InputError) as caught:
        load(old, new)
    message = str(caught.value).split("kpis.yml: ", 1)[1]
    assert message.startswith(expected)
    assert len(message.splitlines()) == 1


@pytest.mark.parametrize(
    ("limits", "expected"),
    [
        ("warning: 0", {"warning": 0, "critical": None}),
        ("warning: -5\n  critical: -4.5", {"warning": -5, "critical": -4.5}),
        ("critical: 0.1", {"warning": None, "critical": 0.1}),
    ],
)
def test_limit_may_be_any_number(load, limits, expected):
    assert load("precision: 4", f"precision: 4\n  {limits}")["Late"].thresholds == expected


@pytest.mark.parametrize("places", [0, 6])
def test_places_may_be_none_and_as_many_as_the_history_keeps(load, places):
    assert load("precision: 4", f"precision: {places}")["Late"].precision == places


def test_measure_may_be_on_both_sides(load):
    kpi = load("[total_receivable_usd]", "[dpd_90_plus_usd, total_receivable_usd]")["Late"]
    assert kpi.measures == ("dpd_60_90_usd", "dpd_90_plus_usd", "total_receivable_usd")


def test_name_may_have_an_accent(load):
    assert list(load("Late:\n", "Morosidad_día_60:\n")) == ["Morosidad_día_60"]
