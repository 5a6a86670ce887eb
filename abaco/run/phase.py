"""A phase as its notebook sees it: the run's folder, what the phase before left there, and how it ends."""

import datetime as dt
import os
import time
from pathlib import Path
from typing import Any

import narwhals as nw
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq

from abaco import engines
from abaco.core import project
from abaco.core.phases import (
    COMPLETED,
    FACTS,
    OUTPUTS,
    PHASES,
    finished,
    notebook_path,
    phase_named,
    scraps_of,
    section,
)
from abaco.run import scraps
from abaco.run.folders import read_json, write_json

SCRATCH = Path("reports") / ".scratch"


class Phase:
    """The place where one phase works.

    Parameters
    ----------
    name
        ``ingestion``, ``transformation``, ``calculation``, ``report`` or ``output``.
    run_dir
        The run's folder; empty when the notebook is opened on its own: a scratch run on the sample, whose earlier
        phases are executed first when they are missing or out of date.
    """

    def __init__(self, name: str, run_dir: str = ""):
        self.name = name
        self._began = time.perf_counter()
        self._engine = None
        self.folder = project.resolve(run_dir or SCRATCH)
        if not run_dir:
            _execute_earlier(name, self.folder)

    @property
    def rows(self) -> Path:
        """Folder for the rows that ingestion hands to transformation; it is removed when that has succeeded."""
        folder = self._work / "rows"
        folder.mkdir(exist_ok=True)
        return folder

    @property
    def _work(self) -> Path:
        return self.folder / "work"

    @property
    def tables(self) -> Path:
        """Folder of the tables that the run keeps."""
        return self.folder / "tables"

    @property
    def engine(self) -> engines.Engine:
        """The run's engine, started when it is first needed; it spills into the work folder."""
        if self._engine is None:
            plan = self.plan
            self._engine = engines.start(self._work, f"abaco {plan['run_id']} {self.name}", **plan["engine"])
        return self._engine

    @property
    def seconds(self) -> float:
        """Seconds since the phase began."""
        return round(time.perf_counter() - self._began, 3)

    @property
    def plan(self) -> dict[str, Any]:
        """What the pipeline fixed before the run: run id, engine, code, parameters, sources."""
        path = self._work / "plan.json"
        if path.is_file():
            return read_json(path)
        return {"run_id": "scratch", "code": {}, "parameters": {}, "sources": [], "engine": {}}

    def hand_over(self, content: Any) -> None:
        """Record facts for later phases."""
        scraps.record(**{FACTS: content})

    def received(self, name: str) -> Any:
        """Return the facts that an earlier phase recorded."""
        return scraps_of(self.folder / "notebooks" / f"{phase_named(name)}.ipynb")[FACTS]

    def write_metrics(self, figures: dict[str, Any]) -> None:
        """Write metrics.json."""
        write_json(self.folder / "metrics.json", figures)

    def read_metrics(self) -> dict[str, Any]:
        """Return the content of metrics.json."""
        return read_json(self.folder / "metrics.json")

    def write_table(self, name: str, table: pa.Table) -> None:
        """Keep a small table with the run."""
        pq.write_table(table, self.tables / f"{name}.parquet", compression="zstd")

    def scan(self, name: str) -> nw.LazyFrame:
        """Return a table of the run as a frame of the engine."""
        return self.engine.scan(self.tables / f"{name}.parquet")

    def read_table(self, name: str) -> pd.DataFrame:
        """Return a small table of the run in memory: dates as dates, figures as floats to look at and to draw."""
        table = pq.read_table(self.tables / f"{name}.parquet")
        figures = [field.name for field in table.schema if pa.types.is_decimal(field.type)]
        return table.to_pandas(date_as_object=True).astype(dict.fromkeys(figures, float))

    def read_rows(self, name: str, date: dt.date) -> list[dict[str, Any]]:
        """Return the rows of a small table on one date, exact."""
        rows = pq.read_table(self.tables / f"{name}.parquet", filters=[("date", "=", date)]).to_pylist()
        return [{k: v for k, v in row.items() if k != "date"} for row in rows]

    def write_csv(self, name: str) -> None:
        """Write a small table of the run as CSV beside it."""
        pa.csv.write_csv(pq.read_table(self.tables / f"{name}.parquet"), self.tables / f"{name}.csv")

    def complete(self, **figures: Any) -> None:
        """Record the phase's metrics and, last of all, that it is complete.

        A run believes nothing else: papermill calls a notebook complete whose kernel was killed half-way.
        """
        scraps.record(**figures)
        if self._engine is not None:
            self._engine.close()
        scraps.record(**{COMPLETED: True})


def _execute_earlier(name: str, folder: Path) -> None:
    for sub in ("tables", "notebooks", "work"):
        (folder / sub).mkdir(parents=True, exist_ok=True)
    earlier = PHASES[: [section(p) for p in PHASES].index(name)]
    again = False
    for phase in earlier:
        again = again or finished(folder, phase) is not None or _changed_since(folder, phase)
        if again:
            from abaco.run.execution import execute_phase

            print(f"{phase} is executed first: this phase reads what it leaves")
            execute_phase(phase, folder, {})


def _changed_since(folder: Path, phase: str) -> bool:
    root = project.root()
    code = Path(__file__).parents[1].glob("**/*.py")
    watched = [
        notebook_path(phase),
        *(root / "data" / "sample").glob("*"),
        root / "params" / "kpis.yml",
        *code,
    ]
    made = min(os.path.getmtime(folder / name) for name in OUTPUTS[section(phase)])
    return made < max(os.path.getmtime(p) for p in watched if p.exists())
