"""Golden notebooks: the phases executed on the sample, kept with the tests so that nbval can check every output."""

import shutil
import sys
from pathlib import Path

import nbformat

from abaco import project
from abaco.execution import execute_phase
from abaco.phases import SCRATCH
from abaco.stages import PHASES

GOLDEN = Path("tests") / "golden"


def prepare(phases: tuple[str, ...] = PHASES[:-1]) -> Path:
    """Execute `phases` from nothing as a scratch run on the sample, and return its folder."""
    folder = project.root() / SCRATCH
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("tables", "notebooks", "work"):
        (folder / name).mkdir(parents=True)
    for phase in phases:
        execute_phase(phase, folder, {})
    return folder


def refresh() -> None:
    """Write the golden notebooks anew, without what changes from run to run."""
    executed = prepare(PHASES) / "notebooks"
    for phase in PHASES:
        notebook = nbformat.read(executed / f"{phase}.ipynb", as_version=4)
        for part in (notebook, *notebook.cells):
            part.metadata.pop("papermill", None)
            part.metadata.pop("execution", None)
            part.metadata.pop("tags", None) if part.metadata.get("tags") == [] else None
        nbformat.write(notebook, project.root() / GOLDEN / f"{phase}.ipynb")
        print(f"{GOLDEN / phase}.ipynb", file=sys.stderr)


if __name__ == "__main__":
    refresh()
