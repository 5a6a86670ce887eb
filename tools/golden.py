"""Golden notebooks: phases and deep dives executed on the sample; nbval compares every output with them."""

import shutil
import sys
from pathlib import Path

import nbformat

from abaco.core import project
from abaco.core.phases import DRAFTING, PHASES, notebook_path
from abaco.core.settings import notebook_parameters
from abaco.run.dive import DIVES, report_of
from abaco.run.phase import SCRATCH
from abaco.run.process import execute, execute_phase

GOLDEN = Path("tests") / "golden"


def prepare(phases: tuple[str, ...] = PHASES[:-1]) -> Path:
    """Execute `phases` in a new scratch run on the sample, and return its folder."""
    folder = project.root() / SCRATCH
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("tables", "notebooks", "work"):
        (folder / name).mkdir(parents=True)
    for phase in phases:
        execute_phase(phase, folder, {})
    return folder


def prepare_dives() -> None:
    """Make the reports that the deep dives open with their default parameters."""
    defaults = [notebook_parameters(notebook_path(dive)) for dive in DIVES]
    keys = ("input", "date", "facilities")
    for which in {tuple(default[key][1] for key in keys if key in default) for default in defaults}:
        report_of(*which)


def refresh() -> None:
    """Rewrite the golden notebooks, without metadata that changes from run to run."""
    executed = prepare(PHASES) / "notebooks"
    prepare_dives()
    for dive in (*DIVES, DRAFTING):
        execute(notebook_path(dive), executed / f"{dive}.ipynb", {})
    for name in (*PHASES, *DIVES, DRAFTING):
        notebook = nbformat.read(executed / f"{name}.ipynb", as_version=4)
        for part in (notebook, *notebook.cells):
            for key in ("papermill", "execution"):
                part.metadata.pop(key, None)
            part.metadata.pop("tags", None) if part.metadata.get("tags") == [] else None
        nbformat.write(notebook, project.root() / GOLDEN / f"{name}.ipynb")
        print(f"{GOLDEN / name}.ipynb", file=sys.stderr)


if __name__ == "__main__":
    refresh()
