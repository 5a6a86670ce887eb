"""A plain script of the code cells of the notebooks, one after another."""

import ast
import inspect
import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from abaco.core.phases import notebook_path, section

# Replaces what notebooks do: pass facts from one to the next, and keep displayed results for the page.
PROLOGUE = """\
from pathlib import Path

from abaco.run import phase as run_phase
from abaco.core.phases import notebook_path

_handed, _shown = {}, {}
run_phase.Phase.write_facts = lambda self, content: _handed.update({self.name: run_phase.plain(content)})
run_phase.Phase.read_facts = lambda self, name: _handed[name]
run_phase.record = lambda **figures: None
"""


def script(phases: Iterable[str], run_dir: Path, parameters: Mapping[str, Mapping[str, Any]]) -> str:
    """Return the script.

    Parameters
    ----------
    phases
        Their names with their numbers.
    run_dir
        The run's folder.
    parameters
        What the notebooks get besides it, by section.
    """
    parts = [PROLOGUE, inspect.getsource(write_notebook)]
    for phase in phases:
        given = {"run_dir": str(run_dir), **parameters[section(phase)]}
        parts.append(f"# {phase}")
        for place, cell in enumerate(json.loads(notebook_path(phase).read_text(encoding="utf-8"))["cells"]):
            if cell["cell_type"] == "code":
                parts.append(_kept("".join(cell["source"]), place) if phase == "04_report" else "".join(cell["source"]))
                if "parameters" in cell["metadata"].get("tags", []):
                    parts.append("\n".join(f"{name} = {value!r}" for name, value in given.items()))
        if phase == "04_report":
            parts.append(f"write_notebook({phase!r}, {str(run_dir)!r}, _shown)")
    return "\n\n".join(parts) + "\n"


def _kept(source: str, place: int) -> str:
    """Return the source of a cell with its last expression, which a kernel would show, kept in ``_shown``."""
    last = ast.parse(source).body[-1]
    if not isinstance(last, ast.Expr):
        return source
    lines = source.splitlines()
    before, shown = lines[: last.lineno - 1], "\n".join(lines[last.lineno - 1 :])
    return "\n".join([*before, f"_shown[{place}] = (\n{shown}\n)"])


def write_notebook(phase: str, run_dir: str, shown: dict) -> None:
    """Write a notebook with results in it, as far as the page needs them."""
    import nbformat
    from IPython.core.formatters import DisplayFormatter

    notebook, show = nbformat.read(notebook_path(phase), as_version=4), DisplayFormatter().format
    for place, value in shown.items():
        if value is not None:
            data, metadata = show(value)
            notebook.cells[place].outputs = [
                nbformat.v4.new_output("execute_result", data, metadata=metadata, execution_count=place)
            ]
    nbformat.write(notebook, Path(run_dir) / "notebooks" / f"{phase}.ipynb")
