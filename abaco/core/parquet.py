"""Small Parquet tables of a finished run, and Arrow schemas."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow as pa
from pyarrow.parquet import ParquetFile

from abaco.core.files import damaged
from abaco.core.tables import COUNT, DATE, FLAG, TEXT, Table

TYPES = {DATE: pa.date32(), TEXT: pa.string(), COUNT: pa.int64(), FLAG: pa.bool_()}


def read_rows(path: Path, columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Return the rows of a Parquet file, with all columns or some.

    Raises
    ------
    DamagedError
        When the file is gone or is not Parquet.
    """
    try:
        with ParquetFile(path) as file:
            return file.read(columns).to_pylist()
    except (pa.ArrowException, OSError):
        raise damaged(path) from None


def arrow_schema(table: Table) -> pa.Schema:
    """Return names and Arrow types of a table's columns."""
    return pa.schema([(field.name, _arrow_type(field.type)) for field in table.fields])


def _arrow_type(name: str) -> pa.DataType:
    if name in TYPES:
        return TYPES[name]
    digits, decimals = map(int, name.removeprefix("decimal(").removesuffix(")").split(","))
    return pa.decimal128(digits, decimals)
