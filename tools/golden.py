"""Golden notebooks: phases and deep dives executed on the sample, kept for nbval to check every output."""

import shutil
import sys
from pathlib import Path

import nbformat

from abaco.core import project
from abaco.core.phases import PHASES, notebook_path
from abaco.core.settings import notebook_parameters
from abaco.run.dive import DIVES, report_of
from abaco.run.phase import SCRATCH
from abaco.run.process import execute, execute_phase

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


def prepare_dives() -> None:
    """Have the reports ready that the deep dives open with their default parameters."""
    defaults = [notebook_parameters(notebook_path(dive)) for dive in DIVES]
    for given in {(found["input"][1], found["date"][1]) for found in defaults}:
        report_of(*given)


def refresh() -> None:
    """Write the golden notebooks anew, without what changes from run to run."""
    executed = prepare(PHASES) / "notebooks"
    prepare_dives()
    for dive in DIVES:
        execute(notebook_path(dive), executed / f"{dive}.ipynb", {})
    for name in (*PHASES, *DIVES):
        notebook = nbformat.read(executed / f"{name}.ipynb", as_version=4)
        for part in (notebook, *notebook.cells):
            part.metadata.pop("papermill", None)
            part.metadata.pop("execution", None)
            part.metadata.pop("tags", None) if part.metadata.get("tags") == [] else None
        nbformat.write(notebook, project.root() / GOLDEN / f"{name}.ipynb")
        print(f"{GOLDEN / name}.ipynb", file=sys.stderr)


if __name__ == "__main__":
    refresh()
