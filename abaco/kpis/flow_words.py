"""The words of exports that tell whether money was paid, from params/flows.yml."""

import re
from collections.abc import Iterable

from pydantic import BaseModel, ConfigDict, ValidationError

from abaco.core import project, yaml
from abaco.core.errors import InputError
from abaco.ingest.columns import normalise

PAID, LENT, REVERSAL, REVERSED, OTHER, UNKNOWN = "paid", "lent", "reversal", "reversed", "other", "unknown"
STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)
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
    """Return the words of params/flows.yml.

    Raises
    ------
    InputError
        Naming the key that is wrong, or the word that is in two lists.
    """
    path = project.root() / "params" / "flows.yml"
    try:
        words = FlowWords.model_validate(yaml.read_yaml(path))
    except ValidationError as error:
        first = error.errors()[0]
        key = ".".join(map(str, first["loc"]))
        raise InputError(f"{project.display_path(path)}: {key}: {first['msg']}") from error
    for name, section in words:
        known = [word for _, listed in section for word in {_plain(name, text) for text in listed}]
        if twice := [word for word in known if known.count(word) > 1]:
            raise InputError(f"{project.display_path(path)}: {name}: {twice[0]} is in two lists: keep one of them")
    return words


def meanings(name: str, section: BaseModel, values: Iterable[str]) -> dict[str, list[str]]:
    """Return the values of a column by what they mean; those that no list has are `UNKNOWN`.

    Parameters
    ----------
    name
        The section of params/flows.yml.
    """
    known = {_plain(name, text): meaning for meaning, listed in section for text in listed}
    found: dict[str, list[str]] = {}
    for value in sorted(values):
        is_day = name == "flags" and DAY.match(value)
        found.setdefault(REVERSED if is_day else known.get(_plain(name, value), UNKNOWN), []).append(value)
    return found


def _plain(name: str, text: str) -> str:
    """Return a word without case, accents, blanks and punctuation; but for flags without digits, too."""
    letters = normalise(text).replace("_", "")
    return letters if name == "flags" else re.sub(r"\d", "", letters)
