"""The texts of metrics.json in the page's language: reasons by their codes, and columns in words."""

from collections.abc import Mapping
from typing import Any

from abaco.core.reason_words import HEADLINES
from abaco.core.reasons import AMOUNTS, JOINTS, PERCENT, Reason
from abaco.ingest import tape
from abaco.ingest.formats import TAPE_FORMATS
from abaco.page.language import phrase, reasons, say, spoken
from abaco.page.words import count, day, listing, number, usd

# Of names without an underscore, such as "product", a text cannot tell a column from the word.
COLUMNS = {
    column.name: column.meaning
    for column in (*tape.COLUMNS, *(column for format_ in TAPE_FORMATS for column in format_.columns))
    if "_" in column.name
} | {"reporting_date": "the reporting date"}
# values of reasons that are dates
DAYS = ("date", "last", "since", "paid_since", "due_since")
KPI_TEXTS = ("title", "unit", "note", "convention", "formula")


def column(name: str) -> str:
    """Return a column's name in words; of an unknown one, its name with blanks.

    >>> column("cash_available_usd"), column("loan_company")
    ('cash on hand', 'loan company')
    """
    return COLUMNS.get(name, name.removesuffix("_usd").replace("_", " "))


def capital(text: str) -> str:
    """Return a text with its first letter large."""
    return text[:1].upper() + text[1:]


def small(text: str) -> str:
    """Return a title for the middle of a sentence: its first letter small, unless it begins an abbreviation."""
    return text if text[1:2].isupper() else text[:1].lower() + text[1:]


def tell(reason: Mapping[str, Any]) -> str:
    """Return a reason of metrics.json in the page's language, its columns in words and its dates as people write them.

    Parameters
    ----------
    reason
        A code with its values (see `abaco.core.reasons`).
    """
    values = {name: _value(name, value) for name, value in reason.items() if name != "code"}
    return reasons(spoken())[reason["code"]].format(**values)


def _value(name, value):
    if name in DAYS:
        return day(value)
    if isinstance(value, dict):
        return tell(value)
    if name == "columns":
        return listing(phrase(COLUMNS.get(part, part)) for part in value)
    if isinstance(value, list):
        return JOINTS[name].join(map(phrase, value))
    if isinstance(value, int):
        return count(value)
    if name in ("column", "wider_column"):
        return phrase(COLUMNS.get(value, value))
    if name in PERCENT:
        return number(value, 2)
    return usd(value) if name in AMOUNTS else phrase(value)


def in_words(metrics: dict[str, Any]) -> dict[str, Any]:
    """Return the content of metrics.json with every text as the page shows it; no figure is touched.

    Parameters
    ----------
    metrics
        The content of metrics.json, which stays as it is.
    """
    codes = metrics["reason_codes"]
    return metrics | {
        "verdict": metrics["verdict"] | {"findings": [tell(finding) for finding in codes["verdict"]]},
        "kpis": {name: _kpi(kpi, codes["kpis"].get(name)) for name, kpi in metrics["kpis"].items()},
        **({"facilities": _facilities(metrics["facilities"], codes["facilities"])} if "facilities" in metrics else {}),
        "quality": metrics["quality"] | {
            "rejects": _rejects(codes["rejects"]),
            "notes": [tell(note) for note in codes["notes"] if note["code"] not in HEADLINES],
            "headlines": [tell(note) for note in codes["notes"] if note["code"] in HEADLINES],
        },
        "missing": [item | {"add": phrase(item["add"])} for item in metrics["missing"]],
        "inputs": [
            item
            | {"is_tape": item["used_for"] == "tape", "gives_cash": item["used_for"] == "cash"}
            | {"format": phrase(item["format"]), "used_for": phrase(item["used_for"])}
            for item in metrics["inputs"]
        ],
    }  # fmt: skip


def _kpi(kpi, reason):
    texts = {key: phrase(kpi[key]) for key in KPI_TEXTS if kpi.get(key)}
    if window := kpi.get("window"):
        is_mean = window["take"] == "mean"
        texts["formula"] = say(
            "mean of {kpi} over {months} months" if is_mean else "sum of {kpi} over {months} months", **window
        )
    if reason is None:
        return kpi | texts
    return kpi | texts | {"reason": tell(reason), "root_reason": str(Reason.from_dict(reason).root)}


def _facilities(facilities, codes):
    found = {}
    for key, one in facilities.items():
        covenants = {
            name: entry | {"reason": tell(entry["reason"])} if entry["reason"] else entry
            for name, entry in one["covenants"].items()
        }
        found[key] = one | {"verdict": [tell(reason) for reason in codes[key]], "covenants": covenants}
    return found


def _rejects(rejects):
    found = {}
    for entry in rejects:
        text = capital(tell(entry["reason"]))
        found[text] = found.get(text, 0) + entry["rows"]
    return found
