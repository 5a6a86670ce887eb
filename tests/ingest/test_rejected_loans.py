"""Loans whose row of a date was rejected, known by their ids: a row of a whole date has none."""

import pytest

from abaco.engines.duckdb import DuckDB
from abaco.ingest import discovery, roles
from abaco.ingest.rejected_loans import rejected_loans
from tests.support.exports import BY_DATE, DATE, SNAPSHOT, snapshot, write


@pytest.mark.parametrize(
    ("header", "rows", "found"),
    [
        (SNAPSHOT, [snapshot("A-1", "2025-11-30"), snapshot("A-1", current="x"), snapshot("A-2")], ["A-1"]),
        (BY_DATE, ["2025-12-31,5,5,5,N/A,5,0,0,0,0", "2025-11-30,5,5,5,1,5,0,0,0,0"], []),
    ],
)
def test_loans_of_rejected_rows_are_found_and_whole_dates_are_none(tmp_path, header, rows, found):
    path = write(tmp_path / "book.csv", header, *rows)
    with DuckDB(spill=tmp_path) as engine:
        batches = roles.stage(discovery.discover(path)[0], DATE, engine, tmp_path)
        loans = rejected_loans(batches, roles.tape_of(batches, DATE).accepted(engine), engine)
        assert [row["loan_id"] for row in loans.to_pylist()] == found
