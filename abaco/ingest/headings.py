"""Known headings: by which names files give the columns of a format, from params/headings.yml."""

import functools
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, Field, model_validator

from abaco.core import currencies, project
from abaco.ingest.columns import CURRENCY, Column, normalise
from abaco.ingest.contract import Format
from abaco.ingest.words import STRICT, validated

FILE = "params/headings.yml"
CODES = ("_ccy", "_currency")  # at the end of a heading: a column of currencies


class Known(BaseModel):
    """The headings of one of our columns: whole ones, and the words that others are made of."""

    model_config = STRICT
    headings: list[str] = Field(default_factory=list)
    words: list[str] = Field(default_factory=list)
    beside: list[str] = Field(default_factory=list)

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return {"headings": value} if isinstance(value, list) else value

    def has(self, heading: str) -> bool:
        """Return whether a heading, normalised, is one of the whole ones, or made of the words (see `means`)."""
        return heading in self.headings or self.means(heading)

    def means(self, heading: str) -> bool:
        """Return whether a heading, normalised, is made of at least one of the words, and of those beside.

        Examples
        --------
        >>> known = Known(words=["moneda"], beside=["tipo"])
        >>> [known.means(heading) for heading in ("tipo_moneda", "saldo_en_moneda_local")]
        [True, False]
        """
        found = set(heading.split("_"))
        return not found.isdisjoint(self.words) and found <= {*self.words, *self.beside}


def load() -> Mapping[str, Known]:
    """Return the known headings of each column.

    Raises
    ------
    InputError
        Naming the key that is wrong.
    """
    return validated(project.root() / FILE, dict[str, Known])


@dataclass(frozen=True)
class Headings:
    """The headings by which files give the columns of a format.

    Parameters
    ----------
    known
        Those of each column, normalised, but for its name.
    """

    format: Format
    known: Mapping[str, Known]

    @functools.cached_property
    def column_of(self) -> dict[str, Column]:
        """The column of each heading."""
        return {heading: column for column in self.format.columns for heading in self.of(column)}

    @functools.cached_property
    def _by_words(self) -> list[Column]:
        """The columns that are known by words of their headings too."""
        return [column for column in self.format.columns if column.name in self.known and self.known[column.name].words]

    def of(self, column: Column) -> list[str]:
        """Return the headings of a column, the one first that counts where a file has several."""
        known = self.known[column.name].headings if column.name in self.known else ()
        return list(dict.fromkeys((*known, column.name)))

    def assign(self, headings: list[str]) -> dict[str, int]:
        """Return the position of the heading that gives each column; of two for one column, the one listed first.

        Parameters
        ----------
        headings
            Headings of a file, normalised, in the file's order.
        """
        plain = self.plain(headings)
        found = {c.name: next((h for h in self.of(c) if h in plain), None) for c in self.format.columns}
        return {name: plain.index(heading) for name, heading in found.items() if heading is not None}

    def plain(self, headings: list[str]) -> list[str]:
        """Return headings of a file, normalised, as they are known: in USD, and ``currency`` for currencies.

        Amounts in another currency go by the same headings, with its code at the end.
        """
        return [self._plain(heading, headings) for heading in headings]

    def _plain(self, heading: str, headings: list[str]) -> str:
        if heading in self.column_of:
            return heading
        for column in self._by_words:
            means = self.known[column.name].means
            # the first heading that means the column, where none is its own
            if means(heading) and heading == next(filter(means, headings)) and not {*self.of(column)} & {*headings}:
                return column.name
        if heading.endswith(CODES):
            return CURRENCY.name
        stem, _ = currencies.of_heading(heading) or ("", None)
        known = next((h for h in (stem, f"{stem}_usd") if h in self.column_of), heading)
        column = self.column_of.get(known)
        is_given = column is None or column.kind != "amount" or {*self.of(column)} & {*headings}
        return heading if is_given else known

    def currencies(self, headings: list[str]) -> set[str]:
        """Return the currencies that the headings of the columns that are kept name.

        Parameters
        ----------
        headings
            Headings of a file, normalised.
        """
        kept = [h for h, p in zip(headings, self.plain(headings), strict=True) if p in self.column_of
                and self.column_of[p].kind == "amount"]  # fmt: skip
        return {named[1] for named in map(currencies.of_heading, kept) if named}

    def repeated(self, headings: list[str]) -> list[str]:
        """Return the known headings that a file has more than once."""
        names = self.plain(headings)
        return sorted({name for name in names if name in self.column_of and names.count(name) > 1})

    def present(self, headings: Iterable[str]) -> set[str]:
        """Return the names of the columns that some headings, normalised, give."""
        return {self.column_of[h].name for h in self.plain(list(headings)) if h in self.column_of}

    def matched(self, headings: list[str]) -> int:
        """Return how many of some headings, normalised, are known."""
        return sum(heading in self.column_of for heading in self.plain(headings))


def own(headings: Mapping[str, list[str]]) -> dict[str, Known]:
    """Return headings that go before those of params/headings.yml, normalised."""
    return {name: Known(headings=[normalise(heading) for heading in listed]) for name, listed in headings.items()}
