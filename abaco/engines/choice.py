"""The choice of an engine by its name in the settings."""

from pathlib import Path

from abaco.engines.base import Engine

NAMES = ("duckdb", "spark")


def require(name: str) -> None:
    """Raise when an engine cannot work here.

    Raises
    ------
    InputError
        Naming what is missing and how to install it.
    """
    if name == "spark":
        from abaco.engines import spark_session

        spark_session.require()


def start(spill: Path | None = None, title: str = "", name: str = "duckdb", **limits: int) -> Engine:
    """Start an engine.

    Parameters
    ----------
    spill
        Folder for temporary files, which every machine of a cluster must see.
    title
        Name of the application on a cluster.
    name
        One of `NAMES`.
    **limits
        Other arguments of `DuckDB`, also where it helps Spark on this machine.
    """
    if name == "spark":
        from abaco.engines.spark import Spark  # PySpark is optional

        return Spark(spill, title, **limits)
    from abaco.engines.duckdb import DuckDB  # an unchanged report needs none

    return DuckDB(spill, **limits)
