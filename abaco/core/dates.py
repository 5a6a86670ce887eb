"""Dates, months and UTC times, and how reports write them."""

import calendar
import datetime as dt

from abaco.core.errors import UsageError


def parse_date(text: str, name: str = "DATE") -> dt.date:
    """Return the date that `text` stands for; an error message calls it `name`.

    Raises
    ------
    UsageError
        When it is not a valid date in the form YYYY-MM-DD.
    """
    try:
        return dt.datetime.strptime(text.strip(), "%Y-%m-%d").date()
    except ValueError:
        raise UsageError(f"{name} {text} is not a valid date: write it as YYYY-MM-DD, for example 2025-12-31") from None


def now() -> str:
    """Return the current time as reports write it."""
    return format_time(dt.datetime.now(dt.UTC))


def format_time(time: dt.datetime) -> str:
    """Return a time as reports write it: UTC, to the second.

    Examples
    --------
    >>> format_time(dt.datetime(2025, 12, 31, 2, 0, 3, 400, dt.UTC))
    '2025-12-31T02:00:03Z'
    """
    return f"{time.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"


def time_of(text: str) -> dt.datetime:
    """Return the time that a report gives as text.

    Examples
    --------
    >>> time_of("2025-12-31T02:00:00Z").isoformat()
    '2025-12-31T02:00:00+00:00'
    """
    return dt.datetime.fromisoformat(text)


def month_end(day: dt.date) -> dt.date:
    """Return the last day of a date's month.

    Examples
    --------
    >>> month_end(dt.date(2024, 2, 3))
    datetime.date(2024, 2, 29)
    """
    return day.replace(day=calendar.monthrange(day.year, day.month)[1])


def months_before(day: dt.date, months: int) -> dt.date:
    """Return the end of the month that is `months` months before a date.

    Examples
    --------
    >>> months_before(dt.date(2025, 3, 15), 1)
    datetime.date(2025, 2, 28)
    """
    month = month_number(day) - months
    return month_end(dt.date(month // 12, month % 12 + 1, 1))


def months_between(earlier: dt.date, later: dt.date) -> int:
    """Return the number of calendar months between two dates, regardless of the day.

    Examples
    --------
    >>> months_between(dt.date(2024, 12, 31), dt.date(2025, 3, 1))
    3
    """
    return month_number(later) - month_number(earlier)


def month_number(day: dt.date) -> int:
    """Return the number of a date's month, counted from the year 0; three in a row are a quarter.

    Examples
    --------
    >>> month_number(dt.date(2025, 1, 31)) - month_number(dt.date(2024, 12, 1))
    1
    """
    return day.year * 12 + day.month - 1
