"""Columns in words: what the page calls a column of the tape, and the texts that name columns."""

import re
from typing import Any

from abaco.ingest import tape
from abaco.ingest.formats import TAPE_FORMATS
from abaco.page.language import phrase, translated
from abaco.page.words import day

# Of names without an underscore, such as "product", a text cannot tell a column from the word.
COLUMNS = {
    column.name: column.meaning
    for column in (*tape.COLUMNS, *(column for format_ in TAPE_FORMATS for column in format_.columns))
    if "_" in column.name
} | {"reporting_date": "the reporting date"}
_NAMED = re.compile(rf"\b({'|'.join(sorted(COLUMNS, key=len, reverse=True))})\b")

KPI_TEXTS = ("title", "unit", "note", "formula")


def column(name: str) -> str:
    """Return a column's name in words; of an unknown one, its name with blanks.

    >>> column("cash_available_usd"), column("loan_company")
    ('cash on hand', 'loan company')
    """
    return COLUMNS.get(name, name.removesuffix("_usd").replace("_", " "))


def with_words(text: str) -> str:
    """Return a text with the columns that it names in words.

    >>> with_words("cash_available_usd has no value on 2025-12-31")
    'cash on hand has no value on 2025-12-31'
    """
    return _NAMED.sub(lambda found: COLUMNS[found[0]], text)


def capital(text: str) -> str:
    """Return a text with its first letter large."""
    return text[:1].upper() + text[1:]


def small(text: str) -> str:
    """Return a title for the middle of a sentence: its first letter small, unless it begins an abbreviation."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def reworded(text: str | None) -> str | None:
    """Return a text with its columns in words, in the page's language, and its dates in that language's form."""
    if not text:
        return text
    told = translated(with_words(text))
    return re.sub(r"\b\d{4}-\d\d-\d\d\b", lambda found: day(found[0]), told)


def in_words(metrics: dict[str, Any]) -> dict[str, Any]:
    """Return the content of metrics.json with every text as the page shows it; no figure is touched.

    Parameters
    ----------
    metrics
        The content of metrics.json, which stays as it is.
    """
    return metrics | {
        "kpis": {name: _kpi(kpi) for name, kpi in metrics["kpis"].items()},
        "quality": _quality(metrics["quality"]),
        "missing": [item | {"add": translated(item["add"])} for item in metrics["missing"]],
        "inputs": [
            item
            | {"is_tape": item["used_for"] == "tape", "gives_cash": item["used_for"] == "cash"}
            | {"format": phrase(item["format"]), "used_for": phrase(item["used_for"])}
            for item in metrics["inputs"]
        ],
    }


def _kpi(kpi):
    texts = {key: translated(kpi[key]) for key in KPI_TEXTS if kpi.get(key)}
    return kpi | texts | {"reason": reworded(kpi["reason"])}


def _quality(quality):
    rejects = {}
    for reason, rows in quality["rejects"].items():
        told = capital(reworded(reason))
        rejects[told] = rejects.get(told, 0) + rows
    return quality | {"rejects": rejects, "notes": [reworded(note) for note in quality["notes"]]}
