"""Periods of interest rates that a column beside them says, such as ``periodo_tasa: mensual``."""

from collections.abc import Iterable, Sequence

from pydantic import BaseModel

from abaco.core import project
from abaco.core.errors import InputError
from abaco.ingest.columns import INTEREST_RATE, normalise
from abaco.ingest.mappings import Mapping
from abaco.ingest.words import STRICT, validated


class RatePeriods(BaseModel):
    """The content of params/rate_periods.yml."""

    model_config = STRICT
    rates: list[str]
    others: list[str]
    in_a_year: dict[int, list[str]]


def check(mapping: Mapping, headings: Sequence[str], rows: Iterable[Sequence[str]], name: str) -> None:
    """Raise when a column beside the rates of a file says that they are not rates a year.

    Parameters
    ----------
    headings, rows
        Those of the file, and its first rows.
    name
        What to call it in the error.
    """
    plain = [normalise(heading) for heading in headings]
    if not mapping.is_known or INTEREST_RATE.name not in mapping.known.assign(plain):
        return
    listed = validated(project.root() / "params" / "rate_periods.yml", RatePeriods)
    words = [{*heading.split("_")} for heading in plain]
    rates, others = set(listed.rates), set(listed.others)
    places = [i for i, found in enumerate(words) if len(found) > 1 and found & rates and not found & others]
    cells = ((place, row[place]) for row in rows if len(row) == len(plain) for place in places)
    for place, cell in cells:
        if times := next((n for n, periods in listed.in_a_year.items() if normalise(cell) in periods), None):
            rate = headings[mapping.known.assign(plain)[INTEREST_RATE.name]].strip()
            raise InputError(
                f"{name}: {headings[place].strip()} says {cell.strip()}, and rates are read as those of a year: write "
                f'{rate} a year, or have a mapping multiply it: compute: "[{rate}] * {times}" (make map INPUT=…)'
            )
