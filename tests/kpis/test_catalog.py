"""The definitions of params/kpis.yml, and an error of one line for whatever can be wrong with them."""

import re

import pytest

from abaco.core.errors import InputError
from abaco.kpis import catalog
from tests.support.projects import ROOT

PAR60 = """
PAR60:
  title: Portfolio at risk, 60 days
  group: risk
  numerator: [dpd_60_90_usd, dpd_90_plus_usd]
  denominator: [total_receivable_usd]
  unit: "%"
  direction: lower
  precision: 4
  owner: Credit risk
"""
HEALTH = """
Health:
  title: Health
  group: core
  function: portfolio_health
  inputs: [PAR30, CollectionRate]
  unit: of 10
  direction: higher
  precision: 4
  owner: Credit risk
"""


@pytest.fixture
def load(tmp_path):
    """Load definitions that are written out."""

    def loaded(text):
        path = tmp_path / "kpis.yml"
        path.write_text(text, encoding="utf-8")
        return catalog.load(path)

    return loaded


def refusal(load, text):
    with pytest.raises(InputError) as caught:
        load(text)
    message = str(caught.value)
    assert len(message.splitlines()) == 1
    return message.split("kpis.yml", 1)[1]


def test_the_four_kpis_of_every_report_come_first_and_as_domain_md_says():
    found = catalog.load()
    assert list(found)[:4] == ["PAR30", "PAR90", "CollectionRate", "PortfolioHealth"]
    assert {name: (kpi.direction, kpi.warning, kpi.critical) for name, kpi in list(found.items())[:4]} == {
        "PAR30": ("lower", 5, 8),
        "PAR90": ("lower", 3, 5),
        "CollectionRate": ("higher", 1.5, 1),
        "PortfolioHealth": ("higher", 5, 3),
    }
    assert found["CollectionRate"].precision == 2


def test_formula_is_made_from_the_columns():
    found = catalog.load()
    assert found["PAR90"].shown_formula == "Σ dpd_90_plus / Σ total_receivable × 100"
    assert found["PAR30"].shown_formula == "Σ(dpd_30_60 + dpd_60_90 + dpd_90_plus) / Σ total_receivable × 100"
    assert found["PortfolioHealth"].shown_formula.startswith("(10 − PAR30 / 10)")


def test_ratio_of_sums_needs_no_thresholds(load):
    kpi = load(PAR60)["PAR60"]
    assert kpi.thresholds is None
    assert kpi.measures == ("dpd_60_90_usd", "dpd_90_plus_usd", "total_receivable_usd")


def test_unit_other_than_per_cent_leaves_the_ratio_as_it_is(load):
    kpi = load(PAR60.replace('"%"', "times"))["PAR60"]
    assert kpi.scale == 1
    assert kpi.shown_formula == "Σ(dpd_60_90 + dpd_90_plus) / Σ total_receivable"


def test_measures_are_those_needed_and_the_size_of_the_book_each_once(load):
    text = PAR60.replace("total_receivable_usd", "total_eligible_usd")
    assert catalog.measures(load(text)) == [
        "total_receivable_usd",
        "active_loans",
        "dpd_60_90_usd",
        "dpd_90_plus_usd",
        "total_eligible_usd",
    ]
    assert catalog.measures(load(PAR60)).count("total_receivable_usd") == 1


def test_empty_file_defines_nothing(load):
    assert load("# nothing yet\n") == {}


TWO_COLUMNS = "[dpd_60_90_usd, dpd_90_plus_usd]"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("dpd_60_90_usd", "dpd_60_usd", ": numerator: dpd_60_usd is not a measure: did you mean "),
        ("total_receivable_usd", "loan_id", ": denominator: loan_id is not a measure: choose one of "),
        (TWO_COLUMNS, "[]", ": numerator is missing: name measures, or a function"),
        (TWO_COLUMNS, "dpd_60_90_usd", ".numerator: write a list, such as [one, two]"),
        ("owner:", "ownr:", ".owner: it is missing: write it"),
        ("precision: 4", "precision: 7", ".precision: write 6 or less"),
        ("precision: 4", "precision: -1", ".precision: write 0 or more"),
        ("precision: 4", "precision: many", ".precision: write a whole number"),
        ("direction: lower", "direction: down", ".direction: write 'lower' or 'higher'"),
    ],
)
def test_fault_in_a_ratio_is_named_with_its_kpi_and_key(load, old, new, expected):
    assert old in PAR60
    assert refusal(load, PAR60.replace(old, new)).startswith(f": PAR60{expected}")


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ("warn: 3", ".warn: it is not a known key: take it out"),
        ("warning: 8\n  critical: 5", ": critical: 5 is not past the warning at 8"),
        ("warning: .nan\n  critical: 5", ".warning: write a number that is not infinite"),
        ("inputs: [PAR30]", ": inputs belong to a function, and it names none"),
    ],
)
def test_key_too_many_or_too_few_is_named_with_its_kpi(load, more, expected):
    assert refusal(load, f"{PAR60}  {more}\n").startswith(f": PAR60{expected}")


def test_limit_needs_a_direction(load):
    text = PAR60.replace("  direction: lower\n", "")
    assert load(text)["PAR60"].direction is None
    assert refusal(load, f"{text}  warning: 3\n") == ": PAR60: has a limit, so it needs a direction: lower or higher"


def test_one_limit_is_enough(load):
    assert load(f"{PAR60}  critical: 3\n")["PAR60"].thresholds == {"warning": None, "critical": 3}


def test_sum_needs_no_denominator(load):
    text = PAR60.replace("  denominator: [total_receivable_usd]\n", "").replace('"%"', "USD")
    assert load(text)["PAR60"].shown_formula == "Σ(dpd_60_90 + dpd_90_plus)"


def test_group_is_one_of_the_catalogue(load):
    assert refusal(load, PAR60.replace("group: risk", "group: luck")).startswith(": PAR60.group: write 'core',")


def test_name_of_a_measure_is_none_for_a_kpi(load):
    assert refusal(load, PAR60.replace("PAR60", "npl_usd")).startswith(": npl_usd is the name of a measure")


def test_higher_is_better_needs_the_critical_limit_below_the_warning(load):
    text = PAR60.replace("lower", "higher") + "  warning: 3\n  critical: 5\n"
    assert refusal(load, text) == ": PAR60: critical: 5 is not past the warning at 3"


def test_limits_may_be_equal(load):
    for direction in ("lower", "higher"):
        load(PAR60.replace("lower", direction) + "  warning: 3\n  critical: 3\n")


TWO_INPUTS = "[PAR30, CollectionRate]"


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("portfolio_health", "portfolio_wealth", ": function portfolio_wealth is not one of portfolio_health"),
        (TWO_INPUTS, "[PAR30]", ": inputs: portfolio_health takes 2 (par30, collection_rate), not 1"),
        (TWO_INPUTS, "[PAR60, Later]", ".inputs: Later is neither a measure nor a KPI defined above Health"),
        (TWO_INPUTS, "[PAR60, Health]", ".inputs: Health is neither a measure nor a KPI defined above Health"),
        ("unit:", "numerator: [dpd_60_90_usd]\n  unit:", ": has a function, so numerator and denominator would"),
    ],
)
def test_fault_in_a_composite_is_named_with_its_kpi_and_key(load, old, new, expected):
    assert old in HEALTH
    text = PAR60 + HEALTH.replace(old, new) + PAR60.replace("PAR60", "Later")
    assert refusal(load, text).startswith(f": Health{expected}")


def test_kpi_or_key_that_is_there_twice_is_refused(load):
    assert refusal(load, PAR60 + PAR60).startswith(" is not valid YAML: PAR60 is there twice")
    assert refusal(load, f"{PAR60}  precision: 2\n").startswith(" is not valid YAML: precision is there twice")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("PAR60:\n", ": PAR60: write keys below it"),
        ("PAR60: 5\n", ": PAR60: write keys below it"),
        ("- PAR60\n", " holds no named entries: "),
        ("PAR60\n", " holds no named entries: "),
        ("PAR60: {title: a}: b\n", " is not valid YAML: "),
        ("PAR60: [dpd_60_90_usd\n", " is not valid YAML: "),
    ],
)
def test_what_is_no_definition_is_refused(load, text, expected):
    assert refusal(load, text).startswith(expected)


def test_text_in_another_encoding_is_refused(tmp_path):
    path = tmp_path / "kpis.yml"
    path.write_bytes("PAR60: {title: Préstamo}".encode("cp1252"))
    with pytest.raises(InputError, match="is not UTF-8 text: save it as UTF-8"):
        catalog.load(path)


def test_missing_file_is_named(tmp_path):
    with pytest.raises(InputError, match=r"Parameter file not found: .*kpis\.yml"):
        catalog.load(tmp_path / "kpis.yml")


def test_kpis_yml_lists_the_choices_of_each_key():
    head, _, _ = (ROOT / "params" / "kpis.yml").read_text(encoding="utf-8").partition("\nPAR30:")
    words = " ".join(head.replace("#", " ").split())
    assert [name for name in (*catalog.GROUPS, *catalog.FUNCTIONS) if name not in words] == []
    assert [key for key in catalog.Definition.model_fields if not re.search(rf"\b{key} +\S", words)] == []
