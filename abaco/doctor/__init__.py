"""The doctor: what an installation needs, examined piece by piece, each with what was found and what to do."""

from abaco.doctor.examination import examine

__all__ = ["examine"]
