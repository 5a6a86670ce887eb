"""Small tables of a finished run, read without what only large ones need."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any


def read_rows(path: Path, columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Return the rows of a Parquet file, of all its columns or of some."""
    from pyarrow.parquet import ParquetFile  # its read_table would import pandas

    with ParquetFile(path) as file:
        return file.read(columns).to_pylist()
