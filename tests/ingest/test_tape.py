"""The tape is the same whatever export and engine it comes from."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from abaco.ingest import tape
from abaco.ingest.balances import owed_balances
from abaco.ingest.columns import BUCKETS
from abaco.ingest.formats import LOANS, PAR, SNAPSHOT
from abaco.ingest.lateness import at_risk
from abaco.ingest.masking import PERSONAL
from tests.support.exports import rows_of

DATE = dt.date(2025, 12, 31)
KINDS = {"date": pa.date32(), "amount": pa.decimal128(18, 2), "rate": pa.decimal128(18, 6), "days": pa.int64()}
BESIDE = tuple(map(at_risk, (1, 7, 30, 60, 90, 91)))
FULL = ("total_receivable_usd", "total_eligible_usd", "discounted_balance_usd")


def tape_of(frame, format_, *rows, first_days=()):
    present = list(rows[0]) if rows else [c.name for c in format_.columns]
    kinds = {c.name: KINDS.get(c.kind, pa.string()) for c in format_.columns}
    columns = {n: pa.array([_value(r[n], kinds[n]) for r in rows], kinds[n]) for n in present}
    rows = frame(pa.table(columns)).with_columns(owed_balances(format_, set(present)))
    return tape.complete(rows.select(*tape.tape_columns(format_, set(present), first_days)))


def _value(value, kind):
    return Decimal(value) if pa.types.is_decimal(kind) and value is not None else value


def buckets(row):
    return [row[name] and int(row[name]) for name in BUCKETS]


def snapshot(**changes):
    amounts = dict.fromkeys((*FULL, "cash_available_usd"), "100.00") | dict.fromkeys(BUCKETS, "20.00")
    return {"measurement_date": DATE} | amounts | changes


def par(outstanding, *balances, **changes):
    names = [f"par_{n}_balance_usd" for n in (7, 30, 60, 90)]
    row = {"measurement_date": DATE, "outstanding_balance_usd": outstanding}
    return row | dict(zip(names, balances, strict=True)) | changes


def loan(dpd, balance="100.00"):
    return {
        "loan_id": "A-1",
        "borrower_id": "C-1",
        "disburse_date": dt.date(2025, 1, 1),
        "interest_rate": "0.4",
        "disburse_principal": "500.00",
        "outstanding_balance": balance,
        "days_past_due": dpd,
    }


@pytest.mark.parametrize("format_", [SNAPSHOT, PAR, LOANS])
def test_tape_has_its_columns_in_order_even_without_rows(frame, format_):
    empty = tape_of(frame, format_)
    assert tuple(empty.collect_schema().names()) == tuple(tape.DTYPES)
    assert rows_of(empty) == []


def test_snapshot_is_taken_as_it_is_and_what_it_lacks_is_null(frame):
    [row] = rows_of(tape_of(frame, SNAPSHOT, snapshot(cash_available_usd=None)))
    assert row["measurement_date"] == DATE
    assert row["total_receivable_usd"] == Decimal("100.00")
    assert buckets(row) == [20, 20, 20, 20, 20]
    empty = {"loan_id", *PERSONAL, "company", "product", "segment", "region", "cash_available_usd",
             "written_off_usd", "days_past_due", "overdue_on", "disbursed_on", "disbursed_usd",
             "interest_rate", "term_days", "maturity_date", "facility", "pledge_date", "documents", "restructured",
             *BESIDE}  # fmt: skip
    assert {name for name, value in row.items() if value is None} == empty


@pytest.mark.parametrize(("beyond", "total"), [("5.05", "25.05"), ("0.00", "20.00"), (None, "20.00")])
def test_what_is_120_days_late_belongs_to_90_plus(frame, beyond, total):
    [row] = rows_of(tape_of(frame, SNAPSHOT, snapshot(dpd_120_plus_usd=beyond)))
    assert row["dpd_90_plus_usd"] == Decimal(total)


@pytest.mark.parametrize(
    ("balances", "expected"),
    [
        (("100", "0", "0", "0", "0"), [100, 0, 0, 0, 0]),
        (("100", "60", "30", "10", "1"), [40, 30, 20, 9, 1]),
        (("100", "100", "100", "100", "100"), [0, 0, 0, 0, 100]),
        (("0", "0", "0", "0", "0"), [0, 0, 0, 0, 0]),
    ],
)
def test_cumulative_balances_become_buckets(frame, balances, expected):
    [row] = rows_of(tape_of(frame, PAR, par(*balances)))
    assert buckets(row) == expected
    assert [row[name] for name in FULL] == [Decimal(balances[0])] * 3
    assert row["cash_available_usd"] is None


def test_written_off_balance_stays_out_of_the_receivable(frame):
    [row] = rows_of(tape_of(frame, PAR, par("0", "0", "0", "0", "0", writeoff_outstanding_balance_usd="750.25")))
    assert (row["total_receivable_usd"], row["written_off_usd"]) == (Decimal("0.00"), Decimal("750.25"))


@pytest.mark.parametrize(
    ("dpd", "bucket"),
    [(0, 0), (6, 0), (7, 1), (29, 1), (30, 2), (59, 2), (60, 3), (89, 3), (90, 4), (120, 4), (5000, 4)],
)
def test_loan_is_in_the_bucket_of_its_days_the_first_day_included(frame, dpd, bucket):
    [row] = rows_of(tape_of(frame, LOANS, loan(dpd)))
    assert buckets(row) == [100 if place == bucket else 0 for place in range(5)]


def test_loans_say_what_is_fixed_of_each(frame):
    rows = rows_of(tape_of(frame, LOANS, loan(0), loan(45, "0.00")))
    assert [row["total_eligible_usd"] for row in rows] == [Decimal("100.00"), Decimal("0.00")]
    assert (rows[1]["days_past_due"], rows[0]["borrower_id"]) == (45, "C-1")


@pytest.mark.parametrize(
    ("first", "gap"), [("20.00", "0.00"), ("19.99", "0.01"), ("20.02", "-0.02"), ("0.00", "20.00"), (None, None)]
)
def test_gap_is_what_the_buckets_miss_of_the_receivable(frame, first, gap):
    rows = rows_of(tape_of(frame, SNAPSHOT, snapshot(dpd_0_7_usd=first)).select(gap=tape.bucket_gap()))
    assert rows == [{"gap": gap and Decimal(gap)}]
