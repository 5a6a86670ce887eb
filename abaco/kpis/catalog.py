"""The KPI definitions of params/kpis.yml, checked."""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError, model_validator

from abaco import project, settings, tape
from abaco.errors import InputError
from abaco.kpis import health

FUNCTIONS = {"portfolio_health": health.portfolio_health}

# What a user adds to the input to fill a column of the tape.
SOURCE_OF = {
    "cash_available_usd": "a financial statement of that date with its cash (efectivo, caja), "
    "or a canonical snapshot",
    "written_off_usd": "PAR balances with writeoff_outstanding_balance_usd, "
    "or a snapshot with written_off_usd",
}


class Definition(BaseModel):
    """One KPI: a ratio of sums of tape columns, or a function of other KPIs."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    title: str
    unit: str
    direction: Literal["lower", "higher"]
    precision: int = Field(ge=0, le=6)  # the history keeps six places
    owner: str
    numerator: tuple[str, ...] = ()
    denominator: tuple[str, ...] = ()
    function: str | None = None
    inputs: tuple[str, ...] = ()
    formula: str = ""
    warning: float | int | None = None
    critical: float | int | None = None
    note: str = ""

    @model_validator(mode="after")
    def _is_whole(self):
        if self.function is None:
            self._is_ratio()
        else:
            self._is_function()
        if (self.warning is None) != (self.critical is None):
            raise ValueError("needs both warning and critical, or neither")
        if self.warning is not None:
            mild, grave = sorted((self.warning, self.critical), reverse=self.direction == "higher")
            if (mild, grave) != (self.warning, self.critical):
                raise ValueError(f"critical: {self.critical} is not past the warning at {self.warning}")
        return self

    def _is_ratio(self) -> None:
        if absent := [key for key in ("numerator", "denominator") if not getattr(self, key)]:
            raise ValueError(f"{absent[0]} is missing: name columns of the tape, or a function of other KPIs")
        if self.inputs:
            raise ValueError("inputs belong to a function, and it names none")
        for key in ("numerator", "denominator"):
            if unknown := [c for c in getattr(self, key) if c not in tape.AMOUNTS]:
                raise ValueError(
                    f"{key}: {unknown[0]} is no amount of the tape; these are: {', '.join(tape.AMOUNTS)}"
                )

    def _is_function(self) -> None:
        if self.function not in FUNCTIONS:
            raise ValueError(f"function {self.function} is not one of {', '.join(FUNCTIONS)}")
        if self.columns:
            raise ValueError("has a function, so numerator and denominator would not be read: leave them out")
        wanted = list(inspect.signature(FUNCTIONS[self.function]).parameters)
        if len(self.inputs) != len(wanted):
            raise ValueError(
                f"inputs: {self.function} takes {len(wanted)} ({', '.join(wanted)}), not {len(self.inputs)}"
            )

    @property
    def columns(self) -> tuple[str, ...]:
        """The tape columns whose sums it needs."""
        return tuple(dict.fromkeys((*self.numerator, *self.denominator)))

    @property
    def scale(self) -> int:
        """What the ratio is multiplied by."""
        return 100 if self.unit == "%" else 1

    @property
    def thresholds(self) -> dict[str, float] | None:
        """The limits, or None."""
        return None if self.warning is None else {"warning": self.warning, "critical": self.critical}

    @property
    def shown_formula(self) -> str:
        """The formula as the page shows it."""
        if self.formula:
            return self.formula
        sums = (
            " + ".join(c.removesuffix("_usd") for c in columns)
            for columns in (self.numerator, self.denominator)
        )
        above, below = (f"Σ({s})" if " + " in s else f"Σ {s}" for s in sums)
        return f"{above} / {below}" + (" × 100" if self.scale == 100 else "")


def load(path: Path | None = None) -> dict[str, Definition]:
    """Return the definitions by KPI id, in the file's order.

    Raises
    ------
    InputError
        Naming the KPI, the key and what is wrong with it.
    """
    path = path or project.root() / "params" / "kpis.yml"
    entries = settings.read_yaml(path)
    found = {}
    for name, entry in entries.items():
        try:
            found[name] = Definition.model_validate(entry)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in (name, *first["loc"]))
            raise InputError(
                f"{project.shown(path)}: {key}: {first['msg'].removeprefix('Value error, ')}"
            ) from error
        if later := [i for i in found[name].inputs if i not in found or i == name]:
            raise InputError(f"{project.shown(path)}: {name}.inputs: {later[0]} must be defined above {name}")
    return found


def columns(definitions: Mapping[str, Definition]) -> list[str]:
    """Return the tape columns whose sums the definitions need, and the receivable, which reports show."""
    needed = [c for kpi in definitions.values() for c in kpi.columns]
    return list(dict.fromkeys(("total_receivable_usd", *needed)))
