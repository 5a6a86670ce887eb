"""What came in is accounted for, in rows and in dollars."""

from dataclasses import replace
from decimal import Decimal

import pyarrow as pa
import pytest

from abaco.core.errors import RunError
from abaco.engines.duckdb import DuckDB
from abaco.ingest import discovery, quarantine, reconciliation, roles
from abaco.ingest.columns import BUCKETS
from tests.support.exports import (
    BY_DATE,
    DATE,
    LOANS,
    PAYMENTS,
    SCHEDULES,
    SNAPSHOT,
    TRANSACTIONS,
    ingest,
    snapshot,
    write,
)


def test_every_row_and_dollar_is_in_one_part(tmp_path):
    path = write(
        tmp_path / "book.csv",
        SNAPSHOT,
        snapshot("A-1", amount="100.10"),
        snapshot("A-2", amount="0.00"),
        snapshot("A-1", amount="100.1"),
        snapshot("A-3", amount="7.77", current="x"),
        snapshot("A-4", "2025-02-30", "50.05"),
        snapshot("A-5", amount="x"),
        snapshot("A-6", amount="1.00"),
        snapshot("A-6", amount="2.00"),
        "A-7,2025-12-31",
        snapshot("A-8", "2026-01-31", "1000000.01"),
        snapshot("A-9", "2026-01-31", "x"),
        snapshot("TOTAL", amount="500.00"),
    )
    assert ingest(path).book == {
        "rows_in": 12,
        "accepted": 2,
        "quarantined": 6,
        "duplicates": 1,
        "later": 2,
        "totals": 1,
        "beside": 0,
        "amount_in": "1000761.03",
        "amount_accepted": "100.10",
        "amount_quarantined": "60.82",
        "amount_duplicates": "100.10",
        "amount_later": "1000000.01",
        "amount_totals": "500.00",
        "amount_beside": "0.00",
        "rows_without_amount": 3,
    }


NOTHING = {"rows_in": 0, "accepted": 0, "quarantined": 0, "duplicates": 0, "later": 0, "totals": 0, "beside": 0,
           "amount_in": "0.00", "amount_accepted": "0.00", "amount_quarantined": "0.00", "amount_duplicates": "0.00",
           "amount_later": "0.00", "amount_totals": "0.00", "amount_beside": "0.00",
           "rows_without_amount": 0}  # fmt: skip


def test_nothing_comes_of_a_header_only(tmp_path):
    assert ingest(write(tmp_path / "book.csv", SNAPSHOT)).book == NOTHING


def test_sums_go_beyond_what_one_amount_can_hold(tmp_path):
    most = "9999999999999999.99"
    result = ingest(write(tmp_path / "book.csv", SNAPSHOT, *(snapshot(f"A-{i}", amount=most) for i in range(20))))
    assert result.book["amount_in"] == result.book["amount_accepted"] == "199999999999999999.80"


@pytest.mark.parametrize(
    ("format_name", "lines", "rows", "amount"),
    [
        (
            "schedules",
            [SCHEDULES, "A-1,2026-12-15,10.50,1,0,0,0,0,0,USD", "A-1,,1,1,0,0,0,0,0,USD"],
            (2, 1, 1, 0),
            "10.50",
        ),
        ("schedules", ["loan_id,date_due", "A-1,2025-12-15"], (1, 1, 0, 0), "0.00"),
        ("transactions", [TRANSACTIONS, "A-1,PAYMENT,2025-12-15,-2.25,1,0,0,0,0,0,USD"], (1, 1, 0, 0), "-2.25"),
        ("transactions", [TRANSACTIONS, "A-1,PAYMENT,2026-01-01,9,1,0,0,0,0,0,USD"], (1, 0, 0, 1), "0.00"),
        ("transactions", ["loan_id,transaction_type,date_paid", "A-1,PAYMENT,2025-12-15"], (1, 1, 0, 0), "0.00"),
        ("payments", ["Loan ID,True Payment Date,True Rabates", "1,2025-12-15,1.00"], (1, 1, 0, 0), "0.00"),
        ("payments", [PAYMENTS, ",,,,1,2025-12-15,,,,,3.33,,,,,,,"], (1, 1, 0, 0), "3.33"),
        ("statements", ["fecha,cuenta,monto", "2025-12-31,Caja,5.00", "31/31/2025,Total,1"], (2, 1, 1, 0), "5.00"),
        ("statements_wide", ["fecha,caja", "2025-12-31,5.00", "2025-12-31,6.00"], (2, 0, 2, 0), "0.00"),
        ("statements_wide", ["fecha,caja", "2025-12-31,5.00"], (1, 1, 0, 0), "0.00"),
        ("loans", [LOANS, "A-1,C,2025-01-01,0.4,9,5.00,0"], (1, 1, 0, 0), "5.00"),
    ],
)
def test_every_format_is_reconciled_with_whatever_columns_it_has(tmp_path, format_name, lines, rows, amount):
    write(tmp_path / "in" / "book.csv", BY_DATE, snapshot().removeprefix("A-1,"))
    write(tmp_path / "in" / "other.csv", *lines)
    book = ingest(tmp_path / "in").books[format_name]
    assert tuple(book[part] for part in ("rows_in", "accepted", "quarantined", "later")) == rows
    assert book["amount_accepted"] == amount


@pytest.mark.parametrize("lost", ["a rejected row", "a staged row", "an amount"])
def test_run_fails_when_the_parts_do_not_add_up(tmp_path, lost):
    path = write(tmp_path / "book.csv", SNAPSHOT, snapshot("A-1"), snapshot("A-2", amount="5", current="x"), "1,2")
    found, _ = discovery.discover(path)
    with DuckDB() as engine:
        [batch] = roles.stage(found, DATE, engine, tmp_path)
        rejects, _ = quarantine.quarantine([batch], engine)
        assert reconciliation.reconcile(batch, rejects, engine)["rows_in"] == 3
        if lost == "a rejected row":
            rejects = rejects.slice(1)
        elif lost == "a staged row":
            batch = replace(batch, staged=(replace(batch.staged[0], broken=()),))
        else:
            amounts = pa.array([Decimal("-5.00"), None], pa.decimal128(18, 2))
            rejects = rejects.set_column(3, "amount_usd", amounts)
        with pytest.raises(RunError, match=r"^canonical snapshot: . rows and 105.00 USD came in, but . rows and"):
            reconciliation.reconcile(batch, rejects, engine)


# Buckets that do not add up


@pytest.mark.parametrize(
    ("gaps", "rows", "usd"),
    [
        ([], 0, "0.00"),
        (["0.00"], 0, "0.00"),
        (["0.01", "-0.01"], 0, "0.00"),
        (["0.02"], 1, "0.02"),
        (["-0.02"], 1, "0.02"),
        (["0.01", "0.02", "-5.00", "0.00", None], 2, "5.02"),
    ],
)
def test_row_is_unbalanced_when_its_buckets_miss_more_than_the_tolerance(frame, gaps, rows, usd):
    def amounts(values):
        return pa.array([value if value is None else Decimal(value) for value in values], pa.decimal128(18, 2))

    columns = dict.fromkeys(BUCKETS, amounts(["20.00"] * len(gaps)))
    columns["total_receivable_usd"] = amounts([gap and str(100 + Decimal(gap)) for gap in gaps])
    found = reconciliation.unbalanced(frame(pa.table(columns)), Decimal("0.01"))
    assert found == {"unbalanced_rows": rows, "unbalanced_usd": usd}


def test_unbalanced_row_is_accepted(tmp_path):
    result = ingest(write(tmp_path / "book.csv", SNAPSHOT, snapshot("A-1", amount="100", current="99.98")))
    assert (result.book["accepted"], result.rejects) == (1, [])


# Reasons


def test_reasons_are_counted_by_row_the_most_frequent_first(tmp_path):
    lines = [
        snapshot("A-1", current="x"),
        snapshot("A-2", current="x"),
        snapshot("", current="y"),
        "1",
        snapshot("A-3"),
    ]
    write(tmp_path / "in" / "book.csv", SNAPSHOT, *lines)
    write(tmp_path / "in" / "t.csv", TRANSACTIONS, "A-1,,2025-12-15,1,1,0,0,0,0,0,USD")
    reasons = ingest(tmp_path / "in").reasons
    assert list(reasons["snapshot"].items()) == [
        ("dpd_0_7_usd: not a number", 3),
        ("line: missing columns", 1),
        ("loan_id: missing", 1),
    ]
    assert reasons["transactions"] == {"transaction_type: missing": 1}
