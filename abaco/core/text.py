"""Listings: rows of text in columns that line up, each as wide as its longest cell, never squeezed."""

from collections.abc import Iterable


def aligned(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Return one line a row, its cells below those of the row before.

    Examples
    --------
    >>> for line in aligned([("date", "PAR30"), ("2025-12-31", "3.7471 %")]):
    ...     print(line)
    date        PAR30
    2025-12-31  3.7471 %
    """
    rows = list(rows)
    widths = [max(map(len, cells)) for cells in zip(*rows, strict=True)]
    return ["  ".join(cell.ljust(n) for cell, n in zip(row, widths, strict=True)).rstrip() for row in rows]
