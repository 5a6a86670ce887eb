"""Nothing personal leaves ingestion unmasked, and nothing harmless is masked."""

import hashlib
import hmac

import pyarrow as pa
import pytest

from abaco.core.errors import AbacoError
from abaco.core.secrets import masking_key
from abaco.engines.duckdb import DuckDB
from abaco.ingest import coverage, discovery, headings, masking, quarantine, rejections, roles, transformation
from abaco.ingest.columns import BORROWER
from abaco.ingest.formats import FORMATS
from tests.support.exports import DATE, LOANS, PAR, PAYMENTS, SNAPSHOT, rows_of, snapshot, write

KEY = "clave ñ, which nobody else has"
TAPES = {
    "snapshot": (SNAPSHOT, snapshot()),
    "par_balances": (PAR, "A-1,2025-12-31,7,0,0,0,0"),
    "loans": (LOANS, "A-1,C-1,2025-01-01,0.4,9,5,30"),
}


@pytest.fixture(params=["", KEY], ids=["no key", "key"])
def key(request, monkeypatch):
    monkeypatch.setenv("ABACO_PII_KEY", request.param)
    return request.param


def mask(value, key):
    return "tok_" + hmac.new(key.encode(), value.encode(), hashlib.sha256).hexdigest()[:32] if key else "redacted"


def masked_rows(path, format_name, tmp_path):
    """Return the rows of a format as the transformation phase leaves them."""
    work, tables = tmp_path / "work", tmp_path / "tables"
    work.mkdir()
    tables.mkdir()
    found, _ = discovery.discover(path)
    with DuckDB(spill=work) as engine:
        batches = [batch.as_dict() for batch in roles.stage(found, DATE, engine, work, masking_key())]
        if any(b["is_tape"] and b["format"] == format_name for b in batches):
            rows = transformation.accepted_tape(batches, work, engine)
            return rows_of(masking.published(rows, masking.PERSONAL, masking_key(), engine))
        transformation.write_others(batches, work, tables, engine, masking_key())
        return rows_of(engine.scan(tables / f"{format_name}.parquet"))


def test_key_and_policy_come_from_the_environment(monkeypatch):
    monkeypatch.delenv("ABACO_PII_KEY", raising=False)
    assert (masking_key(), masking.policy(masking_key())) == (None, "redacted")
    monkeypatch.setenv("ABACO_PII_KEY", "")
    assert (masking_key(), masking.policy(masking_key())) == (None, "redacted")
    monkeypatch.setenv("ABACO_PII_KEY", "ñ" * 16)
    assert (masking_key(), masking.policy(masking_key())) == ("ñ".encode() * 16, "token")


@pytest.mark.parametrize("format_name", TAPES)
def test_every_personal_column_is_masked_in_every_tape(tmp_path, key, format_name):
    header, line = TAPES[format_name]
    known = headings.load()
    given = {c.name: known[c.name].headings[-1].replace("_", " ").title() for c in BORROWER}
    if format_name == "loans":
        del given["borrower_id"]
    lines = [",".join([header, *given.values()]), ",".join([line, *(f"Muñoz {name}" for name in given)])]
    [row] = masked_rows(write(tmp_path / "book.csv", *lines), format_name, tmp_path)
    assert {name: row[name] for name in given} == {name: mask(f"Muñoz {name}", key) for name in given}
    assert row["loan_id"] == "A-1"


def test_real_payments_are_masked_with_their_exact_headings(tmp_path, key):
    write(tmp_path / "in" / "book.csv", SNAPSHOT, snapshot())
    line = "ABF,C-1,Ana Ficticia,null,123,2025-12-01,Applied,USD,null,1,1,1,1,1,1,1,1,1"
    write(tmp_path / "in" / "payments.csv", PAYMENTS, line)
    [row] = masked_rows(tmp_path / "in", "payments", tmp_path)
    assert (row["borrower_id"], row["borrower_name"]) == (mask("C-1", key), mask("Ana Ficticia", key))
    assert row["payer_name"] is None
    assert (row["company"], row["loan_id"], row["status"]) == ("ABF", "123", "Applied")


def test_loans_that_are_no_tape_are_masked_too(tmp_path, key):
    write(tmp_path / "in" / "book.csv", SNAPSHOT, snapshot())
    write(tmp_path / "in" / "loans.csv", LOANS + ",loan_status", TAPES["loans"][1] + ",Current")
    [row] = masked_rows(tmp_path / "in", "loans", tmp_path)
    assert (row["borrower_id"], row["loan_id"], row["loan_status"]) == (mask("C-1", key), "A-1", "Current")


def test_reporting_date_is_not_masked_for_the_tin_in_it(tmp_path, key):
    header = PAR.replace("reporting_date", "Reporting Date") + ",tin,rating,destination"
    [row] = masked_rows(
        write(tmp_path / "book.csv", header, TAPES["par_balances"][1] + ",0614,AA,Lima"), "par_balances", tmp_path
    )
    assert (row["measurement_date"], row["loan_id"]) == (DATE, "A-1")
    assert row["borrower_tax_id"] == mask("0614", key)
    assert not {"rating", "destination"} & set(row)


def test_stray_blanks_make_no_other_token(tmp_path, key):
    lines = [snapshot("A-1") + ", Ana ", snapshot("A-2") + ",Ana"]
    rows = masked_rows(write(tmp_path / "book.csv", SNAPSHOT + ",Cliente", *lines), "snapshot", tmp_path)
    assert [row["borrower_name"] for row in rows] == [mask("Ana", key)] * 2


@pytest.mark.parametrize(
    "content", ["", "x,y\n1,2\n", SNAPSHOT, f"{SNAPSHOT}\n1,2\n", f"{SNAPSHOT}\n{snapshot(amount='x')}\n"]
)
def test_key_is_in_no_error(tmp_path, monkeypatch, content):
    monkeypatch.setenv("ABACO_PII_KEY", KEY)
    path = tmp_path / "book.csv"
    path.write_text(content)
    with pytest.raises(AbacoError) as error:
        found, _ = discovery.discover(path)
        with DuckDB() as engine:
            [batch] = roles.stage(found, DATE, engine, tmp_path, KEY.encode())
            rejects, of_format = quarantine.quarantine([batch], engine, KEY.encode())
            [reasons] = of_format.values()
            assert KEY not in str(rejects.to_pylist())
            rejections.check_reject_limit(batch, {"quarantined": len(rejects), "rows_in": 1, "later": 0}, reasons, 5.0)
            coverage.check_date({}, DATE)
    assert KEY not in str(error.value)


@pytest.mark.parametrize(
    ("names", "leaks"),
    [
        ([], []),
        ([None, "redacted", "tok_" + "0a" * 16], []),
        (["Ana"], ["borrower_name"]),
        (["redacted", "redacted Ana"], ["borrower_name"]),
        (["tok_" + "0a" * 15], ["borrower_name"]),
        (["TOK_" + "0A" * 16], ["borrower_name"]),
        ([""], ["borrower_name"]),
    ],
)
def test_unmasked_values_are_found(frame, names, leaks):
    columns = {name: pa.nulls(len(names), pa.string()) for name in masking.PERSONAL}
    table = pa.table(columns | {"borrower_name": pa.array(names, pa.string())})
    assert transformation.unmasked(frame(table)) == leaks


@pytest.mark.parametrize("name", FORMATS)
def test_personal_columns_are_text_so_that_they_can_be_masked(name):
    assert {c.kind for c in FORMATS[name].columns if c.personal} <= {"text", "id"}
