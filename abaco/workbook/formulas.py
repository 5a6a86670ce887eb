"""Formulas of the tables: how a cell follows from the others of its row, or of the rows that belong together.

Each takes the rows of a table and the place of one of them, and returns the formula, with ``{column}`` for the cell of
the row and ``{column:first:last}`` for those of several rows, and the exact result. A formula is written only where its
result is the published value.
"""

from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from typing import Any

Rows = Sequence[Mapping[str, Any]]
Formula = Callable[[Rows, int], tuple[str, Decimal] | None]


def ratio(above: str, below: str) -> Formula:
    """Return the formula of one column in per cent of another."""

    def formula(rows: Rows, at: int) -> tuple[str, Decimal] | None:
        part, whole = rows[at][above], rows[at][below]
        if part is None or not whole:
            return None
        return f"100*{{{above}}}/{{{below}}}", 100 * part / whole

    return formula


def share(part: str, *within: str) -> Formula:
    """Return the formula of a column in per cent of its sum over neighbouring rows that are alike in `within`."""

    def formula(rows: Rows, at: int) -> tuple[str, Decimal] | None:
        first, last = _alike(rows, at, within)
        amounts = [row[part] for row in rows[first : last + 1]]
        if rows[at][part] is None or not (whole := sum(amount or 0 for amount in amounts)):
            return None
        return f"100*{{{part}}}/SUM({{{part}:{first}:{last}}})", 100 * rows[at][part] / whole

    return formula


def difference(one: str, other: str) -> Formula:
    """Return the formula of one column less another."""

    def formula(rows: Rows, at: int) -> tuple[str, Decimal] | None:
        if rows[at][one] is None or rows[at][other] is None:
            return None
        return f"{{{one}}}-{{{other}}}", rows[at][one] - rows[at][other]

    return formula


def total(part: str, *within: str) -> Formula:
    """Return the formula of the last of the rows that are alike in `within`: the sum of those above it."""

    def formula(rows: Rows, at: int) -> tuple[str, Decimal] | None:
        first, last = _alike(rows, at, within)
        amounts = [row[part] for row in rows[first:at]]
        if at != last or not amounts or None in amounts:
            return None
        return f"SUM({{{part}:{first}:{at - 1}}})", sum(amounts)

    return formula


def _alike(rows: Rows, at: int, within: Sequence[str]) -> tuple[int, int]:
    """Return the first and the last of the neighbouring rows that are alike."""
    key = [rows[at][name] for name in within]
    first = last = at
    while first and [rows[first - 1][name] for name in within] == key:
        first -= 1
    while last + 1 < len(rows) and [rows[last + 1][name] for name in within] == key:
        last += 1
    return first, last
