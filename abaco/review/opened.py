"""A finished report, opened from Python: its figures and tables as frames."""

import datetime as dt
import re
from collections.abc import Iterable
from decimal import Decimal
from functools import cached_property
from pathlib import Path
from typing import Any

import narwhals as nw
import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from abaco.core import files, project
from abaco.core.errors import InputError
from abaco.core.text import FIRST_KPIS, nearest, par_name, standing, value_and_status
from abaco.engines.duckdb import DuckDB
from abaco.engines.duckdb_sql import literal, quoted
from abaco.kpis.dictionary import TABLES, sentence
from abaco.run import folders, manifest

DATE = re.compile(r"\d{4}-\d{2}-\d{2}")
KPI_COLUMNS = (
    "title", "value", "unit", "status", "change", "numerator", "denominator", "rows", "reason", "formula", "note",
)  # fmt: skip


def open_report(report: str | dt.date | Path, output: str | Path | None = None, *, exact: bool = False) -> "Report":
    """Open a finished report; none is ever made or replaced.

    Parameters
    ----------
    report
        Its date, or the path of its folder.
    output
        The folder of the reports; by default that of the settings.
    exact
        Whether amounts are decimals. By default numbers are floats, which charts and statistics take.

    Raises
    ------
    InputError
        When there is no finished report.
    DamagedError
        When its figures are not what the run wrote; a table is checked as it is read.

    Examples
    --------
    >>> import abaco
    >>> abaco.open("2025-12-31")  # doctest: +SKIP
    Report of 2025-12-31. Warning: 9 of 9 limits checked
      PAR30 3.7471 % ok
    """
    if isinstance(report, dt.date):
        report = f"{report:%Y-%m-%d}"
    if DATE.fullmatch(str(report)):
        folder = folders.reports_folder(output and Path(output)) / str(report)
        if not folder.is_dir():
            raise InputError(_absent(str(report), folder.parent))
    else:
        folder = project.resolve(report)
    run = folders.recorded(folder)
    if run is None or run["status"] != "success":
        status = f", as its run is {run['status']}" if run else ""
        path = project.display_path(folder)
        raise InputError(f"{path} is not the folder of a finished report{status}: name a date, or such a folder")
    manifest.check(folder.resolve(), "metrics.json")
    return Report(folder.resolve(), exact=exact)


def _absent(date: str, output: Path) -> str:
    dates = list(folders.visible(output))
    there = f"there are {', '.join(dates[-6:])}" if dates else "there is none yet"
    return f"No finished report for {date} in {project.display_path(output)}: {there}; make report DATE={date} makes it"


def _known(name: str, names: Iterable[str], what: str) -> str:
    """Return a name if it is one of those that there are; else name the nearest."""
    names = list(names)
    if name in names:
        return name
    raise InputError(f"{name} is not a {what} of this report: {nearest(name, names)}")


class Report:
    """A finished report.

    Parameters
    ----------
    folder
        Its folder.
    exact
        Whether amounts are decimals instead of floats.
    library
        ``pandas`` or ``polars``: what frames it gives.
    """

    def __init__(self, folder: Path, *, exact: bool = False, library: str = "pandas"):
        self.folder = folder
        self.metrics: dict[str, Any] = files.read_object(folder / "metrics.json", "date", "kpis")
        self._exact, self._library = exact, library

    def __repr__(self) -> str:
        kpis, found = self.metrics["kpis"], self.metrics.get("verdict")
        as_of = self.metrics["as_of"]
        day = f"Report of {self.metrics['date']}" + (f", figures of {as_of}" if as_of != self.metrics["date"] else "")
        mark = " (synthetic sample)" if self.metrics.get("synthetic") else ""
        lines = [f"{day}{mark}. {standing(found) if found else ''}".rstrip()]
        lines += [
            f"  {par_name(name, kpis[name])} {value_and_status(kpis[name])}" for name in FIRST_KPIS if name in kpis
        ]
        ways = '.kpis  .history("PAR30")  .tape  .table("bridges")  .tables  .polars  .duckdb'
        return "\n".join([*lines, f"  {ways}"])

    @property
    def kpis(self) -> Any:
        """The figures of the date, one row per KPI."""
        rows = [
            {"kpi": name} | {column: kpi.get(column) for column in KPI_COLUMNS}
            for name, kpi in self.metrics["kpis"].items()
        ]
        for row in rows:
            row |= {key: _number(row[key], self._exact) for key in ("value", "change", "numerator", "denominator")}
        frame = self._framed(pa.Table.from_pylist(rows))
        return frame.set_index("kpi") if isinstance(frame, pd.DataFrame) else frame

    @property
    def tape(self) -> Any:
        """The loan tape, one row per loan and date."""
        return self.table("tape")

    @property
    def tables(self) -> dict[str, str]:
        """The tables of this report by name, with what one row of them is."""
        return {name: sentence(table) for name, table in TABLES.items() if self._path(name).exists()}

    def table(self, name: str, *, exact: bool | None = None) -> Any:
        """Return a table of the report (see docs/TABLES.md).

        Parameters
        ----------
        exact
            Whether amounts are decimals; by default as the report was opened.

        Raises
        ------
        InputError
            When the report has no such table.
        """
        _known(name, self.tables, "table")
        return self._framed(pq.read_table(self._checked(name)), exact)

    def history(self, *kpis: str, exact: bool | None = None) -> Any:
        """Return KPIs over time: one row per date, one column per KPI; without names, all of them.

        Raises
        ------
        InputError
            When a name is not a KPI of the report.
        """
        rows = pq.read_table(self._checked("history"), columns=["date", "kpi", "value"]).to_pylist()
        names = list(dict.fromkeys(row["kpi"] for row in rows))
        wanted = [_known(name, names, "KPI") for name in kpis] or names
        found: dict[dt.date, dict[str, Any]] = {}
        for row in rows:
            found.setdefault(row["date"], {})[row["kpi"]] = row["value"]
        schema = pa.schema([("date", pa.date32()), *((name, pa.decimal128(38, 6)) for name in wanted)])
        frame = self._framed(pa.Table.from_pylist([{"date": day} | found[day] for day in sorted(found)], schema), exact)
        return frame.set_index("date") if isinstance(frame, pd.DataFrame) else frame

    @property
    def polars(self) -> "Report":
        """The same report with Polars frames; Polars has to be installed."""
        try:
            nw.from_native(pa.table({})).to_polars()
        except ModuleNotFoundError as error:
            raise InputError(
                "Polars is not installed: pip install polars, or take .table(…), which is pandas"
            ) from error
        return Report(self.folder, exact=self._exact, library="polars")

    @cached_property
    def duckdb(self) -> Any:
        """A connection to DuckDB, with each table of the report as a view: ``.sql("SELECT … FROM tape")``."""
        self._engine = DuckDB()  # it lives as long as its connection is in use
        for name in self.tables:
            path = self._checked(name)
            source = path / "part-*" if path.is_dir() else path
            view = f"CREATE VIEW {quoted(name)} AS SELECT * FROM read_parquet({literal(str(source))})"
            self._engine.connection.execute(view)
        return self._engine.connection

    def _path(self, name: str) -> Path:
        return self.folder / "tables" / f"{name}.parquet"

    def _checked(self, name: str) -> Path:
        """Return the path of a table, which is what the run wrote."""
        manifest.check(self.folder, f"tables/{name}.parquet")
        return self._path(name)

    def _framed(self, table: pa.Table, exact: bool | None = None) -> Any:
        """Return a table as a frame, with numbers as floats unless they are to be exact."""
        if not (self._exact if exact is None else exact):
            table = pa.table({name: _floats(table[name]) for name in table.column_names})
        if self._library == "polars":
            return nw.from_native(table).to_polars()
        return table.to_pandas(date_as_object=False)


def _floats(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return decimals as the nearest floats, by way of text: the cast of Arrow itself misses some by a digit."""
    return column.cast(pa.string()).cast(pa.float64()) if pa.types.is_decimal(column.type) else column


def _number(value: Any, exact: bool) -> Any:
    if value is None:
        return None
    return Decimal(str(value)) if exact else float(value)
