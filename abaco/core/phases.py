"""The phases by name: their notebooks, what each must leave behind, and whether it did."""

import json
from pathlib import Path

from abaco.core import project

PHASES = ("01_ingestion", "02_transformation", "03_calculation", "04_report", "05_output")
CALCULATED = (
    "measures", "history", "segments", "concentration", "roll_rates", "bridges", "bridge_loans", "collections",
    "vintages",
)  # fmt: skip
# What a phase must have left in the run's folder to have succeeded, and what of that stays there.
OUTPUTS = {
    "ingestion": ("tables/quarantine.parquet",),
    "transformation": ("tables/tape.parquet", "tables/aging.parquet", "tables/borrowers.parquet"),
    "calculation": (
        "metrics.json",
        *(f"tables/{table}.parquet" for table in CALCULATED),
    ),
    "report": ("notebooks/04_report.ipynb",),
    "output": ("report.html", "email.html", "email.eml", "manifest.json"),
}
# What only the next phase reads; it holds personal data, and goes as soon as that phase has succeeded.
HANDED = {"ingestion": ("work/rows",)}
# Scraps: that a phase is complete, and what it tells the phases after it.
COMPLETED, FACTS = "completed", "facts"


def section(phase: str) -> str:
    """Return the name of a phase without its number: the section of its settings, the key of its metrics."""
    return phase.split("_", 1)[1]


def phase_named(name: str) -> str:
    """Return the name of a phase with its number."""
    return next(phase for phase in PHASES if section(phase) == name)


def notebook_path(phase: str) -> Path:
    """Return the source notebook of a phase."""
    return project.root() / "notebooks" / f"{phase}.ipynb"


def scraps_of(notebook: Path, last_cell: bool = False) -> dict[str, object]:
    """Return what an executed notebook recorded with scrapbook, by name; of its last cell only, if wanted so."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    chosen = cells[-1:] if last_cell else cells
    outputs = [o for cell in chosen for o in cell.get("outputs", [])]
    kind = "application/scrapbook.scrap."
    found = [data for o in outputs for name, data in o.get("data", {}).items() if name.startswith(kind)]
    return {scrap["name"]: scrap["data"] for scrap in found}


def finished(folder: Path, phase: str) -> str | None:
    """Return None when a phase succeeded, else what is missing: its completion scrap or a declared output."""
    notebook = folder / "notebooks" / f"{phase}.ipynb"
    if not notebook.is_file():
        return f"it left no {notebook.name}"
    if COMPLETED not in scraps_of(notebook, last_cell=True):
        return (
            "its last cell never recorded that it was complete (its process ended, or the cell was removed)"
        )
    absent = [name for name in OUTPUTS[section(phase)] if not (folder / name).exists()]
    return f"it left no {absent[0]}" if absent else None
