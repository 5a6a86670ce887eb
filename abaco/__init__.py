"""Abaco: a lender's loan-book exports in, a KPI report out."""

from typing import Any

__version__ = "0.1.0"
__all__ = ["Pipeline"]


def __getattr__(name: str) -> Any:
    if name == "Pipeline":  # not at import time: a notebook that needs one module does not load them all
        from abaco.run.pipeline import Pipeline

        return Pipeline
    raise AttributeError(f"module 'abaco' has no attribute {name!r}")
