"""The engines that frames live in: the only modules that know which one it is."""

from abaco.engines.base import RECORDS, Engine, UnreadableError
from abaco.engines.choice import NAMES, require, start

__all__ = ["NAMES", "RECORDS", "Engine", "UnreadableError", "require", "start"]
