"""Answers to the questions of a draft: those that are given, those that are open, and those that nothing asks."""

import re
from collections.abc import Mapping

from abaco.core.errors import InputError
from abaco.ingest.columns import MEASUREMENT_DATE
from abaco.ingest.proposals import COLUMNS
from abaco.ingest.questions import Question

# Keys that are asked only when columns are known.
LATER = ("dates", "months", "decimal_mark", "currency", "left_behind", *COLUMNS)
# Answers that take the date of the balances from no column.
ELSEWHERE = re.compile(r"file_name|folder|cell [A-Z]+\d+(?: [ymd]{3})?|\d{4}-\d{2}-\d{2}")


class Answers:
    """Asks for what is not proven.

    Parameters
    ----------
    answers
        Those that were given, by key.
    """

    def __init__(self, answers: Mapping[str, str]):
        self.answers, self.questions, self.used = answers, [], {"rows", "currency", *COLUMNS}

    @property
    def is_date_elsewhere(self) -> bool:
        """Whether an answer takes the date of the balances from no column."""
        return bool(ELSEWHERE.fullmatch(self.answers.get(MEASUREMENT_DATE.name, "")))

    def ask(self, question: Question) -> str | None:
        """Return the answer to a question, which is open without one."""
        self.used.add(question.key)
        answer = self.answers.get(question.key)
        if answer is None:
            self.questions.append(question)
        return answer

    def choice(self, question: Question) -> str | None:
        """Return the answer to a question that has no others than its choices."""
        answer = self.ask(question)
        if answer is not None and answer not in question.choices:
            raise InputError(f"{question.key}={answer}: write one of {', '.join(question.choices)}")
        return answer

    def settle(self, key: str, value: str, place: str) -> str:
        """Return what a place in the file says, which needs no question; an answer that agrees has no effect.

        Raises
        ------
        InputError
            When an answer contradicts, unless another question has the same key.
        """
        answer = self.answers.get(key, value)
        if answer != value and key not in self.used:
            raise InputError(f"{key}={answer}: {place} says {value}: leave the answer out, or correct the file")
        self.used.add(key)
        return value

    def unasked(self) -> list[str]:
        """Return the answers that nothing asks, but for those that may wait for the answer to another question."""
        later = LATER if self.questions else ()
        return [key for key in self.answers if key not in self.used and key.split(".")[0] not in later]
