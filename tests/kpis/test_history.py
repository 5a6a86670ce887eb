"""History and anomalies: each date on its own, jumps in both directions, the limit itself not past it."""

import datetime as dt
from decimal import Decimal

import pytest

from abaco.core.parquet import arrow_schema
from abaco.kpis import catalog, totals
from abaco.kpis.book import Book
from abaco.kpis.history import TABLE, anomalies, change_pct, history, ranked, uncompared
from tests.support.projects import FOUR

OCTOBER, NOVEMBER, DECEMBER = dt.date(2025, 10, 31), dt.date(2025, 11, 30), dt.date(2025, 12, 31)
DEFINITIONS = catalog.load(FOUR)
COLUMNS = catalog.measures(DEFINITIONS)


def test_every_date_is_computed_on_its_own(tape):
    book = tape("""
        measurement_date  total_receivable_usd  dpd_30_60_usd  dpd_60_90_usd  dpd_90_plus_usd
        2025-12-31                      100.00           4.00           0.00             2.00
        2025-10-31                        0.00           0.00           0.00             0.00
        2025-11-30                      200.00           0.00           0.00             2.00
    """)
    found = history(DEFINITIONS, totals.totals(book, COLUMNS))
    assert found.schema == arrow_schema(TABLE)
    rows = [(r["date"], r["kpi"], r["value"], r["status"]) for r in found.to_pylist() if r["kpi"].startswith("PAR")]
    assert rows == [
        (OCTOBER, "PAR30", None, "not_computable"),
        (OCTOBER, "PAR90", None, "not_computable"),
        (NOVEMBER, "PAR30", Decimal("1.000000"), "ok"),
        (NOVEMBER, "PAR90", Decimal("1.000000"), "ok"),
        (DECEMBER, "PAR30", Decimal("6.000000"), "warning"),
        (DECEMBER, "PAR90", Decimal("2.000000"), "ok"),
    ]


def test_a_reason_is_of_its_own_date(tape):
    book = tape("""
        measurement_date  total_receivable_usd  total_eligible_usd  cash_available_usd
        2025-11-30                      100.00              100.00                   -
        2025-12-31                      100.00              100.00                2.00
    """)
    found = [r for r in history(DEFINITIONS, totals.totals(book, COLUMNS)).to_pylist() if r["kpi"] == "CollectionRate"]
    assert [(r["value"], r["reason"]) for r in found] == [
        (None, "the input does not give the cash available on 2025-11-30"),
        (Decimal("2.000000"), None),
    ]


def test_history_of_an_empty_tape_has_no_rows(tape):
    assert history(DEFINITIONS, totals.totals(tape("measurement_date total_receivable_usd"), COLUMNS)).num_rows == 0


@pytest.mark.parametrize(
    ("value", "previous", "expected"),
    [
        ("4.5", "3.6", "25.00"),
        ("2.7", "3.6", "-25.00"),
        ("0", "3.6", "-100.00"),
        ("1", "3", "-66.67"),
        ("1", "0", "None"),
    ],
)
def test_change_pct(value, previous, expected):
    assert str(change_pct(Decimal(value), Decimal(previous))) == expected


def flagged(previous, value, limit=25.0):
    now, before = ({"PAR30": {"value": v and Decimal(v)}} for v in (value, previous))
    return anomalies(now, before, max_change_pct=limit)


@pytest.mark.parametrize("value", ["4.0000", "5.0000", "3.0000"])
def test_change_up_to_exactly_the_limit_is_no_anomaly(value):
    assert flagged("4.0000", value) == []


@pytest.mark.parametrize(("value", "change"), [("5.0001", "25.00"), ("2.9999", "-25.00"), ("8.0000", "100.00")])
def test_change_beyond_the_limit_is_an_anomaly_in_both_directions(value, change):
    assert flagged("4.0000", value) == [
        {
            "kpi": "PAR30",
            "previous": Decimal("4.0000"),
            "value": Decimal(value),
            "change_pct": Decimal(change),
            "limit_pct": 25.0,
        }
    ]


def test_change_from_zero_is_an_anomaly_of_any_size_and_has_no_per_cent():
    (found,) = flagged("0.0000", "0.0001")
    assert found["change_pct"] is None


def test_change_to_zero_is_one_of_a_hundred_per_cent():
    (found,) = flagged("4.0000", "0.0000")
    assert found["change_pct"] == Decimal("-100.00")
    assert flagged("4.0000", "0.0000", limit=100.0) == []


def test_limit_of_zero_flags_every_change_and_only_changes():
    assert flagged("4.0000", "4.0000", limit=0.0) == []
    assert len(flagged("4.0000", "4.0001", limit=0.0)) == 1


@pytest.mark.parametrize(("previous", "value"), [(None, "4.0"), ("4.0", None), (None, None)])
def test_null_is_no_anomaly(previous, value):
    assert flagged(previous, value) == []


@pytest.mark.parametrize(
    ("dates", "as_of", "compared"),
    [
        ((NOVEMBER, DECEMBER), DECEMBER, True),
        ((dt.date(2025, 11, 28), DECEMBER), DECEMBER, True),  # the last business day of November
        ((NOVEMBER, DECEMBER), dt.date(2025, 12, 10), False),  # a part of December and the whole of November
        ((dt.date(2025, 12, 10), DECEMBER), DECEMBER, False),  # both of December
        ((dt.date(2025, 12, 1), dt.date(2026, 1, 1)), dt.date(2026, 1, 1), True),  # the closes of two months
    ],
)
def test_part_of_a_month_is_not_compared_with_a_whole_one(tape, dates, as_of, compared):
    definitions = {name: catalog.load()[name] for name in ("PAR30", "WriteOffRate")}
    book = Book(tape("measurement_date"), list(dates), as_of)
    found = uncompared(definitions, book, dates[0])
    assert found == (set() if compared else {"WriteOffRate"})
    assert uncompared(definitions, book, None) == (set() if compared or as_of == DECEMBER else {"WriteOffRate"})
    now, before = ({name: {"value": Decimal(v)} for name in definitions} for v in ("2", "1"))
    jumped = [one["kpi"] for one in anomalies(now, before, max_change_pct=25.0, uncompared=found)]
    assert jumped == [name for name in definitions if name not in found]


def test_a_kpi_that_the_date_before_did_not_have_is_no_anomaly():
    assert anomalies({"PAR30": {"value": Decimal("4")}}, {}, max_change_pct=25.0) == []


def test_jumps_for_the_worse_come_first_then_shares_by_points_then_others_by_per_cent():
    kpis = {
        "PAR1": {"unit": "%", "direction": "lower"},
        "CureRate": {"unit": "%", "direction": "higher"},
        "RollRate30": {"unit": "%", "direction": "lower"},
        "SMM": {"unit": "%", "direction": None},
        "Cash": {"unit": "USD", "direction": "higher"},
        "Disbursed": {"unit": "USD", "direction": None},
        "AverageTicket": {"unit": "USD", "direction": None},
        "WrittenOff": {"unit": "USD", "direction": "lower"},
    }
    moves = [("SMM", 5, 2), ("AverageTicket", 10, 30), ("Disbursed", 0, 1), ("RollRate30", 30, 0), ("Cash", 9, 6),
             ("PAR1", 6, 10), ("CureRate", 39, 3), ("WrittenOff", 0, 1)]  # fmt: skip
    now, before = ({move[0]: {"value": Decimal(move[i])} for move in moves} for i in (2, 1))
    found = ranked(anomalies(now, before, max_change_pct=25.0), kpis)
    assert [jump["kpi"] for jump in found] == [
        "CureRate", "PAR1", "WrittenOff", "Cash", "RollRate30", "SMM", "Disbursed", "AverageTicket",
    ]  # fmt: skip
