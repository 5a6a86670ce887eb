"""A covenant as params/facilities.yml describes it: what it measures, its levels, its cure period."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Literal

from pydantic import BaseModel, BeforeValidator, Field, model_validator

from abaco.core.errors import InputError
from abaco.kpis.catalog import Definition, Window
from abaco.kpis.facilities.conditions import STRICT, exact
from abaco.kpis.facilities.lines import KINDS, title
from abaco.kpis.values import needed

OK, WARNING, TRIGGER, CURING, DEFAULT = "ok", "warning", "trigger", "curing", "default"
UNKNOWN = "not_computable"
LIMITS = (WARNING, TRIGGER, DEFAULT)
TERMS = ("kpi", "cohorts", "line", "share_of", "of", "window")  # what it measures
# What a covenant measures that is no KPI: the sums above and below the line.
OWN, ABOVE, BELOW = "own", "above", "below"
Limit = Annotated[Decimal, BeforeValidator(exact), Field(allow_inf_nan=False, decimal_places=6)]


class Months(BaseModel):
    """How many months a covenant takes the mean or the sum of."""

    model_config = STRICT
    take: Literal["mean", "sum"]
    months: Literal[3, 6, 12]


class Cohorts(BaseModel):
    """Lending by quarter, each at the same age: what is late of it then, or written off."""

    model_config = STRICT
    months: int = Field(ge=1, le=60)
    days: Literal[7, 30, 60, 90]


class Covenant(BaseModel):
    """One covenant of a facility."""

    model_config = STRICT
    kpi: str | None = None
    cohorts: Cohorts | None = None
    line: Literal[tuple(KINDS)] | None = None
    share_of: Literal[tuple(KINDS)] | None = None
    of: Literal["pool", "book"] = "pool"
    window: Months | None = None
    better: Literal["lower", "higher"] | None = None
    warning: Limit | None = None
    trigger: Limit | None = None
    default: Limit | None = None
    cure_days: int = Field(default=0, ge=0, le=3650)

    @model_validator(mode="after")
    def _fits(self):
        if sum(key is not None for key in (self.kpi, self.cohorts, self.line)) != 1:
            raise ValueError("needs one of kpi, cohorts and line: what it measures")
        if self.share_of and (self.line is None or self.line == self.share_of):
            raise ValueError("share_of needs a line, and another one")
        if self.line and "of" in self.model_fields_set:
            raise ValueError(f"of: {self.line} is a line of the facility: leave it out")
        if self.line and self.better is None:
            raise ValueError(f"better: {self.line} says not which way is better: add better: lower, or higher")
        if self.cohorts and self.window:
            raise ValueError("window: each quarter of lending is measured once, at its age: leave it out")
        if self.cohorts and self.better == "higher":
            raise ValueError("better: less of a cohort that is late is better: leave it out")
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
        >>> Covenant(line="excess", share_of="pool", better="lower", trigger=5).title
        'Excess / Pool'
        >>> Covenant(cohorts={"months": 6, "days": 30}, of="book", trigger=5).title
        'PAR30 of a quarter of lending at 6 months, of the book'
        """
        if self.cohorts:
            name = f"PAR{self.cohorts.days} of a quarter of lending at {self.cohorts.months} months"
        else:
            name = self.kpi or " / ".join(title(kind) for kind in (self.line, self.share_of) if kind)
        over = f"{self.window.take} of {name} over {self.window.months} months" if self.window else name
        return over if self.line else f"{over}, of the {self.of}"

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

    @property
    def name(self) -> str:
        """Its KPI, or `OWN`."""
        return self.kpi or OWN

    def definitions(self, catalog: Mapping[str, Definition]) -> dict[str, Definition]:
        """Return what it is measured by: its KPI with those in it, or its own ratio under `OWN`."""
        if self.kpi:
            return needed(catalog, self.kpi)
        is_share = bool(self.cohorts or self.share_of)
        # its measures are of the facility, so no catalogue has them
        own = Definition.model_construct(
            title=self.title, group="risk", unit="%" if is_share else "USD", direction=self.better or "lower",
            precision=4 if is_share else 2, owner="", numerator=(ABOVE,), denominator=(BELOW,) if is_share else (),
        )  # fmt: skip
        return {OWN: own}

    def defined(self, place: str, definitions: Mapping[str, Definition]) -> Definition:
        """Return the KPI or ratio that it is of, with its window.

        Parameters
        ----------
        place
            Names the covenant in errors.

        Raises
        ------
        InputError
            When there is no such KPI, or ``better`` is missing, or the levels contradict it.
        """
        if self.kpi and self.kpi not in definitions:
            raise InputError(
                f"{place}.kpi: {self.kpi} is not a KPI of params/kpis.yml: write one of {', '.join(definitions)}"
            )
        kpi = self.definitions(definitions)[self.name]
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
        over = {"window": Window(kpi=self.name, **self.window.model_dump())}
        return kpi.model_copy(
            update=limits | over | {"numerator": (), "denominator": (), "function": None, "inputs": ()}
        )
