"""A KPI in words: its value, its limits and its change, as cards, tables and sentences name them."""

from abaco.page.words import NBSP, number, plain

FIRST_KPIS = ("PAR30", "PAR90", "CollectionRate", "PortfolioHealth")
CARD_DECIMALS = 2


def in_order(metrics: dict) -> list[tuple[str, dict]]:
    """Return (id, KPI) pairs: the four that every report has, then the others in their own order."""
    kpis = metrics["kpis"]
    ids = [kpi for kpi in FIRST_KPIS if kpi in kpis]
    return [(kpi, kpis[kpi]) for kpi in ids + [kpi for kpi in kpis if kpi not in ids]]


def card_decimals(kpi: dict) -> int:
    """Return how many decimals to show: two, or more where two would hide that a limit is passed."""
    limits = [limit for limit in (kpi["thresholds"] or {}).values() if limit is not None]
    for decimals in range(CARD_DECIMALS, kpi["precision"]):
        shown = round(kpi["value"] or 0, decimals)
        if all(
            (shown > limit, shown < limit) == (kpi["value"] > limit, kpi["value"] < limit) for limit in limits
        ):
            return decimals
    return max(kpi["precision"], 0) if kpi["precision"] > CARD_DECIMALS else CARD_DECIMALS


def with_unit(kpi: dict, value: float, decimals: int) -> str:
    """Return `value` in the KPI's unit: '3.68 %', '8.90 of 10'."""
    return f"{number(value, decimals)}{NBSP}{kpi['unit']}".rstrip()


def short(kpi: dict, value: float | None = None) -> str:
    """Return the KPI's value, or another of its values, as short as it can honestly be written."""
    return with_unit(kpi, kpi["value"] if value is None else value, card_decimals(kpi))


def limits(kpi: dict) -> str:
    """Return the thresholds in words: 'warning above 5, critical above 8'; empty when there are none."""
    side = "below" if kpi["direction"] == "higher" else "above"
    named = [(level, (kpi["thresholds"] or {}).get(level)) for level in ("warning", "critical")]
    return ", ".join(f"{level} {side} {plain(limit)}" for level, limit in named if limit is not None)


def change(kpi: dict) -> dict | None:
    """Return the change against the previous date: arrow, amount and judgement; None without one."""
    if kpi["change"] is None:
        return None
    if kpi["change"] == 0:
        return {"arrow": "→", "amount": "unchanged", "judgement": ""}
    rose = kpi["change"] > 0
    decimals = CARD_DECIMALS if abs(kpi["change"]) >= 0.005 else max(kpi["precision"], CARD_DECIMALS)
    unit = "points" if kpi["unit"] == "%" else "USD" if kpi["unit"] == "USD" else ""
    return {
        "arrow": "↑" if rose else "↓",
        "amount": f"{'up' if rose else 'down'} {number(abs(kpi['change']), decimals)}{NBSP}{unit}".rstrip(),
        "judgement": "better" if rose == (kpi["direction"] == "higher") else "worse",
    }
