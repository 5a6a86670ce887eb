"""Small tables of a finished run, read without what only large ones need."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from pyarrow.parquet import ParquetFile


def read_rows(path: Path, columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Return the rows of a Parquet file, of all its columns or of some."""

    with ParquetFile(path) as file:
        return file.read(columns).to_pylist()
