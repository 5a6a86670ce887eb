"""Text for terminals: lines that rule nothing, aligned columns, and values with unit and status."""

import sys
from collections.abc import Iterable, Mapping
from decimal import Decimal
from typing import Any

from abaco.core.quoting import visible


def show(*lines: str, error: bool = False) -> None:
    """Print lines on standard output, or standard error, whatever strangers' text they quote (see `quoting`)."""
    for line in lines:
        print("\n".join(map(visible, line.split("\n"))), file=sys.stderr if error else sys.stdout, flush=True)


def aligned(rows: Iterable[tuple[str, ...]]) -> list[str]:
    """Return one line a row, with aligned columns.

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


def signed(value: Decimal, decimals: int) -> str:
    """Return a change with its sign; no change has none.

    Examples
    --------
    >>> signed(Decimal("1234.5"), 2), signed(Decimal("-0.0450"), 4), signed(Decimal("0.00"), 2)
    ('+1,234.50', '-0.0450', '0.00')
    """
    return f"{value:+,.{decimals}f}" if value else f"{0:.{decimals}f}"


def table(headings: tuple[str, ...], rows: list[tuple[str, ...]], texts: int) -> list[str]:
    """Return a heading and rows with aligned columns; all but the first `texts` columns are figures, aligned right.

    Examples
    --------
    >>> table(("", "USD"), [("paid", "9.00"), ("cured", "10.00")], texts=1)
    ['         USD', 'paid    9.00', 'cured  10.00']
    """
    columns = list(zip(headings, *rows, strict=True))
    right = [[cell.rjust(max(map(len, column))) for cell in column] for column in columns[texts:]]
    return aligned(zip(*columns[:texts], *right, strict=True))


def format_value(kpi: Mapping[str, Any]) -> str:
    """Return the value of an entry of metrics.json with its unit.

    Examples
    --------
    >>> format_value({"value": 1.3, "precision": 4, "unit": "%"})
    '1.3000 %'
    >>> format_value({"value": 7275898.35, "precision": 2, "unit": "USD"})
    '7,275,898.35 USD'
    >>> format_value({"value": None})
    'not computable'
    """
    return "not computable" if kpi["value"] is None else f"{kpi['value']:,.{kpi['precision']}f} {kpi['unit']}"


def value_and_status(kpi: Mapping[str, Any]) -> str:
    """Return the value of an entry of metrics.json with its status, if it has limits."""
    value = format_value(kpi)
    return value if kpi["status"] in ("none", "not_computable") else f"{value} {kpi['status']}"


def summary(kpis: Mapping[str, dict[str, Any]]) -> list[tuple[str, str, str]]:
    """Return id, value and status of the four core KPIs and of those with limits."""
    return [
        (name, format_value(kpi), (kpi["reason"] or kpi["status"]) + partial(kpi))
        for name, kpi in kpis.items()
        if kpi["group"] == "core" or kpi["thresholds"]
    ]


def completeness(verdict: Mapping[str, Any] | None) -> str:
    """Return a remark on a report that is not complete; "" for other reports, and for those of earlier versions.

    Parameters
    ----------
    verdict
        That of metrics.json, or its rows in the database.

    Examples
    --------
    >>> completeness({"limits": 8, "checked": 3, "lost": None, "shrunk": None})
    'incomplete: only 3 of 8 limits could be checked'
    >>> completeness({"limits": 8, "checked": 8, "lost": None, "shrunk": None})
    ''
    """
    if not verdict:
        return ""
    if verdict["checked"] < verdict["limits"]:
        return f"incomplete: only {verdict['checked']} of {verdict['limits']} limits could be checked"
    return "incomplete: the input is not what it was" if verdict["lost"] or verdict["shrunk"] else ""


def partial(kpi: Mapping[str, Any]) -> str:
    """Return a remark for a figure of a month that is not over; "" for other figures.

    Parameters
    ----------
    kpi
        An entry of metrics.json, or its row in the database.

    Examples
    --------
    >>> partial({"value": 0.8343, "partial_through": "2025-12-10"})
    ', of a month that is not over: up to 2025-12-10'
    """
    last = kpi.get("partial_through")  # reports of earlier versions have none
    return f", of a month that is not over: up to {last}" if last and kpi["value"] is not None else ""
