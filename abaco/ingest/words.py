"""Words of exports and what they mean, from the files of params/ that list them."""

import functools
import re
from pathlib import Path
from typing import TypeVar

from pydantic import ConfigDict, TypeAdapter, ValidationError

from abaco.core import faults, project, yaml
from abaco.core.errors import InputError
from abaco.core.files import sha256
from abaco.ingest.columns import normalise

STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)
Words = TypeVar("Words")


def load(name: str, model: type[Words]) -> Words:
    """Return the words of a file of params/.

    Parameters
    ----------
    name
        The name of the file.
    model
        Its sections, each with lists of words by what they mean.

    Raises
    ------
    InputError
        Naming the key that is wrong, or the word that is in two lists.
    """
    path = project.root() / "params" / name
    return _checked(path, sha256(path) if path.is_file() else "", model)


@functools.lru_cache
def _checked(path: Path, _: str, model: type[Words]) -> Words:
    """Return the words of a file, checked once: the second argument is its hash."""
    words = validated(path, model)
    for section, lists in words:
        known = [word for _, listed in lists for word in {plain(section, text) for text in listed}]
        if twice := [word for word in known if known.count(word) > 1]:
            raise InputError(f"{project.display_path(path)}: {section}: {twice[0]} is in two lists: keep one of them")
    return words


def validated(path: Path, model: type[Words]) -> Words:
    """Return the content of a YAML file as a model.

    Raises
    ------
    InputError
        Naming the key that is wrong.
    """
    return _validated(path, sha256(path) if path.is_file() else "", model)


@functools.lru_cache
def _validated(path: Path, _: str, model: type[Words]) -> Words:
    """Return the content of a file, which is read once: the second argument is its hash."""
    try:
        return TypeAdapter(model).validate_python(yaml.read_yaml(path))
    except ValidationError as error:
        first = error.errors()[0]
        raise InputError(f"{project.display_path(path)}: {faults.place(first)}: {faults.remedy(first)}") from error


def plain(section: str, text: str) -> str:
    """Return a word without case, accents, blanks and punctuation; but for flags without digits, too."""
    letters = normalise(text).replace("_", "")
    return letters if section == "flags" else re.sub(r"\d", "", letters)
