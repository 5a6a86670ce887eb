"""All measures of a book together, and the whole catalogue on what a book does not give."""

from decimal import Decimal

import pytest

from abaco.kpis import catalog, measures
from abaco.kpis.measures import MEASURES, SOURCES
from abaco.kpis.totals import Totals
from abaco.kpis.values import all_measures, evaluate, missing
from tests.support.tapes import DECEMBER, NOVEMBER, book

DEFINITIONS = catalog.load()
BY_DATE = """
    measurement_date  total_receivable_usd  total_eligible_usd  dpd_0_7_usd  dpd_7_30_usd  dpd_30_60_usd  dpd_60_90_usd  dpd_90_plus_usd
    2025-11-30        200.00                200.00              200.00       0.00          0.00           0.00           0.00
    2025-12-31        100.00                100.00              60.00        20.00         10.00          6.00           4.00
"""  # noqa: E501


def total(usd):
    return Totals(1, dict.fromkeys(MEASURES, usd), dict.fromkeys(MEASURES, 1))


def test_measure_that_goes_on_from_others_needs_no_mention_of_them(frame):
    chances = tuple(map(Decimal, ("1", "10", "50", "50", "100")))
    found = measures.measure(book(frame, BY_DATE, default_probability_pct=chances), ["expected_loss_usd"])
    # 0.60 + 2.00 + 5.00 + 3.00 + 4.00
    assert {day: str(one.sums["expected_loss_usd"]) for day, one in found.items()} == {
        NOVEMBER: "2.00",
        DECEMBER: "14.60",
    }


def test_book_with_a_row_a_date_has_what_balances_give_and_nothing_else(frame):
    found = measures.measure(book(frame, BY_DATE), MEASURES)
    assert list(found) == [NOVEMBER, DECEMBER]
    given = {name for name, usd in found[DECEMBER].sums.items() if usd is not None}
    of_days = {f"months_{span}" for span in (1, 3, 12)}
    assert given == {*BY_DATE.split("\n")[1].split()[1:], *of_days}


def test_report_of_a_row_a_date_has_the_kpis_of_balances(frame):
    found = measures.measure(book(frame, BY_DATE), catalog.measures(DEFINITIONS))[DECEMBER]
    values = {name: kpi["value"] for name, kpi in evaluate(DEFINITIONS, found, DECEMBER).items()}
    given = set(BY_DATE.split("\n")[1].split())
    of_balances = {name for name in DEFINITIONS if set(all_measures(DEFINITIONS, name)) <= given}
    assert {name for name, value in values.items() if value is not None} == of_balances
    assert [str(values[name]) for name in ("PAR30", "Outstanding")] == ["20.0000", "100.00"]


def test_empty_tape_has_no_value_of_any_kpi(frame):
    found = measures.measure(book(frame, "loan_id\n"), catalog.measures(DEFINITIONS))
    kpis = evaluate(DEFINITIONS, found[DECEMBER], DECEMBER)
    assert {name: kpi["value"] for name, kpi in kpis.items()} == dict.fromkeys(DEFINITIONS)


def test_every_measure_has_one_source_that_says_what_to_add():
    named = [name for source in SOURCES for name in source.MEASURES]
    assert sorted(named) == sorted(MEASURES)
    for name, measure in MEASURES.items():
        assert measure.title[0].islower(), name
        assert measure.add.strip(), name


def test_every_kpi_of_the_catalogue_is_made_of_measures_that_there_are():
    wanted = {name for kpi in DEFINITIONS.values() for name in kpi.measures}
    assert wanted <= set(MEASURES)
    assert set(catalog.measures(DEFINITIONS)) == wanted | {"total_receivable_usd", "active_loans"}


@pytest.mark.parametrize("usd", [Decimal("0.00"), Decimal("-0.01"), None])
def test_nothing_to_divide_by_makes_no_value_and_no_error(usd):
    found = evaluate(DEFINITIONS, total(usd), DECEMBER)
    values = {name for name, kpi in found.items() if kpi["value"] is not None}
    sums = {name for name, kpi in DEFINITIONS.items() if not kpi.denominator and not kpi.function}
    assert values == (set() if usd is None else sums)
    for name in set(found) - values:
        assert found[name]["status"] == "not_computable"
        assert str(found[name]["reason"]).endswith(f" on {DECEMBER}"), name


def test_what_is_missing_of_every_kpi_is_said():
    empty = total(None)
    found = missing(DEFINITIONS, evaluate(DEFINITIONS, empty, DECEMBER), empty)
    assert {entry["kpi"] for entry in found} == set(DEFINITIONS)


def test_kpi_may_be_made_of_kpis_that_are_made_of_kpis():
    kpis = {name: DEFINITIONS[name] for name in ("Rotation", "DaysToCollect")}
    sums = {"year_principal_usd": Decimal("300.00"), "year_mean_balance_usd": Decimal("700.00")}
    found = evaluate(kpis, Totals(7, sums, {"year_principal_usd": 7, "year_mean_balance_usd": 5}), DECEMBER)
    # 365 / (3 / 7), not 365 / 0.4286, which is 851.6
    assert (str(found["DaysToCollect"]["value"]), found["DaysToCollect"]["rows"]) == ("851.7", 5)
