"""The embedded engine, DuckDB."""

import datetime as dt
import tempfile
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import duckdb
import narwhals as nw
import pyarrow as pa
import pyarrow.parquet as pq

from abaco.core import currencies
from abaco.engines import base, memory
from abaco.engines.base import NULL_WORDS, RECORDS, Digits, Mask, PrivateFiles, UnreadableError, damaged, hmac_blocks
from abaco.engines.duckdb_sql import NO_HIVE, NUMBERS, cast, digest, literal, local_time, mask, quoted, reader, text
from abaco.engines.forms import PLAIN, Writing

# Building long dictionaries does not pay off in a file that is soon removed.
TEMPORARY = "COMPRESSION snappy, PARQUET_VERSION v2, DICTIONARY_SIZE_LIMIT 1000"


class DuckDB:
    """The embedded engine: streams files, uses every core, and spills to a folder of its own.

    Parameters
    ----------
    spill
        Folder for what does not fit into memory; by default a temporary one. Its content is removed on `close`.
    memory_limit
        Bytes beyond which it spills; by default see `memory.default_limit`.
    threads
        Cores to use; 0 for all.
    """

    def __init__(self, spill: str | Path | None = None, memory_limit: int | None = None, threads: int = 0):
        self._spill = tempfile.TemporaryDirectory(prefix="abaco-", dir=spill, ignore_cleanup_errors=True)
        self.private = PrivateFiles(self._spill.name)
        self.connection = duckdb.connect()
        self._kept: dict[str, str | bytes] = {}
        cores = f"SET threads = {threads}; " if threads else ""
        limit = f"{cores}SET memory_limit = '{memory_limit or memory.default_limit()}B'"
        self.connection.execute(f"{limit}; SET temp_directory = {literal(self._spill.name)}")
        # dates of times with a zone are the same everywhere; a list of words that became a join would lose rows' order
        self.connection.execute("SET TimeZone = 'UTC'; SET disabled_optimizers = 'in_clause'")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    def close(self) -> None:
        """Close the connection and remove the temporary files."""
        self.connection.close()
        self.private.close()
        self._spill.cleanup()

    # Reading

    def read_csv(
        self, path: Path, columns: Mapping[str, int], width: int, delimiter: str, mask: Mask | None = None
    ) -> nw.LazyFrame:
        """Return the named columns of a CSV file as text, in its order; broken lines go to `broken_lines`.

        Parameters
        ----------
        path
            A UTF-8 file with a header line.
        columns
            Position of each column to keep.
        width
            Number of columns in the header.
        delimiter
            One character.
        mask
            Masks the personal columns.
        """
        types = ", ".join(f"'c{i}': 'VARCHAR'" for i in range(width))
        words = ", ".join(literal(w) for w in NULL_WORDS)
        cells = ", ".join(f"c{i} AS {quoted(name)}" for name, i in columns.items())
        self.connection.execute("DROP TABLE IF EXISTS broken; DROP TABLE IF EXISTS broken_scans")
        relation = self.connection.sql(
            f"SELECT {cells} FROM read_csv({literal(path)}, columns = {{{types}}}, auto_detect = false, "
            f"{NO_HIVE}, header = true, delim = {literal(delimiter)}, quote = '\"', escape = '\"', "
            f"nullstr = [{words}], strict_mode = true, store_rejects = true, rejects_table = 'broken', "
            "rejects_scan = 'broken_scans')"
        )
        return mask(self, nw.from_native(relation)) if mask else nw.from_native(relation)

    def broken_lines(self) -> list[tuple[int, str, str]]:
        """Return number, fault and text of each line that the last `read_csv` could not split.

        The number is right where every record is one line.
        """
        return self.connection.execute(
            "SELECT line, min(lower(error_type::VARCHAR)), min(csv_line) FROM broken GROUP BY 1 ORDER BY 1"
        ).fetchall()

    def headings(self, path: Path) -> list[str]:
        """Return the column names of a Parquet or JSON file; see `Engine.headings`."""
        try:
            return self.connection.sql(f"FROM {reader(path)}").columns
        except duckdb.Error as error:
            raise damaged(path) from error

    def first_rows(self, path: Path, count: int) -> list[list[str]]:
        """Return the first rows of a Parquet or JSON file as text; see `Engine.first_rows`."""
        places = {str(place): place for place in range(len(self.headings(path)))}
        with _readable():
            first = self.read_typed(path, places).head(count)  # Python has no days beyond the year 9999
            days = [nw.col(n).cast(nw.String()) for n, type_ in first.collect_schema().items() if type_.is_temporal()]
            rows = first.with_columns(days).collect("pyarrow").to_native().to_pylist()
        return [["" if cell is None else str(cell) for cell in row.values()] for row in rows]

    def read_typed(
        self, path: Path, columns: Mapping[str, int], mask: Mask | None = None, row_number: str | None = None
    ) -> nw.LazyFrame:
        """Return the named columns of a Parquet or JSON file.

        Text that says "no value" is null, a time with a zone is local. `row_number` names a Parquet row's position.
        """
        names = self.headings(path)
        if base.is_parquet(path):
            source = reader(path, row_number=row_number is not None)
        else:
            source = reader(path, ", ".join(f"{literal(n)}: 'VARCHAR'" for n in names))
        types = dict(zip(names, self.connection.sql(f"FROM {source}").types, strict=False))
        try:
            fields = pq.read_schema(path) if base.is_parquet(path) else ()
        except pa.ArrowException as error:
            raise damaged(path) from error
        zones = {field.name: field.type.tz for field in fields if pa.types.is_timestamp(field.type)}

        def cell(name):
            if zone := zones.get(name):
                return local_time(quoted(name), zone)
            if str(types[name]) == "VARCHAR":
                words = ", ".join(map(literal, NULL_WORDS))
                return f"CASE WHEN {quoted(name)} NOT IN ({words}) THEN {quoted(name)} END"
            return quoted(name)

        cells = [f"{cell(names[i])} AS {quoted(name)}" for name, i in columns.items()]
        cells += [f"file_row_number AS {quoted(row_number)}"] if row_number else []
        rows = nw.from_native(self.connection.sql(f"SELECT {', '.join(cells)} FROM {source}"))
        return mask(self, rows) if mask else rows

    def scan(self, paths: Path | Iterable[Path], row_number: str | None = None) -> nw.LazyFrame:
        """Return Parquet files as one frame; `row_number` names a column for the row's position in its file."""
        paths = [paths] if isinstance(paths, Path) else list(paths)
        files = f"[{', '.join(literal(p) for p in paths)}], union_by_name = true, {NO_HIVE}"
        if row_number is None:
            return nw.from_native(self.connection.sql(f"FROM read_parquet({files})"))
        query = (
            f"SELECT * EXCLUDE (file_row_number), file_row_number AS {quoted(row_number)} "
            f"FROM read_parquet({files}, file_row_number = true)"
        )
        return nw.from_native(self.connection.sql(query))

    def numbered(self, frame: nw.LazyFrame, name: str) -> nw.LazyFrame:
        """Add a column with the position, from 0, of each row in the frame's order."""
        return nw.from_native(frame.to_native().project(f"*, row_number() OVER () - 1 AS {quoted(name)}"))

    def from_arrow(self, table) -> nw.LazyFrame:
        """Return an Arrow table as a frame of this engine."""
        return nw.from_native(self.connection.from_arrow(table))

    # Changing

    def typed(
        self, frame: nw.LazyFrame, kinds: Mapping[str, str], writings: Mapping[str, Writing] | None = None
    ) -> nw.LazyFrame:
        """Turn each column of `kinds` into its kind; beside it goes ``raw_<name>``, the value as it was read.

        A kind is one of `duckdb_sql.TYPES`. A value that is not of its kind becomes null; the raw column tells that
        from an empty one. Text that `writings` does not name is written as `PLAIN`.
        """
        relation, writings = frame.to_native(), writings or {}
        types = dict(zip(relation.columns, map(str, relation.types), strict=True))
        # numbers become text where it is read, in the few rows that fail a check
        texts = {n: "" if types[n].startswith(NUMBERS) else "::VARCHAR" for n in kinds}
        raw = ", ".join(f"{quoted(n)}{text} AS {quoted(f'raw_{n}')}" for n, text in texts.items())
        casts = {n: cast(n, kind, types[n], writings.get(n, PLAIN)) for n, kind in kinds.items()}
        typed = ", ".join(f"{sql} AS {quoted(n)}" for n, sql in casts.items())
        return nw.from_native(relation.project(f"{raw}, {typed}"))

    def hashed(self, frame: nw.LazyFrame, columns: Iterable[str], name: str) -> nw.LazyFrame:
        """Add a column with a 64-bit hash of `columns`: equal values have equal hashes, others hardly ever."""
        values = ", ".join(map(quoted, columns))
        return nw.from_native(frame.to_native().project(f"*, hash({values}) AS {quoted(name)}"))

    def anti_join(self, frame: nw.LazyFrame, row_ids: Path) -> nw.LazyFrame:
        """Return the rows whose ``row_id`` is not in a Parquet file of ids, in the same order, which a join would lose.

        The records of each source become a bit string in a variable of the connection.
        """
        relation = frame.to_native()
        source, record = f"row_id // {RECORDS}", f"row_id % {RECORDS}"
        rows = f"FROM {reader(row_ids)}"
        query = f"SELECT {source}, max({record}) {rows} GROUP BY 1 ORDER BY 1"
        for number, last in self.connection.execute(query).fetchall():
            name = f"{row_ids.stem}_{number}"
            bits = f"SELECT bitstring_agg(({record})::BIGINT, 0, {last}) {rows} WHERE {source} = {number}"
            self.connection.execute(f"SET VARIABLE {quoted(name)} = ({bits})")
            bit = f"get_bit(getvariable({literal(name)}), least({record}, {last})::INTEGER)"
            relation = relation.filter(f"{source} <> {number} OR {record} > {last} OR {bit} = 0")
        return nw.from_native(relation)

    def with_value_of_day(
        self, frame: nw.LazyFrame, day: str, values: Mapping[dt.date, Decimal], name: str, digits: Digits = (18, 2)
    ) -> nw.LazyFrame:
        """Add a column with the value in `values` of the date in column `day`, in the same order.

        A join would lose the order: the values of all days from the first to the last are a list in the query.
        """
        first, last = min(values, default=dt.date.min), max(values, default=dt.date.min)
        days = (first + dt.timedelta(n) for n in range((last - first).days + 1))
        listed = ", ".join(f"{values[d]:f}" if d in values else "NULL" for d in days)
        place = f"{quoted(day)} - DATE '{first}' + 1"
        value = f"CASE WHEN {quoted(day)} >= DATE '{first}' THEN ([{listed}]::DECIMAL{digits}[])[{place}] END"
        return nw.from_native(frame.to_native().project(f"*, {value} AS {quoted(name)}"))

    def in_order(self, frame: nw.LazyFrame, by: str) -> nw.LazyFrame:
        """Return the rows in the order of a column."""
        return frame.sort(by)

    def with_json(self, frame: nw.LazyFrame, columns: Mapping[str, str], name: str) -> nw.LazyFrame:
        """Put columns into one: the values of a row that has ``reasons``, as JSON; null for every other row.

        Parameters
        ----------
        columns
            The column that holds each heading's value.
        """
        packed = ", ".join(f"{quoted(heading)} := {quoted(column)}::VARCHAR" for heading, column in columns.items())
        value = f"CASE WHEN reasons <> '' THEN to_json(struct_pack({packed}))::VARCHAR END"
        others = f"* EXCLUDE ({', '.join(map(quoted, set(columns.values())))})"
        return nw.from_native(frame.to_native().project(f"{others}, {value} AS {quoted(name)}"))

    def masked(self, frame: nw.LazyFrame, columns: Iterable[str], key: bytes | None) -> nw.LazyFrame:
        """Replace the values of `columns` by HMAC-SHA256 tokens under `key`, or by ``redacted`` without one.

        A value counts without stray blanks, and a blank one is none. Source: RFC 2104, written out over the engine's
        own SHA-256. The key is a variable of the connection, never part of a statement.
        """
        if key is not None:
            inner, outer = hmac_blocks(key)
            self._keep("hmac_inner", inner)
            self._keep("hmac_outer", outer)
        replaced = ", ".join(f"{mask(text(quoted(name)), key)} AS {quoted(name)}" for name in columns)
        return nw.from_native(frame.to_native().project(f"* REPLACE ({replaced})")) if replaced else frame

    def with_digest(
        self, frame: nw.LazyFrame, columns: Iterable[str], secret: bytes, name: str, of_bad: bool = False
    ) -> nw.LazyFrame:
        """Add a column with a hash of `columns` and a secret; null where they are all null or blank.

        It is for comparisons within one run, whose secret nobody keeps. `of_bad`: only of rows that have ``reasons``.
        """
        self._keep("digest_secret", secret.hex())
        value = digest([text(quoted(column)) for column in columns], of_bad)
        return nw.from_native(frame.to_native().project(f"*, {value} AS {quoted(name)}"))

    def _keep(self, name: str, value: str | bytes) -> None:
        """Set a variable of the connection, unless it is so: the engine checks every frame again after a change."""
        if self._kept.get(name) != value:
            self.connection.execute(f"SET VARIABLE {name} = ?", [value])
            self._kept[name] = value

    # Writing

    def write(self, frame: nw.LazyFrame, path: Path, temporary: bool = False) -> None:
        """Write a frame as one Parquet file, streaming, with the currency in its metadata; see `Engine.write`."""
        with _readable():
            currency = currencies.known()
            if temporary or currency:
                options = TEMPORARY if temporary else f"COMPRESSION zstd, KV_METADATA {{currency: {literal(currency)}}}"
                query = frame.to_native().sql_query()
                self.connection.execute(f"COPY ({query}) TO {literal(path)} (FORMAT parquet, {options})")
            else:
                frame.to_native().write_parquet(str(path), compression="zstd")


@contextmanager
def _readable() -> Iterator[None]:
    """Raise an UnreadableError where a file is damaged."""
    try:
        yield
    except duckdb.Error as error:
        if _is_damage(error):
            raise UnreadableError(str(error).splitlines()[0]) from error
        raise


def _is_damage(error: duckdb.Error) -> bool:
    """Return whether a file is damaged; errors within Parquet have no class of their own."""
    is_named = isinstance(error, duckdb.InvalidInputException) or "Could not read enough bytes" in str(error)
    return is_named or type(error) is duckdb.Error
