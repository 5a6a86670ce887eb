"""The phases: their names and notebooks, what each recorded, and whether it completed."""

import json
from pathlib import Path

from abaco.core import project

PHASES = ("01_ingestion", "02_transformation", "03_calculation", "04_report", "05_output")
DRAFTING = "map_a_tape"  # the notebook that drafts a mapping
# Scraps: the files that a phase wrote, recorded when it is complete, and its facts for later phases.
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
    """Return what an executed notebook, or only its last cell, recorded with scrapbook, by name."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    outputs = [output for cell in (cells[-1:] if last_cell else cells) for output in cell.get("outputs", [])]
    kind = "application/scrapbook.scrap."
    scraps = [data for o in outputs for name, data in o.get("data", {}).items() if name.startswith(kind)]
    return {scrap["name"]: scrap["data"] for scrap in scraps}


def outputs(folder: Path, phase: str) -> list[str] | None:
    """Return the files and folders that a phase wrote, as its last cell recorded them; None if it did not complete."""
    notebook = folder / "notebooks" / f"{phase}.ipynb"
    recorded = scraps_of(notebook, last_cell=True).get(COMPLETED) if notebook.is_file() else None
    return recorded if isinstance(recorded, list) else None


def finished(folder: Path, phase: str) -> str | None:
    """Return None when a phase succeeded, else what is missing: its completion scrap or an output that it lists."""
    if not (folder / "notebooks" / f"{phase}.ipynb").is_file():
        return f"it left no {phase}.ipynb"
    if (names := outputs(folder, phase)) is None:
        return "its last cell never recorded that it was complete (its process ended, or the cell was removed)"
    absent = [name for name in names if not (folder / name).exists()]
    return f"it left no {absent[0]}" if absent else None
