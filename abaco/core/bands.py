"""Bands of loan size and term: `kpis` sums the book by them, and `page` names and orders them."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Band:
    """A range of amounts, named by the bounds that a reader sees; one without a bound is open on that side.

    Parameters
    ----------
    start
        The least amount in it.
    low, high
        The bounds in its name.

    Examples
    --------
    >>> [band.name for band in (TICKETS[0], TICKETS[1], TICKETS[-1], TERMS[-1])]
    ['below 1,000', '1,000–4,999', '50,000 and more', 'above 360']
    """

    start: int
    low: int | None
    high: int | None

    @property
    def name(self) -> str:
        """The band as tables name it."""
        if self.low is None:
            return f"below {self.high:,}"
        if self.high is None:
            return f"{self.low:,} and more" if self.low == self.start else f"above {self.low:,}"
        return f"{self.low:,}–{self.high:,}"


UNKNOWN = "not given"
TICKETS = (
    Band(0, None, 1_000), Band(1_000, 1_000, 4_999), Band(5_000, 5_000, 9_999), Band(10_000, 10_000, 24_999),
    Band(25_000, 25_000, 49_999), Band(50_000, 50_000, None),
)  # fmt: skip
TERMS = (
    Band(0, 0, 30), Band(31, 31, 60), Band(61, 61, 90), Band(91, 91, 180), Band(181, 181, 360), Band(361, 360, None),
)  # fmt: skip
BANDS = {
    "ticket": {band.name: band for band in TICKETS},  # USD disbursed
    "term": {band.name: band for band in TERMS},  # days
}
