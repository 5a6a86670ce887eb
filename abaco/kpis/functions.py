"""Functions of KPIs and measures that are more than a ratio."""

from decimal import ROUND_HALF_EVEN, Decimal, localcontext

from abaco.core.errors import NotComputableError


def annual_rate(monthly: Decimal) -> Decimal:
    """What a monthly rate amounts to when it goes on for a year.

    Parameters
    ----------
    monthly
        In per cent of what was there at the month's start.

    Returns
    -------
    Decimal
        1 − (1 − monthly)¹², in per cent.

    Raises
    ------
    NotComputableError
        When it is above 100: of loans that came and went within the month, say.

    Examples
    --------
    >>> annual_rate(Decimal("1"))
    Decimal('11.3615128283870719341')
    """
    if monthly > 100:
        raise NotComputableError("rate_above_whole")
    with localcontext(prec=50, rounding=ROUND_HALF_EVEN):
        left = 1 - (1 - monthly / 100) ** 12
    return (left * 100).quantize(Decimal("1e-19"))


def single_monthly_mortality(
    principal_paid_usd: Decimal, principal_due_usd: Decimal, opening_balance_usd: Decimal
) -> Decimal:
    """How much of the book was paid back before it was due, in one month.

    Parameters
    ----------
    principal_paid_usd, principal_due_usd
        In the month, in USD.
    opening_balance_usd
        Outstanding at the month's start, in USD.

    Returns
    -------
    Decimal
        (paid − due) / (opening − due), in per cent.

    Raises
    ------
    NotComputableError
        When less was paid than was due: then there was no net prepayment.

    Examples
    --------
    >>> single_monthly_mortality(Decimal("150.00"), Decimal("100.00"), Decimal("1100.00"))
    Decimal('5.00')
    """
    early, left = principal_paid_usd - principal_due_usd, opening_balance_usd - principal_due_usd
    if left <= 0:
        raise NotComputableError("all_due_in_month")
    if early < 0:
        raise NotComputableError("paid_less_than_due")
    return early / left * 100


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
