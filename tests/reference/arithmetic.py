"""The arithmetic of the books worked out by hand: decimals, and the rounding of published figures."""

from decimal import ROUND_HALF_UP, Decimal

D = Decimal


def half_up(value: Decimal, places: int) -> Decimal:
    """Return a figure as it is published."""
    return Decimal(value).quantize(Decimal(1).scaleb(-places), ROUND_HALF_UP)


def pct(part: Decimal | int, whole: Decimal | int, places: int) -> Decimal:
    """Return a part of a whole in per cent, as it is published."""
    return half_up(100 * Decimal(part) / Decimal(whole), places)
