"""The book of a run: tables as they lie in its folder, and risk parameters as the settings have them."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from abaco.core.errors import InputError
from abaco.engines.duckdb import DuckDB
from abaco.kpis import open_book, statements
from tests.support.exports import rows_of
from tests.support.tapes import DECEMBER, NOVEMBER, tape

TWO_DATES = """
    measurement_date  loan_id  total_receivable_usd
    2025-12-31        A-1      5.00
    2025-11-30        A-1      6.00
    2025-12-31        A-2      7.00
"""
INGESTED = {"as_of": "2025-12-11", "accounts": {"2025-12-31": {"cash_usd": "7.25", "assets_usd": "-0.10"}}}


@pytest.fixture
def tables(tmp_path):
    """A folder with a tape alone."""
    pq.write_table(tape(TWO_DATES), tmp_path / "tape.parquet")
    return tmp_path


def test_book_of_a_tape_alone(tables):
    with DuckDB(spill=tables) as engine:
        book = open_book.open_book(tables, engine, INGESTED)
        assert len(rows_of(book.tape)) == 3
        assert (book.dates, book.date, book.as_of) == ([NOVEMBER, DECEMBER], DECEMBER, dt.date(2025, 12, 11))
        assert book.accounts == {DECEMBER: {"cash_usd": Decimal("7.25"), "assets_usd": Decimal("-0.10")}}
        assert [book.export(name) for name in open_book.EXPORTS] == [None] * len(open_book.EXPORTS)
        assert book.default_probability_pct is None


@pytest.mark.parametrize("name", open_book.EXPORTS)
def test_table_beside_the_tape_is_part_of_the_book(tables, name):
    pq.write_table(pa.table({"loan_id": ["A-1"]}), tables / f"{name}.parquet")
    with DuckDB(spill=tables) as engine:
        book = open_book.open_book(tables, engine, INGESTED)
        assert rows_of(book.export(name)) == [{"loan_id": "A-1"}]
        assert list(book.exports) == [name]


def test_dates_are_those_of_the_tape_each_once_oldest_first(frame):
    assert open_book.dates(frame(tape(TWO_DATES)).lazy()) == [NOVEMBER, DECEMBER]
    assert open_book.dates(frame(tape("loan_id\n")).lazy()) == []


def test_no_statements_are_no_accounts():
    assert statements.accounts({}) == {}


def test_risk_parameters_are_exact_decimals(tables):
    parameters = open_book.risk("0.5, 2, 10, 30, 100", 45.1)
    assert parameters["loss_given_default_pct"] == Decimal("45.1")
    with DuckDB(spill=tables) as engine:
        book = open_book.open_book(tables, engine, INGESTED, **parameters)
    assert book.default_probability_pct == tuple(map(Decimal, ("0.5", "2", "10", "30", "100")))


@pytest.mark.parametrize("severity", [0.0, 100.0])
def test_loss_given_default_may_be_nothing_or_all(severity):
    assert open_book.risk("", severity)["loss_given_default_pct"] == Decimal(str(severity))


@pytest.mark.parametrize("severity", [-0.1, 100.1, float("nan"), float("inf")])
def test_loss_given_default_that_is_no_percentage_is_refused(severity):
    with pytest.raises(InputError) as caught:
        open_book.risk("", severity)
    assert str(caught.value) == (f"calculation.loss_given_default_pct is {severity}: write a number from 0 to 100")
