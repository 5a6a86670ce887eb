"""The API of the phase notebooks: read what earlier phases wrote, write outputs, record metrics and completion."""

import datetime as dt
import os
import shutil
import time
from decimal import Decimal
from pathlib import Path
from typing import Any

import narwhals as nw
import pandas as pd
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet as pq
import scrapbook

from abaco import engines
from abaco.core import currencies, project
from abaco.core.files import read_json, write_json
from abaco.core.phases import (
    COMPLETED,
    FACTS,
    PHASES,
    finished,
    notebook_path,
    outputs,
    phase_named,
    scraps_of,
    section,
)  # fmt: skip
from abaco.core.quoting import plain_cell
from abaco.core.reasons import Reason
from abaco.run.process import execute_phase

SCRATCH = Path("reports") / ".scratch"
ROWS = "work/rows"


class Phase:
    """One phase of a run, working in the run's folder.

    Parameters
    ----------
    name
        ``ingestion``, ``transformation``, ``calculation``, ``report`` or ``output``.
    run_dir
        The run's folder. Empty when the notebook is opened on its own: it then works in a scratch run on the sample,
        whose earlier phases are executed first if they are missing or out of date.
    """

    def __init__(self, name: str, run_dir: str = ""):
        self.name = name
        self._began = time.perf_counter()
        self._engine = None
        self.folder = project.resolve(run_dir or SCRATCH)
        if not run_dir:
            _execute_earlier(name, self.folder)
        self._before = _written(self.folder)

    @property
    def rows(self) -> Path:
        """Folder of the rows that ingestion leaves for transformation, removed after transformation."""
        folder = self._work / "rows"
        folder.mkdir(exist_ok=True)
        return folder

    @property
    def scratch(self) -> Path:
        """Folder for temporary files of this phase, removed when the phase completes."""
        folder = self._work / self.name
        folder.mkdir(exist_ok=True)
        return folder

    @property
    def _work(self) -> Path:
        return self.folder / "work"

    @property
    def tables(self) -> Path:
        """Folder of the run's tables."""
        return self.folder / "tables"

    @property
    def engine(self) -> engines.Engine:
        """The run's engine, started on first use; it spills into the work folder."""
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
        """The plan of the run: run id, engine, code, parameters, sources."""
        path = self._work / "plan.json"
        if path.is_file():
            return read_json(path)
        return {"run_id": "scratch", "code": {}, "parameters": {}, "sources": [], "engine": {}}

    def write_facts(self, content: Any) -> None:
        """Record facts for later phases."""
        record(**{FACTS: content})

    def read_facts(self, name: str) -> Any:
        """Return the facts that an earlier phase recorded."""
        return scraps_of(self.folder / "notebooks" / f"{phase_named(name)}.ipynb")[FACTS]

    def write_metrics(self, figures: dict[str, Any]) -> None:
        """Write metrics.json."""
        write_json(self.folder / "metrics.json", figures)

    def read_metrics(self) -> dict[str, Any]:
        """Return the content of metrics.json."""
        return read_json(self.folder / "metrics.json")

    def write_table(self, name: str, table: pa.Table) -> None:
        """Write a small table of the run; its metadata name the currency, once that is known."""
        if currency := currencies.known():
            table = table.replace_schema_metadata({**(table.schema.metadata or {}), "currency": currency})
        pq.write_table(table, self.tables / f"{name}.parquet", compression="zstd")

    def scan(self, name: str) -> nw.LazyFrame:
        """Return a table of the run as a frame of the engine."""
        return self.engine.scan(self.tables / f"{name}.parquet")

    def read_table(self, name: str) -> pd.DataFrame:
        """Return a small table of the run as a frame with decimals turned into floats, for display and charts."""
        table = self._arrow_table(name)
        figures = [field.name for field in table.schema if pa.types.is_decimal(field.type)]
        return table.to_pandas(date_as_object=True).astype(dict.fromkeys(figures, float))

    def _arrow_table(self, name: str) -> pa.Table:
        with pq.ParquetFile(self.tables / f"{name}.parquet") as file:  # quicker than `read_table`, which is for many
            return file.read()

    def read_rows(self, name: str, date: dt.date) -> list[dict[str, Any]]:
        """Return the rows of a small table on one date, with exact amounts."""
        rows = self._arrow_table(name).to_pylist()
        return [{k: v for k, v in row.items() if k != "date"} for row in rows if row["date"] == date]

    def write_csv(self, name: str) -> None:
        """Write a small table of the run as CSV too, for spreadsheets: no text in it is a formula."""
        table = self._arrow_table(name)
        for place, field in enumerate(table.schema):
            if pa.types.is_string(field.type):
                cells = [cell and plain_cell(cell) for cell in table[field.name].to_pylist()]
                table = table.set_column(place, field, pa.array(cells, field.type))
        pa.csv.write_csv(table, self.tables / f"{name}.csv")

    def complete(self, **figures: Any) -> None:
        """Record the phase's metrics and, last, that it is complete and which files it wrote.

        The run checks this record, as papermill also accepts a notebook that lacks its last cells.
        """
        record(**figures)
        if self._engine is not None:
            self._engine.close()
        shutil.rmtree(self._work / self.name, ignore_errors=True)
        written = _written(self.folder).items() - self._before.items()
        record(**{COMPLETED: sorted(name for name, _ in written)})


def _written(folder: Path) -> dict[str, int]:
    """Return the modification time of each file of a run, in nanoseconds; the rows folder is one entry."""
    times: dict[str, int] = {}
    for path in (p for p in folder.rglob("*") if p.is_file()):
        parts = path.relative_to(folder).parts
        name = "/".join(parts[:2] if parts[:2] == ("work", "rows") else parts)
        if name == ROWS or not name.startswith(("notebooks/", "work/", "run.json")):
            times[name] = max(times.get(name, 0), path.stat().st_mtime_ns)
    return times


def _execute_earlier(name: str, folder: Path) -> None:
    for sub in ("tables", "notebooks", "work"):
        (folder / sub).mkdir(parents=True, exist_ok=True)
    earlier = PHASES[: [section(p) for p in PHASES].index(name)]
    is_outdated = False
    for phase in earlier:
        is_outdated = is_outdated or finished(folder, phase) is not None or _changed_since(folder, phase)
        if is_outdated:
            print(f"{phase} is executed first: this phase reads its outputs")
            execute_phase(phase, folder, {})


def _changed_since(folder: Path, phase: str) -> bool:
    root = project.root()
    code = Path(__file__).parents[1].glob("**/*.py")
    sample = (root / "data" / "sample").glob("*")
    watched = [notebook_path(phase), *sample, root / "params" / "kpis.yml", *code]
    written = (f"notebooks/{phase}.ipynb", *outputs(folder, phase))
    made = min(os.path.getmtime(folder / name) for name in written)
    return made < max(os.path.getmtime(p) for p in watched if p.exists())


def plain(value: Any) -> Any:
    """Return `value` as JSON can hold it: decimals and dates as text, NumPy scalars as numbers, reasons as codes.

    Examples
    --------
    >>> plain({"usd": Decimal("1.10"), "on": dt.date(2025, 12, 31)})
    {'usd': '1.10', 'on': '2025-12-31'}
    """
    if isinstance(value, dict):
        return {str(k): plain(v) for k, v in value.items()}
    if isinstance(value, list | tuple | set):
        return [plain(v) for v in value]
    if isinstance(value, Reason):
        return value.as_dict()
    if isinstance(value, Decimal | dt.date | Path):
        return str(value)
    return value.item() if hasattr(value, "item") else value


def record(**figures: Any) -> None:
    """Record each figure under its name in the running notebook."""
    for name, figure in figures.items():
        value = plain(figure)  # the JSON encoder would turn the text "1.10" into the number 1.1
        scrapbook.glue(name, value, encoder="text" if isinstance(value, str) else "json")
