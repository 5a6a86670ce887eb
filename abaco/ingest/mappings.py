"""Mappings of params/mappings/: how a lender's files are recognised, and what their columns are on our side."""

import fnmatch
import functools
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, model_validator

from abaco.core import currencies, faults, project, yaml
from abaco.core.errors import InputError
from abaco.core.files import sha256
from abaco.ingest import heading_words, headings
from abaco.ingest.columns import (
    CURRENCY,
    DAYS_PAST_DUE,
    IS_REVERSED,
    IS_WRITTEN_OFF,
    LOAN_STATUS,
    MEASUREMENT_DATE,
    TEXTS,
    WRITTEN_OFF_ON,
    normalise,
)
from abaco.ingest.contract import Format
from abaco.ingest.formats import FORMATS
from abaco.ingest.headings import Headings as KnownHeadings
from abaco.ingest.origins import Origin, Text, check, listed
from abaco.ingest.reshaping import MONTH_HEADING, TRANSPOSED, WIDE, long_headings
from abaco.ingest.words import STRICT

FOLDER = "params/mappings"
OPEN_ANSWER = re.compile(r"""^[^#]*:\s+['"]?\?['"]?\s*(?:[,}#]|$)""", re.MULTILINE)  # a question mark for a value
# What a row is, and the formats of such rows, the one first that says most.
Rows = Literal[
    "loan", "loan and date", "date", "instalment", "payment", "invoice", "account and date", "rate", "facility and date"
]
FORMATS_OF = {
    "loan": ("loans",),
    "loan and date": ("snapshot", "par_balances", "dated_loans"),
    "date": ("snapshot", "statements_wide"),
    "instalment": ("schedules",),
    "payment": ("transactions", "payments"),
    "invoice": ("loans",),
    "account and date": ("statements",),
    "rate": ("rates",),
    "facility and date": ("drawings",),
}
# Columns that change what a balance or a payment counts as: a file that has one and a mapping that does not know it are
# refused, where other columns are told.
WEIGHTY = {
    c.name
    for c in (CURRENCY, DAYS_PAST_DUE, IS_REVERSED, IS_WRITTEN_OFF, LOAN_STATUS, MEASUREMENT_DATE, WRITTEN_OFF_ON)
}
_tried: ContextVar[Path | None] = ContextVar("tried", default=None)


Sign = Annotated[list[Text], BeforeValidator(listed)]
Words = Annotated[list[Text], BeforeValidator(listed)]


class Mapping(BaseModel):
    """One file of params/mappings/.

    `recognise` are the headings or our columns by which a file is known, a list where one of several will do; by
    default all that the columns read. With ``headings: known``, columns that are not listed go by params/headings.yml.
    `dates`, `months`, `decimal_mark` and `not_late` say how values are written, as the settings of these names do for
    all files. `sheet` (a pattern of its name) and `header_row` say where the table is, `transposed` that its headings
    stand in a column, and `wide` that it has columns for each month (see `reshaping`). `rows_to_leave_out` has the
    values, by our columns, of rows that are not loans.
    `left_behind` has the headings that are not read though they mean one of our columns (see `unmentioned`).
    The columns of a file without a header go by their number, from 1, and it is known by its name (`without_header`).
    """

    model_config = STRICT
    title: Text
    rows: Rows
    headings: Literal["known"] | None = None
    without_header: Text | None = None
    recognise: list[Sign] = Field(default_factory=list)
    currency: Text | None = None
    dates: Literal["ymd", "dmy", "mdy"] | None = None
    months: Literal["first", "last"] | None = None
    decimal_mark: Literal["point", "comma"] | None = None
    not_late: Literal["blank", "negative", "both"] | None = None
    sheet: Text | None = None
    header_row: int | None = Field(None, ge=1)
    transposed: bool = False
    wide: bool = False
    rows_to_leave_out: dict[Text, Words] = Field(default_factory=dict)
    left_behind: Words = Field(default_factory=list)
    columns: dict[str, Origin] = Field(default_factory=dict)

    @property
    def is_known(self) -> bool:
        """Whether it reads by the known headings, too."""
        return self.headings == "known"

    @functools.cached_property
    def format(self) -> Format:
        """The contract that its rows keep: of those of such rows the first that has all of its columns."""
        named = {*self.columns, *(name for sign in self.recognise for name in sign if self.is_known)}
        fits = [f for f in self._formats if named <= {c.name for c in f.columns} and not self._lacks(f)]
        return fits[0]

    @functools.cached_property
    def known(self) -> KnownHeadings:
        """The known headings of its columns, with its own."""
        own = {name: origin.heading for name, origin in self.columns.items() if origin.heading}
        return KnownHeadings(self.format, {**headings.load(), **headings.own(own)})

    @property
    def _formats(self) -> list[Format]:
        return [FORMATS[name] for name in FORMATS_OF[self.rows]]

    def _lacks(self, format_: Format) -> list[str]:
        return [] if self.is_known else [name for name in format_.needs if name not in self.columns]

    @model_validator(mode="after")
    def _check(self) -> "Mapping":
        known = {c.name: c for f in self._formats for c in f.columns}
        for name, origin in self.columns.items():
            if name not in known:
                dated = "write rows: loan and date, or leave it out; " if name == MEASUREMENT_DATE.name else ""
                raise ValueError(
                    f"columns: {name} is not a column of a {self.rows}: {dated}write one of {', '.join(known)}"
                )
            check(known[name], origin)
        if all(map(self._lacks, self._formats)):
            lacking = min(map(self._lacks, self._formats), key=len)
            raise ValueError(f"columns: a {self.rows} also needs {', '.join(lacking)}")
        if not self.is_known and not any(origin.headings for origin in self.columns.values()):
            raise ValueError("columns: none of them is read from the file: give a heading")
        if self.without_header and (self.is_known or self.recognise or not all(map(str.isdigit, self._read))):
            raise ValueError("the columns of a file without a header are numbers, from 1, and it has no headings")
        if self.currency is not None and currencies.code(self.currency) is None:
            raise ValueError(f"currency: {self.currency} is not a code of ISO 4217: write one such as USD")
        for name in self.rows_to_leave_out:
            if name not in self.columns or not self.columns[name].heading or known[name].personal:
                raise ValueError(
                    f"rows_to_leave_out: {name} has no heading under columns, or is personal: name another"
                )
        read = {*map(normalise, self._read)}
        if twice := next((heading for heading in self.left_behind if normalise(heading) in read), None):
            raise ValueError(f"left_behind: {twice} is read: leave it out here, or under columns")
        if self.wide and MONTH_HEADING not in self._read:
            raise ValueError(f"columns: none is read from {MONTH_HEADING}, the months in the headings of a wide table")
        if sum(origin.cell is not None for origin in self.columns.values()) > 1:
            raise ValueError("columns: more than one is a cell: keep the one that is the measurement date")
        return self

    @property
    def cell(self) -> str | None:
        """The cell that has the date of its rows."""
        return next((origin.cell for origin in self.columns.values() if origin.cell), None)

    @property
    def shape(self) -> str:
        """What shape its tables have that are not a row per record (see `reshaping`)."""
        return TRANSPOSED if self.transposed else WIDE if self.wide else ""

    def is_at(self, sheet: str | None, line: int, is_column: bool) -> bool:
        """Return whether its header may stand there.

        Parameters
        ----------
        sheet
            The name of the sheet, of a workbook.
        line
            The line of a header, or its column, of a transposed table.
        """
        is_sheet = self.sheet is None or (sheet is not None and fnmatch.fnmatch(sheet.lower(), self.sheet.lower()))
        return is_sheet and self.header_row in (None, line) and self.transposed == is_column

    @property
    def signs(self) -> list[list[str]]:
        """The headings or columns by which a file is known, each with those that will do as well."""
        if self.recognise:
            return self.recognise
        if self.is_known:
            return [[name] for name in self.format.required]
        return [any_of for origin in self.columns.values() for any_of in origin.headings]

    def is_of(self, file: str, cells: Sequence[str]) -> bool:
        """Return whether a file without a header is of this mapping, by its name and its first row."""
        is_named = self.without_header and fnmatch.fnmatch(file.rpartition("/")[2].lower(), self.without_header.lower())
        return bool(is_named) and len(cells) >= max(map(int, self._read))

    @property
    def mentioned(self) -> set[str]:
        """The headings that it reads or leaves behind, normalised."""
        return {*map(normalise, (*self._read, *self.left_behind))}

    @property
    def _read(self) -> list[str]:
        """All headings that its columns are read from."""
        return [name for origin in self.columns.values() for any_of in origin.headings for name in any_of]

    def unmentioned(self, headings: Sequence[str]) -> dict[str, list[str]]:
        """Return which headings mean columns of ours that it neither reads nor leaves behind, and these columns.

        Beside another heading of the same column only figures and dates count.
        """
        if self.is_known:
            return {}
        kinds = {column.name: column.kind for column in self.format.columns}
        if self.rows in ("loan", "invoice"):
            kinds |= {MEASUREMENT_DATE.name: MEASUREMENT_DATE.kind}
        wanted = {name for name, kind in kinds.items() if name not in self.columns or kind not in TEXTS}
        words, known = heading_words.load(), self.mentioned
        meant = {h: {*words.columns_of(h), *self.known.present([normalise(h)])} for h in headings
                 if normalise(h) not in known}  # fmt: skip
        return {heading: sorted(names & wanted) for heading, names in meant.items() if names & wanted}

    def lacks(self, headings: list[str]) -> list[str]:
        """Return which of its signs some headings, normalised, do not have.

        Of those of a known format, these are our names of the columns.
        """
        headings = (long_headings(headings) or headings) if self.wide else headings
        present = {*map(normalise, headings), *(self.known.present(headings) if self.is_known else ())}
        return [" or ".join(sign) for sign in self.signs if present.isdisjoint(map(normalise, sign))]


@contextmanager
def trying(path: Path) -> Iterator[None]:
    """Read a mapping from elsewhere, as if it were in params/mappings, for the length of a ``with`` block."""
    token = _tried.set(path)
    try:
        yield
    finally:
        _tried.reset(token)


def path_of(name: str) -> Path:
    """Return where a mapping is."""
    tried = _tried.get()
    return tried if tried and tried.stem == name else project.root() / FOLDER / f"{name}.yml"


def digest(name: str) -> str:
    """Return the hash of a mapping; "" where it is gone."""
    path = path_of(name)
    return sha256(path) if path.is_file() else ""


def is_open(name: str) -> bool:
    """Return whether a mapping is a draft in which an answer is missing."""
    path = path_of(name)
    return path.is_file() and bool(OPEN_ANSWER.search(path.read_text(encoding="utf-8", errors="replace")))


def load(name: str) -> Mapping:
    """Return a mapping by its name, which is that of its file.

    Raises
    ------
    InputError
        Naming the file, the key, the value and what is allowed.
    """
    path = path_of(name)
    return _load(path, digest(name), sha256(project.root() / headings.FILE))


@functools.lru_cache
def _load(path: Path, *_: str) -> Mapping:
    """Return the mapping in a file, which is parsed once: the others are the hashes of what it depends on."""
    try:
        return Mapping.model_validate(yaml.read_yaml(path))
    except ValidationError as error:
        first = error.errors()[0]
        key = faults.place(first)
        raise InputError(f"{project.display_path(path)}: {_said(key, first)}") from error


def _said(key: str, error: Any) -> str:
    """Return one line about a mistake: the key, the value, and what is allowed."""
    text, value = faults.remedy(error), error["input"]
    if error["type"] == "extra_forbidden":
        model = Origin if key.startswith("columns.") else Mapping
        return f"{key} is not a key of a mapping: write one of {', '.join(model.model_fields)}"
    if error["type"] == "literal_error" and key == "rows":
        return f"rows is {value!r}: write one of {', '.join(get_args(Rows))}"
    if error["type"] == "missing":
        return f"{key} is missing: write it"
    shown = f" is {value!r}" if isinstance(value, (str, int, float)) else ""
    return f"{key}{shown}: {text}" if key else text


def names() -> list[str]:
    """Return the names of all mappings."""
    tried = _tried.get()
    return sorted({path.stem for path in (*(project.root() / FOLDER).glob("*.yml"), *([tried] if tried else ()))})
