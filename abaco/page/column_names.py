"""The texts of metrics.json in the page's language: reasons by their codes, and columns in words."""

from collections.abc import Mapping
from typing import Any

from abaco.core.reasons import JOINTS, Reason
from abaco.page.language import phrase, reasons, spoken
from abaco.page.words import count, day, listing, money

COLUMNS = {
    "total_receivable_usd": "the outstanding balance",
    "total_eligible_usd": "the eligible receivables",
    "discounted_balance_usd": "the discounted balance",
    "cash_available_usd": "cash on hand",
    "dpd_0_7_usd": "the balance 0–7 days late",
    "dpd_7_30_usd": "the balance 7–30 days late",
    "dpd_30_60_usd": "the balance 30–60 days late",
    "dpd_60_90_usd": "the balance 60–90 days late",
    "dpd_90_plus_usd": "the balance 90 or more days late",
    "dpd_120_plus_usd": "the balance 120 or more days late",
    "written_off_usd": "the written-off balance",
    "writeoff_outstanding_balance_usd": "the written-off balance",
    "outstanding_balance_usd": "the outstanding balance",
    "outstanding_balance": "the outstanding balance",
    "par_7_balance_usd": "the balance 7 or more days late",
    "par_30_balance_usd": "the balance 30 or more days late",
    "par_60_balance_usd": "the balance 60 or more days late",
    "par_90_balance_usd": "the balance 90 or more days late",
    "measurement_date": "the measurement date",
    "reporting_date": "the reporting date",
    "loan_id": "the loan's number",
    "days_past_due": "the days past due",
    "disbursed_usd": "the disbursed amount",
    "interest_rate": "the interest rate",
    "borrower_id": "the borrower's number",
    "borrower_name": "the borrower's name",
    "borrower_email": "the borrower's email",
    "borrower_phone": "the borrower's phone",
    "borrower_tax_id": "the borrower's tax number",
    "borrower_address": "the borrower's address",
    "borrower_birth_date": "the borrower's date of birth",
    "payer_name": "the payer's name",
}
# values of reasons that are dates
DAYS = ("date", "last", "since", "paid_since", "due_since")
KPI_TEXTS = ("title", "unit", "note", "formula")


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
    if name == "count":
        return count(value)
    if name in ("column", "wider_column"):
        return phrase(COLUMNS.get(value, value))
    return money(value) if name == "usd" else phrase(value)


def in_words(metrics: dict[str, Any]) -> dict[str, Any]:
    """Return the content of metrics.json with every text as the page shows it; no figure is touched.

    Parameters
    ----------
    metrics
        The content of metrics.json, which stays as it is.
    """
    codes = metrics["reason_codes"]
    return metrics | {
        "kpis": {name: _kpi(kpi, codes["kpis"].get(name)) for name, kpi in metrics["kpis"].items()},
        "quality": metrics["quality"] | {
            "rejects": _rejects(codes["rejects"]), "notes": [tell(note) for note in codes["notes"]],
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
    if reason is None:
        return kpi | texts
    return kpi | texts | {"reason": tell(reason), "root_reason": str(Reason.from_dict(reason).root)}


def _rejects(rejects):
    found = {}
    for entry in rejects:
        text = capital(tell(entry["reason"]))
        found[text] = found.get(text, 0) + entry["rows"]
    return found
