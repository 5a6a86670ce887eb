"""Spark, the engine for clusters: the same results as the embedded engine, to the last digit."""

import datetime as dt
import functools
import logging
import tempfile
from collections.abc import Callable, Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import narwhals as nw
import pyarrow as pa
import pyarrow.parquet as pq
from pyspark.errors import PySparkException
from pyspark.sql import DataFrame
from pyspark.sql import functions as F

from abaco.core.parquet import is_common
from abaco.engines import base, spark_session, spark_sql
from abaco.engines.base import Digits, Mask, PrivateFiles, UnreadableError, hmac_blocks
from abaco.engines.duckdb import DuckDB
from abaco.engines.forms import PLAIN, Writing
from abaco.engines.spark_sql import literal, quoted

log = logging.getLogger(__name__)
PART = "part-{:05d}.parquet"
PART_NUMBER = r"int(regexp_extract(_metadata.file_name, 'part-([0-9]+)', 1))"
IN_PART = (1 << 33) - 1  # monotonically_increasing_id: the partition's number, then 33 bits for the row in it


class Spark:
    """The engine for a cluster, all of whose machines must see the files that it reads and writes.

    Files that cannot be cut into lines without reading them from the start, private ones, and files with types that the
    two engines write differently are first converted to Parquet by the embedded engine on the driver.

    Parameters
    ----------
    spill
        Folder for temporary files, on shared storage.
    title
        Name of the application on the cluster.
    **limits
        Arguments of the embedded engine.
    """

    def __init__(self, spill: str | Path | None = None, title: str = "abaco", **limits: int):
        self._spill = tempfile.TemporaryDirectory(prefix="abaco-", dir=spill, ignore_cleanup_errors=True)
        self._folder, self._title, self._limits, self._made = Path(self._spill.name), title, limits, 0
        self._broken: Callable[[], list[tuple[int, str, str]]] = list

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()

    @functools.cached_property
    def connection(self) -> spark_session.Connection:
        """The Spark session and its Java process, started when they are first needed."""
        return spark_session.start(self._title, self._folder / "spark.log")

    @functools.cached_property
    def _embedded(self) -> DuckDB:
        return DuckDB(self._folder, **self._limits)

    @property
    def private(self) -> PrivateFiles:
        """Files of this machine alone."""
        return self._embedded.private

    def close(self) -> None:
        """Stop the session and the embedded engine, and remove the temporary files."""
        for name, stop in (("connection", spark_session.stop), ("_embedded", DuckDB.close)):
            if name in self.__dict__:
                stop(self.__dict__.pop(name))
        self._spill.cleanup()

    # Reading

    def read_csv(
        self, path: Path, columns: Mapping[str, int], width: int, delimiter: str, mask: Mask | None = None
    ) -> nw.LazyFrame:
        """Return the named columns of a CSV file as text, in its order; see `DuckDB.read_csv`.

        The executors share the lines. A private file, and one in which a line is not a whole record (line breaks or
        stray characters within quotes, mixed line ends), is read by the embedded engine.
        """
        if path in self.private:
            return self._read_here(path, columns, width, delimiter, mask)
        lines = self._reader.option("lineSep", "\n").text(spark_session.uri(path))
        lines = lines.select(
            F.monotonically_increasing_id().alias("n"),
            F.expr(spark_sql.LINE).alias("line"),
            F.expr(r"endswith(value, '\r')").alias("crlf"),
        )
        lines = lines.withColumn("fields", F.expr(spark_sql.fields(delimiter)))
        lines = lines.withColumn("width", F.expr("size(fields)"))
        survey = self._survey(lines, width)
        total, odd, crlf = (sum(row[name] for row in survey) for name in ("total", "odd", "crlf"))
        if odd or crlf not in (0, total - 1, total):
            log.info("%s is split on this machine: not every line is a whole record", path.name)
            return self._read_here(path, columns, width, delimiter, mask)
        self._broken = functools.partial(self._collect_broken, lines, survey, width)
        cells = [F.expr(spark_sql.field(i)).alias(name) for name, i in columns.items()]
        return _masked(self, lines.filter(f"n != 0 AND width = {width}").select(*cells), mask)

    def _read_here(self, *arguments: Any) -> nw.LazyFrame:
        frame = self._transcribed(self._embedded.read_csv(*arguments))
        self._broken = self._embedded.broken_lines
        return frame

    @property
    def _reader(self):
        return self.connection.session.read.option("__globPaths__", "false")  # a name may contain any character

    @staticmethod
    def _survey(lines: DataFrame, width: int) -> list:
        sums = {"total": "1", "odd": "int(fields IS NULL)", "crlf": "int(crlf)",
                "broken": f"int(n != 0 AND line != '' AND width != {width})"}  # fmt: skip
        by_part = lines.groupBy(F.expr("shiftright(n, 33)").alias("part"))
        return sorted(by_part.agg(*(F.expr(f"sum({s})").alias(name) for name, s in sums.items())).collect())

    @staticmethod
    def _collect_broken(lines: DataFrame, survey: list, width: int) -> list[tuple[int, str, str]]:
        if not any(row["broken"] for row in survey):
            return []
        before, first = 0, {}
        for row in survey:
            first[row["part"]], before = before, before + row["total"]
        broken = lines.filter(f"n != 0 AND line != '' AND width != {width}")
        faults = {True: "too many columns", False: "missing columns"}
        rows = broken.select("n", "line", "width").collect()
        return sorted((first[n >> 33] + (n & IN_PART) + 1, faults[w > width], line) for n, line, w in rows)

    def broken_lines(self) -> list[tuple[int, str, str]]:
        """Return number, fault and text of each line that the last `read_csv` could not split."""
        return self._broken()

    def headings(self, path: Path) -> list[str]:
        """Return the column names of a Parquet or JSON file; see `DuckDB.headings`."""
        return self._embedded.headings(path)

    def first_rows(self, path: Path, count: int) -> list[list[str]]:
        """Return the first rows of a Parquet or JSON file as text; see `Engine.first_rows`."""
        return self._embedded.first_rows(path, count)

    def read_typed(
        self, path: Path, columns: Mapping[str, int], mask: Mask | None = None, row_number: str | None = None
    ) -> nw.LazyFrame:
        """Return the named columns of a Parquet or JSON file; see `DuckDB.read_typed`."""
        sources = dict(zip(columns, map(self.headings(path).__getitem__, columns.values()), strict=True))
        if path in self.private or not base.is_parquet(path) or not is_common(pq.read_schema(path), sources.values()):
            log.info("%s is read on this machine: other engines write its types differently", path.name)
            return self._transcribed(self._embedded.read_typed(path, columns, mask, row_number))
        frame = self._reader.parquet(spark_session.uri(path))
        is_text = {field.name: field.dataType.typeName() == "string" for field in frame.schema}
        values = {name: spark_sql.cell(quoted(n)) if is_text[n] else quoted(n) for name, n in sources.items()}
        cells = [F.expr(value).alias(name) for name, value in values.items()]
        cells += [F.expr("_metadata.row_index").alias(row_number)] if row_number else []
        return _masked(self, frame.select(*cells), mask)

    def _transcribed(self, frame: nw.LazyFrame) -> nw.LazyFrame:
        """Return a frame of the embedded engine as one of this engine, values of uncommon types as text."""
        relation, path = frame.to_native(), self._new()
        own = ("VARCHAR", "DATE", "DECIMAL", "TINYINT", "SMALLINT", "INTEGER", "BIGINT")
        values = [
            f'"{n}"' if str(t).startswith(own) else f'"{n}"::VARCHAR AS "{n}"'
            for n, t in zip(relation.columns, relation.types, strict=True)
        ]
        self._embedded.write(nw.from_native(relation.project(", ".join(values))), path)
        return self.scan(path)

    def _new(self) -> Path:
        self._made += 1
        return self._folder / f"{self._made:04d}.parquet"

    def scan(self, paths: Path | Iterable[Path], row_number: str | None = None) -> nw.LazyFrame:
        """Return Parquet files or folders as one frame; `row_number` names a column for the row's position."""
        paths = [paths] if isinstance(paths, Path) else list(paths)
        frames = [self._scan_one(path, row_number) for path in paths]
        union = functools.partial(DataFrame.unionByName, allowMissingColumns=True)
        return nw.from_native(functools.reduce(union, frames))

    def _scan_one(self, path: Path, row_number: str | None) -> DataFrame:
        parts = _parts(path) or [path]
        declared = spark_sql.declaration(pq.read_schema(parts[0]))
        reader = self._reader.schema(declared) if declared else self._reader  # which runs a job to find the types
        frame, place = reader.parquet(spark_session.uri(path)), "_metadata.row_index"
        if row_number is not None and path.is_dir():
            counts = [pq.read_metadata(part).num_rows for part in parts]
            place = f"{place} + {spark_sql.before(counts, PART_NUMBER)}"
        return frame if row_number is None else frame.select("*", F.expr(place).alias(row_number))

    def numbered(self, frame: nw.LazyFrame, name: str) -> nw.LazyFrame:
        """Add a column with the position, from 0, of each row of a file as it was read."""
        native = frame.to_native()
        rows = dict(native.groupBy(F.spark_partition_id().alias("part")).count().collect())
        counts = [rows.get(part, 0) for part in range(max(rows, default=0) + 1)]
        native = native.withColumn(name, F.monotonically_increasing_id())
        part, row = f"int(shiftright({quoted(name)}, 33))", f"({quoted(name)} & {IN_PART}L)"
        return nw.from_native(native.withColumn(name, F.expr(f"{row} + {spark_sql.before(counts, part)}")))

    def from_arrow(self, table: pa.Table) -> nw.LazyFrame:
        """Return a small Arrow table as a frame of this engine."""
        path = self._new()
        pq.write_table(table, path)
        if is_common(table.schema, [f.name for f in table.schema if not pa.types.is_boolean(f.type)]):
            return self.scan(path)
        return self._transcribed(self._embedded.scan(path))

    # Changing

    def typed(
        self, frame: nw.LazyFrame, kinds: Mapping[str, str], writings: Mapping[str, Writing] | None = None
    ) -> nw.LazyFrame:
        """Turn each column of `kinds` into its kind; beside it goes ``raw_<name>``; see `DuckDB.typed`."""
        native, writings = frame.to_native(), writings or {}
        types = {field.name: field.dataType.typeName() for field in native.schema}
        raw = [F.expr(spark_sql.as_text(quoted(n), types[n])).alias(f"raw_{n}") for n in kinds]
        casts = {n: spark_sql.cast(quoted(n), k, types[n], writings.get(n, PLAIN)) for n, k in kinds.items()}
        typed = [F.expr(sql).alias(n) for n, sql in casts.items()]
        return nw.from_native(native.select(*raw, *typed))

    def hashed(self, frame: nw.LazyFrame, columns: Iterable[str], name: str) -> nw.LazyFrame:
        """Add a column with a 64-bit hash of `columns`; see `DuckDB.hashed`."""
        return nw.from_native(frame.to_native().withColumn(name, F.xxhash64(*map(quoted, columns))))

    def anti_join(self, frame: nw.LazyFrame, row_ids: Path) -> nw.LazyFrame:
        """Return the rows whose ``row_id`` is not in a Parquet file of ids."""
        return frame.join(self.scan(row_ids).select("row_id"), on="row_id", how="anti")

    def with_value_of_day(
        self, frame: nw.LazyFrame, day: str, values: Mapping[dt.date, Decimal], name: str, digits: Digits = (18, 2)
    ) -> nw.LazyFrame:
        """Add a column with the value in `values` of the date in column `day`; see `DuckDB.with_value_of_day`."""
        types, columns = {day: pa.date32(), name: pa.decimal128(*digits)}, [list(values), list(values.values())]
        native, days = frame.to_native(), self.from_arrow(pa.table(columns, pa.schema(types))).to_native()
        return nw.from_native(native.join(F.broadcast(days), day, "left").select(*map(quoted, native.columns), name))

    def in_order(self, frame: nw.LazyFrame, by: str) -> nw.LazyFrame:
        """Return the rows as they are: the parts that a cluster writes have no order."""
        return frame

    def with_json(self, frame: nw.LazyFrame, columns: Mapping[str, str], name: str) -> nw.LazyFrame:
        """Put columns into one: the values of a row that has ``reasons``, as JSON; see `DuckDB.with_json`."""
        packed = ", ".join(f"{literal(heading)}, {quoted(column)}" for heading, column in columns.items())
        value = f"CASE WHEN reasons <> '' THEN to_json(named_struct({packed}), map('ignoreNullFields', 'false')) END"
        return nw.from_native(frame.to_native().withColumn(name, F.expr(value)).drop(*columns.values()))

    def masked(self, frame: nw.LazyFrame, columns: Iterable[str], key: bytes | None) -> nw.LazyFrame:
        """Replace the values of `columns` by HMAC-SHA256 tokens under `key`, or by ``redacted`` without one.

        See `DuckDB.masked`. The key is a row that is broadcast to the executors, never part of a plan.
        """
        if not (columns := set(columns)):
            return frame
        native = frame.to_native()
        masks = {n: F.expr(spark_sql.mask(_text(native, n), key)).alias(n) for n in columns}
        blocks = dict(zip(("hmac_inner", "hmac_outer"), hmac_blocks(key), strict=True)) if key is not None else {}
        keyed = spark_session.beside(native, self.connection, blocks)
        return nw.from_native(keyed.select(*(masks.get(n, quoted(n)) for n in native.columns)))

    def with_digest(
        self, frame: nw.LazyFrame, columns: Iterable[str], secret: bytes, name: str, of_bad: bool = False
    ) -> nw.LazyFrame:
        """Add a column with a hash of `columns` and a secret; see `DuckDB.with_digest`."""
        native = frame.to_native()
        value = spark_sql.digest([_text(native, n) for n in columns], of_bad)
        keyed = spark_session.beside(native, self.connection, {"digest_secret": secret})
        return nw.from_native(keyed.select(*map(quoted, native.columns), F.expr(value).alias(name)))

    # Writing

    def write(self, frame: nw.LazyFrame, path: Path, temporary: bool = False) -> None:
        """Write a frame as a folder of Parquet parts; see `Engine.write`."""
        try:
            writer = spark_session.in_currency(frame.to_native()).write
            writer.parquet(spark_session.uri(path), "overwrite", compression="snappy" if temporary else None)
        except PySparkException as error:
            if "FAILED_READ_FILE" in str(error):
                raise UnreadableError(spark_session.one_line(error)) from error
            raise
        for number, part in enumerate(_parts(path)):
            part.rename(path / PART.format(number))


def _parts(folder: Path) -> list[Path]:
    return sorted(folder.glob("part-*"), key=lambda part: int(part.name.split("-")[1].split(".")[0]))


def _masked(engine: Spark, frame: DataFrame, mask: Mask | None) -> nw.LazyFrame:
    return mask(engine, nw.from_native(frame)) if mask else nw.from_native(frame)


def _text(frame: DataFrame, name: str) -> str:
    return spark_sql.text(quoted(name), frame.schema[name].dataType.typeName())
