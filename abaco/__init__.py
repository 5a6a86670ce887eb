"""Abaco: a lender's loan-book exports in, a KPI report out."""

from typing import Any

__version__ = "0.1.0"
__all__ = ["Pipeline"]  # and `open`, which a star import must not put in the place of Python's own


def __getattr__(name: str) -> Any:
    # not at import time: a notebook that needs one module does not load them all
    if name == "Pipeline":
        from abaco.run.pipeline import Pipeline

        return Pipeline
    if name == "open":
        from abaco.review.opened import open_report

        return open_report
    raise AttributeError(f"module 'abaco' has no attribute {name!r}")
