"""Mappings of params/mappings/: how a lender's files are recognised, and what their columns are on our side."""

import datetime as dt
import functools
import re
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Annotated, Any, Literal, get_args

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, model_validator

from abaco.core import currencies, project, yaml
from abaco.core.dates import parse_date
from abaco.core.errors import InputError
from abaco.core.files import sha256
from abaco.ingest import headings, lateness
from abaco.ingest.columns import Column, normalise
from abaco.ingest.contract import Format
from abaco.ingest.formats import FORMATS
from abaco.ingest.formulas import Formula
from abaco.ingest.headings import Headings as KnownHeadings
from abaco.ingest.words import STRICT

FOLDER = "params/mappings"
# What a row is, and the formats of such rows, the one first that says most.
Rows = Literal["loan", "loan and date", "date", "instalment", "payment", "invoice", "account and date"]
FORMATS_OF = {
    "loan": ("loans",),
    "loan and date": ("snapshot", "par_balances", "dated_loans"),
    "date": ("snapshot", "statements_wide"),
    "instalment": ("schedules",),
    "payment": ("transactions", "payments"),
    "invoice": ("loans",),
    "account and date": ("statements",),
}
# Ways to say where a column comes from, of which it has one.
ORIGINS = ("heading", "compute", "since", "constant", "file_name", "folder")
PLACES = {"year": r"(?P<year>(?:19|20)\d\d)", "month": r"(?P<month>0[1-9]|1[0-2])", "day": r"(?P<day>[0-3]\d)"}


def _text(value: Any) -> Any:
    """Return a number or date of YAML as it is written; yes and no, which YAML takes for truth, are refused."""
    if isinstance(value, bool):
        raise ValueError('is yes or no to YAML: write it in quotes, such as "No"')
    return value if isinstance(value, (list, dict)) else str(value)


Text = Annotated[str, BeforeValidator(_text)]


def _listed(value: Any) -> Any:
    return value if isinstance(value, list) else [value]


Headings = Annotated[list[Text], BeforeValidator(_listed), Field(min_length=1)]


class Origin(BaseModel):
    """Where one of our columns comes from, and how its values are written.

    A bare text or list is short for `heading`: of several headings the first that a file has is read. `compute` is a
    sum of headings (see `formulas`), `since` the heading of a due date, from which days are counted, and `constant` a
    value of every row; `file_name` and `folder` are patterns with the ``{year}``, ``{month}`` and ``{day}`` of a date.
    `words` says what words of the file are on our side, such as 31 for "Late (31-60 days)"; "" is an empty cell.
    `as` and `per` are those of rates, `unit` that of days, a month of 30, and `sign` that of amounts.
    """

    model_config = STRICT
    heading: Headings | None = None
    compute: Text | None = None
    since: Text | None = None
    constant: Text | None = None
    file_name: Text | None = None
    folder: Text | None = None
    words: dict[Text, Text] = Field(default_factory=dict)
    as_: Literal["fraction", "percent"] | None = Field(None, alias="as")
    per: Literal["year", "month"] = "year"
    sign: Literal["as written", "reversed"] = "as written"
    unit: Literal["days", "months"] = "days"

    @model_validator(mode="before")
    @classmethod
    def _short(cls, value: Any) -> Any:
        return value if isinstance(value, dict) else {"heading": value}

    @model_validator(mode="after")
    def _one(self) -> "Origin":
        given = [name for name in ORIGINS if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(f"give one of {', '.join(ORIGINS)}, and not {' and '.join(given) or 'none'}")
        if self.words and self.heading is None:
            raise ValueError("words are those of a column: give its heading")
        return self

    @property
    def factor(self) -> Decimal:
        """What numbers are multiplied by, but for per cent with a sign."""
        reversed_ = -1 if self.sign == "reversed" else 1
        return Decimal(reversed_ * (12 if self.per == "month" else 1) * (30 if self.unit == "months" else 1))

    @property
    def first_days(self) -> tuple[int, ...]:
        """The first days of the buckets that words or months of days past due stand for; empty where they are days.

        A word for 0 days alone is no bucket: "Current" beside numbers.
        """
        words = {int(meaning) for meaning in self.words.values() if meaning}
        buckets = (words if any(words) else set()) | set(lateness.MONTHS if self.unit == "months" else ())
        return tuple(sorted(buckets))

    @property
    def formula(self) -> Formula | None:
        """What is computed of several headings."""
        return Formula.parse(self.compute) if self.compute is not None else None

    @property
    def headings(self) -> list[list[str]]:
        """The headings that are read, each with those that may stand in its place."""
        if self.formula:
            return [[heading] for heading in self.formula.headings]
        return [self.heading or [self.since]] if self.heading or self.since else []


Sign = Annotated[list[Text], BeforeValidator(_listed)]


class Mapping(BaseModel):
    """One file of params/mappings/.

    `recognise` are the headings or our columns by which a file is known, a list where one of several will do; by
    default all that the columns read. With ``headings: known``, columns that are not listed go by params/headings.yml.
    """

    model_config = STRICT
    title: Text
    rows: Rows
    headings: Literal["known"] | None = None
    recognise: list[Sign] = Field(default_factory=list)
    currency: Text | None = None
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
                raise ValueError(f"columns: {name} is no column of a {self.rows}: write one of {', '.join(known)}")
            _check_origin(known[name], origin)
        if all(map(self._lacks, self._formats)):
            lacking = min(map(self._lacks, self._formats), key=len)
            raise ValueError(f"columns: a {self.rows} also needs {', '.join(lacking)}")
        if not self.is_known and not any(origin.headings for origin in self.columns.values()):
            raise ValueError("columns: none of them is read from the file: give a heading")
        if self.currency is not None and currencies.code(self.currency) is None:
            raise ValueError(f"currency: {self.currency} is no code of ISO 4217: write one such as USD")
        return self

    @property
    def signs(self) -> list[list[str]]:
        """The headings or columns by which a file is known, each with those that will do as well."""
        if self.recognise:
            return self.recognise
        if self.is_known:
            return [[name] for name in self.format.required]
        return [any_of for origin in self.columns.values() for any_of in origin.headings]

    def lacks(self, headings: list[str]) -> list[str]:
        """Return which of its signs some headings, normalised, do not have.

        Of those of a known format, these are our names of the columns.
        """
        present = {*headings, *(self.known.present(headings) if self.is_known else ())}
        return [" or ".join(sign) for sign in self.signs if present.isdisjoint(map(normalise, sign))]


def _check_origin(column: Column, origin: Origin) -> None:
    """Raise when a column cannot come from where a mapping says."""
    if column.personal and (origin.heading is None or origin.words):
        raise ValueError(f"columns: {column.name} is personal, and masked as it is read: give its heading only")
    if origin.formula and column.kind not in ("amount", "rate", "days"):
        raise ValueError(f"columns: {column.name} is not a number: give its heading")
    for key, kind in (("as_", "rate"), ("per", "rate"), ("unit", "days"), ("sign", "amount")):
        if column.kind != kind and getattr(origin, key) != Origin.model_fields[key].default:
            raise ValueError(f"columns: {column.name} is no {kind}: leave out {key.rstrip('_')}")
    if origin.since is not None and column.kind != "days":
        raise ValueError(f"columns: {column.name} is no number of days: give its heading")
    for meaning in (*origin.words.values(), *([origin.constant] if origin.constant is not None else ())):
        if meaning:
            value_of(meaning, column.kind, column.name)
    for key in ("file_name", "folder"):
        pattern = getattr(origin, key)
        if pattern is not None and (column.kind != "date" or "{year}" not in pattern or "{month}" not in pattern):
            raise ValueError(f"columns: {column.name}: {key} gives dates, by {{year}}, {{month}} and {{day}}")


def path_of(name: str) -> Path:
    """Return where a mapping is."""
    return project.root() / FOLDER / f"{name}.yml"


def digest(name: str) -> str:
    """Return the hash of a mapping; "" where it is gone."""
    path = path_of(name)
    return sha256(path) if path.is_file() else ""


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
        key = ".".join(str(part) for part in first["loc"])
        raise InputError(f"{project.display_path(path)}: {_said(key, first)}") from error


def _said(key: str, error: Any) -> str:
    """Return one line about a mistake: the key, the value, and what is allowed."""
    text, value = error["msg"].removeprefix("Value error, "), error["input"]
    if error["type"] == "extra_forbidden":
        model = Origin if key.startswith("columns.") else Mapping
        return f"{key} is no key of a mapping: write one of {', '.join(model.model_fields)}"
    if error["type"] == "literal_error" and key == "rows":
        return f"rows is {value!r}: write one of {', '.join(get_args(Rows))}"
    if error["type"] == "missing":
        return f"{key} is missing: write it"
    shown = f" is {value!r}" if isinstance(value, (str, int, float)) else ""
    return f"{key}{shown}: {text}" if key else text


def value_of(text: str, kind: str, name: str = "") -> str | int | Decimal | dt.date:
    """Return the value of a kind (see `columns.KINDS`) that a mapping writes out.

    Raises
    ------
    ValueError
        Naming the column and what is allowed.
    """
    try:
        if kind == "date":
            return parse_date(text)
        if kind == "days":
            return int(text)
        return Decimal(text) if kind in ("amount", "rate") else text
    except (InputError, ValueError, InvalidOperation):
        form = {"date": "a date, YYYY-MM-DD", "days": "a whole number"}.get(kind, "a number, with a decimal point")
        raise ValueError(f"columns: {name}: {text!r} is not {form}") from None


def names() -> list[str]:
    """Return the names of all mappings."""
    return sorted(path.stem for path in (project.root() / FOLDER).glob("*.yml"))


def date_in(pattern: str, text: str) -> tuple[int, int, int | None] | None:
    """Return year, month and day (None: not said) that a text has at the places of a pattern.

    Examples
    --------
    >>> date_in("loans_{year}-{month}", "loans_2025-11.csv"), date_in("{year}{month}{day}", "no date")
    ((2025, 11, None), None)
    """
    parts = re.split(r"(\{(?:year|month|day)\})", pattern)
    found = re.search("".join(PLACES[part[1:-1]] if part[:1] == "{" else re.escape(part) for part in parts), text)
    if found is None:
        return None
    day = found.groupdict().get("day")
    return int(found["year"]), int(found["month"]), day and int(day)
