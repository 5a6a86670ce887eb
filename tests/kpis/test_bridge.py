"""The bridge from one PAR to the next, worked out by hand: causes in USD and in points, and exact sums."""

from decimal import Decimal

import pytest

from abaco.core.errors import NotComputableError
from abaco.core.parquet import arrow_schema
from abaco.ingest.columns import BUCKETS
from abaco.kpis import bridge, catalog
from abaco.kpis.book import Book
from abaco.kpis.totals import totals

from .moving import DECEMBER, MONTH, NOVEMBER, OCTOBER, dates_of, loan_tape

DEFINITIONS = {name: kpi for name, kpi in catalog.load().items() if name in ("PAR7", "PAR30", "PAR60", "PAR90")}
TERMS = ["opening", *(term for term in bridge.MOVED if term not in bridge.UNUSUAL), bridge.GROWTH, "closing"]


@pytest.fixture
def bridged(frame):
    """Turn rows of loans, written out, into the rows of their bridges on each engine."""

    def bridged(text, definitions=DEFINITIONS):
        tape, days = frame(loan_tape(text)), dates_of(text)
        sums = totals(tape, ["total_receivable_usd", *BUCKETS])
        found = bridge.bridges(definitions, Book(tape, days, days[-1] if days else None), sums)
        assert found.schema == arrow_schema(bridge.TABLE)
        rows = found.to_pylist()
        assert bridge.gaps(rows, definitions, sums) == []
        return rows

    return bridged


def moved(rows, kpi="PAR30", date=DECEMBER):
    """The USD of each term that is not 0, as text; None where it is not known."""
    found = {
        r["term"]: r["amount_usd"] for r in rows if (r["kpi"], r["date"]) == (kpi, date) and r["term"] in bridge.MOVED
    }
    return {term: usd if usd is None else str(usd) for term, usd in found.items() if usd is None or usd}


def points(rows, kpi="PAR30"):
    return {r["term"]: str(r["points"].normalize()) for r in rows if r["kpi"] == kpi}


def month(*loans):
    """Write out November and December of loans: what each owes and has written off, before and after."""
    lines = ["date loan owes written_off"]
    for i, (was, now) in enumerate(loans):
        lines += [f"{day} A-{i} {state}" for day, state in ((NOVEMBER, was), (DECEMBER, now)) if state]
    return "\n".join(lines)


CURRENT = ("100.00@0 0.00", "100.00@0 0.00")


# A month


def test_bridges_of_a_month(bridged):
    rows = bridged(MONTH)
    assert [(r["date"], r["against"], r["kpi"], r["term"]) for r in rows] == [
        (DECEMBER, NOVEMBER, kpi, term) for kpi in ("PAR30", "PAR90") for term in TERMS
    ]
    assert {r["term"]: r["amount_usd"] and str(r["amount_usd"]) for r in rows if r["kpi"] == "PAR30"} == {
        "opening": "205.00",
        "new arrears": "65.00",
        "rolled on": "30.00",
        "cured": "-55.00",
        "paid": "-40.00",
        "written off": "-25.00",
        "book growth": None,
        "closing": "180.00",
    }
    assert moved(rows, "PAR90") == {"rolled on": "70.00", "paid": "-25.00", "written off": "-25.00"}


def test_points_of_a_month(bridged):
    assert points(bridged(MONTH)) == {
        "opening": "35.0427",
        "new arrears": "7.7844",
        "rolled on": "3.5928",
        "cured": "-6.5868",
        "paid": "-4.7904",
        "written off": "-2.994",
        "book growth": "-10.4918",
        "closing": "21.5569",
    }


# Causes


@pytest.mark.parametrize(
    ("was", "now", "expected"),
    [
        ("9.00@0 0.00", "9.00@30 0.00", {"new arrears": "9.00"}),
        ("9.00@0 0.00", "9.00@7 0.00", {}),
        ("", "9.00@30 0.00", {"new arrears": "9.00"}),
        ("- 0.00", "9.00@30 0.00", {"new arrears": "9.00"}),
        ("9.00@7 0.00", "8.00@30 0.00", {"rolled on": "8.00"}),
        ("9.00@30 0.00", "9.00@60 0.00", {}),
        ("9.00@30 0.00", "9.50@60 0.00", {"rolled on": "0.50"}),
        ("9.00@0+1.00@30 0.00", "4.00@0+6.00@30 0.00", {"rolled on": "5.00"}),
        ("9.00@30 0.00", "8.00@7 0.00", {"cured": "-8.00", "paid": "-1.00"}),
        ("1486.37@30 0.00", "37.53@0 0.00", {"cured": "-37.53", "paid": "-1448.84"}),
        ("9.00@0+4.00@30 0.00", "10.00@0 0.00", {"cured": "-4.00"}),
        ("9.00@30 0.00", "9.00@0 0.00", {"cured": "-9.00"}),
        ("9.00@30 0.00", "", {"paid": "-9.00"}),
        ("9.00@30 0.00", "- 0.00", {"paid": "-9.00"}),
        ("9.00@30 4.00", "- 4.00", {"paid": "-9.00"}),
        ("9.00@30 0.00", "7.00@30 0.00", {"paid": "-2.00"}),
        ("9.00@90 0.00", "- 9.00", {"written off": "-9.00"}),
        ("9.00@90 0.00", "- 9.50", {"written off": "-9.00"}),
        ("9.00@90 0.00", "- 7.00", {"paid": "-2.00", "written off": "-7.00"}),
        ("9.00@90 0.00", "4.00@90 3.00", {"paid": "-2.00", "written off": "-3.00"}),
        ("9.00@90 0.00", "4.00@0 3.00", {"cured": "-4.00", "paid": "-2.00", "written off": "-3.00"}),
        ("9.00@0 0.00", "- 9.00", {}),
        ("- 9.00", "9.00@90 0.00", {"written off": "9.00"}),
        ("- 9.00", "7.00@90 0.00", {"written off": "7.00"}),
        ("2.00@90 9.00", "12.00@90 3.00", {"rolled on": "4.00", "written off": "6.00"}),
        ("- 9.00", "9.00@0 0.00", {}),
        ("- 9.00", "- 2.00", {}),
    ],
)
def test_cause_of_a_change(bridged, was, now, expected):
    assert moved(bridged(month((was, now), CURRENT))) == expected


def test_ninety_days_are_at_risk_and_what_is_below_rolls_on(bridged):
    rows = bridged(month(("5.00@60 0.00", "5.00@90 0.00"), ("3.00@90 0.00", "3.00@60 0.00"), CURRENT))
    assert moved(rows, "PAR90") == {"rolled on": "5.00", "cured": "-3.00"}
    assert moved(rows) == {}


def test_loans_of_two_companies_with_the_same_number_are_two_loans(bridged):
    rows = bridged(
        f"date loan owes written_off\n{NOVEMBER} A-1 9.00@30 0.00\n{NOVEMBER} B-1 50.00@0 0.00\n"
        f"{DECEMBER} B-1 50.00@30 0.00"
    )
    assert moved(rows) == {"new arrears": "50.00", "paid": "-9.00"}


def test_book_that_grows_dilutes_what_is_at_risk(bridged):
    rows = bridged(month(("10.00@30 0.00", "10.00@30 0.00"), ("90.00@0 0.00", "90.00@0 0.00"), ("", "100.00@0 0.00")))
    assert moved(rows) == {}
    assert points(rows)[bridge.GROWTH] == "-5"


# Sums


def test_thirds_still_sum_to_the_published_change(bridged):
    thirds = [("1.00@0 0.00", "1.00@30 0.00"), ("1.00@7 0.00", "1.00@30 0.00"), ("1.00@0 0.00", "1.00@0 0.00")]
    found = points(bridged(month(*thirds)))
    assert (found["opening"], found["closing"]) == ("0", "66.6667")
    assert sorted([found["new arrears"], found["rolled on"]]) == ["33.3333", "33.3334"]
    assert found[bridge.GROWTH] == "0"


@pytest.mark.parametrize(
    ("exact", "whole", "expected"),
    [
        (["0.4", "0.4", "0.4"], "2", ["1", "1", "0"]),
        (["0.6", "0.6", "0.6"], "2", ["0", "1", "1"]),
        (["-0.4", "-0.4", "0"], "-1", ["-1", "0", "0"]),
        (["0.5", "-0.5", "0"], "0", ["1", "-1", "0"]),
        (["0.45", "2"], "2", ["0", "2"]),
        (["0", "0"], "0", ["0", "0"]),
    ],
)
def test_what_rounding_leaves_goes_where_it_was_taken(exact, whole, expected):
    parts = bridge.apportioned([Decimal(x) for x in exact], Decimal(whole), 0)
    assert parts == [Decimal(x) for x in expected]


def test_gap_is_called_out(bridged, frame):
    rows = bridged(MONTH)
    sums = totals(frame(loan_tape(MONTH)), ["total_receivable_usd", *BUCKETS])
    wrong = [{**r, "amount_usd": r["amount_usd"] + Decimal("0.01")} if r["term"] == "paid" else r for r in rows]
    assert bridge.gaps(wrong, DEFINITIONS, sums) == [
        "PAR30 from 2025-11-30 to 2025-12-31",
        "PAR90 from 2025-11-30 to 2025-12-31",
    ]


# Dates


def test_each_date_is_held_against_the_one_before_it_gap_or_not(bridged):
    rows = bridged(
        f"date loan owes written_off\n2025-08-31 A-1 9.00@0 0.00\n{OCTOBER} A-1 9.00@30 0.00\n"
        f"2025-12-15 A-1 9.00@60 0.00\n{DECEMBER} A-1 9.00@7 0.00"
    )
    assert len({(r["date"], r["against"]) for r in rows}) == 3
    assert moved(rows, date=OCTOBER) == {"new arrears": "9.00"}
    assert moved(rows) == {"cured": "-9.00"}


def test_empty_tape_and_single_date_have_no_bridge(bridged):
    assert bridged("date loan owes written_off") == []
    assert bridged(f"date loan owes written_off\n{DECEMBER} A-1 9.00@30 0.00") == []


@pytest.mark.parametrize(("was", "now"), [("9.00@30 0.00", "- 0.00"), ("- 0.00", "9.00@30 0.00")])
def test_book_of_nothing_has_no_bridge(bridged, was, now):
    assert bridged(month((was, now))) == []


@pytest.mark.parametrize("day", [NOVEMBER, DECEMBER])
def test_date_without_loan_ids_has_no_bridge(bridged, day):
    other = NOVEMBER if day == DECEMBER else DECEMBER
    assert bridged(f"date loan owes written_off\n{day} - 9.00@30 0.00\n{other} A-1 9.00@30 0.00") == []


def test_without_written_off_balances_they_are_unknown_and_look_paid(bridged):
    rows = bridged(month(("9.00@90 -", ""), ("100.00@0 -", "100.00@0 -")))
    assert moved(rows) == {"paid": "-9.00", "written off": None}
    assert {r["points"] for r in rows if r["term"] == "written off"} == {None}


# Definitions


def test_kpi_that_counts_from_a_bucket_on_has_a_bridge():
    assert {name: bridge.first_day(kpi) for name, kpi in DEFINITIONS.items()} == {
        "PAR30": 30,
        "PAR90": 90,
        "PAR7": 7,
        "PAR60": 60,
    }
    others = {name: bridge.first_day(kpi) for name, kpi in catalog.load().items() if name not in DEFINITIONS}
    assert set(others.values()) == {None}


def test_par_that_is_defined_otherwise_has_no_bridge(bridged):
    other = DEFINITIONS["PAR30"].model_copy(update={"numerator": ("dpd_30_60_usd",)})
    assert {r["kpi"] for r in bridged(MONTH, {"PAR30": other, "PAR90": DEFINITIONS["PAR90"]})} == {"PAR90"}


def test_precision_of_the_definition_is_that_of_the_points(bridged):
    coarse = {"PAR30": DEFINITIONS["PAR30"].model_copy(update={"precision": 1})}
    found = points(bridged(MONTH, coarse))
    assert (found["opening"], found["closing"]) == ("35", "21.6")


def test_without_transitions_the_reason_is_said(frame):
    sums = totals(frame(loan_tape(MONTH)), ["total_receivable_usd", *BUCKETS])
    with pytest.raises(NotComputableError, match="cannot be told apart: give one row per loan"):
        bridge.bridge(DEFINITIONS["PAR30"], [], sums[NOVEMBER], sums[DECEMBER])
