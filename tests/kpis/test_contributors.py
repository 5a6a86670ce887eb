"""The ten loans that moved a PAR most: their order, their cause, and names that tell nobody who they are."""

import pyarrow as pa
import pytest

from abaco.core.parquet import arrow_schema
from abaco.engines.duckdb import DuckDB
from abaco.ingest import masking
from abaco.ingest.columns import BUCKETS
from abaco.kpis import bridge, catalog, contributors
from abaco.kpis.book import Book
from abaco.kpis.totals import totals

from .moving import DECEMBER, MONTH, NOVEMBER, dates_of, loan_tape

DEFINITIONS = {name: kpi for name, kpi in catalog.load().items() if name in ("PAR30", "PAR90")}
KEY = b"a key"


@pytest.fixture
def loans(frame):
    """Turn rows of loans, written out, into the loans that moved PAR30 and PAR90 on each engine."""

    def loans(text, key=None):
        tape, days = frame(loan_tape(text)), dates_of(text)
        sums = totals(tape, ["total_receivable_usd", *BUCKETS])
        rows = bridge.bridges(DEFINITIONS, Book(tape, days, days[-1]), sums).to_pylist()
        found = contributors.bridge_loans(DEFINITIONS, tape, rows, sums, key)
        assert found.schema == arrow_schema(contributors.TABLE)
        return found.to_pylist()

    return loans


def shown(rows, kpi="PAR30"):
    columns = ("rank", "loan", "company", "term", "before_usd", "after_usd", "change_usd", "points")
    return [tuple(str(row[c]) for c in columns) for row in rows if row["kpi"] == kpi]


def test_loans_of_a_month(loans):
    rows = loans(MONTH)
    assert {(row["date"], row["against"]) for row in rows} == {(DECEMBER, NOVEMBER)}
    assert shown(rows) == [
        ("1", "Loan 1", "A", "cured", "60.00", "0.00", "-60.00", "-7.185600"),
        ("2", "Loan 2", "A", "written off", "45.00", "0.00", "-45.00", "-5.389200"),
        ("3", "Loan 3", "A", "new arrears", "0.00", "40.00", "40.00", "4.790400"),
        ("4", "Loan 4", "A", "rolled on", "0.00", "30.00", "30.00", "3.592800"),
        ("5", "Loan 5", "A", "new arrears", "0.00", "25.00", "25.00", "2.994000"),
        ("6", "Loan 6", "A", "paid", "20.00", "0.00", "-20.00", "-2.395200"),
        ("7", "Loan 7", "A", "written off", "0.00", "15.00", "15.00", "1.796400"),
        ("8", "Loan 8", "A", "paid", "80.00", "70.00", "-10.00", "-1.197600"),
    ]


def test_same_loan_has_the_same_name_in_every_bridge(loans):
    assert [row[:4] for row in shown(loans(MONTH), "PAR90")] == [
        ("1", "Loan 8", "A", "rolled on"),
        ("2", "Loan 2", "A", "written off"),
        ("3", "Loan 6", "A", "paid"),
        ("4", "Loan 7", "A", "written off"),
    ]


def test_ten_loans_at_most_and_of_equal_changes_the_first_id(loans):
    lines = ["date loan owes written_off"]
    for number in (12, 3, 7, 1, 11, 5, 9, 10, 4, 8, 2, 6):
        lines += [f"{NOVEMBER} A-{number:02} 5.00@0 0.00", f"{DECEMBER} A-{number:02} 5.00@30 0.00"]
    rows = loans("\n".join(lines), KEY)
    assert [row["loan"] for row in rows] == [masking.token(f"A-{number:02}", KEY) for number in range(1, 11)]
    assert [row["rank"] for row in rows] == list(range(1, 11))


def test_with_a_key_a_loan_is_the_token_that_engines_give_it(loans):
    with DuckDB() as engine:
        ids = engine.from_arrow(pa.table({"loan_id": ["A-5"]}))
        (token,) = engine.masked(ids, ["loan_id"], KEY).collect("pyarrow").to_native()["loan_id"].to_pylist()
    assert loans(MONTH, KEY)[0]["loan"] == token == masking.token("A-5", KEY)


def test_no_loan_id_is_left_in_the_table(loans):
    for key in (None, KEY):
        assert not [cell for row in loans(MONTH, key) for cell in row.values() if str(cell).startswith("A-")]


def test_company_is_that_of_the_loan_on_either_date(loans):
    rows = loans(f"date loan owes written_off\n{NOVEMBER} A-1 9.00@30 0.00\n{NOVEMBER} B-1 50.00@0 0.00\n"
                 f"{DECEMBER} B-1 50.00@30 0.00")  # fmt: skip
    assert [(row["company"], row["product"], row["term"]) for row in rows] == [
        ("B", None, "new arrears"),
        ("A", None, "paid"),
    ]


def test_nothing_that_moved_is_no_row(loans):
    assert loans(f"date loan owes written_off\n{NOVEMBER} A-1 9.00@30 0.00\n{DECEMBER} A-1 9.00@30 0.00") == []
