"""How many decimals of a figure are shown: the same on the page, in the terminal, in emails and in alerts."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

MOST = 2  # decimals, unless they hide that a limit is passed, or that a figure moved
COVENANT_LEVELS = ("warning", "trigger", "default")


def drawn_limits(kpi: Mapping[str, Any]) -> dict[str, float]:
    """Return the KPI's limits by level, warning first, without those that are not set."""
    limits = kpi.get("thresholds") or {}
    return {level: limits[level] for level in ("warning", "critical") if limits.get(level) is not None}


def shown_decimals(kpi: Mapping[str, Any], value: Any = None) -> int:
    """Return how many decimals to show: two at most, or more where two would hide that a limit is passed.

    Examples
    --------
    >>> par30 = {"value": 3.7471, "precision": 4, "thresholds": {"warning": 5, "critical": 8}}
    >>> shown_decimals(par30), shown_decimals(par30, 5.0001)
    (2, 4)
    """
    value = kpi["value"] if value is None else value
    for decimals in range(min(MOST, kpi["precision"]), kpi["precision"]):
        shown = round(value or 0, decimals)
        sides = [
            ((shown > limit, shown < limit), (value > limit, value < limit))
            for limit in drawn_limits(kpi).values()
            if value is not None
        ]
        if all(rounded == exact for rounded, exact in sides):
            return decimals
    return kpi["precision"]


def change_decimals(kpi: Mapping[str, Any], change: Any) -> int:
    """Return how many decimals of a change up to the KPI's value to show.

    They are two at most, as of the values, and all where the change would be shown as none.

    Examples
    --------
    >>> change_decimals({"precision": 4}, -0.266), change_decimals({"precision": 4}, 0.0014)
    (2, 4)
    """
    fewest = min(MOST, kpi["precision"])
    return kpi["precision"] if abs(Decimal(str(change))).scaleb(fewest) < Decimal("0.5") else fewest


def covenant_decimals(covenant: Mapping[str, Any]) -> tuple[int, int]:
    """Return how many decimals of a covenant's value, and of its headroom, to show.

    Examples
    --------
    >>> arrears = {"precision": 4, "better": "lower", "headroom_to": "trigger", "warning_at": 5, "trigger_at": 10}
    >>> covenant_decimals(arrears | {"value": 5.2166, "headroom_points": 4.7834})
    (2, 2)
    >>> covenant_decimals(arrears | {"value": 5.0004, "headroom_points": 4.9996})
    (4, 2)
    """
    limits = [limit for level in COVENANT_LEVELS if (limit := covenant.get(f"{level}_at")) is not None]
    value, precision = covenant["value"], covenant["precision"]
    decimals = [shown_decimals({"precision": precision, "thresholds": {"warning": limit}}, value) for limit in limits]
    return max(decimals), change_decimals({"precision": precision}, covenant["headroom_points"])
