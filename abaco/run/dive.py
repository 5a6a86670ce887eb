"""Deep dives: notebooks that examine the finished report of one date and input."""

import datetime as dt
import tempfile
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from abaco.core import currencies, files, project
from abaco.core.dates import parse_date
from abaco.core.errors import InputError
from abaco.core.phases import COMPLETED, FACTS, scraps_of
from abaco.engines.duckdb import DuckDB
from abaco.ingest.sources import identities
from abaco.kpis import catalog, measures, open_book
from abaco.kpis.bridge import first_day
from abaco.kpis.facilities import facility
from abaco.kpis.facilities.what_if import WhatIf
from abaco.kpis.measures import MEASURES
from abaco.kpis.segments import DIMENSIONS
from abaco.page.charts import UNIT
from abaco.page.words import day
from abaco.run import phase
from abaco.run import plan as run_plan
from abaco.run.manifest import NAME
from abaco.run.pipeline import Pipeline

DIVES = ("arrears_movement", "vintages", "concentration", "collections", "facility")
SCRATCH = Path("reports") / ".dives"
READ = "03_calculation"  # the last phase whose outputs a deep dive reads


def report_of(input: str | Path, date: str = "", facilities: str = "") -> Path:
    """Return the folder of the report of an input and date, and make the report if there is none.

    A finished report is used if the current code made it from the same files with the same masking key, whatever its
    settings. Otherwise the pipeline makes one under ``reports/.dives`` with the current settings.

    Parameters
    ----------
    input
        A file or a folder of exports, relative to the project's folder.
    date
        The measurement date; by default the latest in the input.
    facilities
        The file with the facilities that the report must have; by default any or none will do.
    """
    source = project.resolve(input)
    changes = {"run": {"facilities": facilities}} if facilities else None
    pipeline = Pipeline(changes, output=scratch_of(source, facilities))
    plan = pipeline.plan(source, date or None)
    for output in (Pipeline().output, pipeline.output):
        visible = output / plan["date"]
        if visible.is_dir() and _is_of(visible, plan, facilities):
            return visible.resolve()
    return Path(pipeline.execute(plan["input"], plan["date"])["path"]).resolve()


def scratch_of(source: Path, facilities: str = "") -> Path:
    """Return the folder for reports that deep dives make: one per input and facilities, so none replaces another."""
    return project.resolve(SCRATCH) / sha256(f"{source}{facilities}".encode()).hexdigest()[:12]


def _is_of(report: Path, plan: dict[str, Any], facilities: str) -> bool:
    parameters, run = files.read_json(report / NAME)["parameters"], files.read_json(report / "run.json")
    if facilities and parameters["run"].get("facilities") != facilities:
        return False
    inputs = identities(plan["sources"])
    compared = run.get("lost"), run.get("had")
    keys = run_plan.phase_keys(
        plan["date"], inputs, run_plan.dependencies(parameters), plan["code"]["library"], *compared
    )
    return READ in run_plan.reusable(keys, report)


class Dive:
    """A finished report, opened for analysis.

    Parameters
    ----------
    input, date, facilities
        See `report_of`.
    """

    def __init__(self, input: str | Path, date: str = "", facilities: str = ""):
        self.folder = report_of(input, date, facilities)
        self._facilities = facilities
        self._work = tempfile.TemporaryDirectory(prefix="abaco-", ignore_cleanup_errors=True)
        self.definitions = catalog.load()
        self.metrics = files.read_json(self.folder / "metrics.json")
        currencies.use(self.metrics.get("currency", currencies.USD))
        self._engine = DuckDB()
        facts = scraps_of(self.folder / "notebooks" / "01_ingestion.ipynb")[FACTS]
        self.book = open_book.open_book(self.folder / "tables", self._engine, facts)
        self.day = day(self.book.date)

    def read_table(self, name: str) -> pd.DataFrame:
        """Return a small table of the report with exact amounts."""
        return pq.read_table(self.folder / "tables" / f"{name}.parquet").to_pandas()

    def history(self, *kpis: str) -> pd.DataFrame:
        """Return the values of KPIs, one row per date that has any and one column per KPI, by its title.

        Charts take the unit from the frame; KPIs of several units have none.
        """
        rows = self.read_table("history").query("kpi in @kpis")
        values = rows.pivot(index="date", columns="kpi", values="value").astype(float)
        values = values.reindex(columns=list(kpis)).dropna(how="all").rename(columns=self._title)
        units = {currencies.in_current(self.definitions[name].unit) for name in kpis if name in self.definitions}
        values.attrs[UNIT] = f" {units.pop()}" if len(units) == 1 else ""
        return values

    def limits(self, *kpis: str) -> dict[str, float]:
        """Return the thresholds of KPIs by their label in a chart, such as ``PAR30: warning``."""
        thresholds = {name: self.definitions[name].thresholds or {} for name in kpis if name in self.definitions}
        return {
            f"{self._title(name)}: {level}": at
            for name, levels in thresholds.items()
            for level, at in levels.items()
            if at
        }

    def _title(self, name: str) -> str:
        """Return what the page calls a KPI in a sentence: PARs by their short name."""
        kpi = self.metrics["kpis"].get(name)
        return kpi["title"] if kpi and not name.startswith("PAR") else name

    def against(self, text: str = "") -> dt.date | None:
        """Return the date to compare with: the one in `text`, or else the last one before the report's, if any.

        Raises
        ------
        InputError
            When the input has no figures of that date.
        """
        earlier = self.book.dates[:-1]
        if not text:
            return earlier[-1] if earlier else None
        if (wanted := parse_date(text)) not in earlier:
            choice = f"choose one from {earlier[0]} to {earlier[-1]}" if earlier else "it has none"
            raise InputError(f"against: the input has no date {wanted} before {self.book.date}: {choice}")
        return wanted

    def par(self, name: str) -> int:
        """Return the number of days past due from which a PAR counts a balance.

        Raises
        ------
        InputError
            When the KPI is not a PAR.
        """
        if name not in self.definitions or (days := first_day(self.definitions[name])) is None:
            pars = [other for other, kpi in self.definitions.items() if first_day(kpi) is not None]
            raise InputError(f"kpi {name} is not a portfolio at risk: choose one of {', '.join(pars)}")
        return days

    def part(self, column: str) -> str:
        """Return the name of a column that splits the book.

        Raises
        ------
        InputError
            When it is none; naming those that the book has.
        """
        given = dict.fromkeys(self.read_table("segments")["dimension"])
        if column not in DIMENSIONS:
            raise InputError(f"{column}: the book has {', '.join(given) or 'no such column'}")
        return column

    def what_if(self, key: str = "") -> WhatIf:
        """Return a facility of the report on its date, to see what would change its borrowing base.

        Parameters
        ----------
        key
            The facility's key; by default the first that has a borrowing base.

        Raises
        ------
        InputError
            When there is none of that name on the date.
        """
        open_ = list(self.metrics.get("facilities", {}))
        if not open_ or (key and key not in open_):
            asked = f"key: {key} has no borrowing base" if key else "No facility has a borrowing base"
            raise InputError(f"{asked} on {self.book.date}: the report has {', '.join(open_) or 'none'}")
        terms = facility.load(self._facilities)
        return WhatIf(key or open_[0], terms, self.book, self._engine, Path(self._work.name))

    def explain_missing(self, *names: str) -> str:
        """Return a sentence that says what to add to the input for measures, or why they have no value on the date."""
        total = measures.measure(self.book, names)[self.book.date]
        unknown = [name for name in names if total.sums.get(name) is None]
        adds = dict.fromkeys(MEASURES[name].add for name in unknown if name not in total.reasons)
        if shortest := [add for add in adds if not any(other in add and other != add for other in adds)]:
            return f"The input does not tell this. To see it, add {'; and '.join(shortest)}."
        reason = next((total.reasons[name] for name in unknown), "the input has no such rows")
        return f"There is nothing to show: {reason}."

    def complete(self, **figures: Any) -> None:
        """Record the figures that have a value and, last, that the notebook is complete."""
        self._engine.close()
        self._work.cleanup()
        phase.record(**known(figures))
        phase.record(**{COMPLETED: True})


def known(figures: Mapping[str, Any]) -> dict[str, Any]:
    """Return the figures that have a value.

    Examples
    --------
    >>> known({"months": 0, "against": None, "rate": float("nan")})
    {'months': 0}
    """
    return {name: figure for name, figure in figures.items() if figure is not None and figure == figure}
