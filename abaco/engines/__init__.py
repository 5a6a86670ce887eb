"""The engines behind one protocol: DuckDB on one machine, Spark on a cluster."""

from abaco.engines.base import RECORDS, Engine, UnreadableError
from abaco.engines.choice import NAMES, require, start

__all__ = ["NAMES", "RECORDS", "Engine", "UnreadableError", "require", "start"]
