"""The parts of a contract: a format, its columns, and the checks on its rows."""

import re
import unicodedata
from dataclasses import dataclass, field


@dataclass(frozen=True)
class Column:
    """One named column of a format.

    Parameters
    ----------
    name
        What the column is called on our side.
    kind
        ``text``, ``date``, ``amount`` (decimal 18,2), ``rate`` (decimal 18,6) or ``days`` (whole number).
    headings
        Other headings it goes by, normalised (see `normalise`).
    required
        The format is not recognised without it.
    filled
        A row without a value in it is rejected.
    signed
        Negative values are right (rebate credits, equity).
    personal
        It identifies a person or a firm and is masked.
    """

    name: str
    kind: str = "text"
    headings: tuple[str, ...] = ()
    required: bool = False
    filled: bool = False
    signed: bool = False
    personal: bool = False


@dataclass(frozen=True)
class Format:
    """One input format: its columns, and the checks on its rows.

    Parameters
    ----------
    key
        Columns that no two rows may share.
    date
        The column that says since when a row was known: rows after the measurement date are left out.
    amount
        The column that the reconciliation adds up.
    is_tape
        It can give the loan tape.
    any_of
        Columns of which at least one is required.
    """

    name: str
    title: str
    columns: tuple[Column, ...]
    key: tuple[str, ...] = ()
    date: str | None = None
    amount: str | None = None
    is_tape: bool = False
    any_of: tuple[str, ...] = ()
    column_by_heading: dict[str, Column] = field(init=False, repr=False, compare=False)

    def __post_init__(self):
        known = {heading: c for c in self.columns for heading in (*c.headings, c.name)}
        object.__setattr__(self, "column_by_heading", known)

    def assign(self, headings: list[str]) -> dict[str, int]:
        """Return which heading, by position, gives each column; of two for one column, the one listed first.

        Parameters
        ----------
        headings
            Headings of a file, normalised, in the file's order.
        """
        return {
            c.name: headings.index(h)
            for c in self.columns
            for h in [next((h for h in (*c.headings, c.name) if h in headings), None)]
            if h is not None
        }

    @property
    def personal(self) -> tuple[str, ...]:
        """Names of the columns that are masked."""
        return tuple(c.name for c in self.columns if c.personal)

    @property
    def is_dated(self) -> bool:
        """Whether its rows say which date they are of."""
        return any(c.name == "measurement_date" for c in self.columns)

    def lacks(self, headings: list[str]) -> list[str]:
        """Return the required columns that `headings` (normalised) do not give."""
        given = {self.column_by_heading[h].name for h in headings if h in self.column_by_heading}
        missing = [c.name for c in self.columns if c.required and c.name not in given]
        if self.any_of and not given & set(self.any_of):
            missing.append(" or ".join(self.any_of))
        return missing

    def matched(self, headings: list[str]) -> int:
        """Return how many of `headings` (normalised) belong to this format."""
        return sum(h in self.column_by_heading for h in headings)


def normalise(heading: str) -> str:
    """Return a heading in the form that contracts use: no accents, no stray blanks, lower case, underscores.

    Examples
    --------
    >>> normalise("  Préstamo  Número ")
    'prestamo_numero'
    """
    plain = unicodedata.normalize("NFKD", heading).encode("ascii", "ignore").decode()
    return re.sub(r"[^a-z0-9]+", "_", plain.strip().lower()).strip("_")
