"""Files of a run: atomic JSON files, hashes, and small Parquet tables."""

import hashlib
import json
import os
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, BinaryIO

from abaco.core import project
from abaco.core.errors import DamagedError

# the kinds of what the records of a report hold, and of the parts of it
KINDS = {
    "kpis": (dict, dict), "phases": (dict, dict), "parameters": (dict, object), "inputs": (list, dict),
    "outputs": (list, dict), "deliveries": (list, dict),
}  # fmt: skip


def write_json(path: Path, content: Any) -> None:
    """Write JSON atomically, also if power is lost; the same content gives the same bytes."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}-{threading.get_ident()}")
    try:
        fresh.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
        _sync(fresh)
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)


def sync(paths: Iterable[Path]) -> None:
    """Wait until files, and the entries of folders, are on the disk and outlast a loss of power."""
    with ThreadPoolExecutor(8) as pool:  # the disk writes what is asked for at once together
        list(pool.map(_sync, paths))


def _sync(path: Path) -> None:
    if os.name != "posix" and path.is_dir():  # elsewhere a folder cannot be opened
        return
    descriptor = os.open(path, os.O_RDONLY if os.name == "posix" else os.O_RDWR)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def read_json(path: Path) -> Any:
    """Return the content of a JSON file.

    Raises
    ------
    DamagedError
        When it is not JSON.
    """
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError:
        raise damaged(path) from None


def read_object(path: Path, *keys: str) -> dict[str, Any]:
    """Return a JSON object of a finished report.

    Raises
    ------
    DamagedError
        When the file is gone, is not a JSON object, lacks one of the keys, or has something else in one.
    """
    content = read_json(path) if path.is_file() else None
    if not isinstance(content, dict) or not content.keys() >= set(keys) or not _is_sound(content):
        raise damaged(path)
    return content


def _is_sound(content: dict[str, Any]) -> bool:
    """Return whether each key of `KINDS` has its kind, and no list or object of objects anything else."""
    values = [(content[key], kind, parts) for key, (kind, parts) in KINDS.items() if key in content]
    return all(
        isinstance(value, kind) and all(isinstance(part, parts) for part in (value.values() if kind is dict else value))
        for value, kind, parts in values
    )


def damaged(path: Path) -> DamagedError:
    """Return the error for a file of a report that is not what the run wrote."""
    return DamagedError(f"{project.display_path(path)} is damaged: make its report again, or restore a backup")


def sha256(file: Path | BinaryIO) -> str:
    """Return the SHA-256 of a file in hexadecimal; an open file is read from its current position."""
    if isinstance(file, Path):
        with file.open("rb") as opened:
            return sha256(opened)
    return hashlib.file_digest(file, "sha256").hexdigest()


def read_rows(path: Path, columns: Sequence[str] | None = None) -> list[dict[str, Any]]:
    """Return the rows of a Parquet file, with all columns or some.

    Raises
    ------
    DamagedError
        When the file is gone or is not Parquet.
    """
    import pyarrow as pa
    from pyarrow.parquet import ParquetFile

    try:
        with ParquetFile(path) as file:
            return file.read(columns).to_pylist()
    except (pa.ArrowException, OSError):
        raise damaged(path) from None


def row_count(path: Path) -> int:
    """Return how many rows a Parquet file, or a folder of its parts, has."""
    from pyarrow.parquet import read_metadata

    return sum(read_metadata(part).num_rows for part in (path.glob("part-*") if path.is_dir() else [path]))
