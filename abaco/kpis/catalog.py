"""The KPI definitions of params/kpis.yml, checked."""

import inspect
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictFloat, StrictInt, ValidationError, model_validator

from abaco.core import faults, project, yaml
from abaco.core.errors import InputError
from abaco.core.text import nearest
from abaco.kpis import concentration, functions
from abaco.kpis.measures import MEASURES

FUNCTIONS = {
    found.__name__: found
    for found in (
        functions.portfolio_health,
        functions.annual_rate,
        functions.days_to_collect,
        concentration.herfindahl,
    )
}
# The runbook computes these from the figures as they are published; every other function takes the exact ones.
OF_PUBLISHED = (functions.portfolio_health,)
GROUPS = (
    "core", "risk", "write-off", "movement", "vintage", "collection", "pricing", "book", "concentration",
    "prepayment", "balance sheet", "expected loss",
)  # fmt: skip


class Window(BaseModel):
    """The mean or the sum of a KPI over several months."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    kpi: str
    take: Literal["mean", "sum"]
    months: Literal[3, 6, 12]


class Definition(BaseModel):
    """One KPI: a sum of measures, a ratio of such sums, a function of KPIs and measures, or a window over a KPI."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)

    title: str
    group: Literal[GROUPS]
    unit: str
    direction: Literal["lower", "higher"] | None = None
    precision: int = Field(ge=0, le=6, strict=True)  # the history keeps six places
    owner: str
    numerator: tuple[str, ...] = ()
    denominator: tuple[str, ...] = ()
    function: str | None = None
    inputs: tuple[str, ...] = ()
    window: Window | None = None
    formula: str = ""
    warning: StrictFloat | StrictInt | None = None
    critical: StrictFloat | StrictInt | None = None
    decides: StrictBool = True
    note: str = ""
    convention: str = ""

    @model_validator(mode="after")
    def _is_whole(self):
        if self.window:
            self._is_window()
        elif self.function:
            self._is_function()
        else:
            self._is_ratio()
        if self.direction is None and self.thresholds:
            raise ValueError("has a limit, so it needs a direction: lower or higher")
        if self.warning is not None and self.critical is not None:
            mild, grave = sorted((self.warning, self.critical), reverse=self.direction == "higher")
            if (mild, grave) != (self.warning, self.critical):
                raise ValueError(f"critical: {self.critical} is not past the warning at {self.warning}")
        return self

    def _is_ratio(self) -> None:
        if not self.numerator:
            raise ValueError(
                "numerator is missing: name measures, or a function of KPIs and measures, or a window over a KPI"
            )
        if self.inputs:
            raise ValueError("inputs belong to a function, and it names none")
        for key in ("numerator", "denominator"):
            if unknown := [name for name in getattr(self, key) if name not in MEASURES]:
                raise ValueError(f"{key}: {unknown[0]} is not a measure: {nearest(unknown[0], MEASURES)}")
            if twice := [name for name in getattr(self, key) if getattr(self, key).count(name) > 1]:
                raise ValueError(f"{key}: {twice[0]} is listed twice and would count twice")
        if self.scale == 100 and not self.denominator:
            raise ValueError("denominator is missing: a percentage needs one")

    def _is_function(self) -> None:
        if self.function not in FUNCTIONS:
            raise ValueError(f"function {self.function} is not one of {', '.join(FUNCTIONS)}")
        if self.numerator or self.denominator:
            raise ValueError("has a function, so numerator and denominator would not be read: leave them out")
        wanted = list(inspect.signature(FUNCTIONS[self.function]).parameters)
        if len(self.inputs) != len(wanted):
            raise ValueError(
                f"inputs: {self.function} takes {len(wanted)} ({', '.join(wanted)}), not {len(self.inputs)}"
            )

    def _is_window(self) -> None:
        if others := [key for key in ("numerator", "denominator", "function", "inputs") if getattr(self, key)]:
            raise ValueError(f"has a window, so {others[0]} would not be read: leave it out")

    @property
    def kpis(self) -> tuple[str, ...]:
        """The KPIs that it is computed from; those that they are computed from are not among them."""
        of_function = (name for name in self.inputs if name not in MEASURES)
        return (self.window.kpi,) if self.window else tuple(of_function)

    @property
    def measures(self) -> tuple[str, ...]:
        """The measures that it uses itself; those of its KPIs are not among them."""
        of_function = (name for name in self.inputs if name in MEASURES)
        return tuple(dict.fromkeys((*self.numerator, *self.denominator, *of_function)))

    @property
    def scale(self) -> int:
        """What the ratio is multiplied by."""
        return 100 if self.unit == "%" else 1

    @property
    def thresholds(self) -> dict[str, float] | None:
        """The limits, or None without any; each may be None."""
        if self.warning is None and self.critical is None:
            return None
        return {"warning": self.warning, "critical": self.critical}

    @property
    def shown_formula(self) -> str:
        """The formula as the page shows it."""
        if self.formula:
            return self.formula
        if self.window:
            return f"{self.window.take} of {self.window.kpi} over {self.window.months} months"
        sums = (" + ".join(c.removesuffix("_usd") for c in columns) for columns in (self.numerator, self.denominator))
        above, below = (f"Σ({s})" if " + " in s else f"Σ {s}" for s in sums)
        ratio = f"{above} / {below}" if self.denominator else above
        return ratio + (" × 100" if self.scale == 100 else "")


def load(path: Path | None = None) -> dict[str, Definition]:
    """Return the definitions by KPI id, in the file's order.

    Raises
    ------
    InputError
        Naming the KPI, the key and the fault.
    """
    path = path or project.root() / "params" / "kpis.yml"
    entries = yaml.read_yaml(path)
    found = {}
    for name, entry in entries.items():
        try:
            found[name] = Definition.model_validate(entry)
        except ValidationError as error:
            first = error.errors()[0]
            text = f"{faults.place(first, name)}: {faults.remedy(first)}"
            raise InputError(f"{project.display_path(path)}: {text}") from error
        if not name.isidentifier():
            text = f"{name!r} is not a valid name of a KPI: write letters and digits, such as PAR60"
            raise InputError(f"{project.display_path(path)}: {text}")
        if name in MEASURES:
            raise InputError(
                f"{project.display_path(path)}: {name} is the name of a measure: choose another for the KPI"
            )
        if later := [other for other in found[name].kpis if other not in found or other == name]:
            key, kinds = ("window", "not") if found[name].window else ("inputs", "neither a measure nor")
            text = f"{name}.{key}: {later[0]} is {kinds} a KPI defined above {name}"
            raise InputError(f"{project.display_path(path)}: {text}")
    return found


def measures(definitions: Mapping[str, Definition]) -> list[str]:
    """Return the measures that the definitions need, and the outstanding balance, which every report shows."""
    needed = [name for kpi in definitions.values() for name in kpi.measures]
    return list(dict.fromkeys(("total_receivable_usd", "active_loans", *needed)))
