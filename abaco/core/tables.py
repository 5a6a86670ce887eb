"""Tables that describe themselves: name and grain, and for each column its type, meaning and unit."""

from dataclasses import dataclass

DATE, TEXT, COUNT, FLAG = "date", "text", "integer", "true or false"
SUM = "decimal(38, 2)"  # of as many amounts as there are


@dataclass(frozen=True)
class Field:
    """One column of a table.

    Parameters
    ----------
    name
        What it is called in the file.
    type
        `DATE`, `TEXT`, `COUNT`, `FLAG`, or ``decimal(digits, decimals)``; see `parquet.arrow_schema`.
    meaning
        What a value says, as a phrase.
    unit
        What numbers count: ``USD``, ``%``, ``days``, ``loans``; empty for text, dates and flags.
    """

    name: str
    type: str
    meaning: str
    unit: str = ""


@dataclass(frozen=True)
class Table:
    """One table of a report, ``tables/<name>.parquet``.

    Parameters
    ----------
    name
        The file's name without its ending.
    grain
        What one row is, such as "one row a date and KPI".
    fields
        Its columns, in the file's order.
    """

    name: str
    grain: str
    fields: tuple[Field, ...]
