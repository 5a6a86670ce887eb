"""Periods of interest rates that a column beside them says, such as ``periodo_tasa: mensual``."""

from collections.abc import Iterable, Sequence

from abaco.core.errors import InputError
from abaco.ingest.columns import INTEREST_RATE, normalise
from abaco.ingest.mappings import Mapping

RATES = {"rate", "rates", "interest", "tasa", "interes", "taxa", "juros", "taux", "zins", "zinssatz"}
# what else may be monthly of a rate or of interest
OTHER = {
    "payment", "pago", "instalment", "installment", "cuota", "repayment", "collection", "cobro", "accrual", "reset",
    "compounding", "capitalizacion", "capitalization", "review", "revision",
}  # fmt: skip
# How many of a period are in a year, by its words.
IN_A_YEAR = {
    12: {"month", "monthly", "per_month", "a_month", "pm", "p_m", "mensual", "mes", "al_mes", "mensal", "mensuel"},
    365: {"day", "daily", "per_day", "diario", "diaria", "dia", "journalier"},
    52: {"week", "weekly", "per_week", "semanal", "semana", "hebdomadaire"},
    26: {"biweekly", "fortnightly", "catorcenal"},
    24: {"semimonthly", "quincenal", "quincena"},
    4: {"quarter", "quarterly", "trimestral", "trimestre"},
    2: {"half_yearly", "semiannual", "semi_annual", "semestral", "semestre"},
}


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
    words = [{*heading.split("_")} for heading in plain]
    places = [i for i, found in enumerate(words) if len(found) > 1 and found & RATES and not found & OTHER]
    cells = ((place, row[place]) for row in rows if len(row) == len(plain) for place in places)
    for place, cell in cells:
        if times := next((count for count, listed in IN_A_YEAR.items() if normalise(cell) in listed), None):
            rate = headings[mapping.known.assign(plain)[INTEREST_RATE.name]].strip()
            raise InputError(
                f"{name}: {headings[place].strip()} says {cell.strip()}, and rates are read as those of a year: write "
                f'{rate} a year, or have a mapping multiply it: compute: "[{rate}] * {times}" (make map INPUT=…)'
            )
