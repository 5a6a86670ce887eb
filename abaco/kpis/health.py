"""Portfolio health: arrears and cash in one figure."""

from decimal import Decimal


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
