"""The engines that frames live in: the only modules that know which one it is."""

from abaco.engines.base import RECORDS, Engine, UnreadableError
from abaco.engines.choice import NAMES, require, start
from abaco.engines.duckdb import DuckDB

__all__ = ["NAMES", "RECORDS", "DuckDB", "Engine", "UnreadableError", "require", "start"]
