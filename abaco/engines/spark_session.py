"""The Spark session of an engine: requirements, start, and end with its Java process."""

import importlib.util
import logging
import os
import re
import shutil
import socket
import sys
import time
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, NamedTuple

from abaco.core import currencies
from abaco.core.errors import InputError, RunError
from abaco.core.net import is_loopback

MASTER_VARIABLE = "SPARK_MASTER"
STORAGE_VARIABLE = "SPARK_STORAGE"
JAVA_OPTIONS = "JDK_JAVA_OPTIONS"
TIMEOUT_SECONDS = 120
# Results and their order depend on these settings, so spark-defaults.conf must not change them.
FIXED = {
    "spark.sql.ansi.enabled": "true",
    "spark.sql.caseSensitive": "true",
    "spark.sql.session.timeZone": "UTC",
    "spark.sql.columnNameOfCorruptRecord": "_corrupt_record",
    "spark.sql.parquet.datetimeRebaseModeInRead": "CORRECTED",
    "spark.sql.parquet.datetimeRebaseModeInWrite": "CORRECTED",
    "spark.sql.parquet.writeLegacyFormat": "false",
    "spark.sql.files.ignoreCorruptFiles": "false",
    "spark.sql.files.ignoreMissingFiles": "false",
    "spark.sql.files.maxRecordsPerFile": "0",
    # a file is split the same way for any number of executors: positions are counted split by split
    "spark.sql.files.minPartitionNum": "1",
    "spark.sql.files.openCostInBytes": "0",
    "spark.hadoop.mapreduce.fileoutputcommitter.marksuccessfuljobs": "false",
    "spark.hadoop.fs.file.impl": "org.apache.hadoop.fs.RawLocalFileSystem",  # no .crc files beside the tables
}
DEFAULTS = {
    "spark.sql.files.maxPartitionBytes": "32m",
    "spark.sql.parquet.compression.codec": "zstd",
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.python.sql.dataFrameDebugging.enabled": "false",  # the line of each call is told to Java at five calls more
}


def master() -> str:
    """Return the address of the cluster: ``SPARK_MASTER``, else every core of this machine."""
    return os.environ.get(MASTER_VARIABLE) or "local[*]"


def require() -> None:
    """Raise when Spark cannot be started here, or its master does not answer.

    Raises
    ------
    InputError
        Naming what is missing and the remedy.
    """
    if importlib.util.find_spec("pyspark") is None:
        raise InputError("ENGINE=spark needs pyspark, which is not installed: pip install -r requirements-spark.lock")
    home = os.environ.get("JAVA_HOME")
    java = Path(home, "bin", "java") if home else shutil.which("java")
    if java is None or not os.access(java, os.X_OK):
        where = f"there is no {java}" if home else "there is no java on the PATH"
        raise InputError(
            f"ENGINE=spark needs Java 17 or newer, but {where}: run tests/setup.sh on Debian, or set JAVA_HOME"
        )
    faults = []
    for host, port in _addresses(master()):
        try:
            socket.create_connection((host, port), timeout=5).close()
            return
        except OSError as error:
            faults.append(f"{host}:{port}: {error.strerror or error}")
    if faults:
        raise InputError(
            f"The Spark master {master()} does not answer ({'; '.join(faults)}): start it, or correct {MASTER_VARIABLE}"
        )


def _addresses(address: str) -> Iterator[tuple[str, int]]:
    if address.startswith("spark://"):
        for one in address.removeprefix("spark://").split(","):
            host, _, port = one.rpartition(":")
            if not host or not port.isdecimal():
                raise InputError(f"{MASTER_VARIABLE} {address} is not a valid address: write spark://host:port")
            yield host.strip("[]"), int(port)


class Connection(NamedTuple):
    """A session on the cluster, and the gateway to its Java process."""

    session: Any
    gateway: Any


def start(title: str, log: Path) -> Connection:
    """Start the Java process and a session on the cluster.

    Parameters
    ----------
    title
        Name of the application on the cluster.
    log
        File for the output of the Java process.

    Raises
    ------
    InputError
        See `require`.
    RunError
        When the cluster rejects the application, or has no executor for it.
    """
    require()
    os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
    logging.getLogger("py4j").setLevel(logging.WARNING)  # below, it logs all arguments, the masking key too
    with warnings.catch_warnings(), log.open("ab") as java_log:
        warnings.filterwarnings("ignore", message="PySpark does not yet fully support pandas")
        from pyspark import SparkConf, SparkContext
        from pyspark.errors import PySparkException
        from pyspark.java_gateway import launch_gateway
        from pyspark.sql import SparkSession

        try:
            with _quick_start():
                gateway = launch_gateway(popen_kwargs={"stdout": java_log, "stderr": java_log})
            configured = gateway.jvm.org.apache.spark.SparkConf()  # by spark-defaults.conf
            defaults = {k: v for k, v in {**_network(), **DEFAULTS}.items() if not configured.contains(k)}
            own = {**defaults, **FIXED, "spark.master": master(), "spark.app.name": title}
            context = SparkContext(conf=SparkConf().setAll(own.items()), gateway=gateway)
        except (PySparkException, OSError, ValueError) as error:
            raise RunError(f"Spark could not be started: {one_line(error)}; see {log}") from error
        except Exception as error:
            if type(error).__module__ != "py4j.protocol":
                raise
            raise RunError(f"The Spark master {master()} did not take the run: {one_line(error)}") from error
        context.setLogLevel("ERROR")
        connection = Connection(SparkSession(context), gateway)
    try:
        _wait_for_executor(connection)
    except BaseException:
        stop(connection)
        raise
    if not configured.contains("spark.sql.shuffle.partitions"):
        connection.session.conf.set("spark.sql.shuffle.partitions", str(max(4, 2 * context.defaultParallelism)))
    return connection


@contextmanager
def _quick_start() -> Iterator[None]:
    """Let the driver's Java compile quickly, as it only plans; the executors are not affected."""
    before = os.environ.get(JAVA_OPTIONS)
    if not master().startswith("local"):
        os.environ[JAVA_OPTIONS] = f"-XX:TieredStopAtLevel=1 {before or ''}"
    try:
        yield
    finally:
        if before is None:
            os.environ.pop(JAVA_OPTIONS, None)
        else:
            os.environ[JAVA_OPTIONS] = before


def _network() -> dict[str, str]:
    hosts = [host for host, _ in _addresses(master())]
    if master().startswith("local") or (hosts and all(map(is_loopback, hosts))):
        return {"spark.driver.host": "127.0.0.1", "spark.driver.bindAddress": "127.0.0.1"}
    return {}


def _wait_for_executor(connection: Connection) -> None:
    conf = connection.session.sparkContext.getConf()
    if not master().startswith("spark://") or conf.get("spark.dynamicAllocation.enabled") == "true":
        return
    deadline = time.monotonic() + TIMEOUT_SECONDS
    tracker = connection.gateway.jvm.org.apache.spark.SparkContext.getOrCreate().statusTracker()
    while len(tracker.getExecutorInfos()) < 2:  # the driver is one of them
        if time.monotonic() > deadline:
            raise RunError(
                f"The Spark master {master()} gave no executor within {TIMEOUT_SECONDS} s: no worker is there, "
                "or none has the cores and the memory that are asked for; see its page"
            )
        time.sleep(0.1)


def stop(connection: Connection) -> None:
    """Stop a session and its Java process."""
    from pyspark import SparkContext

    connection.session.stop()
    connection.gateway.shutdown()
    SparkContext._gateway = SparkContext._jvm = None  # or the next session would use the process that has ended
    connection.gateway.proc.stdin.close()
    connection.gateway.proc.wait()


def in_currency(frame: Any) -> Any:
    """Return a frame whose columns name the report's currency in their metadata, once that is known."""
    from pyspark.sql import functions

    if not (currency := currencies.known()):
        return frame
    named = {"currency": currency}
    return frame.select(*(functions.col(f"`{name}`").alias(name, metadata=named) for name in frame.columns))


def beside(frame: Any, connection: Connection, values: Mapping[str, bytes]) -> Any:
    """Return a frame with secrets as further columns: a row that is broadcast, never part of a plan."""
    from pyspark.sql import DataFrame, functions

    if not values:
        return frame
    session, gateway = connection  # PySpark's own createDataFrame would write them to a file
    sql = gateway.jvm.org.apache.spark.sql
    row = gateway.new_array(gateway.jvm.Object, len(values))
    for place, value in enumerate(values.values()):
        row[place] = value
    schema = sql.types.StructType.fromDDL(", ".join(f"{name} BINARY" for name in values))
    rows = [sql.RowFactory.create(row)]
    secrets = DataFrame(sql.classic.SparkSession.active().createDataFrame(rows, schema), session)
    return frame.crossJoin(functions.broadcast(secrets))


def uri(path: Path) -> str:
    """Return the URI by which executors reach a path of this machine; ``SPARK_STORAGE`` maps mounts to storage.

    Examples
    --------
    >>> os.environ["SPARK_STORAGE"] = "/mnt/book=abfss://book@abaco.dfs.core.windows.net"
    >>> uri(Path("/mnt/book/in/tape.csv"))
    'abfss://book@abaco.dfs.core.windows.net/in/tape.csv'
    >>> uri(Path("/tmp/tape.csv"))
    'file:///tmp/tape.csv'
    >>> del os.environ["SPARK_STORAGE"]
    """
    path = Path(path).absolute()
    for pair in filter(None, os.environ.get(STORAGE_VARIABLE, "").split(",")):
        here, _, there = pair.partition("=")
        if path.is_relative_to(here):
            return f"{there.rstrip('/')}/{path.relative_to(here).as_posix()}"
    return f"file://{path}"


def one_line(error: BaseException) -> str:
    """Return the first meaningful line of an error that came from Java."""
    text = str(getattr(error, "java_exception", None) or error)
    line = next((part for part in text.splitlines() if part.strip()), type(error).__name__)
    return re.sub(r"^(?:[\w$]+\.)+([\w$]+: )", "", line.strip())
