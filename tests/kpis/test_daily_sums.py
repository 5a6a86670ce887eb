"""Sums by day: any span of days from a few numbers, and no sum of what is not there."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from abaco.core.errors import NotComputableError
from abaco.core.reasons import Reason
from abaco.kpis.daily_sums import ROWS, by_day, measured

DAYS = [dt.date(2025, 1, day) for day in (5, 5, 7)]


@pytest.fixture
def daily_sums(frame):
    amounts = pa.array(["1.10", None, "-0.30"]).cast(pa.decimal128(18, 2))
    nothing = pa.nulls(3, pa.decimal128(18, 2))
    rows = frame(pa.table({"day": DAYS[::-1], "fees_usd": amounts, "tax_usd": nothing}))
    return by_day(rows, "transactions", ["fees_usd", "tax_usd"])


@pytest.mark.parametrize(
    ("first", "last", "amount", "rows"),
    [(1, 31, "0.80", 3), (5, 5, "-0.30", 2), (6, 6, "0.00", 0), (7, 7, "1.10", 1), (8, 31, "0.00", 0)],
)
def test_both_days_of_a_span_count(daily_sums, first, last, amount, rows):
    span = dt.date(2025, 1, first), dt.date(2025, 1, last)
    assert daily_sums.between(*span, "fees_usd") == Decimal(amount)
    assert daily_sums.counted(*span, ["fees_usd"]) == (Decimal(amount), rows)
    assert daily_sums.between(*span, ROWS) == rows


def test_a_column_without_a_value_has_no_sum(daily_sums):
    with pytest.raises(NotComputableError, match=r"^the transactions have no tax$"):
        daily_sums.between(*DAYS[1:], "tax_usd")


def test_no_rows_make_no_ledger(frame):
    empty = pa.table({"day": pa.array([], pa.date32()), "x": pa.array([], pa.decimal128(18, 2))})
    assert by_day(frame(empty), "loans", ["x"]) is None


def test_a_measure_has_a_value_or_a_reason_or_is_not_given():
    def refuse(first, last):
        raise NotComputableError("nothing_outstanding")

    amounts = {"a": lambda first, last: (Decimal(1), 2), "b": refuse}
    total = measured({DAYS[0]: (DAYS[0], DAYS[2])}, ["a", "b", "c"], amounts)[DAYS[0]]
    assert total.sums == {"a": Decimal(1), "b": None, "c": None}
    assert total.counts == {"a": 2, "b": 0, "c": 0}
    assert total.reasons == {"b": Reason("nothing_outstanding")}
