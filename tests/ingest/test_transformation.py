"""Unusual balances are marked and counted, never changed; the aging of the book adds up."""

import datetime as dt
from decimal import Decimal
from types import SimpleNamespace

import narwhals as nw
import pyarrow as pa
import pytest

from abaco.engines.duckdb import DuckDB
from abaco.ingest import discovery, roles, tape, transformation
from abaco.ingest.columns import BUCKET_NAMES
from abaco.ingest.lateness import DAYS, at_risk
from abaco.kpis import aging as kpis_aging
from abaco.kpis.balances import late_totals
from tests.support.exports import DATE, LOANS, SCHEDULES, SNAPSHOT, rows_of, snapshot, write

EARLIER = dt.date(2025, 11, 30)
AMOUNT = pa.decimal128(18, 2)


def amounts(values):
    return pa.array([value if value is None else Decimal(value) for value in values], AMOUNT)


def balances(*rows):
    dates, usd = zip(*rows, strict=True) if rows else ((), ())
    return pa.table({"measurement_date": pa.array(dates, pa.date32()), "total_receivable_usd": amounts(usd)})


def engine_of(frame):
    """Return what of an engine marking needs, for frames of any kind."""

    def with_value_of_day(rows, day, values, name):
        table = {day: pa.array(list(values), pa.date32()), name: amounts(values.values())}
        return rows.join(frame(pa.table(table)), on=day, how="left")

    return SimpleNamespace(with_value_of_day=with_value_of_day)


# Accepted rows


def test_accepted_rows_of_each_batch_are_read_from_what_ingestion_left(tmp_path):
    lines = [snapshot("A-1"), snapshot("A-1"), snapshot("A-2", amount="x"), snapshot("A-3", "2026-01-31")]
    write(tmp_path / "in" / "book.csv", SNAPSHOT, *lines)
    write(tmp_path / "in" / "loans.csv", LOANS, "A-1,C-1,2025-01-01,0.4,9,5,30", "A-2,,2025-01-01,0.4,9,x,30")
    found, _ = discovery.discover(tmp_path / "in")
    work, tables = tmp_path / "work", tmp_path / "tables"
    work.mkdir()
    tables.mkdir()
    with DuckDB(spill=work) as engine:
        batches = [b.as_dict() for b in roles.stage(found, DATE, engine, work)]
        rows = transformation.accepted_tape(batches, work, engine)
        assert tuple(rows.collect_schema().names()) == tuple(tape.DTYPES)
        assert [row["loan_id"] for row in rows_of(rows)] == ["A-1"]
        transformation.write_others(batches, work, tables, engine)
        assert [row["loan_id"] for row in rows_of(engine.scan(tables / "loans.parquet"))] == ["A-1"]
    assert [path.name for path in tables.iterdir()] == ["loans.parquet"]


def test_loan_is_restructured_from_the_day_on_which_something_was_added_to_its_balance(tmp_path):
    """A-1 in June, and again; A-2 after the date; to A-3 nothing is added, of A-4 nothing is known."""
    write(tmp_path / "in" / "book.csv", SNAPSHOT, *(snapshot(f"A-{n}") for n in (1, 2, 3, 4)))
    days = ("A-1,2025-06-30,5", "A-1,2025-12-31,5", "A-2,2026-01-01,5", "A-3,2025-12-31,0")
    due = (f"{loan},{day},1,0,0,0,0,{usd},0,USD" for loan, day, usd in (row.split(",") for row in days))
    write(tmp_path / "in" / "schedules.csv", SCHEDULES, *due)
    found, _ = discovery.discover(tmp_path / "in")
    (work := tmp_path / "work").mkdir()
    with DuckDB(spill=work) as engine:
        batches = [b.as_dict() for b in roles.stage(found, DATE, engine, work)]
        since = {row["loan_id"]: row["since"] for row in rows_of(transformation.added_balances(batches, work, engine))}
        assert since["A-1"] == dt.date(2025, 6, 30)
        rows = rows_of(transformation.accepted_tape(batches, work, engine))
        said = [(row["loan_id"], row["restructured"]) for row in rows]
        assert said == [("A-1", True), ("A-2", None), ("A-3", None), ("A-4", None)]
        assert transformation.added_balances([b for b in batches if b["format"] == "snapshot"], work, engine) is None


def test_what_an_export_says_of_a_restructured_loan_wins(frame):
    days = pa.array([EARLIER, DATE, DATE, DATE], pa.date32())
    said = pa.array([None, None, False, True], pa.bool_())
    rows = frame(pa.table({"measurement_date": days, "loan_id": ["A", "A", "B", "C"], "restructured": said}))
    added = frame(pa.table({"loan_id": ["A", "B"], "since": pa.array([DATE, EARLIER], pa.date32())}))
    found = transformation.with_restructured(rows, added).sort("loan_id", "measurement_date")
    assert [row["restructured"] for row in rows_of(found)] == [None, True, False, True]


@pytest.mark.parametrize(("values", "found"), [([], []), ([None, None], []), ([None, ""], ["a"]), (["x", None], ["a"])])
def test_column_is_present_when_a_row_has_a_value(frame, values, found):
    table = pa.table({"a": pa.array(values, pa.string()), "b": pa.nulls(len(values), pa.string())})
    assert transformation.present(frame(table), ["a", "b"]) == found


# Outliers and dust


@pytest.mark.parametrize(
    ("usd", "rows", "limit"),
    [("100.00", 4, "50.00"), ("0.00", 4, "0.00"), (None, 4, "0.00"), ("0.01", 1, "0.02"), ("10.00", 3, "6.67")],
)
def test_outlier_limit_is_a_multiple_of_the_mean_balance(usd, rows, limit):
    balances = [usd and Decimal(usd), *[None] * (rows - 1)]
    schema = {"measurement_date": pa.date32(), "total_receivable_usd": pa.decimal128(18, 2)}
    tape = pa.table({"measurement_date": [DATE] * rows, "total_receivable_usd": balances}, pa.schema(schema))
    assert transformation.outlier_limits(nw.from_native(tape), 2.0) == {DATE: Decimal(limit)}


@pytest.mark.parametrize(
    ("balance", "is_outlier", "is_dust"),
    [
        ("50.00", False, False),
        ("50.01", True, False),
        ("1.00", False, False),
        ("0.99", False, True),
        ("0.01", False, True),
        ("0.00", False, False),
    ],
)
def test_balance_past_a_limit_is_marked_and_kept(frame, balance, is_outlier, is_dust):
    limits = {DATE: Decimal("50.00"), EARLIER: Decimal("10.00")}
    marked = transformation.flagged(frame(balances((DATE, balance))), limits, 1.0, engine_of(frame))
    assert rows_of(marked) == [
        {
            "measurement_date": DATE,
            "total_receivable_usd": Decimal(balance),
            "is_outlier": is_outlier,
            "is_dust": is_dust,
        }
    ]


def test_each_date_has_its_own_limit(frame):
    limits = {DATE: Decimal("50.00"), EARLIER: Decimal("10.00")}
    rows = frame(balances((DATE, "20.00"), (EARLIER, "20.00"), (EARLIER, "10.00")))
    marked = rows_of(transformation.flagged(rows, limits, 1.0, engine_of(frame)))
    assert sorted((r["measurement_date"], r["total_receivable_usd"], r["is_outlier"]) for r in marked) == [
        (EARLIER, Decimal("10.00"), False),
        (EARLIER, Decimal("20.00"), True),
        (DATE, Decimal("20.00"), False),
    ]


def test_no_rows_are_marked_in_an_empty_tape(frame):
    marked = transformation.flagged(frame(balances()), {}, 1.0, engine_of(frame))
    assert rows_of(marked) == []


def marked_tape(*rows):
    """Return a tape of (date, receivable, cash, is_outlier, is_dust)."""
    columns = dict.fromkeys(tape.AMOUNTS, amounts(["1.00"] * len(rows)))
    dates, receivable, cash, outliers, dust = zip(*rows, strict=True) if rows else ((),) * 5
    return pa.table(
        columns
        | {
            "measurement_date": pa.array(dates, pa.date32()),
            "total_receivable_usd": amounts(receivable),
            "cash_available_usd": amounts(cash),
            "is_outlier": pa.array(outliers, pa.bool_()),
            "is_dust": pa.array(dust, pa.bool_()),
        }
    )


@pytest.mark.parametrize(
    ("rows", "nulls", "outliers", "dust"),
    [
        ([], {}, 0, 0),
        ([(DATE, "1", "0.00", False, False)], {}, 0, 0),
        ([(DATE, "1", None, False, False)], {"cash_available_usd": 1}, 0, 0),
        ([(EARLIER, "1", None, True, True)], {}, 0, 0),
        ([(DATE, "9", None, True, False), (DATE, "1", None, False, True), (DATE, "1", "1", True, True)],
         {"cash_available_usd": 2}, 2, 2),
    ],
)  # fmt: skip
def test_quality_counts_nulls_outliers_and_dust_of_the_date(frame, rows, nulls, outliers, dust):
    found = transformation.quality(frame(marked_tape(*rows)), DATE)
    assert ("is_dust" in found.pop("present")) == any(row[0] == DATE for row in rows)
    assert found == {"nulls": nulls, "outliers": outliers, "dust": dust}


def test_words_that_may_name_somebody_are_hidden_where_no_list_has_them(tmp_path):
    said = ["Posted", "Rebate Credit", "Rosa Planted", "Adjusted", None]
    types = ["PAYMENT", "Pago de Cuota", "To Rosa Planted", "WIRE", "PAYMENT"]
    with DuckDB(spill=tmp_path) as engine:
        engine.write(engine.from_arrow(pa.table({"status": said, "transaction_type": types})), tmp_path / "a.parquet")
        rows = engine.scan(tmp_path / "a.parquet")
        shown = transformation.with_shown_words(rows, [tmp_path / "a.parquet"], engine).collect("pyarrow")
        assert shown["status"].to_list() == ["Posted", "Rebate Credit", "…", "Adjusted", None]
        assert shown["transaction_type"].to_list() == ["PAYMENT", "Pago de Cuota", "…", "WIRE", "PAYMENT"]


# Aging


def aging(frame, *rows):
    """Return bucket, amount and share of rows of (date, receivable, the five buckets)."""
    names = ["total_receivable_usd", *BUCKET_NAMES]
    columns = {name: amounts([row[i + 1] for row in rows]) for i, name in enumerate(names)}
    columns |= {at_risk(days): amounts([None] * len(rows)) for days in DAYS}
    table = pa.table({"measurement_date": pa.array([row[0] for row in rows], pa.date32())} | columns)
    found = kpis_aging.aging_by_date(late_totals(frame(table))).to_pylist()
    return [(r["date"], r["bucket"], r["amount"] and str(r["amount"]), r["share"] and str(r["share"])) for r in found]


def test_aging_is_amount_and_share_of_the_book_by_date_and_bucket(frame):
    rows = [
        (DATE, "30", "20", "5", "3", "1", "1"),
        (DATE, "30", "30", "0", "0", "0", "0"),
        (EARLIER, "3", "1", "0", "0", "0", "2"),
    ]
    assert aging(frame, *rows) == [
        (EARLIER, "0–7", "1.00", "33.3333"),
        (EARLIER, "7–30", Decimal(0), Decimal(0)),
        (EARLIER, "30–60", Decimal(0), Decimal(0)),
        (EARLIER, "60–90", Decimal(0), Decimal(0)),
        (EARLIER, "90+", "2.00", "66.6667"),
        (DATE, "0–7", "50.00", "83.3333"),
        (DATE, "7–30", "5.00", "8.3333"),
        (DATE, "30–60", "3.00", "5.0000"),
        (DATE, "60–90", "1.00", "1.6667"),
        (DATE, "90+", "1.00", "1.6667"),
    ]


def test_book_without_a_balance_has_amounts_but_no_shares(frame):
    assert [row[2:] for row in aging(frame, (DATE, "0", "0", "0", "0", "0", "0"))] == [(Decimal(0), None)] * 5


def test_buckets_that_cannot_be_told_apart_are_one(frame):
    assert aging(frame, (DATE, "10", None, None, "4", "0", "0"))[:2] == [
        (DATE, "0–30", "6.00", "60.0000"), (DATE, "30–60", "4.00", "40.0000"),
    ]  # fmt: skip


def test_without_lateness_there_are_no_buckets(frame):
    assert aging(frame, (DATE, "10", None, None, None, None, None)) == []


def test_empty_tape_has_an_empty_aging(frame):
    assert aging(frame) == []


def test_bucket_beyond_a_small_book_has_its_share_all_the_same(frame):
    # buckets that miss the receivable are a warning and no more
    found = aging(frame, (DATE, "0.01", "0", "0", "0", "0", "5000"))
    assert found[-1] == (DATE, "90+", "5000.00", "50000000.0000")


# Borrowers


def test_borrower_owes_the_sum_of_its_loans_and_of_what_is_30_days_late(tmp_path):
    rows = [
        ("C-1", DATE, "100.00", "60.00", "5.00", "0.00"), ("C-1", DATE, "50.00", "0.00", "0.00", "50.00"),
        ("C-2", DATE, "200.00", "0.00", "0.00", "0.00"), ("C-2", EARLIER, "0.00", "0.00", "0.00", "0.00"),
        (None, DATE, "900.00", "0.00", "0.00", "0.00"),
    ]  # fmt: skip
    ids, dates, *usd = zip(*rows, strict=True)
    names = ("total_receivable_usd", "dpd_30_60_usd", "dpd_60_90_usd", "dpd_90_plus_usd")
    columns = {name: amounts(values) for name, values in zip(names, usd, strict=True)}
    loans = [f"A-{number}" for number in range(len(ids))]
    table = pa.table(
        {
            "loan_id": loans,
            "borrower_id": pa.array(ids),
            "measurement_date": pa.array(dates, pa.date32()),
            **columns,
            "par_30_usd": amounts([None] * len(ids)),
        }
    )
    with DuckDB(spill=tmp_path) as engine:
        found = transformation.borrowers(engine.from_arrow(table), engine, tmp_path)
        assert rows_of(found) == [
            {"measurement_date": DATE, "borrower": 1, "borrower_id": "C-2", "balance_usd": Decimal("200.00"),
             "par_30_usd": Decimal("0.00"), "loans": 1},
            {"measurement_date": DATE, "borrower": 2, "borrower_id": "C-1", "balance_usd": Decimal("150.00"),
             "par_30_usd": Decimal("115.00"), "loans": 2},
        ]  # fmt: skip
