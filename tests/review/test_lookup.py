"""Lookup: the line of the exports in which a loan stands, whatever lies between the lines."""

import datetime as dt

import pytest

from abaco.core.errors import InputError
from abaco.engines.duckdb import DuckDB
from abaco.ingest import discovery
from abaco.review import lookup
from tests.support.exports import DATE, SNAPSHOT, snapshot, write

NOVEMBER = dt.date(2025, 11, 30)


def places(path, *loans, known=None):
    found, _ = discovery.discover(path)
    known = {source.name: source.sha256 for source in found} if known is None else known
    with DuckDB() as engine:
        return lookup.places(path, loans, [DATE, NOVEMBER], known, engine)


def test_loan_stands_in_the_line_of_the_later_date_that_it_has(tmp_path):
    lines = [snapshot("A-1", "2025-11-30"), snapshot("A-2", "2025-11-30"), snapshot("A-1"), snapshot("A-3")]
    path = write(tmp_path / "book.csv", SNAPSHOT, *lines)
    assert places(path, "A-1", "A-2", "A-9") == {"A-1": "book.csv:4", "A-2": "book.csv:3"}


def test_blank_broken_and_rejected_lines_count_as_lines(tmp_path):
    lines = ["", "1,2", snapshot("A-1", amount="x"), snapshot("A-2"), snapshot("A-2")]
    path = write(tmp_path / "book.csv", SNAPSHOT, *lines)
    assert places(path, "A-1", "A-2") == {"A-2": "book.csv:5"}  # of copies the first


def test_loans_of_several_files(tmp_path):
    write(tmp_path / "one.csv", SNAPSHOT, snapshot("A-1"))
    write(tmp_path / "two.csv", SNAPSHOT, snapshot("A-2"), snapshot("A-3"))
    assert places(tmp_path, "A-1", "A-3") == {"A-1": "one.csv:2", "A-3": "two.csv:3"}


def test_file_that_has_changed_since_is_refused(tmp_path):
    path = write(tmp_path / "book.csv", SNAPSHOT, snapshot("A-1"))
    with pytest.raises(
        InputError, match=r"^book.csv is not the file that the report was made from: .* put that file back$"
    ):
        places(path, "A-1", known={"book.csv": "0" * 64})
