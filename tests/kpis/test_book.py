"""Months and what a month's movement starts from, whatever the rhythm of the dates."""

import datetime as dt

import pytest

from abaco.core.dates import month_end, months_before
from abaco.kpis.book import openings
from tests.support.tapes import DECEMBER, book


def day(text):
    return dt.date.fromisoformat(text)


def opened(*dates):
    """Return the openings of dates, in text."""
    return {str(one): str(other) for one, other in openings(day(date) for date in dates).items()}


@pytest.mark.parametrize(
    ("date", "end"),
    [
        ("2025-12-01", "2025-12-31"),
        ("2025-12-31", "2025-12-31"),
        ("2024-02-29", "2024-02-29"),
        ("2023-02-01", "2023-02-28"),
        ("2100-02-10", "2100-02-28"),
        ("2025-04-30", "2025-04-30"),
    ],
)
def test_month_ends_with_its_last_day(date, end):
    assert month_end(day(date)) == day(end)


@pytest.mark.parametrize(
    ("date", "months", "end"),
    [
        ("2025-03-31", 0, "2025-03-31"),
        ("2025-03-01", 0, "2025-03-31"),
        ("2025-03-31", 1, "2025-02-28"),
        ("2024-03-31", 1, "2024-02-29"),
        ("2025-01-15", 1, "2024-12-31"),
        ("2025-12-31", 11, "2025-01-31"),
        ("2025-12-31", 12, "2024-12-31"),
        ("2025-01-31", 13, "2023-12-31"),
    ],
)
def test_months_before_are_calendar_months(date, months, end):
    assert months_before(day(date), months) == day(end)


def test_month_starts_from_the_end_of_the_one_before():
    assert opened("2025-10-31", "2025-11-30", "2025-12-31") == {"2025-11-30": "2025-10-31", "2025-12-31": "2025-11-30"}


def test_month_after_a_gap_starts_from_nothing():
    assert opened("2025-09-30", "2025-11-30", "2025-12-31") == {"2025-12-31": "2025-11-30"}
    assert opened("2024-12-31", "2025-12-31") == {}


def test_weeks_start_from_the_last_week_of_the_month_before():
    assert opened("2025-11-14", "2025-11-28", "2025-12-05", "2025-12-12") == {
        "2025-12-05": "2025-11-28",
        "2025-12-12": "2025-11-28",
    }


def test_days_start_from_the_last_day_of_the_month_before_there_is():
    dates = [f"2025-{month}-{number}" for month in ("11", "12") for number in ("27", "28", "30")]
    assert opened(*dates) == {f"2025-12-{number}": "2025-11-30" for number in ("27", "28", "30")}


def test_order_of_the_dates_does_not_matter():
    assert list(opened("2025-12-31", "2025-10-31", "2025-11-30").items()) == [
        ("2025-11-30", "2025-10-31"),
        ("2025-12-31", "2025-11-30"),
    ]


@pytest.mark.parametrize("dates", [(), ("2025-12-31",), ("2025-12-01", "2025-12-31")])
def test_first_month_starts_from_nothing(dates):
    assert opened(*dates) == {}


def test_date_of_a_book_is_its_last(frame):
    text = "measurement_date  loan_id\n2025-12-31  A-1\n2025-11-30  A-1\n"
    assert book(frame, text).date == DECEMBER


def test_what_is_made_of_a_book_is_made_once():
    asked = []
    one, other = book(lambda table: table, "loan_id\n"), book(lambda table: table, "loan_id\n")

    def make(given):
        asked.append(given)
        return len(asked)

    assert [one.cached(make), one.cached(make), other.cached(make)] == [1, 1, 2]
    assert asked[0] is one
    assert asked[1] is other
