"""The data dictionary: every table that a report may hold, with its grain and its columns."""

from abaco.core.tables import Table
from abaco.ingest import obligors, quarantine, rejected_loans, tape, transformation
from abaco.ingest.formats import FORMATS, RATES
from abaco.kpis import (
    aging,
    bridge,
    collection,
    concentration,
    contributors,
    history,
    measures,
    movement,
    roll_forward,
    segments,
    vintage,
)
from abaco.kpis.facilities import availability, covenants, eligibility, lines

REPORT = (
    tape.TABLE, transformation.BORROWERS, obligors.PAYERS, quarantine.TABLE, rejected_loans.TABLE,
    *(module.TABLE for module in (
        measures, history, aging, segments, concentration, movement, roll_forward, bridge, contributors, collection,
        vintage,
    )),
)  # fmt: skip
OF_FACILITIES = (
    obligors.TABLE, lines.TABLE, eligibility.TABLE, availability.TABLE, availability.LOANS, covenants.TABLE,
    covenants.INPUTS,
)  # fmt: skip
# Formats without a purpose only give the tape; each of the others gets a table.
EXPORTS = tuple(format_.table for format_ in FORMATS.values() if format_.purpose and format_ is not RATES)
TABLES: dict[str, Table] = {table.name: table for table in (*REPORT, *OF_FACILITIES, *EXPORTS)}
"""Every table by its name."""


def sentence(table: Table) -> str:
    """Return the grain of a table as a sentence.

    Examples
    --------
    >>> sentence(TABLES["history"])
    'One row per date and KPI.'
    """
    return f"{table.grain[0].upper()}{table.grain[1:]}."
