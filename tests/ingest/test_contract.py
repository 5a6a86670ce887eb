"""Every fault of a row is found, on every engine."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

from abaco.ingest import contract
from abaco.ingest.columns import Column
from abaco.ingest.contract import Format
from abaco.ingest.formats import FORMATS
from abaco.ingest.lateness import GIVEN, par_balance
from tests.support.exports import rows_of

TYPES = {
    "text": pa.string(),
    "id": pa.string(),
    "date": pa.date32(),
    "amount": pa.decimal128(18, 2),
    "rate": pa.decimal128(18, 6),
    "days": pa.int64(),
}
GOOD = {
    "text": "A-1",
    "id": "A-1",
    "date": dt.date(2025, 12, 31),
    "amount": Decimal("5.00"),
    "rate": Decimal("0.4"),
    "days": 3,
}
READ = {"amount": Decimal, "rate": Decimal, "days": int, "date": dt.date.fromisoformat}


def typed(format_, *rows):
    """Return rows as `DuckDB.typed` leaves them: a pair of value and raw text, or a good value, a column."""
    columns = {}
    for column in format_.columns:
        pairs = [row.get(column.name, (GOOD[column.kind], "good")) for row in rows]
        columns[column.name] = pa.array([value for value, _ in pairs], TYPES[column.kind])
        columns[f"raw_{column.name}"] = pa.array([raw for _, raw in pairs], pa.string())
    return pa.table(columns)


def reasons(frame, format_, *rows):
    """Return the reasons of each row in English, or None where it passes."""
    present = [c.name for c in format_.columns]
    texts = {check.key: str(check.reason) for check in contract.checks(format_, present)}
    found = rows_of(frame(typed(format_, *rows)).with_columns(reasons=contract.reasons(format_, present)))
    keys = [row["reasons"].split(contract.SEPARATOR) if row["reasons"] else None for row in found]
    return [names and "; ".join(texts[name] for name in names) for names in keys]


def one(column):
    return Format("x", "x", "one row an x", (Column("loan_id", filled=True), column))


def test_good_row_has_no_reason(frame):
    assert reasons(frame, one(Column("x", "amount", filled=True)), {}) == [None]


def test_no_rows_have_no_reasons(frame):
    assert reasons(frame, one(Column("x", "amount", filled=True))) == []


@pytest.mark.parametrize(
    ("column", "pairs", "reason"),
    [
        (Column("x", "amount", filled=True), [(None, None), (None, ""), (None, "   ")], "x: missing"),
        (Column("x", "text", filled=True), [(None, None), (None, "  ")], "x: missing"),
        (Column("x", "amount"), [(None, None), (None, " "), (Decimal("0.00"), "0")], None),
        (Column("x", "date"), [(None, None), (None, " ")], None),
        (Column("x", "amount"), [(None, "abc"), (None, "1,2,3")], "x: not a number"),
        (Column("x", "rate"), [(None, "abc")], "x: not a number"),
        (Column("x", "amount"), [(None, "nan"), (None, " -INF "), (None, "+Infinity")], "x: not a finite number"),
        (Column("x", "days"), [(None, "3.5"), (None, "nan")], "x: not a whole number"),
        (Column("x", "date"), [(None, "2025-02-30"), (None, "infinity")], "x: not a date"),
        (Column("x", "amount"), [(Decimal("-0.01"), "-0.01")], "x: negative"),
        (Column("x", "days"), [(-1, "-1")], "x: negative"),
        (Column("x", "amount", signed=True), [(Decimal("-0.01"), "-0.01")], None),
        (Column("x", "text"), [(None, None), ("nan", "nan"), ("-1", "-1")], None),
    ],
)
def test_each_kind_of_fault_has_its_reason(frame, column, pairs, reason):
    assert reasons(frame, one(column), *({"x": pair} for pair in pairs)) == [reason] * len(pairs)


def test_row_with_three_faults_has_three_reasons(frame):
    faulty = {"loan_id": (None, None), "dpd_7_30_usd": (None, "abc"), "measurement_date": (None, "31/12/2025")}
    found = reasons(frame, FORMATS["snapshot"], faulty, {}, {"dpd_0_7_usd": (None, "inf")})
    assert found == [
        "measurement_date: not a date; loan_id: missing; dpd_7_30_usd: not a number",
        None,
        "dpd_0_7_usd: not a finite number",
    ]


PAR_ROW = {"outstanding_balance_usd": "10"} | {
    par_balance(days): "10" if days < 30 else "5" if days < 90 else "0" for days in GIVEN
}


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({}, None),
        ({"par_1_balance_usd": "10.01"}, "par_1_balance_usd: more than outstanding_balance_usd"),
        ({"par_30_balance_usd": "10.01"}, "par_30_balance_usd: more than par_8_balance_usd"),
        ({"par_90_balance_usd": "5.00"}, None),
        (
            {"par_60_balance_usd": "6", "par_90_balance_usd": "7"},
            "par_60_balance_usd: more than par_31_balance_usd; par_90_balance_usd: more than par_61_balance_usd",
        ),
    ],
)
def test_cumulative_balances_must_not_grow_with_the_days(frame, changes, reason):
    row = {name: (Decimal(text), text) for name, text in (PAR_ROW | changes).items()}
    assert reasons(frame, FORMATS["par_balances"], row) == [reason]


@pytest.mark.parametrize("name", FORMATS)
def test_every_format_can_be_checked_with_all_its_columns_or_the_required_ones(frame, name):
    assert reasons(frame, FORMATS[name], {}, {}) == [None, None]
    required = tuple(c for c in FORMATS[name].columns if c.required)
    assert reasons(frame, Format("x", "x", "one row an x", required), {}) == [None]
    missing = [f"{c.name}: missing" for c in required if c.filled]
    empty = {c.name: (None, None) for c in required}
    assert reasons(frame, Format("x", "x", "one row an x", required), empty) == ["; ".join(missing)]


@pytest.mark.parametrize("name", FORMATS)
def test_negative_values_are_right_only_where_the_contract_says_so(frame, name):
    negative = {
        c.name: (READ[c.kind]("-1"), "-1") for c in FORMATS[name].columns if c.kind in ("amount", "rate", "days")
    }
    columns = [c for c in FORMATS[name].columns if c.name in negative]
    wrong = [c.name for c in columns if not (c.signed or c.credit or c.optional)]
    found = reasons(frame, FORMATS[name], negative)[0]
    assert [r.removesuffix(": negative") for r in (found or "").split("; ") if r.endswith(": negative")] == wrong
