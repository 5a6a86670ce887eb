"""Drafts of mappings: the YAML of what is proposed of a stranger's file and of what is open, and the answers in it."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from yaml import YAMLError

from abaco.core import project, yaml
from abaco.core.errors import InputError
from abaco.core.quoting import visible
from abaco.ingest import mappings
from abaco.ingest.questions import Question

ANSWERS = re.compile(r"^# answers: (\{.*\})$", re.MULTILINE)


@dataclass(frozen=True)
class Draft:
    """The draft of a mapping.

    Parameters
    ----------
    name
        Its name, which that of its file will be.
    rows
        What a row is, and why.
    currency
        The currency and why; empty where a column gives it.
    writing
        How dates, months and numbers are written where the values do not prove it, and the shape of the table.
    columns
        What each of our columns is made of, as YAML has it, and why.
    questions
        What is open, the first one to be asked first.
    left, left_behind
        Why each heading is not read, and those that mean one of our columns, or ``?``.
    answers
        Those that were given, by key.
    unasked
        The keys of those that nothing asks, which have no effect.
    """

    name: str
    about: str
    rows: tuple[str, str]
    currency: tuple[str, str]
    writing: Mapping[str, Any]
    columns: Mapping[str, tuple[Any, str]]
    questions: Sequence[Question]
    left: Mapping[str, str]
    left_behind: Sequence[str]
    answers: Mapping[str, str]
    unasked: Sequence[str]

    @property
    def text(self) -> str:
        """The mapping as YAML, with the reasons and the open questions as comments."""
        asked = {question.key: question for question in self.questions}
        lines = [f"# {self.about}", *([f"# answers: {yaml.flow(dict(self.answers))}"] if self.answers else [])]
        lines.append(f"title: {yaml.flow(self.name)}")
        lines.append(f"rows: {self.rows[0]}  # {self.rows[1]}")
        if self.currency[0]:
            lines += [
                *_comments(asked, "currency", ""),
                f"currency: {yaml.flow(self.currency[0])}  # {self.currency[1]}",
            ]
        for key, value in self.writing.items():
            lines += [*_comments(asked, key, ""), f"{key}: {yaml.flow(value)}"]
        if self.left_behind:
            behind = self.left_behind if isinstance(self.left_behind, str) else list(self.left_behind)
            lines += [*_comments(asked, "left_behind", ""), f"left_behind: {yaml.flow(behind)}"]
        lines.append("columns:")
        for name, (value, reason) in self.columns.items():
            lines += [*_comments(asked, name, "  "), f"  {name}: {yaml.flow(value)}  # {reason}"]
        lines += [f"# {heading} stays behind: {why}" for heading, why in self.left.items()]
        return "".join(f"{visible(line)}\n" for line in lines)

    def save(self, replace: bool = False) -> Path:
        """Write the mapping into params/mappings, and return where it is.

        Raises
        ------
        InputError
            When there is one of that name that waits for no answer, and it is not to be replaced.
        """
        path = mappings.path_of(self.name)
        if path.exists() and not (replace or mappings.is_open(self.name)):
            raise InputError(
                f"{project.display_path(path)} is there: give another NAME, or replace it with REPLACE=1 or --replace"
            )
        path.write_text(self.text, encoding="utf-8")
        return path


def _comments(asked: Mapping[str, Question], name: str, indent: str) -> list[str]:
    """Return the questions at a key as comments."""
    return [f"{indent}# ? {question}" for key, question in asked.items() if key.split(".")[0] == name]


def waiting(name: str) -> tuple[str, dict[str, str]] | None:
    """Return the text of a draft that waits for answers, and those that it was given; None: there is none."""
    return written(name) if mappings.is_open(name) else None


def written(name: str) -> tuple[str, dict[str, str]]:
    """Return the text of a mapping, and the answers that it was drafted with."""
    text = mappings.path_of(name).read_text(encoding="utf-8")
    found = ANSWERS.search(text)
    return text, listed(found[1]) if found else {}


def differences(former: str, new: str) -> list[str]:
    """Return the keys, and our columns, that the texts of two mappings have otherwise."""
    one, other = ({**mapping.pop("columns", {}), **mapping} for mapping in map(yaml.parse, (former, new)))
    return [key for key in dict.fromkeys((*one, *other)) if one.get(key) != other.get(key)]


def listed(text: str) -> dict[str, str]:
    """Return answers by their keys, of a text with braces around them, as YAML and JSON write them.

    Raises
    ------
    InputError
        When it is none.
    """
    wrong = InputError(f"{text} is not a list of answers: write {{KEY: VALUE}}, such as {{currency: INR}}")
    try:
        found = yaml.parse(text)
    except YAMLError as error:
        raise wrong from error
    if any(answer is None or isinstance(answer, (list, dict)) for answer in found.values()):
        raise wrong
    return {str(key): str(answer) for key, answer in found.items()}
