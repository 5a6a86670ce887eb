"""KPIs over time: every date in the input, each on its own, and jumps from one date to the next."""

import datetime as dt
from collections.abc import Collection, Iterable, Mapping
from decimal import Decimal
from typing import Any

import pyarrow as pa

from abaco.core.dates import month_end
from abaco.core.decimals import rounded
from abaco.core.parquet import arrow_schema
from abaco.core.tables import COUNT, DATE, SUM, TEXT, Field, Table
from abaco.kpis.book import Book
from abaco.kpis.catalog import Definition
from abaco.kpis.totals import Totals
from abaco.kpis.values import evaluate, is_of_month

TABLE = Table(
    "history",
    "one row per date and KPI",
    (
        Field("date", DATE, "the measurement date"),
        Field("kpi", TEXT, "the KPI, see KPIS.md"),
        Field("value", "decimal(38, 6)", "its value in its own unit, empty when it cannot be computed"),
        Field("status", TEXT, "ok, warning or critical by its limits, none without limits, or not_computable"),
        Field("reason", TEXT, "why it has no value"),
        Field("numerator", SUM, "the sum above the line"),
        Field("denominator", SUM, "the sum below the line"),
        Field("rows", COUNT, "the rows that it is computed from", "rows"),
    ),
)


def history(definitions: Mapping[str, Definition], totals: Mapping[dt.date, Totals]) -> pa.Table:
    """Return every KPI on every date, one row per date and KPI, oldest first.

    Parameters
    ----------
    totals
        Sums by date; dates are never pooled.
    """
    rows = [
        {"date": date, "kpi": name, **entry, "reason": entry["reason"] and str(entry["reason"])}
        for date in sorted(totals)
        for name, entry in evaluate(definitions, totals[date], date, totals).items()
    ]
    return pa.Table.from_pylist(rows, schema=arrow_schema(TABLE))


def change_pct(value: Decimal, previous: Decimal) -> Decimal | None:
    """Return by how many per cent of its former size a figure changed, or None when it was 0.

    Examples
    --------
    >>> change_pct(Decimal("4.5"), Decimal("3.6"))
    Decimal('25.00')
    """
    return None if previous == 0 else rounded((value - previous) / abs(previous) * 100, 2)


def uncompared(definitions: Mapping[str, Definition], book: Book, before: dt.date | None) -> set[str]:
    """Return the KPIs of a month that are not compared with the date before.

    A part of a month is not compared with a whole one, nor with a shorter part of the same month.
    """
    is_same_month = before is not None and month_end(before) == month_end(book.date)
    if book.partial_through is None and not is_same_month:
        return set()
    return {name for name in definitions if is_of_month(definitions, name)}


def anomalies(
    values: Mapping[str, dict[str, Any]],
    before: Mapping[str, dict[str, Any]],
    *,
    max_change_pct: float,
    uncompared: Collection[str] = (),
) -> list[dict]:
    """Return the KPIs that changed by more than `max_change_pct` per cent against the previous date.

    A change from 0 is an anomaly of any size, with no per cent.
    """
    found = []
    for name, entry in values.items():
        value, previous = entry["value"], before.get(name, {}).get("value")
        if value is None or previous is None or value == previous or name in uncompared:
            continue
        # compared unrounded: 25.001 is beyond 25
        if abs(value - previous) * 100 > abs(previous) * Decimal(str(max_change_pct)):
            change = {"change_pct": change_pct(value, previous), "limit_pct": max_change_pct}
            found.append({"kpi": name, "previous": previous, "value": value, **change})
    return found


def ranked(anomalies: Iterable[dict[str, Any]], kpis: Mapping[str, Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the anomalies, those that matter first.

    They are those for the worse before all others; of each, figures in per cent come first, by how many points they
    changed, then the others, by how many per cent of their former value, a change from 0 before all.

    Parameters
    ----------
    kpis
        The unit and the direction of each, as in metrics.json.
    """

    def rank(jump: dict[str, Any]) -> tuple[bool, bool, Decimal]:
        kpi, points = kpis[jump["kpi"]], jump["value"] - jump["previous"]
        is_worse = kpi["direction"] is not None and (points > 0) == (kpi["direction"] == "lower")
        is_share = kpi["unit"] == "%"
        size = points if is_share else jump["change_pct"]
        return not is_worse, not is_share, Decimal("-Infinity") if size is None else -abs(size)

    return sorted(anomalies, key=rank)
