"""The count of what was tried, and of what did not hold."""

from collections import Counter
from dataclasses import dataclass, field


@dataclass
class Tally:
    """What was tried, and each fault of the project.

    Parameters
    ----------
    counts
        How often each thing was tried.
    of
        How often each pair was: a format and its kind of file, or a fault and the point at which it happened.
    faults
        The kind of each fault of the project, the seed or point that makes it again, and what was seen.
    seconds
        CPU time.
    """

    counts: Counter = field(default_factory=Counter)
    of: Counter = field(default_factory=Counter)
    faults: list[tuple[str, int | str, str]] = field(default_factory=list)
    seconds: float = 0.0

    def add(self, other: "Tally") -> None:
        """Add what another tally counted."""
        self.counts.update(other.counts)
        self.of.update(other.of)
        self.faults += other.faults
        self.seconds += other.seconds
