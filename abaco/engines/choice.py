"""The choice of an engine by its name in the settings."""

from pathlib import Path

from abaco.engines.base import Engine

NAMES = ("duckdb", "spark")


def require(name: str) -> None:
    """Raise when an engine cannot work here, before anything is done for it.

    Raises
    ------
    InputError
        Naming what is missing and where it comes from.
    """
    if name == "spark":
        from abaco.engines import spark_session

        spark_session.require()


def start(spill: Path | None = None, title: str = "", name: str = "duckdb", **limits: int) -> Engine:
    """Start an engine.

    Parameters
    ----------
    spill
        Folder for its temporary files, which a cluster needs on every machine; by default none is spilled to.
    title
        What a cluster shows as the name of the work.
    name
        One of `NAMES`.
    **limits
        What `DuckDB` is given besides, as the engine or as a helper of the engine, on this machine.
    """
    if name == "spark":
        from abaco.engines.spark import Spark  # pyspark is installed for those who use it

        return Spark(spill, title, **limits)
    from abaco.engines.duckdb import DuckDB  # a run that finds everything unchanged does without

    return DuckDB(spill, **limits)
