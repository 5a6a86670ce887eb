"""The numbers that stand in place of borrowers and loans where no masking key was set, and what they mean."""

import re
from collections.abc import Iterable

from abaco.page.language import phrase

NUMBERED = re.compile(r"(Borrower|Loan) \d+")


def numbering(names: Iterable[str]) -> str:
    """Return what a reader must know of numbers among the names; nothing where all are tokens."""
    if not any(NUMBERED.fullmatch(name) for name in names):
        return ""
    return phrase(
        "The numbers hold within this report only and are no ranks; with ABACO_PII_KEY, "
        "names are the same in every report."
    )
