"""The texts that come with the figures, put in words and in the page's language, once and for all parts."""

import re
from typing import Any

from abaco.page.column_names import capital, with_words
from abaco.page.language import phrase, translated
from abaco.page.words import day

KPI_TEXTS = ("title", "unit", "note", "formula")


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
