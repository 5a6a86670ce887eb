"""Cascade: the loan system whose export is downloaded over HTTPS, checked, archived, and then reported on."""

from abaco.ingest.cascade.export import download

__all__ = ["download"]
