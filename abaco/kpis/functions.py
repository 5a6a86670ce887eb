"""Functions of KPIs and measures that are more than a ratio."""

from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from abaco.core.errors import NotComputableError


def annual_rate(kept: Decimal, months: Decimal) -> Decimal:
    """What the rate of some months amounts to when it goes on for a year.

    Parameters
    ----------
    kept
        The share, from 0 to 1, that was left at the end of the months.
    months
        How many, a part of a month by its days.

    Returns
    -------
    Decimal
        1 − kept ^ (12 / months), in per cent.

    Raises
    ------
    NotComputableError
        When more went than was there, or in no time.

    Examples
    --------
    >>> annual_rate(Decimal("0.99"), Decimal(1))
    Decimal('11.3615128283870719341')
    >>> annual_rate(Decimal("0.9"), Decimal(12))
    Decimal('10.0000000000000000000')
    """
    if kept < 0 or months <= 0:
        raise NotComputableError("rate_above_whole")
    with localcontext(prec=50, rounding=ROUND_HALF_EVEN):
        left = kept ** (12 / months) if kept else Decimal(0)
        return ((1 - left) * 100).quantize(Decimal("1e-19"))


def days_to_collect(rotation: Decimal) -> Decimal:
    """How many days it takes to collect as much principal as is outstanding.

    Parameters
    ----------
    rotation
        How many times a year the book is collected.

    Examples
    --------
    >>> days_to_collect(Decimal("5"))
    Decimal('73')
    """
    if rotation <= 0:
        raise NotComputableError("no_principal_paid")
    return 365 / rotation


def portfolio_health(par30: Decimal, collection_rate: Decimal) -> Decimal:
    """How sound the book is, from 0 to 10: few arrears and enough cash, multiplied.

    Parameters
    ----------
    par30, collection_rate
        Published values, in per cent.

    Returns
    -------
    Decimal
        (10 − PAR30 / 10) × (CollectionRate / 10), kept within 0 and 10.

    Examples
    --------
    >>> portfolio_health(Decimal("5"), Decimal("4"))
    Decimal('3.80')
    >>> portfolio_health(Decimal("3.5"), Decimal("10.4"))
    Decimal('10')
    """
    value = (10 - par30 / 10) * (collection_rate / 10)
    return min(max(Decimal(0), value), Decimal(10))
