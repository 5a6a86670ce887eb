"""What a measure is: an amount or a count of one date that KPIs are made of."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Measure:
    """An amount or a count, one value a date.

    Parameters
    ----------
    title
        What a sentence calls it.
    add
        What a user adds to the input so that it has a value.
    unit
        ``USD``, ``loans`` or ``borrowers``.
    of_month
        Whether it adds up what happened since the month began, so that it is partial until the month is over.
    """

    title: str
    add: str
    unit: str = "USD"
    of_month: bool = False
