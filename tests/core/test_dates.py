"""Measurement dates, as they are typed and as the input has them."""

import datetime as dt

import pytest

from abaco.core.dates import parse_date
from abaco.core.errors import InputError
from abaco.ingest import discovery
from abaco.ingest.coverage import check_date, tape_dates
from tests.support.exports import BY_DATE, DATE, LOANS, PAR, SNAPSHOT, snapshot, write


@pytest.mark.parametrize("text", ["2025-12-31", " 2025-12-31 "])
def test_date_is_written_year_month_day(text):
    assert parse_date(text) == dt.date(2025, 12, 31)


@pytest.mark.parametrize("text", ["2025-02-30", "2025-13-01", "31/12/2025", "20251231", "yesterday", "", "2025-12-31x"])
def test_impossible_date_is_an_error_that_says_how_to_write_it(text):
    with pytest.raises(InputError) as error:
        parse_date(text)
    assert str(error.value) == f"DATE {text} is not a valid date: write it as YYYY-MM-DD, for example 2025-12-31"


def latest(path):
    return tape_dates(discovery.discover(path)[0])[-1]


@pytest.mark.parametrize(
    ("header", "lines"),
    [
        (SNAPSHOT, [snapshot("A-1", "2025-11-30"), snapshot("A-1"), snapshot("A-2", "2025-10-31")]),
        (SNAPSHOT, [snapshot("A-1", "31/31/2026"), snapshot("A-1", ""), snapshot("A-1"), "1,2"]),
        (SNAPSHOT, [snapshot("A-1", "2025-11-30"), '"A-2' + snapshot("", "2025-10-31"), snapshot("A-3")]),
        (SNAPSHOT, [snapshot("A-1", "2025-11-30") + "\r", snapshot("A-3")]),
        (BY_DATE, [snapshot().removeprefix("A-1,")]),
        (PAR, ["A-1,2025-12-31,1,0,0,0,0"]),
    ],
)
def test_latest_date_is_that_of_the_rows(tmp_path, header, lines):
    assert latest(write(tmp_path / "book.csv", header, *lines)) == dt.date(2025, 12, 31)


def test_latest_date_is_looked_for_in_every_file_of_the_tape_and_no_other(tmp_path):
    write(tmp_path / "a.csv", SNAPSHOT, snapshot("A-1", "2025-12-31"))
    write(tmp_path / "b.csv", SNAPSHOT, snapshot("A-1", "2025-11-30"))
    write(tmp_path / "c.csv", PAR, "A-1,2026-01-31,1,0,0,0,0")
    write(tmp_path / "d.csv", "fecha,caja", "2026-02-28,1")
    assert latest(tmp_path) == dt.date(2026, 1, 31)


def test_loans_alone_carry_no_date(tmp_path):
    with pytest.raises(InputError, match=r"^The loans export carries no measurement date: give DATE=YYYY-MM-DD$"):
        latest(write(tmp_path / "loans.csv", LOANS, "A-1,C,2025-01-01,0.4,9,5,0"))


@pytest.mark.parametrize("lines", [[], [snapshot("A-1", "31/31/2025")], ["1,2"]])
def test_file_without_a_readable_date_is_an_error(tmp_path, lines):
    with pytest.raises(InputError, match=r"^No date under measurement_date in book.csv can be read as a day of "):
        latest(write(tmp_path / "book.csv", SNAPSHOT, *lines))


@pytest.mark.parametrize(
    ("day", "limit"), [("2568-06-30", "more than a year from today"), ("1949-12-31", "before 1950")]
)
def test_balances_of_another_calendar_or_century_are_refused(tmp_path, day, limit):
    told = f"^Balances have the date {day}, which is {limit}: correct it"
    with pytest.raises(InputError, match=told):
        latest(write(tmp_path / "book.csv", SNAPSHOT, snapshot("A-1"), snapshot("A-2", day)))
    day = dt.date.fromisoformat(day)
    with pytest.raises(InputError, match=told):
        check_date({DATE: True, day: True}, DATE)
    check_date({DATE: True, day: False}, DATE)  # its rows are rejected
