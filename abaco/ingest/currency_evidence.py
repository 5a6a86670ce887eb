"""What a stranger's file says of the currency of its amounts: in headings, in cells, and beside the table."""

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from abaco.core import currencies
from abaco.core.errors import InputError
from abaco.ingest.columns import normalise
from abaco.ingest.questions import MAX_CHOICES, Question
from abaco.ingest.said_currencies import in_heading
from abaco.ingest.unmapped import Table
from abaco.ingest.value_evidence import Evidence
from abaco.ingest.value_kinds import NUMBER

CODE = re.compile(r"(?<![A-Z])[A-Z]{3}(?![A-Z])")


@dataclass(frozen=True)
class Said:
    """The codes that each code, sign and word of a currency may mean, by what it is and where it stands."""

    headings: Mapping[str, set[str]]
    cells: Mapping[str, set[str]]
    beside: Mapping[str, set[str]]
    is_usd: bool  # headings end with _usd, which those of known formats do in any currency

    @property
    def _all(self) -> dict[str, set[str]]:
        return {**self.headings, **self.cells, **self.beside}

    @property
    def is_said(self) -> bool:
        """Whether there are any."""
        return bool(self._all)

    @property
    def meant(self) -> set[str]:
        """The currencies that all of them may mean."""
        return set.intersection(*self._all.values()) if self._all else set()

    @property
    def is_beside(self) -> bool:
        """Whether only titles and names say it, which are those of each file."""
        return bool(self.beside) and not (self.headings or self.cells)

    @property
    def code(self) -> str:
        """The one currency that they mean; "" where they do not say one."""
        if not self._all:
            return currencies.USD if self.is_usd else ""
        return next(iter(self.meant)) if len(self.meant) == 1 else ""

    @property
    def why(self) -> str:
        """Where it is said."""
        if self.is_beside:
            return "as each file says beside its table"
        return "the headings say it" if self.headings or not self.cells else "the amounts say it"

    @property
    def told(self) -> str:
        """What is said."""
        return " and ".join(sorted(self._all)[:MAX_CHOICES]) or "nothing in the file says it"

    def contradicts(self, code: str) -> str:
        """Return why the currency cannot be that of a code; "" where it may."""
        if not self._all or code in self.meant:
            return ""
        few = " or ".join(sorted(self.meant)[:MAX_CHOICES])
        way_out = f"write {few}" if few else "these differ: read the amounts of one currency alone"
        return f"the file has {self.told}: {way_out}"

    def question(self, left: Sequence[Evidence]) -> Question:
        """Return what is asked where they do not say one currency.

        Parameters
        ----------
        left
            The columns that are not read: one of words of currencies may say it.
        """
        if self._all and not self.meant:
            return Question("currency", f"{self.told}, which differ: read the amounts of one currency alone", {})
        choices = dict.fromkeys(sorted(self.meant)[:MAX_CHOICES], "one of those that are so called")
        choices = {currencies.USD: "US dollars"} | choices if currencies.USD in self.meant or not choices else choices
        words = [one for one in left if one.words and all(map(currencies.of_cell, one.words))]
        choices |= {one.heading: f"{one.told()}: {', '.join([*one.words][:MAX_CHOICES])}" for one in words}
        return Question("currency", self.told, choices | {"…": "or another code of ISO 4217"})


def check_answer(answer: str, found: Sequence[Evidence]) -> None:
    """Raise when an answer looks like the code of a currency and is none, nor a heading of the file."""
    is_code = CODE.fullmatch(answer) and answer not in {one.heading for one in found}
    if is_code and not currencies.code(answer):
        raise InputError(f"currency={answer}: it is neither a code of ISO 4217, such as USD, nor a heading of the file")


def said_of(table: Table, read: Iterable[Evidence]) -> Said:
    """Return what is said of the currency of the numbers among some columns of a table."""
    amounts = [one for one in read if one.kind == NUMBER]
    return Said(
        {f"{text} in {one.heading}": currencies.of_cell(text) for one in amounts for text in in_heading(one.heading)},
        {f"{text} under {one.heading}": currencies.of_cell(text) for one in amounts for text in _signs(table, one)},
        {f"{text} beside the table": currencies.of_cell(text) for text in table.said_currencies},
        any(normalise(one.heading).endswith("_usd") for one in amounts),
    )


def _signs(table: Table, one: Evidence) -> set[str]:
    """Return the codes and signs of currencies among the first amounts of a column."""
    cells = " ".join(row[table.column(one.place)] or "" for row in table.sample)
    return {*CODE.findall(cells)} & currencies.CODES | {*currencies.signs_in(cells)}
