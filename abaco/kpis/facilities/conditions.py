"""Conditions on loans as params/facilities.yml writes them: columns of the tape, and what they have to be."""

import datetime as dt
from decimal import Decimal
from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from abaco.ingest import tape

STRICT = ConfigDict(extra="forbid", strict=True, frozen=True)
BORROWER, PAYER = "borrower", "payer"
OBLIGORS = (BORROWER, PAYER)
# Days from one date to another; None is the measurement date.
SPANS = {"age_days": ("disbursed_on", None), "remaining_days": (None, "maturity_date")}
# What a condition may ask of a loan, by kind.
COLUMNS = (
    {c.name: c.kind for c in tape.COLUMNS if not c.personal and c.name not in ("loan_id", "measurement_date")}
    | dict.fromkeys(SPANS, "days")
    | dict.fromkeys(OBLIGORS, "obligor")
)
NUMBERS = ("amount", "rate", "days")
TESTS = ("at_most", "at_least", "one_of", "none_of", "present", "holds")


def exact(value: Any) -> Any:
    """Return a number of a YAML file with its digits; any other value as it is."""
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return Decimal(str(value)) if is_number else value


def listed(value: Any) -> Any:
    """Return one value or several of a YAML file as texts."""
    values = value if isinstance(value, list) else [value]
    is_plain = all(isinstance(v, str | int) and not isinstance(v, bool) for v in values)
    return tuple(map(str, values)) if is_plain else value


def plain(text: str) -> str:
    """Return a value as it is compared with those of the tape: without case and blanks at its ends."""
    return text.strip().lower()


def kind_of(column: str) -> str:
    """Return the kind of a column that conditions may read.

    Raises
    ------
    ValueError
        When there is none of that name.
    """
    if column not in COLUMNS:
        raise ValueError(f"column: {column} is not known of loans: write one of {', '.join(COLUMNS)}")
    return COLUMNS[column]


Bound = Annotated[Any, BeforeValidator(exact)]
Words = Annotated[tuple[Annotated[str, Field(pattern=r"\S")], ...], BeforeValidator(listed), Field(min_length=1)]
# Names stand in lists that are joined by semicolons, and in one line.
Name = Annotated[str, Field(pattern=r"^[^;\x00-\x1f]*[^;\s\x00-\x1f][^;\x00-\x1f]*$", max_length=120)]
HIGHEST_RATE = 3  # of interest, as a fraction: what is above was meant in per cent


class Condition(BaseModel):
    """What a column of a loan has to be; where it is empty, the condition is not met."""

    model_config = STRICT
    column: str
    at_most: Bound | None = None
    at_least: Bound | None = None
    one_of: Words | None = None
    none_of: Words | None = None
    present: bool | None = None
    holds: bool | None = Field(default=None, alias="is")

    @model_validator(mode="after")
    def _fits(self):
        kind = kind_of(self.column)
        if not (asked := [name for name in TESTS if name in self._set]):
            raise ValueError("asks nothing: add at_most, at_least, one_of, none_of, present or is")
        if "present" in asked and len(asked) > 1:
            raise ValueError(f"present stands alone: leave {next(n for n in asked if n != 'present')} out")
        if kind == "flag" and asked not in (["holds"], ["present"]):
            raise ValueError(f"{self.column} is true or false: ask for it with is")
        if kind != "flag" and "holds" in asked:
            raise ValueError(f"is: {self.column} is not true or false: ask for its values")
        for name in asked:
            value = getattr(self, name)
            if name in ("one_of", "none_of") and kind != "text":
                raise ValueError(f"{name}: {self.column} is not a text: use at_most and at_least")
            if name in ("at_most", "at_least"):
                wanted = {"date": dt.date}.get(kind) or (Decimal if kind in NUMBERS else None)
                if wanted is None:
                    raise ValueError(f"{name}: {self.column} has no order: use one_of, none_of or present")
                if not isinstance(value, wanted) or (kind != "date" and not _is_bound(value, kind)):
                    means = {"date": "a date, such as 2025-12-31", "days": "a whole number of days"}
                    raise ValueError(f"{name}: {value} is not {means.get(kind, 'a number')}, as {self.column} is")
                if kind == "rate" and value > HIGHEST_RATE:
                    raise ValueError(f"{name}: {value} are {value * 100:f} %: write 24 % as 0.24")
        if None not in (self.at_most, self.at_least) and self.at_least > self.at_most:
            raise ValueError(f"at_least: {self.at_least} is above at_most, {self.at_most}: no loan meets both")
        return self

    @property
    def _set(self) -> set[str]:
        return {name for name in self.model_fields_set if getattr(self, name) is not None}

    @property
    def columns(self) -> set[str]:
        """The columns that it reads."""
        return {self.column}

    @property
    def rule(self) -> str:
        """The condition as people read it.

        >>> Condition(column="days_past_due", at_most=60).rule
        'days_past_due at most 60'
        """
        words = (("at_least", "at least"), ("at_most", "at most"), ("one_of", "one of"), ("none_of", "none of"))
        told = [(word, getattr(self, name)) for name, word in words if name in self._set]
        parts = [f"{word} {', '.join(value) if isinstance(value, tuple) else value}" for word, value in told]
        if self.holds is not None:
            parts.append("is true" if self.holds else "is not true")
        if self.present is not None:
            parts.append("is given" if self.present else "is empty")
        return f"{self.column} {' and '.join(parts)}"


class Criterion(Condition):
    """A criterion of eligibility, which loans have to meet that `when` is true of, or not known of."""

    when: Condition | None = None

    @property
    def columns(self) -> set[str]:
        """The columns that it reads."""
        return {self.column} | (self.when.columns if self.when else set())

    @property
    def rule(self) -> str:
        """The criterion as people read it."""
        return super().rule + (f", when {self.when.rule}" if self.when else "")


def _is_bound(value: Decimal, kind: str) -> bool:
    return value.is_finite() and (kind != "days" or value == int(value))
