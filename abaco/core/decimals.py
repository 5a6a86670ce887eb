"""Exact amounts: rounding, and whole cents."""

from decimal import ROUND_HALF_UP, Decimal

import narwhals as nw


def rounded(value: Decimal, precision: int) -> Decimal:
    """Round half up to `precision` decimal places."""
    return value.quantize(Decimal(1).scaleb(-precision), rounding=ROUND_HALF_UP)


def whole_cents(column: str) -> nw.Expr:
    """Return an amount in whole cents, with null as 0, as not every engine adds up decimals across columns."""
    return (nw.coalesce(nw.col(column), nw.lit(Decimal("0.00"))) * 100).cast(nw.Int64())
