"""The sample with what its report leaves out: expenses, reserves, risk parameters and facilities."""

import shutil
from decimal import Decimal

import yaml

from .recomputation import ADDED, CHANCES, SAMPLE, SEVERITY

FACILITIES = "params/sample_facilities.yml"
PERCENTAGES = ", ".join(str(float(chance)) for chance in CHANCES)


def completed(root):
    """Add the sample to a project, and return what a report of it is called with."""
    shutil.copytree(SAMPLE, root / "data/sample")
    added = [f"{day},{name},{Decimal(usd) / 100}" for name, days in ADDED.items() for day, usd in days.items()]
    (root / "data/sample/added.csv").write_text("\n".join(["reporting_date,metric,value", *added, ""]))
    risk = {"default_probability_pct": PERCENTAGES, "loss_given_default_pct": float(SEVERITY)}
    (root / "risk.yml").write_text(yaml.safe_dump({"calculation": risk, "run": {"facilities": FACILITIES}}))
    return "--input", "data/sample", "--params", "risk.yml"
