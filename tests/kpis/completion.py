"""The sample with expenses, risk parameters and facilities: what its report leaves out, so that more has a value."""

import shutil
from decimal import Decimal

import yaml

from .recomputation import CHANCES, EXPENSES, SAMPLE, SEVERITY

FACILITIES = "params/sample_facilities.yml"
PERCENTAGES = ", ".join(str(float(chance)) for chance in CHANCES)


def completed(root):
    """Add the sample to a project, and return what a report of it is called with."""
    shutil.copytree(SAMPLE, root / "data/sample")
    expenses = [f"{day},Gastos operativos,{Decimal(usd) / 100}" for day, usd in EXPENSES.items()]
    (root / "data/sample/expenses.csv").write_text("\n".join(["reporting_date,metric,value", *expenses, ""]))
    risk = {"default_probability_pct": PERCENTAGES, "loss_given_default_pct": float(SEVERITY)}
    (root / "risk.yml").write_text(yaml.safe_dump({"calculation": risk, "run": {"facilities": FACILITIES}}))
    return "--input", "data/sample", "--params", "risk.yml"
