"""The words of exports that tell whether money was paid, from params/flows.yml."""

import re
from collections.abc import Iterable

from pydantic import BaseModel

from abaco.ingest import words
from abaco.ingest.words import STRICT

PAID, LENT, REVERSAL, REVERSED, OTHER, UNKNOWN = "paid", "lent", "reversal", "reversed", "other", "unknown"
# the columns whose words tell what a row is, by the section of params/flows.yml
TOLD_BY = {"transaction_type": "types", "status": "statuses", "is_reversed": "flags"}
DAY = re.compile(r"\d{4}-\d{2}-\d{2}")


class Types(BaseModel):
    """Types of transactions."""

    model_config = STRICT
    paid: list[str]
    reversal: list[str]
    lent: list[str]
    other: list[str]


class Statuses(BaseModel):
    """States of a payment."""

    model_config = STRICT
    paid: list[str]
    reversed: list[str]
    other: list[str]


class Flags(BaseModel):
    """Values of a column that says whether a payment was reversed."""

    model_config = STRICT
    reversed: list[str]
    paid: list[str]


class FlowWords(BaseModel):
    """The content of params/flows.yml: words by what they mean."""

    model_config = STRICT
    types: Types
    statuses: Statuses
    flags: Flags


def load() -> FlowWords:
    """Return the words of params/flows.yml (see `words.load`)."""
    return words.load("flows.yml", FlowWords)


def meanings(name: str, section: BaseModel, values: Iterable[str]) -> dict[str, list[str]]:
    """Return the values of a column by what they mean; those that no list has are `UNKNOWN`.

    Parameters
    ----------
    name
        The section of params/flows.yml.
    """
    known = {words.plain(name, text): meaning for meaning, listed in section for text in listed}
    found: dict[str, list[str]] = {}
    for value in sorted(values):
        is_day = name == "flags" and DAY.match(value)
        found.setdefault(REVERSED if is_day else known.get(words.plain(name, value), UNKNOWN), []).append(value)
    return found
