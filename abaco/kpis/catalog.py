"""The KPI definitions of params/kpis.yml, checked."""

from collections.abc import Mapping
from pathlib import Path
from typing import Literal

import yaml
from pydantic import BaseModel, ConfigDict, ValidationError, model_validator

from abaco import project, tape
from abaco.errors import InputError
from abaco.kpis import health

FUNCTIONS = {"portfolio_health": health.portfolio_health}

# What a user adds to the input to fill a column of the tape.
SOURCE_OF = {
    "cash_available_usd": "a financial statement of that date with its cash (efectivo, caja), or a canonical snapshot",
    "written_off_usd": "PAR balances with writeoff_outstanding_balance_usd, or a snapshot with written_off_usd",
}


class Definition(BaseModel):
    """One KPI: a ratio of sums of tape columns, or a function of other KPIs."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    unit: str
    direction: Literal["lower", "higher"]
    precision: int
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
        if self.function is None and not (self.numerator and self.denominator):
            raise ValueError("needs numerator and denominator columns, or a function")
        if self.function is not None and self.function not in FUNCTIONS:
            raise ValueError(f"function {self.function} is not one of {', '.join(FUNCTIONS)}")
        if unknown := [c for c in self.columns if c not in tape.AMOUNTS]:
            raise ValueError(f"{unknown[0]} is no amount of the tape; these are: {', '.join(tape.AMOUNTS)}")
        if (self.warning is None) != (self.critical is None):
            raise ValueError("needs both warning and critical, or neither")
        return self

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
        sums = (" + ".join(c.removesuffix("_usd") for c in columns) for columns in (self.numerator, self.denominator))
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
    try:
        entries = yaml.safe_load(path.read_text(encoding="utf-8")) or {}
    except yaml.YAMLError as error:
        raise InputError(f"{project.shown(path)} is not valid YAML: {' '.join(str(error).split())}") from error
    found = {}
    for name, entry in entries.items():
        try:
            found[name] = Definition.model_validate(entry)
        except ValidationError as error:
            first = error.errors()[0]
            key = ".".join(str(part) for part in (name, *first["loc"]))
            raise InputError(f"{project.shown(path)}: {key}: {first['msg'].removeprefix('Value error, ')}") from error
        if later := [i for i in found[name].inputs if i not in found or i == name]:
            raise InputError(f"{project.shown(path)}: {name}.inputs: {later[0]} must be defined above {name}")
    return found


def columns(definitions: Mapping[str, Definition]) -> list[str]:
    """Return the tape columns whose sums the definitions need, and the receivable, which every report shows."""
    needed = [c for kpi in definitions.values() for c in kpi.columns]
    return list(dict.fromkeys(("total_receivable_usd", *needed)))
