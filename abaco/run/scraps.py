"""Scraps: figures that a running notebook records about itself with scrapbook."""

import datetime as dt
from decimal import Decimal
from pathlib import Path
from typing import Any

from abaco import lean


def plain(value: Any) -> Any:
    """Return `value` as JSON can hold it: decimals and dates as text, NumPy scalars as numbers.

    Examples
    --------
    >>> plain({"usd": Decimal("1.10"), "on": dt.date(2025, 12, 31)})
    {'usd': '1.10', 'on': '2025-12-31'}
    """
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(v) for v in value]
    if isinstance(value, Decimal | dt.date | Path):
        return str(value)
    return value.item() if hasattr(value, "item") else value


def record(**figures: Any) -> None:
    """Record each figure under its name in the running notebook."""
    with lean.imports():
        import scrapbook

    for name, figure in figures.items():
        value = plain(figure)  # scrapbook would take text for JSON, and "1.10" for the number 1.1
        scrapbook.glue(name, value, encoder="text" if isinstance(value, str) else "json")
