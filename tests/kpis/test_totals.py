"""Sums by date: exact, never pooled, and null where there is nothing to add up."""

import datetime as dt
from decimal import Decimal

import narwhals as nw
import numpy as np
import pandas as pd
import pytest

from abaco.core.decimals import rounded
from abaco.kpis.totals import Totals, totals, with_cash

NOVEMBER, DECEMBER = dt.date(2025, 11, 30), dt.date(2025, 12, 31)


def test_dates_are_never_pooled(tape):
    book = tape("""
        measurement_date  total_receivable_usd  dpd_90_plus_usd
        2025-12-31                      300.00             3.30
        2025-11-30                      100.00             1.10
        2025-12-31                      400.00             4.40
    """)
    found = totals(book, ["total_receivable_usd", "dpd_90_plus_usd"])
    assert list(found) == [NOVEMBER, DECEMBER]
    assert found[NOVEMBER] == Totals(
        1,
        {"total_receivable_usd": Decimal("100.00"), "dpd_90_plus_usd": Decimal("1.10")},
        {"total_receivable_usd": 1, "dpd_90_plus_usd": 1},
    )
    assert found[DECEMBER] == Totals(
        2,
        {"total_receivable_usd": Decimal("700.00"), "dpd_90_plus_usd": Decimal("7.70")},
        {"total_receivable_usd": 2, "dpd_90_plus_usd": 2},
    )


def test_empty_tape_has_no_dates(tape):
    assert totals(tape("measurement_date total_receivable_usd"), ["total_receivable_usd"]) == {}


def test_null_is_left_out_and_all_null_has_no_sum(tape):
    book = tape("""
        measurement_date  total_receivable_usd  cash_available_usd
        2025-12-31                      100.00                   -
        2025-12-31                           -                   -
    """)
    found = totals(book, ["total_receivable_usd", "cash_available_usd"])[DECEMBER]
    assert found.rows == 2
    assert found.sums == {"total_receivable_usd": Decimal("100.00"), "cash_available_usd": None}
    assert found.counts == {"total_receivable_usd": 1, "cash_available_usd": 0}


def test_missing_column_has_no_sum(tape):
    book = tape("""
        measurement_date  total_receivable_usd
        2025-12-31                      100.00
    """)
    found = totals(book, ["total_receivable_usd", "cash_available_usd"])[DECEMBER]
    assert found.sums == {"total_receivable_usd": Decimal("100.00")}


def test_cents_add_up_exactly(tape):
    book = tape("""
        measurement_date    total_receivable_usd  dpd_90_plus_usd
        2025-12-31           9999999999999999.99             0.10
        2025-12-31           9999999999999999.99             0.10
        2025-12-31                          0.03             0.10
    """)
    found = totals(book, ["total_receivable_usd", "dpd_90_plus_usd"])[DECEMBER].sums
    assert str(found["total_receivable_usd"]) == "20000000000000000.01"
    assert str(found["dpd_90_plus_usd"]) == "0.30"


def test_frame_as_pandas_reads_a_csv_adds_up_exactly():
    book = pd.DataFrame(
        {
            "measurement_date": pd.to_datetime(["2025-12-31"] * 3),
            "total_receivable_usd": [0.1, 0.2, np.nan],
            "total_eligible_usd": [1, 2, 3],
        }
    )
    found = totals(nw.from_native(book), ["total_receivable_usd", "total_eligible_usd"])[DECEMBER]
    assert {name: str(usd) for name, usd in found.sums.items()} == {
        "total_receivable_usd": "0.30",
        "total_eligible_usd": "6.00",
    }
    assert found.counts == {"total_receivable_usd": 2, "total_eligible_usd": 3}


def book_with(cash):
    return Totals(1, {"cash_available_usd": cash, "total_eligible_usd": Decimal("100.00")}, {})


def test_cash_comes_from_the_statement_of_the_same_date_alone():
    totals_by_date = {NOVEMBER: book_with(None), DECEMBER: book_with(None)}
    filled = with_cash(totals_by_date, {DECEMBER: {"cash_usd": Decimal("7.00")}})
    assert filled[NOVEMBER] == book_with(None)
    assert filled[DECEMBER] == book_with(Decimal("7.00"))


@pytest.mark.parametrize("cash", ["0.00", "5.00"])
def test_cash_of_the_tape_is_kept(cash):
    filled = with_cash({DECEMBER: book_with(Decimal(cash))}, {DECEMBER: {"cash_usd": Decimal("7.00")}})
    assert filled[DECEMBER] == book_with(Decimal(cash))


def test_statement_without_cash_fills_nothing():
    filled = with_cash({DECEMBER: book_with(None)}, {DECEMBER: {"equity_usd": Decimal("7.00")}})
    assert filled[DECEMBER] == book_with(None)


@pytest.mark.parametrize(
    ("value", "precision", "expected"),
    [("1.975", 2, "1.98"), ("1.9749", 2, "1.97"), ("0.00005", 4, "0.0001"), ("-2.5", 0, "-3"), ("4.5", 0, "5")],
)
def test_halves_are_rounded_up(value, precision, expected):
    assert str(rounded(Decimal(value), precision)) == expected
