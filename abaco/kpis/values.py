"""KPI values of one date: from totals and definitions to published figures with a status."""

import datetime as dt
from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from abaco.kpis.catalog import FUNCTIONS, SOURCE_OF, Definition
from abaco.kpis.ratios import Totals, ratio, rounded


def status(value: Decimal | None, *, direction: str, thresholds: Mapping[str, float] | None) -> str:
    """Return how a value stands to its limits; exactly on a limit is not yet past it.

    Examples
    --------
    >>> limits = {"warning": 5, "critical": 8}
    >>> [status(Decimal(v), direction="lower", thresholds=limits) for v in ("5", "5.0001", "8", "8.1")]
    ['ok', 'warning', 'warning', 'critical']
    >>> status(None, direction="lower", thresholds=limits)
    'not_computable'
    """
    if value is None:
        return "not_computable"
    if thresholds is None:
        return "none"
    for name in ("critical", "warning"):
        limit = Decimal(str(thresholds[name]))
        if (value > limit) if direction == "lower" else (value < limit):
            return name
    return "ok"


def evaluate(
    definitions: Mapping[str, Definition], total: Totals, date: dt.date
) -> dict[str, dict[str, Any]]:
    """Return every KPI of one date, by id.

    Parameters
    ----------
    total
        The date's sums (see `ratios.totals`).

    Returns
    -------
    dict
        ``value`` (Decimal, or None with a ``reason``), ``status``, ``numerator`` and ``denominator`` in USD,
        and ``rows``, how many rows of the tape have the values that it needs.
    """
    found: dict[str, dict[str, Any]] = {}
    for name, kpi in definitions.items():
        entry = {"value": None, "reason": None, "numerator": None, "denominator": None}
        if kpi.function:
            entry |= _composite(kpi, found)
            entry["rows"] = min((found[i]["rows"] for i in kpi.inputs), default=total.rows)
        else:
            entry |= _ratio(kpi, total, date)
            entry["rows"] = min((n for c in kpi.columns if (n := total.counts.get(c))), default=0)
        entry["status"] = status(entry["value"], direction=kpi.direction, thresholds=kpi.thresholds)
        found[name] = entry
    return found


def _ratio(kpi: Definition, total: Totals, date: dt.date) -> dict[str, Any]:
    sums = ratio(total, kpi.numerator, kpi.denominator)
    if isinstance(sums, str):
        return {"reason": f"{sums} on {date}"}
    above, below = sums
    return {
        "value": rounded(above / below * kpi.scale, kpi.precision),
        "numerator": above,
        "denominator": below,
    }


def _composite(kpi: Definition, found: Mapping[str, dict[str, Any]]) -> dict[str, Any]:
    for name in kpi.inputs:
        if found[name]["value"] is None:
            return {"reason": f"{name} is not computable: {found[name]['reason']}"}
    value = FUNCTIONS[kpi.function](*(found[name]["value"] for name in kpi.inputs))
    return {"value": rounded(value, kpi.precision)}


def missing(
    definitions: Mapping[str, Definition], values: Mapping[str, dict[str, Any]], total: Totals
) -> list[dict]:
    """Return what to add to the input so that a KPI that could not be computed can be."""
    wanted = []
    for name, kpi in definitions.items():
        if values[name]["value"] is None:
            needed = [
                c for i in (name, *kpi.inputs) for c in definitions[i].columns if total.sums.get(c) is None
            ]
            wanted += [
                {"kpi": name, "add": f"{c}: {SOURCE_OF.get(c, 'a canonical snapshot with it')}"}
                for c in needed
            ]
    return wanted


def inconsistent(definitions: Mapping[str, Definition], found: Mapping[str, dict[str, Any]]) -> list[str]:
    """Return the KPIs whose value does not lie within half a last digit of what their sums give."""
    wrong = []
    for name, entry in found.items():
        if entry["value"] is not None and entry["denominator"] is not None:
            exact = entry["numerator"] * definitions[name].scale
            half = Decimal(5).scaleb(-definitions[name].precision - 1) * entry["denominator"]
            if abs(entry["value"] * entry["denominator"] - exact) > half:
                wrong.append(name)
    return wrong
