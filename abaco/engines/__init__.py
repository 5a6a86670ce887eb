"""The engines that frames live in: the only modules that know which one it is."""

from abaco.engines.base import Engine, UnreadableError
from abaco.engines.choice import NAMES, require, start
from abaco.engines.duckdb import DuckDB

__all__ = ["NAMES", "DuckDB", "Engine", "UnreadableError", "require", "start"]
