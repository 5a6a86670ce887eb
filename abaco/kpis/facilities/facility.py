"""A facility as params/facilities.yml describes it: pledged loans, criteria, limits, rates, reserves, cash, drawn."""

import datetime as dt
import unicodedata
from decimal import Decimal
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field, ValidationError, field_validator, model_validator

from abaco.core import currencies, faults, project, yaml
from abaco.core.errors import InputError
from abaco.kpis import catalog
from abaco.kpis.facilities.conditions import OBLIGORS, STRICT, Condition, Criterion, Name, Words, exact, kind_of, plain
from abaco.kpis.facilities.covenant import Covenant

Amount = Annotated[Decimal, BeforeValidator(exact), Field(ge=0, max_digits=18, decimal_places=2)]
OTHERWISE = "otherwise"
Percent = Annotated[Decimal, BeforeValidator(exact), Field(ge=0, le=100, decimal_places=6)]


class Limit(BaseModel):
    """A concentration limit: what each value of a column may hold, or the largest together, or loans of a kind."""

    model_config = STRICT
    column: str | None = None
    one_of: Words | None = None
    largest: int | None = Field(default=None, ge=1, le=1000)
    when: Condition | None = None
    at_most: Amount | None = None
    at_most_pct: Percent | None = None

    @model_validator(mode="after")
    def _fits(self):
        if (self.at_most is None) == (self.at_most_pct is None):
            raise ValueError("needs one of at_most, an amount, and at_most_pct, a share of the eligible pool")
        if self.column is None and self.when is None:
            raise ValueError("needs a column, such as borrower, or when, a condition")
        if self.column is None and (self.one_of or self.largest):
            raise ValueError("one_of and largest need a column")
        if self.column is not None and kind_of(self.column) not in ("text", "obligor"):
            raise ValueError(f"column: {self.column} is not text: limit the loans that a condition `when` is true of")
        if self.one_of and self.column in OBLIGORS:
            raise ValueError(f"one_of: nobody is named here: leave it out, and each {self.column} is limited")
        return self

    @property
    def columns(self) -> set[str]:
        """The columns that it reads."""
        return ({self.column} if self.column else set()) | (self.when.columns if self.when else set())


def _in_per_cent(rate: Decimal | None) -> Decimal | None:
    """Return a rate that is surely in per cent: 0.85 may be 85 %."""
    if rate is not None and 0 < rate <= 1:
        raise ValueError(f"{rate} may be {rate} % or {(rate * 100).normalize():f} %: write per cent, such as 85")
    return rate


class AdvanceRate(BaseModel):
    """What is lent against net eligible loans, in per cent: one rate, or one by the values of a column."""

    model_config = STRICT
    rate: Percent | None = None
    column: str | None = None
    rates: dict[str, Percent] = Field(default_factory=dict)
    otherwise: Percent | None = None

    @field_validator("rate", "rates", "otherwise")
    @classmethod
    def _is_in_per_cent(cls, rates):
        for rate in rates.values() if isinstance(rates, dict) else [rates]:
            _in_per_cent(rate)
        return rates

    @model_validator(mode="after")
    def _fits(self):
        if twice := sorted(name for name in self.rates if sum(plain(name) == plain(n) for n in self.rates) > 1):
            raise ValueError(f"rates: {' and '.join(twice)} are one class: keep one")
        if OTHERWISE in map(plain, self.rates):
            raise ValueError("otherwise is not a class: write it beside rates")
        if self.rate is None and not (self.column and self.rates):
            raise ValueError("needs a number, or a column and rates by its values")
        if self.rate is not None and (self.column or self.rates or self.otherwise is not None):
            raise ValueError("rate stands alone: leave column, rates and otherwise out")
        if self.column and kind_of(self.column) != "text":
            raise ValueError(f"column: {self.column} is not a text, so it has no classes")
        return self

    @property
    def by_class(self) -> dict[str, Percent]:
        """The rates by class, see `plain`."""
        return {plain(name): rate for name, rate in self.rates.items()}


class Reserve(BaseModel):
    """What is kept back: an amount, or a share of the net eligible balance."""

    model_config = STRICT
    amount: Amount | None = None
    pct: Percent | None = None

    @model_validator(mode="after")
    def _is_one(self):
        if (self.amount is None) == (self.pct is None):
            raise ValueError("needs one of amount and pct")
        return self


def _short(key: str) -> BeforeValidator:
    """Let a value stand for a mapping with that one key."""
    return BeforeValidator(lambda value: value if isinstance(value, dict) else {key: value})


class Facility(BaseModel):
    """One facility of params/facilities.yml, whose comments explain each key."""

    model_config = STRICT
    title: Name
    lender: Name
    currency: str
    commitment: Amount
    begins: dt.date = Field(alias="from")
    ends: dt.date = Field(alias="to")
    pledged: Literal["all", "by_column"]
    called: Words | None = None
    eligibility: dict[Name, Criterion] = Field(default_factory=dict)
    limits: dict[Name, Limit] = Field(default_factory=dict)
    share_of: Literal["eligible", "net_eligible"] = "eligible"
    advance_rate: Annotated[AdvanceRate, _short("rate")]
    reserves: dict[Name, Annotated[Reserve, _short("amount")]] = Field(default_factory=dict)
    cash_rate: Percent = Decimal(0)
    cash: Amount | None = None
    drawn: Amount | None = None
    covenants: dict[Name, Covenant] = Field(default_factory=dict)

    @field_validator("cash_rate")
    @classmethod
    def _counts_in_per_cent(cls, rate):
        return _in_per_cent(rate)

    @model_validator(mode="after")
    def _fits(self):
        if currencies.code(self.currency) != self.currency:
            raise ValueError(f"currency: {self.currency} is not a code of ISO 4217: write one such as USD")
        if self.ends < self.begins:
            raise ValueError(f"to: {self.ends} is before from, {self.begins}")
        return self

    @property
    def columns(self) -> set[str]:
        """The columns of loans that it reads beside balance and date."""
        read = set().union(*(part.columns for part in (*self.eligibility.values(), *self.limits.values())))
        return read | ({self.advance_rate.column} if self.advance_rate.column else set())

    @property
    def counts_obligors(self) -> bool:
        """Whether it reads who owes a loan."""
        return bool(self.columns & set(OBLIGORS))

    def names(self, key: str) -> set[str]:
        """Return what it is called in columns of facilities, see `plain`."""
        return {plain(name) for name in self.called or (key,)}

    def is_open(self, day: dt.date) -> bool:
        """Return whether it runs on a day."""
        return self.begins <= day <= self.ends


Facilities = dict[str, Facility]


def load(path: str | Path) -> Facilities:
    """Return the facilities of a file by their keys, none of an empty one.

    Parameters
    ----------
    path
        The file, relative to the project's folder.

    Raises
    ------
    InputError
        Naming the file, the key and the fault.
    """
    path = project.resolve(path)
    found = {}
    for key, entry in yaml.read_yaml(path).items():
        if not key.isidentifier():
            raise InputError(
                f"{project.display_path(path)}: {key!r} is not a valid name of a facility: write letters and digits"
            )
        if same := [other for other in found if _file_name(other) == _file_name(key)]:
            raise InputError(f"{project.display_path(path)}: {same[0]} and {key} are one name for files: rename one")
        try:
            found[key] = Facility.model_validate(entry)
        except ValidationError as error:
            raise InputError(f"{project.display_path(path)}: {_fault(key, error)}") from error
        for name, covenant in found[key].covenants.items():
            covenant.defined(f"{project.display_path(path)}: {key}.covenants.{name}", catalog.load())
        for other in found:
            if other != key and (shared := _both_name(found[other], found[key], other, key)):
                raise InputError(
                    f"{project.display_path(path)}: {key}.called: {shared} is also {other}, which runs at the same "
                    "time, so a loan would be pledged to both: change called"
                )
    return found


def _file_name(key: str) -> str:
    return unicodedata.normalize("NFKC", key).casefold()


def _both_name(one: Facility, other: Facility, key: str, other_key: str) -> str:
    """Return what two facilities that run at the same time are both called in columns of loans; empty for nothing."""
    shared = one.names(key) & other.names(other_key)
    are_by_column = one.pledged == other.pledged == "by_column"
    is_at_once = one.begins <= other.ends and other.begins <= one.ends
    return min(shared) if shared and are_by_column and is_at_once else ""


def _fault(key: str, error: ValidationError) -> str:
    first = error.errors()[0]
    place = faults.place(first, key)
    if first["type"] == "extra_forbidden":
        return f"{place} is not a known key"
    if first["type"] == "missing":
        return f"{place} is missing"
    if first["type"] == "string_pattern_mismatch":
        return f"{place}: {first['input']!r} is not a name: write one line of text without semicolons"
    is_own = first["type"] == "value_error"
    return f"{place}: {faults.remedy(first)}{'' if is_own else faults.found(first)}"
