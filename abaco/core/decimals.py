"""Exact arithmetic: rounding, whole cents, and days as numbers."""

from decimal import ROUND_HALF_UP, Context, Decimal

import narwhals as nw

MOST = Decimal(10**16)  # amounts are below it: they have 16 digits before the point
WIDE = Context(prec=76)  # the squares of sums have more digits than Python's 28


def rounded(value: Decimal, precision: int) -> Decimal:
    """Round half up to `precision` decimal places."""
    return value.quantize(Decimal(1).scaleb(-precision), rounding=ROUND_HALF_UP, context=WIDE)


def whole_cents(column: str) -> nw.Expr:
    """Return an amount in whole cents, with null as 0, as not every engine adds up decimals across columns."""
    return (wide(nw.coalesce(nw.col(column), nw.lit(Decimal("0.00")))) * nw.lit(Decimal(100))).cast(nw.Int64())


def wide(amount: nw.Expr) -> nw.Expr:
    """Return an amount of a type whose products may have 38 digits; those of 18 have 18 in DuckDB."""
    return amount.cast(nw.Decimal(19, 2))


def day_number(column: str) -> nw.Expr:
    """Return the number of a date column's day, as `datetime.date.toordinal` counts."""
    years = nw.col(column).dt.year().cast(nw.Int64()) - 1
    return years * 365 + years // 4 - years // 100 + years // 400 + nw.col(column).dt.ordinal_day().cast(nw.Int64())
