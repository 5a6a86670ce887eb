"""The protocol of an engine, and what the engines share."""

import datetime as dt
import hashlib
import tempfile
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import IO, Protocol

import narwhals as nw

from abaco.core.errors import InputError
from abaco.core.quoting import file_name
from abaco.engines.forms import Writing

RECORDS = 2**40  # the most rows of a source: a row_id is source × RECORDS + record
Digits = tuple[int, int]  # of decimals: all of them, and those behind the point
# Cells that stand for "no value" in exports.
NULL_WORDS = ("", "null", "NULL", "Null")
# Masks the personal columns of a frame that was read, with the engine that read it.
Mask = Callable[["Engine", nw.LazyFrame], nw.LazyFrame]

# Cells of a spreadsheet whose formula failed, in any of its languages: #REF!, #¡VALOR!, #N/D. Capitals are listed: an
# engine takes longer to compile the hundreds of ranges of \p{Lu} than to check a small file.
ERROR_CELL = r"\A#(?:[¡¿]?[A-ZÀ-ÞĀ-ŽȘ-ȚΑ-ΩЀ-Я0/ _]+[!?]|N/[AD]|GETTING_DATA)\z"
# Lower-case cells of a column of ids that count as blank.
NO_ID_WORDS = (
    "n/a", "na", "n.a.", "n/d", "nd", "nan", "none", "nil", "-", "--", "?", "unknown", "not available",
    "not provided", "desconocido", "sin dato", "no aplica", "no disponible",
)  # fmt: skip
# Cells of amounts that say 0, as accountants and spreadsheets write it.
DASHES = ("-", "–", "—")
MOST_DAYS = 36_500  # a century: nobody is late by more, and no term is longer


class UnreadableError(Exception):
    """A file could be opened, but not read to its end."""


def damaged(path: Path) -> InputError:
    """Return the error for a file that is not what its suffix says."""
    kind = path.suffix.lstrip(".").lower()
    return InputError(f"{file_name(path)} cannot be read as {kind}: it is damaged, or of another kind; export it again")


def is_parquet(path: Path) -> bool:
    """Return whether a file is Parquet, by its suffix; private copies have none, and are known by how they begin."""
    if path.suffix:
        return path.suffix.lower() == ".parquet"
    with path.open("rb") as file:
        return file.read(4) == b"PAR1"


class PrivateFiles:
    """Files without a name, for text that holds personal values: they end with their process, however it ends.

    Where the system has no ``/proc``, they are ordinary files in a folder until they are closed.
    """

    def __init__(self, folder: str | Path):
        self._folder = Path(folder)
        self._files: dict[str, IO[bytes]] = {}

    def path(self, name: str) -> Path:
        """Return the path of the file of that name, which is empty at first."""
        if name not in self._files:
            unnamed = Path("/proc/self/fd").is_dir()
            self._files[name] = (tempfile.TemporaryFile if unnamed else tempfile.NamedTemporaryFile)(dir=self._folder)
        return self._path(self._files[name])

    def __contains__(self, path: Path) -> bool:
        return any(path == self._path(file) for file in self._files.values())

    @staticmethod
    def _path(file: IO[bytes]) -> Path:
        return Path(f"/proc/self/fd/{file.fileno()}" if isinstance(file.name, int) else file.name)

    def close(self) -> None:
        """Remove the files."""
        for file in self._files.values():
            file.close()
        self._files.clear()


class Engine(Protocol):
    """Reads files into frames, transforms them where Narwhals cannot, and writes them; see `DuckDB` for each method."""

    private: PrivateFiles  # for text that holds personal values; `read_csv` reads them

    def close(self) -> None:
        """Release everything that the engine holds."""

    def read_csv(
        self, path: Path, columns: Mapping[str, int], width: int, delimiter: str, mask: Mask | None = None
    ) -> nw.LazyFrame:
        """Return the named columns of a CSV file as text, in its order; nothing is written before it is masked."""

    def broken_lines(self) -> list[tuple[int, str, str]]:
        """Return number, fault and text of each line that the last `read_csv` could not split."""

    def headings(self, path: Path) -> list[str]:
        """Return the column names of a Parquet or JSON file.

        Raises
        ------
        InputError
            When the file cannot be read in the format of its suffix.
        """

    def first_rows(self, path: Path, count: int) -> list[list[str]]:
        """Return the first rows of a Parquet or JSON file as text, and "" for missing values.

        Raises
        ------
        UnreadableError
            When the file is broken within its rows.
        """

    def read_typed(
        self, path: Path, columns: Mapping[str, int], mask: Mask | None = None, row_number: str | None = None
    ) -> nw.LazyFrame:
        """Return the named columns of a Parquet or JSON file; text that says "no value" is null."""

    def scan(self, paths: Path | Iterable[Path], row_number: str | None = None) -> nw.LazyFrame:
        """Return Parquet files written by `write` or by pyarrow as one frame."""

    def numbered(self, frame: nw.LazyFrame, name: str) -> nw.LazyFrame:
        """Add a column with the position, from 0, of each row of a file as it was read."""

    def from_arrow(self, table) -> nw.LazyFrame:
        """Return a small Arrow table as a frame of this engine."""

    def typed(
        self, frame: nw.LazyFrame, kinds: Mapping[str, str], writings: Mapping[str, Writing] | None = None
    ) -> nw.LazyFrame:
        """Turn each column of `kinds` into its kind; beside it goes ``raw_<name>``, the value as it was read."""

    def hashed(self, frame: nw.LazyFrame, columns: Iterable[str], name: str) -> nw.LazyFrame:
        """Add a column with a 64-bit hash of `columns`: equal values have equal hashes, others hardly ever."""

    def anti_join(self, frame: nw.LazyFrame, row_ids: Path) -> nw.LazyFrame:
        """Return the rows whose ``row_id`` is not in a Parquet file of ids, in the same order."""

    def with_value_of_day(
        self, frame: nw.LazyFrame, day: str, values: Mapping[dt.date, Decimal], name: str, digits: Digits = (18, 2)
    ) -> nw.LazyFrame:
        """Add a column with the value in `values` of the date in column `day`, in the same order."""

    def in_order(self, frame: nw.LazyFrame, by: str) -> nw.LazyFrame:
        """Return the rows in the order of a column, if the engine's files have an order."""

    def with_json(self, frame: nw.LazyFrame, columns: Mapping[str, str], name: str) -> nw.LazyFrame:
        """Put columns into one: the values of a row that has ``reasons``, as JSON."""

    def masked(self, frame: nw.LazyFrame, columns: Iterable[str], key: bytes | None) -> nw.LazyFrame:
        """Replace the values of `columns` by HMAC-SHA256 tokens under `key`, or by ``redacted`` without one."""

    def with_digest(
        self, frame: nw.LazyFrame, columns: Iterable[str], secret: bytes, name: str, of_bad: bool = False
    ) -> nw.LazyFrame:
        """Add a column with a hash of `columns` and a secret; null where they are all null or blank.

        `of_bad`: only of rows that have ``reasons``.
        """

    def write(self, frame: nw.LazyFrame, path: Path, temporary: bool = False) -> None:
        """Write a frame as Parquet, in the frame's order: one file, or a folder of parts under the same name.

        A `temporary` file may be larger if that makes it faster to write.

        Raises
        ------
        UnreadableError
            When the file that the frame comes from is broken.
        """


def hmac_blocks(key: bytes) -> tuple[bytes, bytes]:
    """Return the inner and outer key blocks of HMAC-SHA256. Source: RFC 2104."""
    block = (hashlib.sha256(key).digest() if len(key) > 64 else key).ljust(64, b"\0")
    return bytes(b ^ 0x36 for b in block), bytes(b ^ 0x5C for b in block)
