"""Words of headings: which of our columns the heading of a stranger's file means, from params/drafts.yml."""

import functools
import re
from collections.abc import Mapping

from pydantic import BaseModel

from abaco.core import currencies, project
from abaco.ingest import headings
from abaco.ingest.columns import normalise
from abaco.ingest.scales import without_scale
from abaco.ingest.words import STRICT, validated

FILE = "params/drafts.yml"
UNITS = {"days": "days", "month": "months"}
NUMBER_SIGN = re.compile(r"(?<=\w) ?#|#(?=\w)")  # beside a word
IN_OBJECTS = re.compile(r"\w+(?:\.\w+)+")  # of JSON
CODE = re.compile(rf"(?<=\W)\(?(?:{'|'.join(sorted(currencies.CODES))})\)?$")  # of a currency, at the end
CAMEL_CASE = re.compile(r"(?<=[a-z])(?=[A-Z])")


class Meaning(BaseModel):
    """What one of our columns is called in sentences, and the phrases of its headings."""

    model_config = STRICT
    means: str
    phrases: list[str]


class ValueWords(BaseModel):
    """Words of values: not late, debits, credits; and of headings: of people, categories, amounts and more."""

    model_config = STRICT
    current: list[str]
    older: list[str]
    personal: list[str]
    categories: list[str]
    events: list[str]
    amounts: list[str]
    money: list[str]
    numbered: list[str]
    debits: list[str]
    credits: list[str]
    invoices: list[str]
    credit_notes: list[str]
    credit_headings: list[str]
    shares: list[str]
    units: list[str]


class Dictionary(BaseModel):
    """The content of params/drafts.yml."""

    model_config = STRICT
    same: dict[str, list[str]]
    beside: list[str]
    nested: list[str]
    columns: dict[str, Meaning]
    principal_paid: list[str]
    words: ValueWords

    @functools.cached_property
    def _forms(self) -> dict[str, str]:
        """The form of each word, those of several words first."""
        forms = {normalise(word): form for form, listed in self.same.items() for word in listed}
        return dict(sorted(forms.items(), key=lambda item: -item[0].count("_")))

    def words_of(self, heading: str) -> frozenset[str]:
        """Return the words of a heading, each in its form.

        Examples
        --------
        >>> known = load()
        >>> sorted(known.words_of("LoanOriginalAmount")), sorted(known.words_of("POS"))
        (['amount', 'loan', 'original'], ['outstanding', 'principal'])
        """
        heading = CODE.sub(" ", currencies.without_signs(without_scale(heading))) or heading
        heading = NUMBER_SIGN.sub(" no ", heading).replace("%", " percent ")
        text = f"_{normalise(CAMEL_CASE.sub('_', heading))}_"
        for several in (word for word in self._forms if "_" in word):
            text = text.replace(f"_{several}_", f"_{self._forms[several].replace(' ', '_')}_")
        found = (self._forms.get(word, word) for word in text.split("_") if word)
        words = frozenset(word for form in found for word in form.split())
        words = words - set(self.nested) if IN_OBJECTS.fullmatch(heading) else words
        return words - set(self.beside) or words

    def columns_of(self, heading: str) -> list[str]:
        """Return the names of our columns that a heading means, by its words, or else as params/headings.yml has it.

        Examples
        --------
        >>> known = load()
        >>> known.columns_of("POS"), known.columns_of("As of date")
        (['outstanding_balance'], ['measurement_date'])
        """
        found = self.words_of(heading)
        meant = [name for name, phrases in self._phrases.items() if found and found in phrases]
        return meant or [name for name, listed in self._listed.items() if normalise(heading) in listed]

    def unit_of(self, heading: str) -> str | None:
        """Return the unit of time that a heading says, ``days`` or ``months``; None: neither, both, or buckets.

        Examples
        --------
        >>> known = load()
        >>> [known.unit_of(heading) for heading in ("DPD", "Months in arrears", "DPD Bucket", "Arrears")]
        ['days', 'months', None, None]
        """
        words = self.words_of(heading)
        said = words & UNITS.keys()
        return UNITS[next(iter(said))] if len(said) == 1 and "bucket" not in words else None

    def is_principal_paid(self, heading: str) -> bool:
        """Return whether a heading means the principal that was paid."""
        return self.words_of(heading) in {self.words_of(phrase) for phrase in self.principal_paid}

    def is_relative(self, heading: str) -> bool:
        """Return whether a heading means days from one to another, and not days past due or a term."""
        found = self.words_of(heading)
        return "days" in found and not self.columns_of(heading) and not found.isdisjoint(self.words.events)

    def is_amount(self, heading: str) -> bool:
        """Return whether a heading says an amount or a rate, and no number of something."""
        said = self.words_of(heading)
        return not said.isdisjoint(self.words.amounts) and said.isdisjoint(self.words.numbered)

    def is_money(self, heading: str) -> bool:
        """Return whether a heading says an amount of money."""
        return not self.words_of(heading).isdisjoint(self.words.money)

    def is_personal(self, heading: str) -> bool:
        """Return whether a heading names people."""
        return not self.words_of(heading).isdisjoint(self.words.personal)

    def is_category(self, heading: str) -> bool:
        """Return whether a heading names what loans are sorted by, such as status, product or region, and no people."""
        return not self.words_of(heading).isdisjoint(self.words.categories) and not self.is_personal(heading)

    @functools.cached_property
    def _listed(self) -> Mapping[str, set[str]]:
        """The headings of params/headings.yml by our columns."""
        return {name: {*known.headings} for name, known in headings.load().items() if name in self.columns}

    @functools.cached_property
    def _phrases(self) -> Mapping[str, set[frozenset[str]]]:
        known = headings.load()
        own = {
            name: {self.words_of(text) for text in (*meaning.phrases, name)} for name, meaning in self.columns.items()
        }
        more = {name: {self.words_of(text) for text in known[name].headings} for name in own if name in known}
        # what a draft says of a column counts before what another column is called elsewhere
        taken = {name: set().union(*(own[other] for other in own if other != name)) for name in more}
        said = {name: found | (more.get(name, set()) - taken.get(name, set())) for name, found in own.items()}
        return {name: phrases - {frozenset(["date"])} for name, phrases in said.items()}  # any date may be called so


def load() -> Dictionary:
    """Return the dictionary of params/drafts.yml.

    Raises
    ------
    InputError
        Naming the key that is wrong.
    """
    return validated(project.root() / FILE, Dictionary)
