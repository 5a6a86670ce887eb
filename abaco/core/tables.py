"""Descriptions of tables: name, grain, and the type, meaning and unit of each column."""

from dataclasses import dataclass

DATE, TEXT, COUNT, FLAG = "date", "text", "integer", "true or false"
SUM = "decimal(38, 2)"  # a sum of any number of amounts


@dataclass(frozen=True)
class Field:
    """One column of a table.

    Parameters
    ----------
    name
        The column's name in the file.
    type
        `DATE`, `TEXT`, `COUNT`, `FLAG`, or ``decimal(digits, decimals)``; see `parquet.arrow_schema`.
    meaning
        The meaning of a value, as a phrase.
    unit
        The unit of numbers: ``USD``, ``%``, ``days``, ``loans``; empty for text, dates and flags.
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
        The meaning of one row, such as "one row per date and KPI".
    fields
        Its columns, in the file's order.
    """

    name: str
    grain: str
    fields: tuple[Field, ...]
