"""A finished report opened from Python."""

import datetime as dt
import json
import subprocess
import sys
from decimal import Decimal

import narwhals as nw
import pandas as pd
import polars as pl
import pytest

import abaco
from abaco.core.errors import InputError
from abaco.kpis.dictionary import TABLES

DATE = "2025-12-31"


@pytest.fixture(scope="module")
def output(finished):
    return finished.pristine.output


@pytest.fixture(scope="module")
def report(output):
    return abaco.open(DATE, output)


@pytest.fixture(scope="module")
def metrics(output):
    return json.loads((output / DATE / "metrics.json").read_text(encoding="utf-8"))


def test_date_and_path_open_the_same_report(report, output):
    day = dt.date(2025, 12, 31)
    assert {abaco.open(one, output).folder for one in (day, pd.Timestamp(day))} == {report.folder}
    assert abaco.open(output / DATE).folder == report.folder


def test_it_shows_the_verdict_the_first_figures_and_what_to_ask(report, metrics):
    first, *lines = repr(report).splitlines()
    assert first.startswith("Report of 2025-12-31 (synthetic sample). ") and first.endswith(" limits checked")
    assert lines[0].startswith(f"  PAR30 {metrics['kpis']['PAR30']['value']:.2f} %")
    assert lines[-1] == '  .kpis  .history("PAR30")  .tape  .table("bridges")  .tables  .polars  .duckdb'


def test_kpis_are_those_of_the_report(report, metrics):
    assert report.kpis["value"].astype(object).where(report.kpis["value"].notna(), None).to_dict() == {
        name: kpi["value"] for name, kpi in metrics["kpis"].items()
    }


def test_numbers_are_floats_and_dates_are_datetimes_unless_exact(report, output):
    tape = report.tape
    assert tape["total_receivable_usd"].dtype == "float64"
    assert tape["measurement_date"].dtype.kind == "M"
    exact = abaco.open(DATE, output, exact=True)
    assert isinstance(exact.tape["total_receivable_usd"].iloc[0], Decimal)
    assert isinstance(report.table("history", exact=True)["value"].iloc[0], Decimal)
    assert exact.kpis.loc["PAR30", "numerator"] == Decimal(exact.metrics["kpis"]["PAR30"]["numerator"])


def test_history_has_a_row_a_date_and_a_column_a_kpi(report):
    history = report.history("PAR90", "PAR30")
    assert list(history.columns) == ["PAR90", "PAR30"] and history.index.dtype.kind == "M"
    assert history["PAR30"].iloc[-1] == report.kpis.loc["PAR30", "value"]
    assert len(report.history().columns) == len(report.kpis)


def test_tables_have_a_sentence_each(report):
    assert report.tables["history"] == "One row per date and KPI."
    assert set(report.tables) == {path.stem for path in (report.folder / "tables").glob("*.parquet")}
    assert all(report.table(name).shape[1] == len(TABLES[name].fields) for name in ("history", "aging", "bridges"))


def test_polars_gives_the_same_frames(report):
    history = report.polars.history("PAR30")
    assert isinstance(history, pl.DataFrame) and history.schema == {"date": pl.Date, "PAR30": pl.Float64}
    assert isinstance(report.polars.kpis, pl.DataFrame)
    assert history["PAR30"].to_list() == report.history("PAR30")["PAR30"].tolist()


def test_polars_that_is_not_installed_is_named(report, monkeypatch):
    def absent(frame):
        raise ModuleNotFoundError("No module named 'polars'")

    monkeypatch.setattr(nw.DataFrame, "to_polars", absent)
    with pytest.raises(InputError, match=r"^Polars is not installed: pip install polars, or take \.table"):
        _ = report.polars


def test_duckdb_has_each_table_as_a_view(report, metrics):
    query = "SELECT sum(total_receivable_usd) FROM tape WHERE measurement_date = DATE '2025-12-31'"
    assert str(report.duckdb.sql(query).fetchall()[0][0]) == metrics["book"]["outstanding"]


@pytest.mark.parametrize(
    ("ask", "said"),
    [
        (
            lambda report: report.table("bridge"),
            "bridge is not a table of this report: did you mean bridges or bridge_loans?",
        ),
        (lambda report: report.history("par30"), "par30 is not a KPI of this report: did you mean PAR30?"),
        (lambda report: report.table("xyz"), "xyz is not a table of this report: choose one of tape, "),
    ],
)
def test_mistyped_name_is_answered(report, ask, said):
    with pytest.raises(InputError) as error:
        ask(report)
    assert str(error.value).startswith(said)


def test_report_that_is_not_there_is_not_made(output, tmp_path):
    before = sorted(output.rglob("*"))
    with pytest.raises(
        InputError, match=r"^No finished report for 2025-10-31 in .*: there are 2025-12-31; make report"
    ):
        abaco.open("2025-10-31", output)
    with pytest.raises(InputError, match="there is none yet"):
        abaco.open("2025-10-31", tmp_path)
    with pytest.raises(InputError, match="is not the folder of a finished report: name a date, or such a folder"):
        abaco.open(tmp_path)
    assert sorted(output.rglob("*")) == before


def test_run_that_failed_is_not_a_report(tmp_path):
    (tmp_path / "run.json").write_text('{"status": "failed", "run_id": "r1", "started_at": ""}', encoding="utf-8")
    with pytest.raises(InputError, match="is not the folder of a finished report, as its run is failed"):
        abaco.open(tmp_path)


def test_importing_abaco_loads_no_library():
    code = "import abaco, sys; print(*sorted({'pandas', 'pyarrow', 'duckdb', 'narwhals'} & set(sys.modules)))"
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout == "\n"
