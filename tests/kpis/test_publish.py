"""The entries of metrics.json, from values worked out by hand."""

import datetime as dt
import json
from decimal import Decimal

import pytest

from abaco.kpis import catalog, publish
from abaco.kpis.totals import Totals
from abaco.review import terminal
from tests.support.projects import FOUR

OCTOBER, NOVEMBER, DECEMBER = dt.date(2025, 10, 31), dt.date(2025, 11, 30), dt.date(2025, 12, 31)
PAR90 = {"PAR90": catalog.load(FOUR)["PAR90"]}


def book(late, receivable="100.00"):
    sums = {"dpd_90_plus_usd": Decimal(late), "total_receivable_usd": Decimal(receivable)}
    return Totals(1, sums, dict.fromkeys(sums, 1))


def value(number, **more):
    usual = {"value": number and Decimal(number), "status": "ok", "reason": None, "numerator": None}
    return {"PAR90": {**usual, "denominator": None, "rows": 1, **more}}


def entry(now, before=None):
    return publish.kpi_entries(PAR90, now, before)["PAR90"]


def test_entry_holds_what_design_md_names():
    now = value("3.6773", numerator=Decimal("267557.62"), denominator=Decimal("7275898.35"), rows=1023)
    found = entry(now, (NOVEMBER, value("3.4629")))
    assert found == {
        "title": "Portfolio at risk, 90 days",
        "group": "core",
        "value": 3.6773,
        "unit": "%",
        "direction": "lower",
        "status": "ok",
        "reason": None,
        "numerator": "267557.62",
        "denominator": "7275898.35",
        "rows": 1023,
        "previous": {"date": "2025-11-30", "value": 3.4629},
        "change": 0.2144,
        "partial_through": None,
        "bounds": None,
        "thresholds": {"warning": 3, "critical": 5},
        "decides": True,
        "formula": "Σ dpd_90_plus / Σ total_receivable × 100",
        "precision": 4,
        "owner": "Credit risk",
        "note": PAR90["PAR90"].note,
        "convention": PAR90["PAR90"].convention,
    }


def test_one_date_only_has_no_previous_and_no_change():
    found = entry(value("3.0000"))
    assert (found["previous"], found["change"]) == (None, None)


@pytest.mark.parametrize(("now", "former"), [(None, "3.0000"), ("3.0000", None), (None, None)])
def test_change_to_or_from_null_is_null(now, former):
    found = entry(value(now), (NOVEMBER, value(former)))
    assert found["previous"] == {"date": "2025-11-30", "value": former and 3.0}
    assert found["change"] is None


def test_change_is_exact():
    assert (
        entry(value("0.3000"), (NOVEMBER, value("0.1000")))["change"] == 0.2
    )  # 0.3 - 0.1 in floats is 0.19999999999999998
    assert json.dumps(entry(value("0.3000"), (NOVEMBER, value("0.3000")))["change"]) == "0.0"


def test_change_that_is_not_compared_is_null_and_the_former_value_stays():
    found = publish.kpi_entries(PAR90, value("3.0000"), (NOVEMBER, value("2.0000")), uncompared={"PAR90"})["PAR90"]
    assert (found["change"], found["previous"]["value"]) == (None, 2.0)


def test_previous_is_the_nearest_earlier_date():
    totals = {OCTOBER: book("1.00"), NOVEMBER: book("2.00"), DECEMBER: book("3.00")}
    date, found = publish.previous(PAR90, totals, DECEMBER)
    assert (date, str(found["PAR90"]["value"])) == (NOVEMBER, "2.0000")
    assert publish.previous(PAR90, totals, OCTOBER) is None
    assert publish.previous(PAR90, totals, dt.date(2025, 11, 15))[0] == OCTOBER


def test_previous_date_that_is_not_computable_stays_the_previous():
    date, found = publish.previous(PAR90, {NOVEMBER: book("0.00", "0.00"), OCTOBER: book("1.00")}, DECEMBER)
    assert (date, found["PAR90"]["value"]) == (NOVEMBER, None)


@pytest.mark.parametrize(("loans", "expected"), [("2", 2), (None, None)])
def test_book_names_loans_with_a_balance_where_there_are_loan_ids(loans, expected):
    sums = {"total_receivable_usd": Decimal("100.01"), "active_loans": loans and Decimal(loans)}
    found = publish.book(Totals(4, sums, {}))
    assert found == {"outstanding": "100.01", "loans_with_balance": expected, "rows": 4}


def test_amounts_are_text_with_their_cents():
    assert publish.text(Decimal("7275898.30")) == "7275898.30"
    assert publish.text(None) is None
    assert publish.number(None) is None


def test_figures_of_the_month_are_partial_until_it_is_over_and_others_never():
    definitions = catalog.load()
    empty = {"value": None, "status": "none", "reason": "x", "numerator": None, "denominator": None, "rows": 0}
    now = dict.fromkeys(definitions, empty)
    found = publish.kpi_entries(definitions, now, None, dt.date(2025, 12, 10))
    partial = [name for name, kpi in found.items() if kpi["partial_through"] == "2025-12-10"]
    assert partial == [
        "WriteOffRate", "WriteOffRate12", "NetWriteOffRate12", "MonthlyDefaultRate", "CDR", "CDR3", "CDR12",
        "RecoveryRate", "CureRate", "RollRate30", "CollectedOfDue", "PrincipalOnTime", "APRDisbursed", "Disbursed",
        "AverageTicket", "SMM", "CPR", "CPR3", "CPR12",
    ]  # fmt: skip
    assert not any(kpi["partial_through"] for kpi in publish.kpi_entries(definitions, now, None).values())


def test_summary_tells_what_is_of_a_month_that_is_not_over():
    kpi = {
        "group": "core",
        "thresholds": None,
        "value": 1.5,
        "precision": 2,
        "unit": "%",
        "reason": None,
        "status": "ok",
    }
    kpis = {"A": kpi, "B": kpi | {"partial_through": "2025-12-10"}, "C": kpi | {"value": None, "reason": "no loans"}}
    assert terminal.summary(kpis) == [
        ("A", "1.50 %", "ok"),
        ("B", "1.50 %", "ok, month to date, until 2025-12-10"),
        ("C", "not computable", "no loans"),
    ]


@pytest.mark.parametrize(
    ("as_of", "later", "expected"),
    [
        ("2025-12-31", 5, []),
        ("2025-12-10", 5, ["The balances are labelled "]),
        (None, 0, ["These are not the figures of 2025-12-31: "]),
        (None, 5, ["These are not the figures of 2025-12-31: ", "That day is later than 2025-12-31: the export "]),
    ],
)  # fmt: skip
def test_caveats_say_which_day_the_figures_are_from(as_of, later, expected):
    found = terminal.caveats({"date": "2025-12-31", "as_of": as_of, "reconciliation": {"later": later}})
    assert len(found) == len(expected)
    assert all(told.startswith(start) for told, start in zip(found, expected, strict=True))


def test_caveats_begin_with_the_sample():
    figures = {"date": "2025-12-31", "as_of": "2025-12-10", "reconciliation": {"later": 0}, "synthetic": True}
    first, second = terminal.caveats(figures)
    assert first == "Synthetic sample: invented loans, no real book."
    assert second.startswith("The balances are labelled ")
    assert terminal.caveats({**figures, "as_of": "2025-12-31", "synthetic": False}) == []
