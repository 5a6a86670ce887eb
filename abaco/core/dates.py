"""Measurement dates as text."""

import datetime as dt

from abaco.core.errors import InputError


def parse_date(text: str, name: str = "DATE") -> dt.date:
    """Return a measurement date; an error calls it by `name`.

    Raises
    ------
    InputError
        When there is no such day, or it is not written YYYY-MM-DD.
    """
    try:
        return dt.datetime.strptime(text.strip(), "%Y-%m-%d").date()
    except ValueError:
        raise InputError(
            f"{name} {text} is no calendar day: write it as YYYY-MM-DD, for example 2025-12-31"
        ) from None
