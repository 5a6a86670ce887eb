"""A covenant as params/facilities.yml describes it: a KPI of the pool or of the book, its levels, its cure period."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from abaco.core.errors import InputError
from abaco.kpis.catalog import Definition, Window
from abaco.kpis.facilities.conditions import STRICT, exact

OK, WARNING, TRIGGER, CURING, DEFAULT = "ok", "warning", "trigger", "curing", "default"
UNKNOWN = "not_computable"
LIMITS = (WARNING, TRIGGER, DEFAULT)
Limit = Annotated[Decimal, BeforeValidator(exact), Field(allow_inf_nan=False, decimal_places=6)]


class Months(BaseModel):
    """How many months a covenant takes the mean or the sum of."""

    model_config = STRICT
    take: Literal["mean", "sum"]
    months: Literal[3, 6, 12]


class Covenant(BaseModel):
    """One covenant of a facility."""

    model_config = STRICT
    kpi: str
    of: Literal["pool", "book"] = "pool"
    window: Months | None = None
    better: Literal["lower", "higher"] | None = None
    warning: Limit | None = None
    trigger: Limit | None = None
    default: Limit | None = None
    cure_days: int = Field(default=0, ge=0, le=3650)

    @model_validator(mode="after")
    def _fits(self):
        if not self.limits:
            raise ValueError("needs a level: add warning, trigger or default")
        values = list(self.limits.values())
        if values != sorted(values) and values != sorted(values, reverse=True):
            raise ValueError(f"{', '.join(self.limits)}: {', '.join(map(str, values))} do not lie in one direction")
        if self.cure_days and self.default is None:
            raise ValueError("cure_days applies to the level default, which is missing: add it, or leave cure_days out")
        return self

    @property
    def limits(self) -> dict[str, Decimal]:
        """The limits that are set, the mildest first."""
        return {name: limit for name in LIMITS if (limit := getattr(self, name)) is not None}

    @property
    def title(self) -> str:
        """What is measured, as tables show it.

        >>> Covenant(kpi="PAR30", window={"take": "mean", "months": 3}, trigger=5).title
        'mean of PAR30 over 3 months, of the pool'
        """
        over = f"{self.window.take} of {self.kpi} over {self.window.months} months" if self.window else self.kpi
        return f"{over}, of the {self.of}"

    def is_past(self, value: Decimal, limit: Decimal, better: str) -> bool:
        """Return whether a value is past a limit; one exactly on it is not."""
        return value > limit if better == "lower" else value < limit

    def level(self, value: Decimal | None, better: str) -> str:
        """Return the worst level that a value is past."""
        if value is None:
            return UNKNOWN
        return next((name for name, limit in reversed(self.limits.items()) if self.is_past(value, limit, better)), OK)

    def next_limit(self, value: Decimal, better: str) -> str:
        """Return the limit that headroom is counted to: the first contractual one ahead, or else the last of all.

        A warning is the lender's own, and counts only where a covenant has no other level.
        """
        binding = [name for name in self.limits if name != WARNING] or [WARNING]
        return next((n for n in binding if not self.is_past(value, self.limits[n], better)), binding[-1])

    def defined(self, place: str, definitions: Mapping[str, Definition]) -> Definition:
        """Return the KPI that it is of, with its window.

        Parameters
        ----------
        place
            Names the covenant in errors.

        Raises
        ------
        InputError
            When there is no such KPI, or ``better`` is missing, or the levels contradict it.
        """
        if (kpi := definitions.get(self.kpi)) is None:
            raise InputError(
                f"{place}.kpi: {self.kpi} is not a KPI of params/kpis.yml: write one of {', '.join(definitions)}"
            )
        if (better := self.better or kpi.direction) is None:
            raise InputError(f"{place}: {self.kpi} says not which way is better: add better: lower, or higher")
        values = list(self.limits.values())
        if values != sorted(values, reverse=better == "higher"):
            raise InputError(
                f"{place}: {better} is better, but {', '.join(self.limits)} are {', '.join(map(str, values))}: "
                "put the milder level first, or set better"
            )
        limits = {"direction": better, "warning": None, "critical": None}
        if self.window is None:
            return kpi.model_copy(update=limits)
        over = {"window": Window(kpi=self.kpi, **self.window.model_dump())}
        return kpi.model_copy(
            update=limits | over | {"numerator": (), "denominator": (), "function": None, "inputs": ()}
        )
