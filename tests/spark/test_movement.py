"""The cluster moves a book as the embedded engine does: roll rates, measures, bridges, and the loans behind them."""

import pytest

from abaco.engines.duckdb import DuckDB
from abaco.ingest.columns import BUCKETS
from abaco.kpis import bridge, catalog, contributors, movement
from abaco.kpis.book import Book
from abaco.kpis.totals import totals
from tests.kpis.moving import MONTH, dates_of, loan_tape

DEFINITIONS = catalog.load()


def everything(engine, text):
    tape, days = engine.from_arrow(loan_tape(text)), dates_of(text)
    book, sums = Book(tape, days, days[-1]), totals(tape, ["total_receivable_usd", *BUCKETS])
    rows = bridge.bridges(DEFINITIONS, book, sums).to_pylist()
    return (
        movement.measure(book, movement.MEASURES, {}),
        movement.roll_rates(book).to_pylist(),
        rows,
        contributors.bridge_loans(DEFINITIONS, tape, rows, sums, None).to_pylist(),
    )


@pytest.mark.parametrize("known", [True, False])
def test_figures_are_the_same(spark, known):
    text = (
        MONTH
        if known
        else "\n".join(" ".join([*line.split()[:3], "-"]) for line in MONTH.strip().splitlines())
    )
    with DuckDB() as embedded:
        expected = everything(embedded, text)
    assert everything(spark, text) == expected
    assert all(expected)
