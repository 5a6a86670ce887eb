"""Expected loss on each date: balance by bucket, times probability of default, times loss given default."""

import datetime as dt
from collections.abc import Collection, Mapping
from decimal import Decimal, InvalidOperation

from abaco.core.decimals import rounded
from abaco.core.errors import InputError
from abaco.ingest.columns import BUCKETS
from abaco.kpis.book import Book
from abaco.kpis.totals import Measure, Totals

NEEDS = BUCKETS
MEASURES = {
    "expected_loss_usd": Measure(
        "the expected loss",
        "risk parameters: the settings calculation.default_probability_pct and calculation.loss_given_default_pct",
    )
}


def probabilities(text: str) -> tuple[Decimal, ...] | None:
    """Return the probabilities of default, in per cent, that a setting lists for the aging buckets; None without any.

    Raises
    ------
    InputError
        When they are not one number from 0 to 100 for each bucket.

    Examples
    --------
    >>> probabilities("0.5, 2, 10, 30, 100")
    (Decimal('0.5'), Decimal('2'), Decimal('10'), Decimal('30'), Decimal('100'))
    """
    if not text.strip():
        return None
    try:
        found = tuple(Decimal(part.strip()) for part in text.split(","))
    except InvalidOperation:
        found = ()
    if len(found) != len(BUCKETS) or not all(map(is_pct, found)):
        raise InputError(
            f"calculation.default_probability_pct is {text!r}: write five numbers from 0 to 100 with commas between, "
            "for 0–7, 7–30, 30–60, 60–90 and 90+ days"
        )
    return found


def is_pct(number: Decimal) -> bool:
    """Return whether a number lies from 0 to 100."""
    return number.is_finite() and 0 <= number <= 100


def expected_loss(exposures: Collection[Decimal], chances: Collection[Decimal], severity: Decimal) -> Decimal:
    """How much of the book is expected to be lost, in USD.

    Parameters
    ----------
    exposures
        What each aging bucket owes, in USD.
    chances
        Probability of default of each bucket, in per cent.
    severity
        Loss given default, in per cent.

    Returns
    -------
    Decimal
        Σ PD · LGD · EAD, to the cent. Source: Basel framework, CRE 31.

    Examples
    --------
    >>> expected_loss([Decimal("1000.00"), Decimal("200.00")], [1, 50], Decimal(45))
    Decimal('49.50')
    """
    lost = sum((chance * owed for chance, owed in zip(chances, exposures, strict=True)), Decimal(0))
    return rounded(lost * severity / 10_000, 2)


def measure(book: Book, names: Collection[str], before: Mapping[dt.date, Totals]) -> dict[dt.date, Totals]:
    """Return the expected loss on every date, when risk parameters are given."""
    found = {}
    for day, total in before.items():
        owed = [total.sums.get(bucket) for bucket in BUCKETS]
        lost = None
        if book.default_probability_pct is not None and None not in owed:
            lost = expected_loss(owed, book.default_probability_pct, book.loss_given_default_pct)
        found[day] = Totals(total.rows, dict.fromkeys(names, lost), dict.fromkeys(names, total.rows))
    return found
