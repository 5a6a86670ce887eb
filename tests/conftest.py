"""Engines that every expression is tested on."""

import narwhals as nw
import pandas as pd
import polars as pl
import pyarrow.parquet as pq
import pytest

from abaco.engines import DuckDB


@pytest.fixture(params=["duckdb", "duckdb-file", "polars", "pandas"])
def engine(request):
    """Name of the engine, one test run each."""
    return request.param


@pytest.fixture
def frame(engine, tmp_path):
    """Turn a literal pyarrow table into a Narwhals frame of the engine: lazy, but for pandas."""
    with DuckDB(spill=tmp_path) as embedded:

        def from_file(table):
            path = tmp_path / f"frame_{len(list(tmp_path.glob('*.parquet')))}.parquet"
            pq.write_table(table, path)
            return embedded.scan(path)

        yield {
            "duckdb": embedded.from_arrow,
            "duckdb-file": from_file,
            "polars": lambda table: nw.from_native(pl.from_arrow(table).lazy()),
            "pandas": lambda table: nw.from_native(table.to_pandas(types_mapper=pd.ArrowDtype)),
        }[engine]
