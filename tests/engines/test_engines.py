"""What text becomes when it is read as a date, an amount or a count, and how values are masked."""

import datetime as dt
import hashlib
import hmac
import json
import re
import time
from decimal import Decimal

import narwhals as nw
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from abaco.engines import RECORDS
from abaco.engines.duckdb import DuckDB
from abaco.engines.forms import Writing
from abaco.ingest import contract
from abaco.ingest.columns import Column
from abaco.ingest.contract import Format
from tests.support.exports import SNAPSHOT, ingest, rows_of, snapshot, write

KEY = b"a key that nobody else has"


TOO_LARGE = "x: too large, an amount has at most 16 digits before the point"


def read_as(kind, values, mark="."):
    """Return each value as its kind, and the reason that the contract gives for it."""
    table = values if isinstance(values, pa.Array | pa.ChunkedArray) else pa.array(values, pa.string())
    format_ = Format("x", "x", "one row an x", (Column("id", filled=True), Column("x", kind)))
    with DuckDB() as engine:
        frame = engine.from_arrow(pa.table({"id": ["A"] * len(table), "x": table}))
        typed = engine.typed(frame, {"id": "text", "x": kind}, {"x": Writing(mark)})
        rows = rows_of(typed.with_columns(reasons=contract.reasons(format_, ["id", "x"])))
    texts = {check.key: str(check.reason) for check in contract.checks(format_, ["id", "x"])}
    return [(row["x"], texts.get(row["reasons"])) for row in rows]


@pytest.fixture
def engine():
    with DuckDB() as one:
        yield one


# Order, of rows so many that they are written by several threads

MANY = 400_000


def many(folder):
    """A file of rows with an id, of two sources, and one with the ids of some of them."""
    source = pa.array([0] * (MANY // 2) + [3] * (MANY // 2))
    ids = [s.as_py() * RECORDS + n % (MANY // 2) for n, s in enumerate(source)]
    days = pa.array([dt.date(2025, 1, 1) + dt.timedelta(n % 40) for n in range(MANY)])
    pq.write_table(
        pa.table({"row_id": ids, "day": days, "text": [f"loan {n}" for n in range(MANY)]}),
        folder / "rows.parquet",
        row_group_size=50_000,
    )
    listed = [ids[0], *ids[5 : MANY // 2 : 7], ids[-3]]
    pq.write_table(pa.table({"row_id": listed, "verdict": ["x"] * len(listed)}), folder / "listed.parquet")
    return ids, set(listed)


def test_rows_left_out_leave_the_others_in_their_order(engine, tmp_path):
    ids, listed = many(tmp_path)
    kept = engine.anti_join(engine.scan(tmp_path / "rows.parquet"), tmp_path / "listed.parquet")
    engine.write(kept, tmp_path / "kept.parquet")
    expected = [one for one in ids if one not in listed]
    assert pq.read_table(tmp_path / "kept.parquet")["row_id"].to_pylist() == expected


def test_value_of_a_day_stands_beside_each_row_in_its_order(engine, tmp_path):
    ids, _ = many(tmp_path)
    values = {dt.date(2025, 1, 2): Decimal("1.25"), dt.date(2025, 1, 30): Decimal("0.10")}
    engine.write(
        engine.with_value_of_day(engine.scan(tmp_path / "rows.parquet"), "day", values, "usd"),
        tmp_path / "valued.parquet",
    )
    found = pq.read_table(tmp_path / "valued.parquet")
    assert found["row_id"].to_pylist() == ids
    assert found["usd"].to_pylist() == [values.get(day) for day in found["day"].to_pylist()]


@pytest.mark.parametrize("values", [{}, {dt.date(2025, 6, 30): Decimal("5.00")}])
def test_day_without_a_value_has_none(engine, values):
    days = pa.array([None, dt.date(2025, 6, 29), dt.date(2025, 7, 1), dt.date(1, 1, 1)], pa.date32())
    found = engine.with_value_of_day(engine.from_arrow(pa.table({"day": days})), "day", values, "usd")
    assert [row["usd"] for row in rows_of(found)] == [None] * 4


def test_rows_in_order_of_a_column(engine, tmp_path):
    ids, _ = many(tmp_path)
    backwards = engine.scan(tmp_path / "rows.parquet").sort("row_id", descending=True)
    engine.write(engine.in_order(backwards, "row_id"), tmp_path / "sorted.parquet")
    assert pq.read_table(tmp_path / "sorted.parquet")["row_id"].to_pylist() == ids


# Reading


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("0", "0.00"),
        ("-0.00", "0.00"),
        ("5", "5.00"),
        ("+5", "5.00"),
        ("5.", "5.00"),
        (".5", "0.50"),
        (" 12.5 ", "12.50"),
        ("1e3", "1000.00"),
        ("1,234.5", "1234.50"),
        ("1,234,567", "1234567.00"),
        ("12.555", "12.56"),
        ("12.554", "12.55"),
        ("0.30000000000000004", "0.30"),
        ("9999999999999999.99", "9999999999999999.99"),
    ],
)
def test_number_is_an_exact_amount(text, amount):
    assert read_as("amount", [text]) == [(Decimal(amount), None)]


@pytest.mark.parametrize(
    "text",
    ["abc", "1_000", "0x10", "12 USD", "$5", "1 000", "1,23", "1,2345", "0,403", "1.2.3", "--5", "1,234,5",
     "٥", "2025-12-31", "true", "null value"],
)  # fmt: skip
def test_what_is_no_number_is_no_amount(text):
    assert read_as("amount", [text]) == [(None, "x: not a number")]


@pytest.mark.parametrize(
    "text",
    ["10000000000000000", "-99999999999999999.99", "10,000,000,000,000,000.00", "1e16", "1E30",
     "1e400"],
)  # fmt: skip
def test_amount_has_at_most_16_digits_before_the_point(text):
    assert read_as("amount", [text, "9999999999999999.99"])[1] == (Decimal("9999999999999999.99"), None)
    assert read_as("amount", [text]) == [(None, TOO_LARGE)]


@pytest.mark.parametrize("text", ["NaN", "nan", "inf", "-inf", "+Infinity", " INF "])
def test_what_is_not_finite_is_no_amount(text):
    assert read_as("amount", [text]) == [(None, "x: not a finite number")]


@pytest.mark.parametrize(
    ("text", "amount"),
    [
        ("1234,5", "1234.50"),
        ("1.234,5", "1234.50"),
        ("1.234.567", "1234567.00"),
        ("1.234", "1234.00"),
        ("0,403", "0.40"),
        ("-,5", "-0.50"),
        ("7", "7.00"),
    ],
)
def test_decimal_comma_is_read_where_a_file_has_it(text, amount):
    assert read_as("amount", [text], ",")[0][0] == Decimal(amount)


@pytest.mark.parametrize("text", ["1234.5", "1,234.5", "0.403", "1.23", "1,2,3"])
def test_decimal_point_is_no_number_in_a_file_with_decimal_commas(text):
    assert read_as("amount", [text], ",") == [(None, "x: not a number")]


def test_rate_keeps_six_decimals():
    assert read_as("rate", ["0.403", "0.1234567"]) == [(Decimal("0.403000"), None), (Decimal("0.123457"), None)]


@pytest.mark.parametrize(("text", "days"), [("0", 0), (" 30 ", 30), ("30.0", 30), ("1,050", 1050), ("+7", 7)])
def test_whole_number_is_a_count_of_days(text, days):
    assert read_as("days", [text]) == [(days, None)]


@pytest.mark.parametrize("text", ["30.5", "1_0", "0x10", "0b1", "abc", "nan"])
def test_what_is_no_whole_number_is_no_count_of_days(text):
    assert read_as("days", [text]) == [(None, "x: not a whole number")]


@pytest.mark.parametrize("text", ["36501", "99999999999", "36,501", "36501.0", "1e30"])
def test_days_are_a_century_at_most(text):
    assert read_as("days", ["36500", text]) == [(36500, None), (None, "x: too large, days are at most 36,500")]


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("2025-12-31", (2025, 12, 31)),
        ("2025-1-5", (2025, 1, 5)),
        (" 2025-12-31 ", (2025, 12, 31)),
        ("2025/12/31", (2025, 12, 31)),
        ("2025-12-31 23:59:59", (2025, 12, 31)),
        ("2025-12-31T00:00:00Z", (2025, 12, 31)),
        ("2024-02-29", (2024, 2, 29)),
        ("0001-01-01", (1, 1, 1)),
        ("9999-12-31", (9999, 12, 31)),
    ],
)
def test_calendar_day_is_a_date(text, day):
    assert read_as("date", [text]) == [(dt.date(*day), None)]


@pytest.mark.parametrize(
    "text",
    ["2025-02-29", "2025-13-01", "2025-04-31", "2025-12-00", "0000-01-01", "20250105", "31/12/2025",
     "12-31-2025", "infinity", "-infinity", "epoch", "10000-01-01", "44-01-01 (BC)", "1-1-1 (BC)",
     "2025-12-31x", "2025-12-31 (BC)", "2025-12", "45657", "yesterday"],
)  # fmt: skip
def test_impossible_day_is_no_date(text):
    assert read_as("date", [text]) == [(None, "x: not a date")]


def written(kind, text, **writing):
    """Return one text as its kind, written in some way."""
    with DuckDB() as engine:
        typed = engine.typed(engine.from_arrow(pa.table({"x": [text]})), {"x": kind}, {"x": Writing(**writing)})
        return rows_of(typed)[0]["x"]


@pytest.mark.parametrize("kind", ["text", "id"])
@pytest.mark.parametrize(
    "text", ["#REF!", " #N/A ", "#N/D", "#¡REF!", "#¿NOMBRE?", "#DIV/0!", "#NO VALUE!", "#GETTING_DATA"]
)
def test_error_of_a_spreadsheet_is_no_text(kind, text):
    assert written(kind, text) is None


@pytest.mark.parametrize("text", ["#12", "#REF", "# 7!", "#Norte!", "A#REF!", "#", "#1 Main St!"])
def test_text_that_begins_like_an_error_is_text(text):
    assert written("text", text) == written("id", text) == text


@pytest.mark.parametrize(
    ("text", "mark", "amount"),
    [
        ("$1,500.50", ".", "1500.50"),
        ("€ 1.500,50", ",", "1500.50"),
        ("USD 1,500.50", ".", "1500.50"),
        ("1,500.50 INR", ".", "1500.50"),
        ("500.00-", ".", "-500.00"),
        ("(500.00)", ".", "-500.00"),
        ("($1,200.00)", ".", "-1200.00"),
        ("-$5.00", ".", "-5.00"),
        ("$-5.00", ".", "-5.00"),
        ("1'500.50", ".", "1500.50"),
        ("1\u2019500.50", ".", "1500.50"),
        ("1\u00a0500,50", ",", "1500.50"),
        ("1\u202f500.50", ".", "1500.50"),
        ("1,23,456.00", ".", "123456.00"),
        ("Rs. 1,500.50", ".", "1500.50"),
        ("\u22125.25", ".", "-5.25"),
        ("KSh 1,000/=", ".", "1000"),
        ("Ksh. 1,000.50", ".", "1000.50"),
        ("Rs. 1000/-", ".", "1000"),
        ("-1,000/=", ".", "-1000"),
        ("Rp 1.000.000,-", ",", "1000000"),
        ("1.000,\u2013", ",", "1000"),
        ("1000.-", ".", "1000"),
        ("1.000,00-", ",", "-1000"),
        ("1,-5", ",", None),
        ("1/=5", ".", None),
        ("5$500", ".", None),
        ("(500", ".", None),
        ("--5", ".", None),
        ("-5-", ".", None),
        ("1'23", ".", None),
        ("1 23", ".", None),
        ("abc 5", ".", None),
        ("1.500,50", ".", None),
    ],
)
def test_dressed_number_is_read_in_the_one_way_it_can_be(text, mark, amount):
    assert written("amount", text, decimal_mark=mark, is_dressed=True) == (amount and Decimal(amount))


@pytest.mark.parametrize(
    ("text", "order", "day"),
    [
        ("31/12/2025", "dmy", (2025, 12, 31)),
        ("12/31/2025", "mdy", (2025, 12, 31)),
        ("31.12.2025", "dmy", (2025, 12, 31)),
        ("31-12-25", "dmy", (2025, 12, 31)),
        ("25-12-31", "ymd", (2025, 12, 31)),
        ("01/02/2025", "dmy", (2025, 2, 1)),
        ("01/02/2025", "mdy", (2025, 1, 2)),
        ("31/12/69", "dmy", (1969, 12, 31)),
        ("31/12/2025 23:59:00", "dmy", (2025, 12, 31)),
        ("20251231", "any", (2025, 12, 31)),
        ("2025.12.31", "any", (2025, 12, 31)),
        ("15-Feb-2025", "any", (2025, 2, 15)),
        ("15FEB2025", "any", (2025, 2, 15)),
        ("Feb 15, 2025", "any", (2025, 2, 15)),
        ("15 ene 2025", "any", (2025, 1, 15)),
        ("15-dic.-2025", "any", (2025, 12, 15)),
        ("15 de septiembre de 2025", "any", (2025, 9, 15)),
        ("2025-12-31T23:30:00-06:00", "any", (2025, 12, 31)),
        ("45000", "serial", (2023, 3, 15)),
        ("31/12/2025", "mdy", None),
        ("31/12/2025", "any", None),
        ("30/02/2025", "dmy", None),
        ("Dec-2025", "any", None),
        ("15 foo 2025", "any", None),
        ("15", "serial", None),
        ("45000", "dmy", None),
    ],
)
def test_date_in_another_form_is_the_day_that_it_says(text, order, day):
    assert written("date", text, dates=order) == (day and dt.date(*day))


@pytest.mark.parametrize("text", ["Dec-2025", "202512", "12/2025", "2025-12", "diciembre 2025", "Dec-25", "dez/2025"])
def test_month_is_the_day_that_is_declared(text):
    assert written("date", text, dates="any", months="last") == dt.date(2025, 12, 31)
    assert written("date", text, dates="any", months="first") == dt.date(2025, 12, 1)


@pytest.mark.parametrize(("text", "value"), [("  Ana ", "Ana"), ("   ", None), (None, None), ("NaN", "NaN")])
def test_text_loses_stray_blanks(text, value):
    assert read_as("text", [text]) == [(value, None)]


@pytest.mark.parametrize("kind", ["amount", "rate", "days", "date"])
def test_no_value_is_null_and_no_fault(kind):
    assert read_as(kind, [None]) == [(None, None)]
    assert read_as(kind, []) == []


@pytest.mark.parametrize(
    ("kind", "array", "value"),
    [
        ("amount", pa.array([0.1 + 0.2]), Decimal("0.30")),
        ("amount", pa.array([1e15]), Decimal("1000000000000000.00")),
        ("amount", pa.array([float("nan")]), "x: not a finite number"),
        ("amount", pa.array([float("-inf")]), "x: not a finite number"),
        ("amount", pa.array([7], pa.int32()), Decimal("7.00")),
        ("amount", pa.array([Decimal("1.005")]), Decimal("1.01")),
        ("amount", pa.array([True]), "x: not a number"),
        ("days", pa.array([30.0]), 30),
        ("days", pa.array([30.5]), "x: not a whole number"),
        ("days", pa.array([Decimal("30.50")]), "x: not a whole number"),
        ("days", pa.array([30], pa.uint8()), 30),
        ("date", pa.array([dt.date(2025, 12, 31)]), dt.date(2025, 12, 31)),
        ("date", pa.array([dt.datetime(2025, 12, 31, 23, 59)]), dt.date(2025, 12, 31)),
        ("date", pa.array([20251231]), "x: not a date"),
        ("date", pa.array([10**6], pa.int32()).cast(pa.date32()), dt.date(4707, 11, 29)),
        ("date", pa.array([10**7], pa.int32()).cast(pa.date32()), "x: not a date"),
        ("text", pa.array([1001]), "1001"),
    ],
)
def test_typed_values_are_read_as_what_they_are(kind, array, value):
    found, reason = read_as(kind, array)[0]
    assert (reason or found) == value


def test_time_with_a_zone_is_the_same_day_on_every_machine(monkeypatch):
    monkeypatch.setenv("TZ", "America/El_Salvador")
    time.tzset()
    try:
        late = pa.array([dt.datetime(2026, 1, 1, 0, 30)], pa.timestamp("us", "UTC"))
        assert read_as("date", late) == [(dt.date(2026, 1, 1), None)]
    finally:
        monkeypatch.undo()
        time.tzset()


@pytest.mark.parametrize("word", ["", "null", "NULL", "Null", '""', '"null"'])
def test_word_that_says_no_value_is_no_value(tmp_path, word):
    path = write(tmp_path / "book.csv", SNAPSHOT, snapshot(cash=word))
    assert ingest(path).tape[0]["cash_available_usd"] is None


def test_raw_column_keeps_the_value_as_it_stood():
    with DuckDB() as engine:
        frame = engine.typed(engine.from_arrow(pa.table({"x": [" 5.0 ", None]})), {"x": "amount"})
        assert rows_of(frame) == [{"raw_x": " 5.0 ", "x": Decimal("5.00")}, {"raw_x": None, "x": None}]


@pytest.mark.parametrize("name", ["it's.csv", 'a "b".csv', "año 2025.csv", "a*[1]?.csv"])
def test_any_file_name_can_be_read(tmp_path, name):
    assert len(ingest(write(tmp_path / name, SNAPSHOT, snapshot())).tape) == 1


def test_spilled_files_are_removed_on_close(tmp_path):
    with DuckDB(spill=tmp_path):
        assert len(list(tmp_path.iterdir())) == 1
    assert list(tmp_path.iterdir()) == []


# Writing


def test_rows_are_written_in_the_order_of_the_frame(tmp_path):
    with DuckDB() as engine:
        rows = engine.from_arrow(pa.table({"x": range(200_000)}))
        engine.write(rows, tmp_path / "x.parquet")
        assert pq.read_table(tmp_path / "x.parquet")["x"].to_pylist() == list(range(200_000))
        numbered = engine.scan(tmp_path / "x.parquet", row_number="place").filter(nw.col("x") != nw.col("place"))
        assert rows_of(numbered) == []


def test_files_with_other_columns_are_one_frame(tmp_path):
    with DuckDB() as engine:
        engine.write(engine.from_arrow(pa.table({"x": [1], "y": [2]})), tmp_path / "a.parquet")
        engine.write(engine.from_arrow(pa.table({"x": [3]})), tmp_path / "b.parquet")
        both = engine.scan([tmp_path / "a.parquet", tmp_path / "b.parquet"])
        assert rows_of(both) == [{"x": 1, "y": 2}, {"x": 3, "y": None}]


# Masking


def masked(values, key):
    with DuckDB() as engine:
        frame = engine.from_arrow(pa.table({"name": pa.array(values, pa.string())}))
        return [row["name"] for row in rows_of(engine.masked(frame, ["name"], key))]


@pytest.mark.parametrize("key", [b"k", KEY, b"x" * 64, b"x" * 65, b"x" * 1000, "clave ñ".encode(), bytes(range(256))])
@pytest.mark.parametrize("value", ["Ana", "Begoña Muñoz", "李", "it's", 'a "b"', "x" * 10_000, "a\nb", "\0"])
def test_token_is_hmac_sha256_under_the_key(value, key):
    assert masked([value], key) == ["tok_" + hmac.new(key, value.encode(), hashlib.sha256).hexdigest()[:32]]


def test_token_is_that_of_a_value_without_stray_blanks():
    assert masked([" Ana ", "Ana"], KEY) == masked(["Ana", "Ana"], KEY)
    assert masked(["", "  "], KEY) == [None, None]


def test_equal_values_have_equal_tokens_and_others_have_others():
    one, same, other, null = masked(["Ana", "Ana", "ana", None], KEY)
    assert one == same != other
    assert null is None


def test_without_a_key_every_value_is_redacted_and_null_stays_null():
    assert masked(["Ana", " ", "", None], None) == ["redacted", None, None, None]
    assert masked([], None) == []


def test_only_the_named_columns_are_masked():
    with DuckDB() as engine:
        frame = engine.from_arrow(pa.table({"name": ["Ana"], "loan_id": ["A-1"]}))
        assert rows_of(engine.masked(frame, ["name"], None)) == [{"name": "redacted", "loan_id": "A-1"}]
        assert rows_of(engine.masked(frame, [], None)) == [{"name": "Ana", "loan_id": "A-1"}]


def key_shows(text):
    """Return whether the key, as it is or as HMAC pads it, stands in a text, however DuckDB writes bytes."""
    forms = [bytes(b ^ pad for b in KEY) for pad in (0, 0x36, 0x5C)]
    unescaped = re.sub(r"\\x([0-9A-F]{2})", lambda m: chr(int(m[1], 16)), text)
    return any(f.decode("latin-1") in unescaped or f.hex() in text.lower() for f in forms)


def test_key_is_part_of_no_statement_plan_or_error(tmp_path):
    with DuckDB() as engine:
        engine.connection.execute("CALL enable_logging('QueryLog')")
        source = engine.from_arrow(pa.table({"name": ["Ana"], "x": ["a"]}))
        frame = engine.masked(source, ["name"], KEY)
        plan = frame.to_native().explain("analyze")
        sql = frame.to_native().sql_query()
        engine.write(frame, tmp_path / "x.parquet")
        logged = engine.connection.sql("SELECT message FROM duckdb_logs").fetchall()
        with pytest.raises(Exception, match="Could not convert") as error:
            frame.to_native().project("name::INTEGER + x::INTEGER").fetchall()
    assert any("x.parquet" in message or "name" in message for (message,) in logged)
    assert not any(map(key_shows, [plan, sql, str(error.value), *(message for (message,) in logged)]))


def test_key_would_be_found_if_it_showed():
    inner = "".join(f"\\x{b ^ 0x36:02X}" for b in KEY)
    assert key_shows(f"x {KEY.decode()} y") and key_shows(inner) and key_shows(KEY.hex())
    assert not key_shows(json.dumps({"name": "tok_00"}))
