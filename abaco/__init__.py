"""Abaco: a lender's loan-book exports in, a KPI report out."""

__version__ = "0.1.0"
__all__ = ["Pipeline"]


def __getattr__(name):
    if name == "Pipeline":  # not at import time: a kernel that wants one module need not load them all
        from abaco.run.pipeline import Pipeline

        return Pipeline
    raise AttributeError(f"module 'abaco' has no attribute {name!r}")
