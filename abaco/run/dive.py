"""Deep dives: a notebook that an analyst opens when a figure moves, on the finished report of any date and input."""

import datetime as dt
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow.parquet as pq

from abaco.core import files, project
from abaco.core.dates import parse_date
from abaco.core.errors import InputError
from abaco.core.phases import COMPLETED, FACTS, scraps_of
from abaco.engines.duckdb import DuckDB
from abaco.kpis import catalog, measures, open_book
from abaco.kpis.bridge import first_day
from abaco.kpis.measures import MEASURES
from abaco.run import phase
from abaco.run import plan as run_plan
from abaco.run.manifest import NAME
from abaco.run.pipeline import Pipeline

DIVES = ("arrears_movement", "vintages", "concentration", "collections")
SCRATCH = Path("reports") / ".dives"
READ = "03_calculation"  # the phase after which a report has all that a deep dive reads


def report_of(input: str | Path, date: str = "") -> Path:
    """Return the folder of a report of an input and date: the visible one, or one that is made here, out of sight.

    A report is taken that the present code made of the same files under the same masking key, whatever its settings.
    Where there is none, the pipeline makes one under ``reports/.dives`` with the settings of a report as it is.

    Parameters
    ----------
    input
        A file or a folder of exports, from the project's folder when relative.
    date
        The measurement date; empty: the latest in the input.
    """
    pipeline = Pipeline(output=project.resolve(SCRATCH))
    plan = pipeline.plan(project.resolve(input), date or None)
    for output in (Pipeline().output, pipeline.output):
        visible = output / plan["date"]
        if visible.is_dir() and _is_of(visible, plan):
            return visible.resolve()
    return Path(pipeline.execute(plan["input"], plan["date"])["path"]).resolve()


def _is_of(report: Path, plan: dict[str, Any]) -> bool:
    parameters = files.read_json(report / NAME)["parameters"]
    inputs = [{"name": source["name"], "sha256": source["sha256"]} for source in plan["sources"]]
    keys = run_plan.phase_keys(plan["date"], inputs, parameters, plan["code"]["library"])
    return READ in run_plan.reusable(keys, report)


class Dive:
    """A finished report, opened for a closer look.

    Parameters
    ----------
    input, date
        See `report_of`.
    """

    def __init__(self, input: str | Path, date: str = ""):
        self.folder = report_of(input, date)
        self.definitions = catalog.load()
        self.metrics = files.read_json(self.folder / "metrics.json")
        self._engine = DuckDB()
        facts = scraps_of(self.folder / "notebooks" / "01_ingestion.ipynb")[FACTS]
        self.book = open_book.open_book(self.folder / "tables", self._engine, facts)

    def read_table(self, name: str) -> pd.DataFrame:
        """Return a small table of the report, its amounts exact."""
        return pq.read_table(self.folder / "tables" / f"{name}.parquet").to_pandas()

    def history(self, *kpis: str) -> pd.DataFrame:
        """Return values of KPIs as numbers, a row a date and a column a KPI; empty where none has a value."""
        rows = self.read_table("history").query("kpi in @kpis")
        values = rows.pivot(index="date", columns="kpi", values="value").astype(float)
        return values.reindex(columns=list(kpis)).dropna(how="all")

    def limits(self, *kpis: str) -> dict[str, float]:
        """Return the thresholds of those KPIs that have any, by what a chart calls them."""
        found = {name: self.definitions[name].thresholds or {} for name in kpis if name in self.definitions}
        return {f"{name} {level}": at for name, levels in found.items() for level, at in levels.items() if at}

    def against(self, text: str = "") -> dt.date | None:
        """Return an earlier date of the input: the one that is named, or the last before the report's, if any.

        Raises
        ------
        InputError
            When the input has no figures of the named date.
        """
        earlier = self.book.dates[:-1]
        if not text:
            return earlier[-1] if earlier else None
        if (wanted := parse_date(text)) not in earlier:
            some = f"choose one from {earlier[0]} to {earlier[-1]}" if earlier else "it has none"
            raise InputError(f"against {wanted} is no date of the input before {self.book.date}: {some}")
        return wanted

    def par(self, name: str) -> int:
        """Return from how many days past due a PAR counts a balance.

        Raises
        ------
        InputError
            When the KPI is no PAR, naming those that are.
        """
        if name not in self.definitions or (days := first_day(self.definitions[name])) is None:
            pars = [other for other, kpi in self.definitions.items() if first_day(kpi) is not None]
            raise InputError(f"kpi {name} is no portfolio at risk: choose one of {', '.join(pars)}")
        return days

    def explain_missing(self, *names: str) -> str:
        """Return in a sentence what the input lacks for measures; or else why they have no value on the date."""
        total = measures.measure(self.book, names)[self.book.date]
        unknown = [name for name in names if total.sums.get(name) is None]
        adds = dict.fromkeys(MEASURES[name].add for name in unknown if name not in total.reasons)
        if short := [add for add in adds if not any(other in add and other != add for other in adds)]:
            return f"The input does not tell this. To see it, add {'; and '.join(short)}."
        reason = next((total.reasons[name] for name in unknown), "the input has no such rows")
        return f"There is nothing to show: {reason}."

    def complete(self, **figures: Any) -> None:
        """Record figures, those that are known, and last of all that the notebook is complete."""
        self._engine.close()
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
