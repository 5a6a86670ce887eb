"""The cluster's engine gives what the embedded one gives: values, order, tokens, line numbers."""

import base64
import datetime as dt
import hashlib
import hmac
import logging
import operator
import random
import re
import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from itertools import product

import narwhals as nw
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from abaco.core import currencies, project
from abaco.core.errors import InputError
from abaco.engines import RECORDS
from abaco.engines.base import hmac_blocks
from abaco.engines.duckdb import DuckDB
from abaco.engines.forms import BY_ORDER, Writing
from abaco.ingest import discovery, findings, mappings, quarantine, rate_table, reconciliation, roles, transformation
from abaco.ingest.columns import BUCKETS
from abaco.ingest.masking import Masking
from abaco.ingest.staging import stage_one
from abaco.ingest.tape import AMOUNTS
from abaco.ingest.unread_lateness import said_days
from abaco.kpis import bridge, catalog, contributors, movement, totals
from abaco.kpis.absences import unexplained
from abaco.kpis.book import Book
from abaco.kpis.open_book import with_former
from abaco.kpis.rescheduling import rescheduled
from tests.kpis import pledged
from tests.kpis.books import book
from tests.kpis.books import found as measured
from tests.kpis.conftest import table
from tests.kpis.moving import MONTH, dates_of, loan_tape
from tests.kpis.test_covenants import held as covenants_of
from tests.support.exports import DATE, LOANS, SNAPSHOT, rows_of, snapshot, write
from tests.support.tapes import tape

KEY = b"a key that nobody else has"
NUMBERS = [
    "0", "-0.00", "+5", "5.", ".5", " 12.5 ", "1e3", "1,234.5", "1,234,567.891", "12.555", "12.554",
    "-12.555", "0.005",
    "0.00499999999999999999999999999", "9999999999999999.99", "9999999999999999.995", "1e400", "1e-3",
    "5e-3", "1.2355e1",
    "1E+2", "1e0000000002", "5.e3.", ".", "-", "1e", "\t5\n", "\v5\f", "\x1c5", "\u00a05", "٥", "5٥", "1_000", "0x10",
    "NaN", "inf", "-Infinity", "1,23", "1.2.3", "--5", "1 000", "5d", "5f", "5L", "true", "", "  ", "1234,5", "1.234,5",
    "1.234.567", "0001,234", "123456789012345678901234567890", "30.0", "30.5", "30.0000001", "9223372036854775807",
    "9223372036854775808", "10000000000000000", "36500", "36501", "-36501", "36,500.0",
    "130383164188217041366.478008553618e12",
]  # fmt: skip
DAYS = [
    "2025-12-31", "2025-1-5", " 2025-12-31 ", "2025/12/31", "2025-12/31", "2025 12 31", "2025-12-31 23:59:59",
    "2025-12-31T00:00:00Z", "2025-12-31 25:99x", "2025-12-31T", "2025-12-31\n", "2025-1-5  ",
    "2025-1-05\v", "125-01-01 ",
    "12025-1-05", "0001-01-01", "0000-01-01", "9999-12-31", "10000-01-01", "1-1-1 (BC)", "2025-02-29",
    "2024-02-29",
    "1500-02-29", "1582-10-10", "2025-12-32", "20250105", "31/12/2025", "infinity", "epoch", "45657",
    "2025-12-3١",
    "2025-12-31 10:00\nx", "2025-12-31 (BC)", "2025.12.31",
]  # fmt: skip
BLANKS = [
    f"{chr(c)}a{chr(c)}" for c in (*range(1, 33), 0x85, 0xA0, 0x1680, *range(0x2000, 0x2010), 0x2028, 0x202F, 0x3000)
]
UNITS = [
    "24.00%", " 24 % ", "24\u00a0%\u00a0", "24\t%", "%", "24%%", "-1.5%", "1,5%", "1e1%", "x%", "35 days", "1 day",
    "5 DÍAS", "5 dias", "3 d", "35days", "days", "-2 days", "3.5 days",
]  # fmt: skip
DRESSED = [
    "$1,500.50", "€ 1.500,50", "USD 1,500.50", "1,500.50 INR", "500.00-", "(500.00)", "1'500.50", "1’500.50",
    "1\u00a0500,50", "1\u202f500.50", "1,23,456.00", "-$5.00", "$-5", "($1,200.00)", "5$500", "Rs. 1,500.50",
    "S/. 20.00", "(500", "--5", "abc 5", "-5-", "1'23",
    "\u22125.25", "1 23", "US$ 5.5", "$", "usd1234.5", "1 500", "12,34,567",
    "$ 24.5 %", "5.\u00a0", "(5)\n", "$5\n", "5 $ usd", "1,50,000", "00500-",
]  # fmt: skip
DATED = [
    "31/12/2025", "12/31/2025", "31.12.2025", "31-12-25", "20251231", "20251231.0", "2025.12.31", "15-Feb-2025",
    "15FEB2025", "Feb 15, 2025", "February 15th, 2025", "Dec-2025", "12/2025", "202512", "15 ene 2025", "15-dic.-2025",
    "15 de febrero de 2025", "2025-Feb-15", "45000", "45000.0", "31/12/2025 23:59:00", "12/31/2025 12:00:00 AM",
    "15feb2025:10:00:00", "2025-12-31T23:30:00-06:00", "01/02/2025", "30/02/2025", "Dec-25", "sept 5, 2025",
    "15-Mar-69", "15-may-68", "15janfoo2025", "1/1/0001", "31/12/2025\n", "31/12/20251", "99-12-31", "19000", "80000",
    "x mar 5, 2025", "1 - 2 - 2025", "31/12/2025x", "2025-13",
    "13/2025", "Mar", "marzo 2025", "20251331", "00/00/0000", "29/02/2024",
]  # fmt: skip
ERRORS = [
    "#REF!", " #N/A ", "#N/D", "#¡REF!", "#¿NOMBRE?", "#DIV/0!", "#NO VALUE!", "#12", "#REF", "#Norte!", "#", "#REF!\n",
    "N/A", "unknown",
]  # fmt: skip
MARKS = {".": ("amount", "rate", "days", "date", "text", "id"), ",": ("amount", "days")}
LINES = [
    "1,2,3", "", "4,,6", "1,2", "1,2,3,4", "1,2,3,", '"a","b ""x"" , y",c', "null,NULL,Null",
    'ñ,李,"null"', " , ,x", "7,8,9\r",
    '1,"",3', "x", ",,", '"1","2","3","4"', "a\tb,c,d",
]  # fmt: skip


@pytest.fixture(scope="module")
def embedded():
    with DuckDB() as engine:
        yield engine


# Values


def test_text_becomes_the_same_values(spark, embedded):
    texts = NUMBERS + DAYS + BLANKS + UNITS + ERRORS
    kinds = {f"{kind}{mark}": kind for mark, names in MARKS.items() for kind in names}
    table = pa.table({"place": range(len(texts)), **dict.fromkeys(kinds, texts)})
    found = []
    for engine in (embedded, spark):
        writings = {name: Writing(name[-1]) for name in kinds}
        rows = rows_of(engine.typed(engine.from_arrow(table), {"place": "days", **kinds}, writings).sort("place"))
        found.append({name: [(texts[r["place"]], r[name], r[f"raw_{name}"]) for r in rows] for name in kinds})
    for name in kinds:
        assert found[1][name] == found[0][name]


def test_text_in_other_forms_becomes_the_same_values(spark, embedded):
    texts = NUMBERS + DAYS + UNITS + DRESSED + DATED
    writings = {
        f"{kind} {mark}": Writing(mark, is_dressed=True) for mark in ".," for kind in ("amount", "rate", "days")
    }
    writings |= {f"date {order}": Writing(dates=order) for order in (*BY_ORDER, "serial")}
    writings |= {f"date {day}": Writing(dates="any", months=day) for day in ("first", "last")}
    kinds = {name: name.split()[0] for name in writings}
    table = pa.table({"place": range(len(texts)), **dict.fromkeys(writings, texts)})
    found = []
    for engine in (embedded, spark):
        rows = rows_of(engine.typed(engine.from_arrow(table), {"place": "days", **kinds}, writings).sort("place"))
        found.append({name: [(texts[row["place"]], row[name]) for row in rows] for name in writings})
    for name in writings:
        assert found[1][name] == found[0][name]


def test_rows_are_left_out_and_days_have_values_alike(spark, embedded, tmp_path):
    days = [DATE, dt.date(2025, 11, 30), None, dt.date(2024, 1, 1)] * 3
    ids = [source * RECORDS + record for source in (0, 3) for record in range(6)]
    pq.write_table(pa.table({"row_id": ids, "day": pa.array(days, pa.date32())}), tmp_path / "rows.parquet")
    pq.write_table(pa.table({"row_id": [ids[0], ids[5], ids[7]]}), tmp_path / "listed.parquet")
    values = {DATE: Decimal("1.25"), dt.date(2025, 10, 31): Decimal("0.10")}

    def found(engine):
        rows = engine.anti_join(engine.scan(tmp_path / "rows.parquet"), tmp_path / "listed.parquet")
        valued = engine.in_order(engine.with_value_of_day(rows, "day", values, "usd"), "row_id")
        return sorted(rows_of(valued), key=operator.itemgetter("row_id"))

    assert found(spark) == found(embedded)
    assert [row["row_id"] for row in found(embedded)] == [one for n, one in enumerate(ids) if n not in (0, 5, 7)]


OWN = """title: a lender of its own
rows: loan and date
recognise: [Ref, As At, Owed, Late]
rows_to_leave_out: {loan_id: [Subtotal*]}
columns: {loan_id: Ref, measurement_date: As At, outstanding_balance: Owed, days_past_due: Late}
"""


def test_rows_that_a_mapping_leaves_out_and_restated_dates_are_the_same(spark, embedded, tmp_path, monkeypatch):
    shutil.copytree(project.root() / "params", tmp_path / "root" / "params")
    write(tmp_path / "root" / mappings.FOLDER / "own.yml", *OWN.splitlines())
    monkeypatch.setenv("ABACO_ROOT", str(tmp_path / "root"))
    for name, owed in (("tape_2026-01-05.csv", "600"), ("tape_2026-01-12.csv", "550")):
        rows = [f"A-1,2025-12-31,{owed},0", "A-2,2025-12-31,400,45", "Subtotal north,2025-12-31,1000,0"]
        write(tmp_path / "in" / name, "Ref,As At,Owed,Late", *rows)
    found, made = discovery.discover(tmp_path / "in")[0], []
    for name, engine in (("spark", spark), ("duckdb", embedded)):
        (tmp_path / name).mkdir()
        [batch] = roles.stage(found, DATE, engine, tmp_path / name)
        loans = {row["loan_id"]: row["total_receivable_usd"] for row in rows_of(batch.accepted(engine))}
        made.append((loans, list(map(str, batch.notes))))
    assert made[0] == made[1]
    assert made[0][0] == {"A-1": Decimal("550.00"), "A-2": Decimal("400.00")}


def test_amounts_at_rates_are_the_same_to_the_cent(spark, embedded, tmp_path):
    lines = [
        f"L{i},2025-01-01,0.1,1.00,{i * 1234567}.{i * 7 % 100:02},0,{('CLP', 'EUR', 'usd')[i % 3]}" for i in range(99)
    ]
    write(tmp_path / "in" / "loans.csv", f"{LOANS.replace(',customer_id', '')},currency", *lines)
    write(tmp_path / "in" / "fx.csv", "date,from,to,rate", f"{DATE},CLP,USD,0.001061728395", f"{DATE},EUR,USD,1.0825")
    files, _ = discovery.discover(tmp_path / "in")
    found = []
    for name, engine in (("embedded", embedded), ("spark", spark)):
        work = tmp_path / name
        work.mkdir()
        rates = rate_table.exchange(files, engine, work)
        [batch] = roles.stage(files, DATE, engine, work, rates=rates)
        rows = batch.accepted(engine).select("row_id", "loan_id", "total_receivable_usd", "disbursed_usd")
        with currencies.using(rates.to):
            engine.write(rows, work / "tape.parquet")
        schema = pq.read_schema(next((work / "tape.parquet").glob("*.parquet"), None) or work / "tape.parquet")
        assert b"USD" in b"".join(schema.metadata.values())
        found.append((sorted(map(str, rows_of(rows))), batch.staged[0].used))
    assert found[1] == found[0]
    assert len(found[0][0]) == 99


def test_typed_values_become_the_same_values(spark, embedded, tmp_path):
    columns = {
        "float": pa.array([0.1 + 0.2, 1e15, float("nan"), 1e-7, 2.5]),
        "decimal": pa.array(["1.005", "-1.005", "30.000", None, "0.001"]).cast(pa.decimal128(20, 3)),
        "integer": pa.array([7, -7, None, 0, 2**62]),
        "unsigned": pa.array([1, 2, None, 4, 255], pa.uint8()),
        "truth": pa.array([True, False, None, True, True]),
        "day": pa.array([0, 20_000, 10**7, None, -719_162], pa.int32()).cast(pa.date32()),
        "moment": pa.array([dt.datetime(2025, 12, 31, 23, 59, 0, 500)] * 5, pa.timestamp("us", "UTC")),
        "plain": pa.array([dt.datetime(1969, 12, 31, 23, 59)] * 5, pa.timestamp("ns")),
    }
    path = tmp_path / "book.parquet"
    pq.write_table(pa.table({"place": range(5), **columns}), path)
    kinds, positions = {"place": "days"}, {"place": 0}
    for kind, (position, name) in product(MARKS["."], enumerate(columns, start=1)):
        kinds[f"{name} as {kind}"], positions[f"{name} as {kind}"] = kind, position
    as_text = [nw.col(f"raw_{name}").cast(nw.String()) for name in kinds]
    found = [
        rows_of(e.typed(e.read_typed(path, positions), kinds).with_columns(as_text).sort("place"))
        for e in (embedded, spark)
    ]
    assert found[1] == found[0]


def test_sums_are_exact_beyond_eighteen_digits(spark, embedded):
    book = pa.table({"x": pa.array(["9999999999999999.99"] * 1000).cast(pa.decimal128(18, 2))})
    sums = [str(rows_of(e.from_arrow(book).select(nw.col("x").sum()))[0]["x"]) for e in (embedded, spark)]
    assert sums == ["9999999999999999990.00"] * 2


# KPI expressions


@pytest.mark.parametrize("rows", [[], ["1.00 2.00"], ["- -"], ["1.00 -", "- 2.00", "0.00 0.01"]])
def test_sums_by_date_are_the_same_with_nulls_and_without_rows(spark, embedded, rows):
    book = table("measurement_date loan_id total_receivable_usd dpd_90_plus_usd\n" +
                 "\n".join(f"2025-1{i % 2}-30 A-{i} {row}" for i, row in enumerate(rows)))  # fmt: skip
    columns = ["total_receivable_usd", "dpd_90_plus_usd", "cash_available_usd"]
    assert totals.totals(spark.from_arrow(book), columns) == totals.totals(embedded.from_arrow(book), columns)


def test_unusual_balances_are_the_same_at_the_exact_limit(spark, embedded):
    day, values = dt.date(2025, 12, 31), ["25.00", "25.01", "0.99", "1.00", "0.00", None]
    amounts = pa.array(values).cast(pa.decimal128(18, 2))
    book = pa.table({"measurement_date": [day] * 6, "loan_id": ["A"] * 6, **dict.fromkeys(AMOUNTS, amounts)})
    found = []
    for engine in (embedded, spark):
        marked = transformation.flagged(engine.from_arrow(book), {day: Decimal("25.00")}, 1.0, engine)
        owed = nw.col("total_receivable_usd") > 0
        loans = marked.select(loans=owed.cast(nw.Int64()).sum()).collect("pyarrow").to_native().to_pylist()
        found.append((transformation.quality(marked, day), loans))
    assert found[1] == found[0]
    assert (found[1][0]["outliers"], found[1][0]["dust"]) == (1, 1)


def test_real_payments_serve_the_oldest_instalment_of_their_loan(spark):
    exports = {
        "loans": """
            loan_id  disburse_date  disburse_principal  interest_rate
            ABF - 1  2025-01-10     100.00              0.300000
            ABT - 1  2025-01-20     900.00              0.500000
        """,
        "schedules": """
            loan_id  date_due    principal  interest  fees  to_tax
            ABF - 1  2025-02-28  40.00      4.00      0.00  0.00
            ABF - 1  2025-03-31  60.00      2.00      0.00  0.00
            ABT - 1  2025-03-31  900.00     0.00      0.00  0.00
        """,
        "payments": """
            company  loan_id  paid_on     paid_principal  paid_interest  paid_rebates  paid_fees  paid_tax  status
            ABF      ABF - 1  2025-02-27  30.00           4.00           0.00          0.00       0.00      On Time
            ABF      ABF - 1  2025-03-15  50.00           2.00           0.50          0.00       0.00      Late
            ABT      ABT - 1  2025-03-31  700.00          -              -             -          0.13      -
            ABT      ABT - 1  2025-03-31  200.00          -              -             -          -         Pending
        """,
    }
    march = book(spark.from_arrow, **exports)
    # 50 + 2 - 0.50 + 700 + 0.13; due 60 + 2 + 900; of the 80 paid by ABF - 1, 40 serve February
    names = ("month_paid_usd", "month_due_usd", "month_principal_on_time_usd")
    assert measured(march, *names) == ["751.63", "962.00", "740.00"]


def test_prepayment_days_to_payment_and_both_bases_of_a_rate(spark):
    exports = {
        "tape": """
            measurement_date  loan_id  total_receivable_usd  interest_rate
            2025-02-28        A - 1    1000.00               0.365000
            2025-03-31        A - 1    300.00                0.365000
        """,
        "loans": """
            loan_id  disburse_date  disburse_principal  interest_rate  total_interest  total_fees  term
            A - 1    2025-01-20     1000.00             0.365000       75.00           25.00       100
        """,
        "schedules": """
            loan_id  date_due    principal  interest  fees  to_tax
            A - 1    2025-03-10  400.00     40.00     0.00  0.00
            A - 1    2025-04-30  600.00     60.00     0.00  0.00
        """,
        "transactions": """
            loan_id  transaction_type  date_paid   principal  interest  fees  to_tax
            A - 1    PAYMENT           2024-03-31  0.00       0.00      0.00  0.00
            A - 1    PAYMENT           2025-03-10  300.00     0.00      0.00  0.00
            A - 1    PAYMENT           2025-03-12  400.00     0.00      0.00  0.00
        """,
    }
    march = book(spark.from_arrow, **exports)
    # 300 by the due date; 700 − 400 on April's instalment; 1,000 − 400; 300 · 49 days + 400 · 51
    names = ("month_principal_on_time_usd", "month_prepaid_usd", "month_not_due_usd", "year_principal_days_usd")
    assert measured(march, *names) == ["300.00", "300.00", "600.00", "35100.00"]
    # 0.365 · 300, and 75 % of it
    assert measured(march, "rate_with_fees_weighted_usd", "rate_without_fees_weighted_usd") == ["109.50", "82.13"]


# Roll rates, measures, bridges, and the loans behind them


def everything(engine, text):
    tape, days = engine.from_arrow(loan_tape(text)), dates_of(text)
    moving = Book(tape, days, days[-1])
    sums = totals.totals(tape, ["total_receivable_usd", *BUCKETS])
    rows = bridge.bridges(catalog.load(), moving, sums).to_pylist()
    return (
        movement.measure(moving, movement.MEASURES, {}),
        movement.roll_rates(moving).to_pylist(),
        rows,
        contributors.bridge_loans(catalog.load(), tape, rows, sums, None).to_pylist(),
    )


@pytest.mark.parametrize("known", [True, False])
def test_figures_of_a_movement_are_the_same(spark, embedded, known):
    text = MONTH if known else "\n".join(" ".join([*line.split()[:3], "-"]) for line in MONTH.strip().splitlines())
    expected = everything(embedded, text)
    assert everything(spark, text) == expected
    assert all(expected)


# Files


LAST = ["", "1,2,3", '1,"two\nlines",3', '1,"never closed,3', '1,2" wide,3', '1,"2"x,3']


@pytest.mark.parametrize(
    ("end", "last", "bom"),
    [
        *(("\n", last, "") for last in LAST),
        *((end, last, "") for end in ("\r", "mixed") for last in ("", LAST[2])),
        *(("\r\n", last, "\ufeff") for last in ("", LAST[3])),
    ],
)
def test_lines_of_a_file_are_split_alike(spark, embedded, tmp_path, end, last, bom):
    lines = ["a,b,c", *LINES, last]
    path = tmp_path / "it's a*[1]? %20,x:y.csv"
    ends = ["\n", "\r\n"] * len(lines) if end == "mixed" else [end] * len(lines)
    path.write_text(bom + "".join(map(operator.add, lines, ends)), encoding="utf-8", newline="")
    found = []
    for engine in (embedded, spark):
        try:
            frame = engine.read_csv(path, {"c": 2, "a": 0}, 3, ",")
            engine.write(frame, tmp_path / f"{len(found)}.parquet")
            rows = rows_of(engine.scan(tmp_path / f"{len(found)}.parquet", "place").sort("place"))
            found.append((rows, [(line, "quote" in fault or fault) for line, fault, _ in engine.broken_lines()]))
        except Exception as error:
            found.append(type(error).__name__)
    assert found[1] == found[0]


def long_book(path):
    """A file that spans several cuts, with faults, blank fields and duplicates spread over it."""
    chance = random.Random(3)
    lines = [SNAPSHOT]
    for i in range(9000):
        line = snapshot(f"A-{i}", amount=f"{chance.randrange(10**6) / 100:.2f}")
        lines.append(chance.choice([line] * 200 + [snapshot(f"A-{i}", amount="abc"), "1,2", line + ",7", lines[-1]]))
    return write(path, *lines)


def staged(engine, path, work):
    """What is made of a file: rejected rows, reconciliation, and the rows in the order of the file."""
    found, _ = discovery.discover(path)
    work.mkdir()
    batches = roles.stage(found, DATE, engine, work)
    rejects, _ = quarantine.quarantine(batches, engine)
    rows = engine.scan(batches[0].staged[0].path, "place").sort("place")
    rows = rows.select("place", "loan_id", "total_receivable_usd")
    return rejects.to_pylist(), reconciliation.reconcile(batches[0], rejects, engine), rows_of(rows)


def test_rows_and_lines_are_right_over_several_cuts_and_the_loss_of_the_worker(cluster, spark, embedded, tmp_path):
    path = long_book(tmp_path / "book.csv")
    expected = staged(embedded, path, tmp_path / "embedded")
    assert len(expected[0]) > 50
    written = tmp_path / "spark/staged_00.parquet"
    with ThreadPoolExecutor(1) as pool:
        run = pool.submit(staged, spark, path, tmp_path / "spark")
        try:
            while not list(written.glob("_temporary/0/task_*")):
                assert not run.done(), run.result()
                time.sleep(0.01)
            cluster.kill_worker()
            is_unfinished = not list(written.glob("part-*"))
        finally:
            cluster.add_worker()
        assert run.result() == expected
    assert is_unfinished, "the worker was not lost in the middle of writing"
    assert len(list(written.iterdir())) > 6


def test_rows_of_a_lazy_frame_are_numbered_in_the_order_of_the_file(spark, tmp_path):
    path = tmp_path / "book.csv"
    path.write_text("x\n" + "".join(f"{i}\n" for i in range(60_000)))
    frame = spark.numbered(spark.read_csv(path, {"x": 0}, 1, ","), "place")
    assert frame.to_native().rdd.getNumPartitions() > 3
    assert rows_of(frame.filter(nw.col("x").cast(nw.Int64()) != nw.col("place"))) == []


def test_files_with_other_columns_are_one_frame(spark, tmp_path):
    spark.write(spark.from_arrow(pa.table({"x": [1], "y": [2]})), tmp_path / "a.parquet")
    spark.write(spark.from_arrow(pa.table({"x": [3]})), tmp_path / "b.parquet")
    both = spark.scan([tmp_path / "a.parquet", tmp_path / "b.parquet"]).sort("x")
    assert rows_of(both) == [{"x": 1, "y": 2}, {"x": 3, "y": None}]


def test_mount_is_read_under_the_address_that_executors_have(spark, tmp_path, monkeypatch):
    (tmp_path / "bucket").mkdir()
    (tmp_path / "mount").symlink_to(tmp_path / "bucket")
    monkeypatch.setenv("SPARK_STORAGE", f"{tmp_path}/mount=file://{tmp_path}/bucket")
    spark.write(spark.from_arrow(pa.table({"x": [1]})), tmp_path / "mount/a.parquet")
    frame = spark.scan(tmp_path / "mount/a.parquet")
    assert f"file:{tmp_path}/bucket/a.parquet" in frame.to_native().inputFiles()[0].replace("///", "/")
    assert rows_of(frame) == [{"x": 1}]


# Masking


@pytest.mark.parametrize("key", [b"k", b"x" * 65, "clave ñ".encode(), bytes(range(256))])
def test_token_is_hmac_sha256_under_the_key(spark, key):
    values = ["Ana", "Begoña Muñoz", "李", "it's", 'a "b"', "x" * 10_000, "a\nb", "\0"]
    frame = spark.from_arrow(pa.table({"name": [*values, "", None], "loan_id": ["A"] * 10}))
    found = [row["name"] for row in rows_of(spark.masked(frame, ["name"], key))]
    assert found == ["tok_" + hmac.new(key, v.encode(), hashlib.sha256).hexdigest()[:32] for v in values] + [None] * 2


def test_digest_is_the_same_in_both_engines(spark, embedded):
    names = ["Ana", " Ana ", None, "", "Begoña", "李"]
    table = pa.table({"name": names, "number": [1, 1, None, None, 2, None], "place": range(6)})
    found = [
        rows_of(e.with_digest(e.from_arrow(table), ["name", "number"], KEY, "digest").sort("place"))
        for e in (embedded, spark)
    ]
    assert found[0] == found[1]
    assert [row["digest"] is None for row in found[0]] == [False, False, True, True, False, False]
    assert len({row["digest"] for row in found[0]}) == 4


def test_originals_are_the_same_text(spark, embedded):
    odd = ["".join(map(chr, range(1, 128))), "ñ李\u2028\u00ad😀", '"\\/', "</script>", None]
    table = pa.table({"x": odd, "name": odd, "reasons": ["r", "r", "r", None, "r"], "place": range(5)})
    columns = {"It's a `heading`.": "x", "Name": "name"}
    found = [rows_of(e.with_json(e.from_arrow(table), columns, "original").sort("place")) for e in (embedded, spark)]
    assert found[1] == found[0]


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (
            ("001,2025-01-01,0.1,9,5,0", "1,2025-01-01,0.1,9,7,0"),
            "lines 2 and 3 have ids under loan_id that differ only",
        ),
        (("A1,2025-01-01,14,9,5,0", "A2,2025-01-01,0.14,9,7,0"), "interest_rate is 14 in line 2 and 0.14 in line 3"),
        ([f"{i},2025-01-01,0.1,,{owed},0" for i, owed in enumerate((1, 2, 3, 4, 5, 9))], "lines 4, 7 are subtotals"),
    ],
)
def test_what_may_be_read_in_two_ways_is_refused_alike(spark, embedded, tmp_path, lines, message):
    path = write(tmp_path / "loans.csv", LOANS.replace("customer_id,", ""), *lines)
    files, _ = discovery.discover(path)
    for name, engine in (("embedded", embedded), ("spark", spark)):
        (work := tmp_path / name).mkdir()
        with pytest.raises(InputError, match=message):
            findings.check_rates(roles.stage(files, DATE, engine, work), engine, "auto")


def test_personal_values_among_parts_of_the_book_are_hidden_alike(spark, embedded, tmp_path):
    values = ["ana@example.org", "of a@b", "+503 7777 8888", "7777-8888", "77778888", "01234567-8", "5512345678"]
    kept = ["2024-2025", "1000-4999", "20251231", "Retail @ 12%", "61-90", "#", "Ñuñoa"]
    rows = [f"{snapshot(f'A-{i}')},{value},Nombre {i}" for i, value in enumerate([*values, *kept] * 5)]
    [source], _ = discovery.discover(write(tmp_path / "snapshot.csv", f"{SNAPSHOT},product,region", *rows))
    for name, engine in (("embedded", embedded), ("spark", spark)):
        (work := tmp_path / name).mkdir()
        staged = stage_one(source, 0, True, DATE, engine, work, Masking.of_pass(None))
        found = engine.scan(staged.path).select("product", "region").unique().collect("pyarrow")
        assert sorted(row["product"] for row in found.to_native().to_pylist()) == sorted(["…", *kept])
        assert set(found["region"].to_list()) == {None}
        assert [reason.code for reason in staged.told] == ["values_hidden", "no_dimension"]


def test_columns_that_are_not_read_say_the_same(spark, embedded, tmp_path):
    late = ["0", "0-30", "Al día", "-5.00", "(3.00)", "<30", "B2", "30 days", "1,5", "Legal", "SI", "x", ""]
    rows = [f'A-{i},2025-12-31,1.00,0,{i % 2 and "Total general 100 %"},"{cell}"' for i, cell in enumerate(late)]
    path = write(tmp_path / "book.csv", "loan_id,reporting_date,outstanding_balance,dpd,notas,Arrears", *rows)
    [source], _ = discovery.discover(path)
    for name, engine in (("embedded", embedded), ("spark", spark)):
        (work := tmp_path / name).mkdir()
        staged = stage_one(source, 0, True, DATE, engine, work, Masking.of_pass(None))
        found = engine.in_order(engine.scan(staged.path), "loan_id").select("loan_id", "standing", "called_total")
        said = {row["loan_id"]: row for row in found.collect("pyarrow").to_native().to_pylist()}
        assert [i for i in range(len(late)) if said[f"A-{i}"]["standing"] == "late"] == [7, 8, 9, 10, 11]
        assert [said[f"A-{i}"]["called_total"] for i in range(3)] == [None, "beside", None]


@pytest.mark.parametrize(
    ("heading", "cells"),
    [
        ("bucket", {"31-60": 31, "90+": 90, "2-3 meses": 28, "> 3 months": 84, "Current": None}),
        ("Asset Class", {"Substandard": 31, "PAR>90": 90, "1 - Standard": None, "Stage 3": 31, "Late": 0, "": None}),
        ("Kolektibilitas", {"3": 31, "2": None, "5 - Macet": 31}),
        ("Oldest Unpaid Due", {"2025-08-01": 142, "20/11/2025": 31, "2025-12-20": None, "": None}),
        ("loan_status", {"Late (31-120 days)": 31, "Active": None, "90+ DPD": 90, "Late": None, "": None}),
    ],
)
def test_days_that_another_column_says_are_the_same(spark, embedded, tmp_path, heading, cells):
    rows = [f"A-{i},2025-12-31,1.00,3,{cell}" for i, cell in enumerate(cells)]
    path = write(tmp_path / "book.csv", f"loan_id,reporting_date,outstanding_balance,dpd,{heading}", *rows)
    [source], _ = discovery.discover(path)
    for name, engine in (("embedded", embedded), ("spark", spark)):
        (work := tmp_path / name).mkdir()
        staged = stage_one(source, 0, True, DATE, engine, work, Masking.of_pass(None))
        days = engine.in_order(engine.scan(staged.path), "loan_id").select(days=said_days())
        assert [row["days"] for row in days.collect("pyarrow").to_native().to_pylist()] == [*cells.values()]


@pytest.mark.parametrize(
    ("heading", "cells"),
    [
        ("loan_status", {"WRITTEN OFF: FRAUD": True, "Active": False, "Sold to Kestrel": True, "Closed end": False}),
        ("Sold To", {"Kestrel": True, "Own book": False, "n/a": False, "": False}),
        ("Fecha de cierre", {"2025-06-01": True, "2025-12-31": False, "": False}),
    ],
)
def test_end_of_a_loan_that_a_status_a_buyer_or_a_day_says_is_the_same(spark, embedded, tmp_path, heading, cells):
    rows = [f"A-{i},2025-12-31,1.00,3,{cell}" for i, cell in enumerate(cells)]
    path = write(tmp_path / "book.csv", f"loan_id,reporting_date,outstanding_balance,dpd,{heading}", *rows)
    [source], _ = discovery.discover(path)
    for name, engine in (("embedded", embedded), ("spark", spark)):
        (work := tmp_path / name).mkdir()
        staged = stage_one(source, 0, True, DATE, engine, work, Masking.of_pass(None))
        found = engine.in_order(engine.scan(staged.path), "loan_id").select("ended_in")
        said = [row["ended_in"] is not None for row in found.collect("pyarrow").to_native().to_pylist()]
        assert said == [*cells.values()]


def test_end_of_a_loan_that_a_column_says_that_is_not_read_is_the_same(spark, embedded, tmp_path):
    ended = ["2025-12-31", "30/06/2025", "12/31/2025", "1/2/26", "Jun 2024", "20250630", "8,000.00", "-5", "Y"]
    others = ["2026-01-01", "31/12/2026", "1900-01-01", "0000-00-00", "0.00", "N", "n/a", "Open", "-", ""]
    rows = [f'A-{i},2025-12-31,1.00,0,"{cell}"' for i, cell in enumerate([*ended, *others], 10)]
    rows[3] = rows[3].replace("2025-12-31", "2026-02-01")  # then both readings of 1/2/26 have passed
    path = write(tmp_path / "book.csv", "loan_id,reporting_date,outstanding_balance,dpd,closed_date", *rows)
    [source], _ = discovery.discover(path)
    for name, engine in (("embedded", embedded), ("spark", spark)):
        (work := tmp_path / name).mkdir()
        staged = stage_one(source, 0, True, DATE, engine, work, Masking.of_pass(None))
        said = engine.in_order(engine.scan(staged.path), "loan_id").select("ended_in").collect("pyarrow").to_native()
        assert said["ended_in"].to_pylist() == ["4__"] * len(ended) + [None] * len(others)


EARLY = """
    date        loan  owes    written_off
    2025-11-30  A-1   5.00@0         0.00
    2025-11-30  A-2   9.00@7         0.00
    2025-12-31  A-1   5.00@0         0.00
"""


def test_former_report_is_compared_alike(spark, embedded, tmp_path):
    tapes = {"2025-11-30": "A  100.00  0.00\nB  50.00  50.00", "2025-12-31": "A  90.00  0.00\nC  50.00  0.00"}
    head = "measurement_date  loan_id  total_receivable_usd  par_30_usd\n"
    for day, lines in tapes.items():
        rows = "\n".join(f"{day}  {line}" for line in lines.splitlines())
        pq.write_table(tape(head + rows), tmp_path / f"{day}.parquet")
    ends = {"was": dt.date(2026, 3, 1), "now": dt.date(2026, 4, 1)}
    for name, end in ends.items():
        pq.write_table(pa.table({"loan_id": ["A"], "date_due": [end]}), tmp_path / f"{name}.parquet")
    former = {"date": "2025-11-30", "tape": str(tmp_path / "2025-11-30.parquet"), "currency": "USD"}
    for engine in (embedded, spark):
        due = {"schedules": engine.scan(tmp_path / "now.parquet")}
        own = Book(engine.scan(tmp_path / "2025-12-31.parquet"), [DATE], DATE, due)
        gone = {"loans": 1, "date": "2025-11-30", "usd": "50.00", "late_usd": "50.00"}
        assert unexplained(with_former(own, engine, former, "USD")) == {"late before": gone}
        early = loan_tape(EARLY)
        few = unexplained(Book(engine.from_arrow(early), [dt.date(2025, 11, 30), DATE], DATE, {}))
        assert few == {"a few days late before": {**gone, "usd": "9.00", "late_usd": "9.00"}}
        assert with_former(own, engine, former, "EUR") is own
        [told] = rescheduled(own, engine.scan(tmp_path / "was.parquet"), former)
        assert "restructured: 1 row (90.00 USD)." in str(told)


def test_key_is_part_of_no_plan_log_or_event(spark, tmp_path, caplog):
    caplog.set_level(logging.DEBUG)
    frame = spark.masked(spark.from_arrow(pa.table({"name": ["Ana"]})), ["name"], KEY)
    modes = spark.connection.gateway.jvm.org.apache.spark.sql.execution.ExplainMode
    execution = frame.to_native()._jdf.queryExecution()
    plans = [execution.explainString(modes.fromString(m)) for m in ("extended", "codegen", "cost", "formatted")]
    spark.write(frame, tmp_path / "x.parquet")
    plans += [
        execution.executedPlan().treeString(),
        execution.optimizedPlan().toJSON(),
        execution.executedPlan().toJSON(),
    ]
    said = [*plans, caplog.text, (spark._folder / "spark.log").read_text(errors="replace")]
    assert any("hmac_inner" in text for text in plans)
    assert not any(map(key_shows, said))


def key_shows(text):
    """Return whether the key, or what HMAC makes of it, stands in a text: as it is, in hex, in base64 or as numbers."""
    for form in (KEY, *(block[: len(KEY)] for block in hmac_blocks(KEY))):
        as_numbers = ",".join(str(b) for b in form)
        signs = [form.decode("latin-1"), form.hex(), base64.b64encode(form)[:-4].decode(), as_numbers]
        if any(sign.lower() in re.sub(r"[ \n]", "", text).lower() for sign in map(lambda s: s.replace(" ", ""), signs)):
            return True
    return False


def test_key_would_be_found_if_it_showed():
    assert key_shows(KEY.decode()) and key_shows(KEY.hex().upper()) and not key_shows("tok_00")


def test_sections_and_names_of_totals_are_judged_alike(spark, embedded, tmp_path):
    header = "loan_id,reporting_date,outstanding_balance,dpd,region,maturity_date,interest_rate"
    rows = [f"A-{i},2025-12-31,{100 + i},0,{'Total' if i == 1 else 'N'},2026-05-01,0.2" for i in range(9)]
    total = "Total written off,2025-12-31,215,0,,,"
    right = write(tmp_path / "right.csv", header, *rows, total.replace("written off,2025-12-31,215", ",2025-12-31,936"))
    wrong = [[*rows, total], [*rows, total.replace(",0,", ",,")], [*rows[:5], "B. Sold loans,,,,,,", *rows[5:]]]
    for number, engine in enumerate((embedded, spark)):
        [batch] = roles.stage(discovery.discover(right)[0], DATE, engine, folder(tmp_path / f"{number}"))
        assert len(batch.accepted(engine).collect("pyarrow")) == 9
        for count, lines in enumerate(wrong):
            path = write(tmp_path / f"{number}-{count}.csv", header, *lines)
            with pytest.raises(InputError, match="no column says that they are; add a column loan_status"):
                roles.stage(discovery.discover(path)[0], DATE, engine, folder(tmp_path / f"{number}-{count}"))


def folder(path):
    path.mkdir()
    return path


# Facilities


def of_facility(engine, **changes):
    """Return all figures of twelve loans that are pledged to a facility."""
    with pledged.based(engine, pledged.terms(**changes), payers={"A-01": 1, "A-08": 2}) as base:
        return pledged.lines(base), pledged.loans(base)


def test_borrowing_base_is_the_one_on_paper(spark, embedded):
    assert of_facility(spark)[0] == pledged.ON_PAPER
    ages = {"age": {"column": "age_days", "at_most": 300}, "south": {"column": "region", "none_of": ["south"]}}
    two = {"column": "borrower", "largest": 2, "at_most_pct": 30}
    limits = {"payer": {"column": "payer", "at_most_pct": 20}, "two": two}
    for share_of in ("eligible", "net_eligible"):
        changed = {"eligibility": ages, "limits": limits, "share_of": share_of}
        assert of_facility(spark, **changed) == of_facility(embedded, **changed)


def test_covenants_of_a_pool_are_the_same(spark, embedded):
    terms = {"arrears": {"kpi": "PAR90", "trigger": 5}, "largest": {"kpi": "TopBorrower", "trigger": 50}}
    found = [covenants_of(engine.from_arrow, **terms) for engine in (spark, embedded)]
    assert found[0] == found[1] == [("11-30", "0.0000"), ("12-31", "2.5000"), ("11-30", None), ("12-31", "75.00")]
