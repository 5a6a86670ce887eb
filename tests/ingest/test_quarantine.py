"""From files to accepted rows and a quarantine that says everything of the others."""

import datetime as dt
import hashlib
import hmac
import json
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from abaco.core.errors import DateError, InputError
from abaco.core.reasons import Reason
from abaco.engines.duckdb import DuckDB
from abaco.ingest import coverage, discovery, rejections, roles, used_files
from tests.support.exports import (
    BY_DATE,
    DATE,
    LOANS,
    PAR,
    PAYMENTS,
    SCHEDULES,
    SNAPSHOT,
    TRANSACTIONS,
    ingest,
    snapshot,
    write,
)
from tests.support.figures import figures_of

KEY = "a key that nobody else has"
PAYMENT = (
    "ABF,C-1,Ana Ficticia,Pagador Inventado SA,123,2025-12-01,Applied,USD,null,100.00,90.00,8.00,1.00,"
    "0.00,1.00,0.00,null,900.00"
)


@pytest.fixture(autouse=True)
def no_key(monkeypatch):
    monkeypatch.delenv("ABACO_PII_KEY", raising=False)


def token(value):
    return "tok_" + hmac.new(KEY.encode(), value.encode(), hashlib.sha256).hexdigest()[:32]


# Roles


def folder(tmp_path, *names):
    contents = {
        "snapshot": (SNAPSHOT, snapshot()),
        "par": (PAR, "A-1,2025-12-31,7,0,0,0,0"),
        "loans": (LOANS, "A-1,C-1,2025-01-01,0.4,9,5,30"),
        "schedules": (SCHEDULES, "A-1,2025-12-15,10,1,0,0,0,0,0,USD"),
        "transactions": (TRANSACTIONS, "A-1,PAYMENT,2025-12-15,10,-1,0,0.0000001,0,0,0,USD"),
        "payments": (PAYMENTS, PAYMENT),
        "financials": ("reporting_date,metric,value", "2025-12-31,Efectivo,3.00"),
        "wide": ("fecha,caja,activos", "2025-12-31,4.00,90"),
    }
    for name in names:
        write(tmp_path / "in" / f"{name}.csv", *contents[name])
    return tmp_path / "in"


FIXED, DUE, PAID = "what is fixed of each loan", "what was due", "what was paid"
USES = {"schedules.csv": DUE, "transactions.csv": PAID, "payments.csv": "kept: the transactions say what was paid"}
BESIDE = "what the tape lacks"


@pytest.mark.parametrize(
    ("names", "used"),
    [
        (["snapshot"], {"snapshot.csv": "tape"}),
        (["par"], {"par.csv": "tape"}),
        (["loans"], {"loans.csv": "tape"}),
        (["snapshot", "par", "loans"], {"snapshot.csv": "tape", "par.csv": "tape", "loans.csv": FIXED}),
        (["par", "loans"], {"par.csv": "tape", "loans.csv": FIXED}),
        (["par", "payments"], {"par.csv": "tape", "payments.csv": PAID}),
        (["loans", "schedules", "transactions", "payments", "financials", "wide"],
         USES | {"loans.csv": "tape", "financials.csv": "cash", "wide.csv": "cash"}),
    ],
)  # fmt: skip
def test_tape_comes_from_exports_with_a_date_or_else_from_loans(tmp_path, names, used):
    found, _ = discovery.discover(folder(tmp_path, *names))
    assert roles.roles(found) == used
    assert {s.name for s in roles.tape_sources(found)} == {name for name in used if used[name] == "tape"}


@pytest.mark.parametrize(
    ("names", "balance"),
    [(["snapshot", "par", "loans"], "100.00"), (["par", "loans"], "7.00"), (["loans", "schedules"], "5.00")],
)
def test_no_balance_counts_twice(tmp_path, names, balance):
    assert [r["total_receivable_usd"] for r in ingest(folder(tmp_path, *names)).tape] == [Decimal(balance)]


def test_every_export_of_a_folder_is_staged_and_reconciled(tmp_path):
    names = ["par", "loans", "schedules", "transactions", "payments", "financials", "wide"]
    result = ingest(folder(tmp_path, *names))
    assert result.rejects == []
    assert {name: book["accepted"] for name, book in result.books.items()} == dict.fromkeys(
        ["par_balances", "loans", "schedules", "transactions", "payments", "statements", "statements_wide"], 1
    )


def test_input_without_a_tape_says_what_to_add(tmp_path):
    found, _ = discovery.discover(folder(tmp_path, "schedules", "payments"))
    with pytest.raises(InputError) as error:
        roles.tape_sources(found)
    assert str(error.value) == (
        "No loan tape in the input, only payment schedules, real payments: "
        "add a canonical snapshot, PAR balances, dated loans or loans"
    )


def test_loans_alone_are_bucketed_by_their_days_at_the_date(tmp_path):
    lines = [f"A-{dpd},C,2025-01-01,0.4,9,1,{dpd}" for dpd in (0, 6, 7, 29, 30, 59, 60, 89, 90, 400)]
    tape = ingest(write(tmp_path / "loans.csv", LOANS, *lines)).tape
    names = ("dpd_0_7_usd", "dpd_7_30_usd", "dpd_30_60_usd", "dpd_60_90_usd", "dpd_90_plus_usd")
    assert [sum(row[name] for row in tape) for name in names] == [2, 2, 2, 2, 2]
    assert {row["measurement_date"] for row in tape} == {DATE}


def test_loan_disbursed_after_the_date_is_left_out(tmp_path):
    path = write(tmp_path / "loans.csv", LOANS, "A-1,C,2025-12-31,0.4,9,5,0", "A-2,C,2026-01-01,0.4,9,5,0")
    result = ingest(path)
    assert [row["loan_id"] for row in result.tape] == ["A-1"]
    assert (result.book["later"], result.book["amount_later"]) == (1, "5.00")


def test_par_balances_may_have_a_row_a_date(tmp_path):
    header = PAR.removeprefix("loan_id_raw,")
    [row] = ingest(write(tmp_path / "par.csv", header, "2025-12-31,100,60,30,10,1")).tape
    assert (row["loan_id"], row["dpd_30_60_usd"], row["total_eligible_usd"]) == (None, Decimal(20), Decimal(100))


def test_real_payments_are_read_with_their_exact_headings(tmp_path, monkeypatch):
    monkeypatch.setenv("ABACO_PII_KEY", KEY)
    folder(tmp_path, "snapshot")
    write(tmp_path / "in" / "payments.csv", PAYMENTS, PAYMENT, end="\r\n")
    [row] = ingest(tmp_path / "in").accepted["payments"]
    assert row["loan_id"] == "123"
    assert row["paid_on"] == dt.date(2025, 12, 1)
    assert (row["borrower_name"], row["payer_name"]) == (token("Ana Ficticia"), token("Pagador Inventado SA"))
    assert {name: value for name, value in row.items() if name.startswith("paid_") and name != "paid_on"} == {
        "paid_devolution": None, "paid_total_payment": Decimal("100.00"), "paid_principal": Decimal("90.00"),
        "paid_interest": Decimal("8.00"), "paid_fees": Decimal("1.00"), "paid_other": Decimal("0.00"),
        "paid_tax": Decimal("1.00"), "paid_fees_tax": Decimal("0.00"), "paid_rebates": None,
        "paid_balance": Decimal("900.00"),
    }  # fmt: skip


# Quarantine


def test_rejected_row_has_file_line_amount_every_reason_and_its_original_values(tmp_path):
    header = "Customer ID,Cliente,nota," + SNAPSHOT.replace("loan_id", "Loan ID")
    line = snapshot("", "2025-02-30", "12.50", cash="-1").replace(",12.50,0,", ",inf,0,")
    [row] = ingest(write(tmp_path / "book.csv", header, "C-1,Ana Ficticia,llamar mañana," + line)).rejects
    assert (row["file"], row["line"], row["amount_usd"]) == ("book.csv", 2, Decimal("12.50"))
    assert row["reasons"] == ("measurement_date: not a date; loan_id: missing; dpd_0_7_usd: not a finite number")
    assert json.loads(row["original"]) == {
        "Customer ID": "redacted", "Cliente": "redacted", "Loan ID": None, "measurement_date": "9999-99-99",
        "total_receivable_usd": "12.50", "total_eligible_usd": "12.50", "discounted_balance_usd": "12.50",
        "cash_available_usd": "-1", "dpd_0_7_usd": "AAA", "dpd_7_30_usd": "0", "dpd_30_60_usd": "0",
        "dpd_60_90_usd": "0", "dpd_90_plus_usd": "0",
    }  # fmt: skip


@pytest.mark.parametrize("conflict", [False, True])
@pytest.mark.parametrize("key", ["", KEY])
def test_personal_values_of_rejected_rows_are_masked(tmp_path, monkeypatch, key, conflict):
    monkeypatch.setenv("ABACO_PII_KEY", key)
    lines = [snapshot("A-1", amount="1" if conflict else "x") + ", Ana Muñoz ,,ana@example.org"]
    lines += [snapshot("A-1", amount="2") + ",Ana Muñoz,,ana@example.org"] if conflict else []
    rejects = ingest(write(tmp_path / "book.csv", SNAPSHOT + ",Cliente,Teléfono,E-mail", *lines)).rejects
    assert len(rejects) == len(lines)
    for row in rejects:
        original = json.loads(row["original"])
        assert original["Teléfono"] is None
        assert original["Cliente"] == (token("Ana Muñoz") if key else "redacted")
        assert original["E-mail"] == (token("ana@example.org") if key else "redacted")
        assert not any(word in str(row) for word in ("Ana", "Muñoz", "ana@", KEY))


@pytest.mark.parametrize(
    ("footer", "is_hidden"),
    [
        ("Checked by Fatoumata Diallo 0799887766", True),
        ("juan_perez", True),
        ("Juan Perez", True),
        ("ALF - 12 b", False),
        ("ALF - X00001", False),
    ],
)
def test_people_among_the_loans_of_rejected_rows_are_hidden(tmp_path, footer, is_hidden):
    path = write(tmp_path / "par.csv", PAR, f"{footer},2025-12-31,x,0,0,0,0", "A-1,2025-12-31,1,0,0,0,0")
    [row] = ingest(path).rejects
    assert (footer in row["original"], "Fatoumata" in row["original"]) == (not is_hidden, False)


def test_broken_line_is_rejected_without_its_text(tmp_path):
    path = write(tmp_path / "book.csv", SNAPSHOT + ",Cliente", "A-1,Ana Ficticia", snapshot("A-2") + ",B")
    assert ingest(path).rejects == [
        {"file": "book.csv", "line": 2, "reasons": "line: missing columns", "amount_usd": None, "original": None}
    ]


def test_originals_are_as_they_stood_in_every_kind_of_file(tmp_path):
    cells = dict(zip(SNAPSHOT.split(","), snapshot(current="-1.50").split(","), strict=True))
    write(
        tmp_path / "a" / "book.csv",
        SNAPSHOT.replace(",", ";"),
        snapshot(current="-1,50").replace(",", ";").replace("-1;50", "-1,50"),
    )
    write(tmp_path / "b" / "book.jsonl", "", "", json.dumps(cells), json.dumps(cells | {"loan_id": "A-2"}))
    (tmp_path / "c").mkdir()
    pq.write_table(pa.table({name: [value] for name, value in cells.items()}), tmp_path / "c" / "book.parquet")
    found = {}
    for name in "abc":
        rejects = ingest(tmp_path / name).rejects
        found[name] = [(r["line"], json.loads(r["original"])["dpd_0_7_usd"]) for r in rejects]
    assert found == {"a": [(2, "-1,50")], "b": [(1, "-1.50"), (2, "-1.50")], "c": [(1, "-1.50")]}


def test_rows_of_every_file_are_rejected_under_its_name(tmp_path):
    write(tmp_path / "in" / "b.csv", SNAPSHOT, snapshot("A-2", amount="x"), snapshot("A-3"))
    write(tmp_path / "in" / "a.csv", SNAPSHOT, snapshot("A-1"), snapshot("A-4", amount="z"), "1")
    write(tmp_path / "in" / "t.csv", TRANSACTIONS, "A-1,,2025-12-01,1,1,1,1,1,1,1,USD")
    result = ingest(tmp_path / "in")
    assert [(row["file"], row["line"]) for row in result.rejects] == [
        ("a.csv", 3),
        ("a.csv", 4),
        ("b.csv", 2),
        ("t.csv", 2),
    ]
    assert result.reasons["transactions"] == {"transaction_type: missing": 1}


def test_file_with_its_header_only_has_no_rows(tmp_path):
    result = ingest(write(tmp_path / "book.csv", SNAPSHOT))
    assert (result.tape, result.rejects, result.dates) == ([], [], [])
    assert (result.book["rows_in"], result.book["amount_in"]) == (0, "0.00")


def test_rows_that_conflict_deep_in_a_parquet_file_keep_their_row_and_values(tmp_path):
    cells = dict(zip(SNAPSHOT.split(","), snapshot().split(","), strict=True))
    columns = {name: pa.array([cell] * 40_000) for name, cell in cells.items()} | {
        "loan_id": pa.array([f"A-{min(i, 39_998)}" for i in range(40_000)]),
        "dpd_0_7_usd": pa.array([*["1.00"] * 39_999, "2.00"]),
    }
    pq.write_table(pa.table(columns), tmp_path / "book.parquet")
    rejects = [(row["line"], json.loads(row["original"])["dpd_0_7_usd"]) for row in ingest(tmp_path).rejects]
    assert rejects == [(39_999, "1.00"), (40_000, "2.00")]


def test_parquet_that_breaks_off_within_its_data_is_an_error(tmp_path):
    columns = {name: ["A-1"] * 50_000 for name in SNAPSHOT.split(",")}
    columns["loan_id"] = [f"A-{i * 7919 % 50_021}" for i in range(50_000)]
    path = tmp_path / "book.parquet"
    pq.write_table(pa.table(columns), path, compression="zstd")
    content = bytearray(path.read_bytes())
    content[1000:5000] = b"x" * 4000
    path.write_bytes(content)
    with pytest.raises(InputError, match=r"^book.parquet cannot be read to its end: export it again$"):
        ingest(path)


@pytest.mark.parametrize("kind", [pa.date32(), pa.timestamp("us")], ids=str)
def test_day_beyond_those_of_python_is_rejected_by_its_row(tmp_path, kind):
    cells = dict(zip(SNAPSHOT.split(","), snapshot().split(","), strict=True))
    columns = {name: pa.array([cell] * 6) for name, cell in cells.items()} | {
        "loan_id": pa.array([f"A-{i}" for i in range(6)]),
        "measurement_date": pa.array([2**29, *[20453] * 5], pa.int32()).cast(pa.date32()).cast(kind, safe=False),
    }
    pq.write_table(pa.table(columns), tmp_path / "book.parquet")
    result = ingest(tmp_path / "book.parquet")
    assert (len(result.tape), result.faults) == (5, [(1, "measurement_date: not a date")])


def test_json_that_breaks_off_after_the_first_rows_is_an_error(tmp_path):
    cells = dict(zip(SNAPSHOT.split(","), snapshot().split(","), strict=True))
    rows = [json.dumps(cells | {"loan_id": f"A-{i}"}) for i in range(30_000)]
    with pytest.raises(InputError, match=r"^book.jsonl cannot be read as jsonl: it is damaged"):
        ingest(write(tmp_path / "book.jsonl", *rows, rows[0][:-10]))


# The day that the figures are really from


def overdue(frame, *rows):
    dates, days, on = zip(*rows, strict=True) if rows else ((), (), ())
    columns = {
        "measurement_date": pa.array(dates, pa.date32()),
        "days_past_due": pa.array(days, pa.int64()),
        "overdue_on": pa.array(on, pa.date32()),
    }
    return frame(pa.table(columns))


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], DATE),
        ([(DATE, None, None), (DATE, 5, None), (DATE, 0, dt.date(2025, 11, 1))], DATE),
        ([(DATE, 30, dt.date(2025, 11, 10))], dt.date(2025, 12, 10)),
        ([(DATE, 30, dt.date(2025, 11, 10)), (DATE, 31, dt.date(2025, 11, 10))], dt.date(2025, 12, 11)),
        ([(DATE, 30, dt.date(2025, 12, 1))], DATE),
        ([(dt.date(2025, 11, 30), 30, dt.date(2025, 11, 10))], DATE),
        ([(DATE, 10, dt.date(2026, 1, 1)), (DATE, 30, dt.date(2025, 11, 10))], dt.date(2025, 12, 10)),
        ([(DATE, 10**15, dt.date(2025, 11, 10))], DATE),
        ([(DATE, 400, dt.date(9999, 12, 31))], DATE),
    ],
)
def test_as_of_is_the_first_overdue_day_plus_the_days_past_due(frame, rows, expected):
    assert coverage.as_of(overdue(frame, *rows), DATE) == expected


def test_as_of_is_read_from_par_balances(tmp_path):
    path = write(tmp_path / "par.csv", PAR + ",dpd,dpd_date", "A-1,2025-12-31,9,9,0,0,0,10,2025-11-30")
    result = ingest(path)
    assert (result.tape[0]["days_past_due"], result.tape[0]["overdue_on"]) == (10, dt.date(2025, 11, 30))


# Checks


@pytest.mark.parametrize(
    ("loans", "mixed"),
    [([], False), (["A-1", "A-2"], False), ([None], False), ([None, None], False), (["A-1", None], True)],
)
def test_date_with_both_grains_is_refused(frame, loans, mixed):
    dates = [DATE] * len(loans)
    table = pa.table({"loan_id": pa.array(loans, pa.string()), "measurement_date": pa.array(dates, pa.date32())})
    if mixed:
        with pytest.raises(InputError, match="2025-12-31 has both a row a loan and a row for the whole book"):
            coverage.check_grain(frame(table))
    else:
        coverage.check_grain(frame(table))


def test_files_of_both_grains_are_refused_when_they_share_a_date(tmp_path):
    write(tmp_path / "in" / "loans.csv", SNAPSHOT, snapshot())
    write(tmp_path / "in" / "whole.csv", BY_DATE, snapshot(date="2025-12-31").removeprefix("A-1,"))
    found, _ = discovery.discover(tmp_path / "in")
    with DuckDB() as engine:
        [batch] = roles.stage(found, DATE, engine, tmp_path)
        with pytest.raises(InputError, match="2025-12-31 has both"):
            coverage.check_grain(batch.accepted(engine))


@pytest.fixture
def batch(tmp_path):
    return ingest(write(tmp_path / "book.csv", SNAPSHOT, snapshot())).batches[0]


@pytest.mark.parametrize(
    ("rejected", "rows", "later", "limit", "passes"),
    [
        (0, 0, 0, 0.0, True),
        (0, 100, 0, 0.0, True),
        (1, 100, 0, 0.0, False),
        (5, 100, 0, 5.0, True),
        (6, 100, 0, 5.0, False),
        (50_000, 1_000_000, 0, 5.0, True),
        (50_001, 1_000_000, 0, 5.0, False),
        (1, 3, 0, 33.33, False),
        (5, 200, 100, 5.0, True),
        (6, 200, 100, 5.0, False),
        (3, 3, 0, 100.0, True),
        (1, 1000, 0, 0.1, True),
    ],
)
def test_exactly_the_limit_passes_and_a_hair_above_fails(batch, rejected, rows, later, limit, passes):
    book = {"quarantined": rejected, "rows_in": rows, "later": later}
    if passes:
        rejections.check_reject_limit(batch, book, {Reason("missing", column="x"): rejected}, limit)
    else:
        with pytest.raises(InputError, match=f"^{rejected} of {rows - later} rows of the canonical snapshot"):
            rejections.check_reject_limit(batch, book, {Reason("missing", column="x"): rejected}, limit)


def test_error_of_the_limit_names_counts_share_and_the_most_frequent_reasons(batch):
    reasons = {Reason("missing", column=letter): 9 - i for i, letter in enumerate("abcdef")}
    with pytest.raises(InputError) as error:
        rejections.check_reject_limit(batch, {"quarantined": 39, "rows_in": 90, "later": 10}, reasons, 5.0)
    assert str(error.value) == (
        "39 of 80 rows of the canonical snapshot are rejected (48.75 %, more than max_reject_pct 5.0): "
        "a: missing (9); b: missing (8); c: missing (7); d: missing (6); e: missing (5); "
        "correct the export"
    )


def test_file_with_bad_rows_only_fails_the_limit_and_has_no_date(tmp_path):
    result = ingest(write(tmp_path / "book.csv", SNAPSHOT, snapshot("A-1", amount="x"), snapshot("A-2", "x")))
    with pytest.raises(InputError, match=r"^2 of 2 rows .* \(100.00 %"):
        rejections.check_reject_limit(result.batches[0], result.book, {Reason("missing", column="x"): 2}, 5.0)
    with pytest.raises(InputError, match=r"^No row for 2025-12-31 in the input: it has no usable row at all$"):
        coverage.check_date(dict.fromkeys(result.dates, True), DATE)


def test_rows_after_the_date_are_left_out_whatever_is_wrong_with_them(tmp_path):
    lines = [
        snapshot("A-1"),
        *(snapshot(f"A-{i}", "2026-01-31", "x") for i in range(2, 9)),
        snapshot("A-9", "2026-01-01"),
    ]
    result = ingest(write(tmp_path / "book.csv", SNAPSHOT, *lines))
    assert [row["loan_id"] for row in result.tape] == ["A-1"]
    assert (result.book["later"], result.book["quarantined"], result.rejects) == (8, 0, [])
    assert rejections.reject_pct(result.book) == 0


DAYS = [dt.date(2025, 10, 31), dt.date(2025, 12, 31), dt.date(2026, 1, 31)]


@pytest.mark.parametrize(
    ("day", "message"),
    [
        (dt.date(2025, 12, 31), None),
        (
            dt.date(2025, 11, 30),
            "No row for 2025-11-30 in the input; the nearest that it has: DATE=2025-10-31 or DATE=2025-12-31",
        ),
        (dt.date(2025, 1, 1), "No row for 2025-01-01 in the input; the nearest that it has: DATE=2025-10-31"),
        (dt.date(2027, 1, 1), "No row for 2027-01-01 in the input; the nearest that it has: DATE=2026-01-31"),
    ],
)
def test_date_without_rows_names_the_nearest_dates_that_exist(day, message):
    if message is None:
        coverage.check_date(dict.fromkeys(DAYS, True), day)
        return
    with pytest.raises(DateError, match=message):
        coverage.check_date(dict.fromkeys(DAYS, True), day)
    with pytest.raises(InputError) as error:
        coverage.check_date({**dict.fromkeys(DAYS, True), day: False}, day)
    assert (str(error.value), isinstance(error.value, DateError)) == (message, False)


def test_date_that_no_row_is_of_is_told_from_one_whose_rows_are_bad(tmp_path):
    lines = [snapshot("A-1", "2025-10-31"), snapshot("A-2", "2025-11-30", "x"), snapshot("A-3", "no date")]
    found, _ = discovery.discover(write(tmp_path / "book.csv", SNAPSHOT, *lines))
    with DuckDB() as engine:
        batches = roles.stage(found, DATE, engine, tmp_path)
        assert coverage.dates(batches, engine) == {dt.date(2025, 10, 31): True, dt.date(2025, 11, 30): False}


def test_dates_are_those_of_usable_rows_and_later_ones(tmp_path):
    lines = [
        snapshot("A-1"),
        snapshot("A-1", "2025-11-30"),
        snapshot("A-1", "2025-10-31", "x"),
        snapshot("A-1", "2025-09-30", "1"),
        snapshot("A-1", "2025-09-30", "2"),
        snapshot("A-1", "2026-01-31"),
        snapshot("A-1", "9999-12-31", "y"),
    ]
    result = ingest(write(tmp_path / "book.csv", SNAPSHOT, *lines))
    assert result.dates == [dt.date(2025, 11, 30), DATE, dt.date(2026, 1, 31)]


# What later phases are told


def test_inputs_name_use_rows_and_fingerprint_of_each_file(tmp_path):
    path = folder(tmp_path, "snapshot", "par", "financials")
    write(path / "snapshot.csv", SNAPSHOT, snapshot(), "1,2", snapshot("A-2", "2026-01-31"))
    found, _ = discovery.discover(path)
    with DuckDB() as engine:
        batches = roles.stage(found, DATE, engine, tmp_path)
        told = roles.inputs(found, batches)
    assert [(i["name"], i["used_for"], i["rows"]) for i in told] == [
        ("financials.csv", "cash", 1), ("par.csv", BESIDE, 1), ("snapshot.csv", "tape", 3),
    ]  # fmt: skip
    assert told[0]["sha256"] == hashlib.sha256((path / "financials.csv").read_bytes()).hexdigest()


def test_files_without_rows_or_with_those_of_another_hold_none(tmp_path):
    write(tmp_path / "in/north.csv", SNAPSHOT, snapshot())
    write(tmp_path / "in/south.csv", SNAPSHOT)
    write(tmp_path / "in/north (1).csv", SNAPSHOT, snapshot())
    found, _ = discovery.discover(tmp_path / "in")
    with DuckDB() as engine:
        batches = roles.stage(found, DATE, engine, tmp_path)
        assert used_files.with_rows(roles.inputs(found, batches)) == {"canonical snapshot": ["north.csv"]}
        assert "south.csv has a header, and no rows." in map(str, roles.notes(found, [], batches, []))


def test_notes_say_what_was_not_used_and_what_loans_include(tmp_path):
    path = folder(tmp_path, "loans")
    write(path / "notes.md", "x")
    found, skipped = discovery.discover(path)
    assert list(map(str, roles.notes(found, skipped, [], ["Total"]))) == [
        "notes.md was not used: not a table.",
        "The loans export carries no date: balances and days past due are those of the day it was made, whatever date "
        "the report is of.",
        "The balances come from the loans export, where they include what was written off unless a loan's status "
        "says so.",
        "No KPI uses these accounts of the statements: Total.",
    ]
    found, _ = discovery.discover(folder(tmp_path, "snapshot"))
    assert roles.notes(found, [], [], []) == []


def test_batch_tells_the_next_phase_where_its_rows_are(batch):
    assert batch.as_dict() == {
        "format": "snapshot", "is_tape": True, "staged": ["staged_00.parquet"], "verdicts": None,
        "loan_ids": None, "dates": None,
    }  # fmt: skip


LOAN_ROWS = [f"L{i},C{i},2025-01-15,24%,2000,{1000 + 7 * i},{i % 2 * 45}" for i in range(40)]


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("Branch: Nakuru,,,,,,", "only a text, as the heading of a group or a note"),
        (",Sucursal Norte 4,,,,,", "only a text, as the heading of a group or a note"),
        (",,,,,60.00%,", "only percentages, as the shares of a total"),
        ("Share,,,,55 %,\"60,5 %\",", "only percentages, as the shares of a total"),
        ("L99,,,,,,", "disburse_date: missing"),
    ],
)  # fmt: skip
def test_row_that_is_no_loan_says_what_it_is(tmp_path, row, reason):
    found = ingest(write(tmp_path / "loans.csv", LOANS, *LOAN_ROWS[:20], row, *LOAN_ROWS[20:]))
    assert [(line, text.partition("; ")[0]) for line, text in found.faults] == [(22, reason)]


def test_row_of_units_below_the_headings_says_so_and_the_way_out(tmp_path):
    units = ",,,p.a.,KES '000,KES '000,days"
    found = ingest(write(tmp_path / "loans.csv", LOANS, units, *LOAN_ROWS))
    assert found.faults == [(2, "only texts below the headings, as units")]
    other = ingest(write(tmp_path / "other.csv", LOANS, LOAN_ROWS[0], units, *LOAN_ROWS[1:]))
    assert "outstanding_balance: not a number" in other.faults[0][1]
    for row, hint in (
        (units, "write units in the headings"),
        ("Branch: A,,,,,,", "take rows that are not loans out of"),
    ):
        with pytest.raises(InputError, match=hint):
            figures_of(write(tmp_path / "few.csv", LOANS, row, *LOAN_ROWS[:3]))


def test_sentence_below_a_table_is_a_note(tmp_path):
    found = ingest(write(tmp_path / "loans.csv", LOANS, *LOAN_ROWS, "", "Written-off loans are not in this list,,,,,,"))
    assert (found.faults, found.book["accepted"]) == ([], 40)
