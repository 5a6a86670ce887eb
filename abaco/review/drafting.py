"""Drafting a mapping of a stranger's file: what is proposed, asked and left behind, and what its report would say."""

import shlex
import tempfile
from collections.abc import Container, Iterator, Mapping
from pathlib import Path
from typing import Any

from abaco.core import project, yaml
from abaco.core.errors import AbacoError, InputError
from abaco.core.people import may_name
from abaco.core.quoting import EMAIL, HIDDEN, PHONE, shown
from abaco.core.text import aligned, counted
from abaco.engines.duckdb import DuckDB
from abaco.ingest import (
    amount_proofs,
    discovery,
    drafter,
    drafts,
    heading_words,
    mappings,
    proposals,
    recognition,
    unmapped,
    value_evidence,
)
from abaco.ingest.columns import LOAN_ID, normalise
from abaco.ingest.drafts import Draft
from abaco.ingest.questions import Question, labels
from abaco.ingest.value_evidence import Evidence
from abaco.ingest.value_kinds import TEXT
from abaco.ingest.write_offs import is_known_status
from abaco.review import check, terminal

EXAMPLES = 2


def given(text: str) -> dict[str, str]:
    """Return answers by their keys, of a text with semicolons between them, or as a draft lists them in braces.

    Examples
    --------
    >>> given("currency=INR; days_past_due.blank=0")
    {'currency': 'INR', 'days_past_due.blank': '0'}
    >>> given('{outstanding_balance: "Balance; $m"}')
    {'outstanding_balance': 'Balance; $m'}
    """
    if text.lstrip().startswith("{"):
        return drafts.listed(text)
    answers: dict[str, str] = {}
    for one in filter(None, map(str.strip, text.split(";"))):
        key, _, value = map(str.strip, one.partition("="))
        if not (key and value):
            raise InputError(f"{one} is not an answer: write KEY=VALUE, such as currency=INR")
        if answers.setdefault(key, value) != value:
            raise InputError(f"{key} is answered by {answers[key]} and by {value}: give one of them")
    return answers


def _place(path: Path) -> str:
    """Return a file as a command takes it."""
    return shlex.quote(project.display_path(path))


def going_on(path: Path, date: str | None, rows: str) -> str:
    """Return the commands that use a mapping of a file of such rows, in half a sentence."""
    day = date or ("YYYY-MM-DD" if rows in ("loan", "invoice") else "")
    given = f"INPUT={_place(path)}{day and f' DATE={day}'}"
    return f"make check {given} shows its figures, and make report {given} makes the report"


def _reading(path: Path) -> list[str]:
    """Return the mappings that read a file already."""
    try:
        found, _ = discovery.discover(path)
    except InputError:
        return []
    return [source.mapping_name for source in found]


class Drafting:
    """The drafting of one mapping: the table is read once, and drafted again with each answer.

    Parameters
    ----------
    path
        The file.
    name
        What to call the mapping; by default as the file.
    answers
        What is known already, by key (see `drafts.draft`).
    """

    def __init__(self, path: Path, name: str | None = None, answers: Mapping[str, str] | None = None):
        self.path, self.name = path, normalise(name or shown(path.name.split(".")[0], is_known=False)) or "draft"
        self.answers, self.notes = dict(answers or {}), []
        self.words = heading_words.load()
        with DuckDB() as engine:
            self._table = unmapped.open_table(path, self.words, engine)
            self.evidence = value_evidence.examine(self._table, engine)
            self._table = value_evidence.of_loans(self._table, self.evidence, self.words)
            if self._table.left_out:
                self.evidence = value_evidence.examine(self._table, engine)
            self._proof = amount_proofs.prove(self._table, self.evidence, self.words, engine)
        self.draft = self._drafted(self.answers)

    @classmethod
    def resumed(
        cls, path: Path, name: str | None = None, answers: Mapping[str, str] | None = None, date: str | None = None
    ) -> "Drafting":
        """Return the drafting of a mapping whose draft may wait for answers: the former ones still count.

        Parameters
        ----------
        date
            The one that figures are asked of, for the way out of a refusal.

        Raises
        ------
        InputError
            When a mapping reads the file already, or the draft is not as it was written: then it is of another file,
            or was edited.
        """
        drafting = cls(path, name)
        for read_by in _reading(path):
            mapping = mappings.load(read_by)
            way_out = "REPLACE=1 or --replace drafts another one" if mapping.is_known else (
                f"make map INPUT={_place(path)} NAME={read_by} REPLACE=1 drafts it again with the same answers"
            )  # fmt: skip
            raise InputError(
                f"{shown(path.name)} is read by {mappings.FOLDER}/{read_by}.yml already: "
                f"{going_on(path, date, mapping.rows)}; {way_out}"
            )
        if found := drafts.waiting(drafting.name):
            text, drafting.answers = found
            place = project.display_path(mappings.path_of(drafting.name))
            try:
                is_same = drafting._drafted().text == text
            except InputError:  # an answer has no question any more
                is_same = False
            if not is_same:
                raise InputError(
                    f"{place} waits for answers, and is not as it was drafted from this file: write the answers over "
                    "its question marks, or draft it again with REPLACE=1 or --replace"
                )
        return drafting.with_answers(answers or {})

    @classmethod
    def replaced(cls, path: Path, name: str | None = None, answers: Mapping[str, str] | None = None) -> "Drafting":
        """Return a new drafting of a mapping; if the former one reads the file, its answers still count."""
        drafting = cls(path, name)
        if drafting.name in _reading(path):
            text, drafting.answers = drafts.written(drafting.name)
            told = "; ".join(f"{key}={answer}" for key, answer in drafting.answers.items())
            try:
                edited = drafts.differences(text, drafting._drafted().text)
            except InputError as error:
                drafting.notes, drafting.answers = [f"The former answers ({told}) do not count: {error}."], {}
            else:
                drafting.notes = [f"The former answers count: {told}."] if told else []
                if edited:
                    drafting.notes.append(f"Edited by hand before, and not in this draft: {', '.join(edited)}.")
        return drafting.with_answers(answers or {})

    def with_answers(self, answers: Mapping[str, str]) -> "Drafting":
        """Draft again with more answers."""
        self.answers |= answers
        self.draft = self._drafted(answers)
        return self

    def _drafted(self, new: Container[str] = ()) -> Draft:
        """Return the draft; of its answers the new ones may be none that nothing asks, and others have no effect."""
        found = drafter.draft(self.name, self._table, self.evidence, self.words, self.answers, self._proof)
        if unasked := [key for key in found.unasked if key in new]:
            keys = ", ".join(question.key for question in found.questions) or "none"
            raise InputError(f"{unasked[0]} is not an open question: write one of {keys}, or one of our columns")
        return found

    def answer(self, key: str, value: str) -> None:
        """Take an answer, and draft again.

        Raises
        ------
        InputError
            When it is not one that the question has; the draft stays as it is.
        """
        former = self.answers
        self.answers = former | {key: value}
        try:
            self.draft = self._drafted({key})
        except InputError:
            self.answers = former
            raise

    @property
    def questions(self) -> list[Question]:
        """What is open."""
        return list(self.draft.questions)

    def headings(self) -> list[dict[str, str]]:
        """Return one row per heading: what it gives, why, and examples without a personal value."""
        given = {}
        for column, (value, reason) in self.draft.columns.items():
            for heading in proposals.headings_of(value if isinstance(value, dict) else {"heading": value}):
                given[heading] = (column, reason)
        asked = {choice for question in self.draft.questions for choice in question.choices}
        rows = []
        for one in self.evidence:
            column, why = given.get(one.heading, ("", self.draft.left.get(one.heading, "")))
            if not column and one.heading in asked:
                column, why = "?", "asked below"
            rows.append({"heading": one.heading, "column": column or "stays behind", "why": why,
                         "examples": self._examples(one, column)})  # fmt: skip
        unnamed = {"column": "stays behind", "why": "no heading of its own", "examples": HIDDEN}
        return rows + [{"heading": f"column {place + 1}", **unnamed} for place in self._table.unnamed]

    def _examples(self, one: Evidence, column: str) -> str:
        """Return the first values, but for texts that are not known words, and what may number or name people."""
        cells = map(str.strip, self._table.cells(one.place))
        values = list(dict.fromkeys(filter(None, cells)))[:EXAMPLES]
        is_read = column in proposals.COLUMNS
        is_hidden = proposals.is_personal(one, self.words) if is_read else not proposals.may_be_shown(one, self.words)
        if is_hidden or (column == LOAN_ID.name and one.is_long):
            return HIDDEN if values else ""
        if one.kind == TEXT:
            names, is_open = labels(one), is_read or self.words.is_category(one.heading)
            values = [value if names.get(value) == value and (is_open or is_known_status(value) or not may_name(value))
                      else HIDDEN for value in values]  # fmt: skip
        return ", ".join(PHONE.sub(HIDDEN, EMAIL.sub(HIDDEN, value)) for value in values)

    def lines(self) -> Iterator[str]:
        """Yield the headings and what they give, what a row is, and the currency."""
        rows = [(row["heading"], row["column"], row["why"], row["examples"]) for row in self.headings()]
        yield from (*self.notes, *aligned([("heading", "column", "why", "examples"), *rows]))
        article = "an" if self.draft.rows[0] == "invoice" else "a"
        yield f"\nA row is {article} {self.draft.rows[0]}: {self.draft.rows[1]}."
        if self.draft.questions:
            yield from (
                hint[0].upper() + hint[1:] + "." for hint in recognition.hints(self._table.headings, self.words)
            )
        if self._table.left_out:
            yield f"Not looked at: {counted(self._table.left_out, 'row')} of totals, or without a loan's number."
        if self.draft.currency[0]:
            yield f"Currency: {self.draft.currency[0]} ({self.draft.currency[1]})."
        elif self.draft.currency[1]:
            yield f"Currency: {self.draft.currency[1]}."

    def checked(self, date: str | None, params: Any = None) -> Iterator[str]:
        """Yield the first figures and what a report with the draft would say, or why there would be none."""
        if self.draft.questions:
            yield f"{counted(len(self.draft.questions), 'question')} open: a report needs the answers first."
            return
        lines: list[str] = []
        with tempfile.TemporaryDirectory(prefix="abaco-") as folder:
            path = Path(folder) / f"{self.name}.yml"
            path.write_text(self.draft.text, encoding="utf-8")
            try:
                with mappings.trying(path):
                    figures = check.examine(self.path, date, params, lines.append, Path(folder))
                yield from [*check.headline(figures), "", *aligned(terminal.summary(figures["kpis"])), ""]
            except AbacoError as error:
                lines.append(f"A report would be refused: {error}")
        lacking = [line for line in lines if ": not computable: " in line]
        yield from (line for line in lines if line not in lacking and not line.startswith("  to see "))
        if lacking:
            figures = sum(kpi["value"] is None for kpi in figures["kpis"].values())
            told = f"{counted(figures, 'figure')} cannot be computed from this file alone"
            yield f"{told}: make check INPUT={_place(self.path)}{f' DATE={date}' if date else ''} lists them"

    def save(self, replace: bool = False) -> str:
        """Write the mapping, and return where it is (see `Draft.save`).

        Raises
        ------
        InputError
            When another mapping fits the file exactly as well: reports of both would be refused.
        """
        if not self.draft.questions:
            own = mappings.Mapping.model_validate(yaml.parse(self.draft.text))
            plain = [normalise(heading) for heading in self._table.headings]
            for name, other in recognition.load_all().items():
                is_alike = not (other.is_known or other.without_header) and len(other.signs) == len(own.signs)
                if is_alike and name != self.name and not other.lacks(plain):
                    raise InputError(
                        f"{shown(self.path.name)} fits {mappings.FOLDER}/{name}.yml as well as {self.name}, and "
                        f"reports would be refused: nothing is saved; save it as {name}, or remove {name}.yml first"
                    )
        return project.display_path(self.draft.save(replace))
