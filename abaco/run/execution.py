"""Execution of notebooks by papermill, and the judgement whether a phase succeeded."""

import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nbclient.exceptions import DeadKernelError

from abaco import lean
from abaco.core import project
from abaco.core.errors import ERRORS, RunError
from abaco.core.phases import PHASES, finished, notebook_path
from abaco.kernels.ahead import KernelAhead
from abaco.kernels.client import PATIENCE_SECONDS, PromptManager

with lean.imports():
    from papermill.clientwrap import PapermillNotebookClient
    from papermill.engines import Engine, papermill_engines
    from papermill.exceptions import PapermillExecutionError
    from papermill.execute import execute_notebook


class CellwiseEngine(Engine):
    """Papermill's client, with a kernel that waits for it if there is one; it tells which cell it has come to."""

    @classmethod
    def execute_managed_notebook(cls, nb_man, kernel_name, on_cell=None, ahead=None, log_output=False, **_):
        """Execute a notebook; `on_cell` is called with the cell's number and the number of cells before each."""
        start, save, total, saved = nb_man.cell_start, nb_man.save, len(nb_man.nb.cells), [0.0]

        def save_now_and_then(**more):  # papermill writes the whole notebook twice a cell
            if time.monotonic() - saved[0] >= SAVE_SECONDS:
                save(**more)
                saved[0] = time.monotonic()

        def cell_start(cell, cell_index=None, **more):
            if on_cell is not None:
                on_cell(cell_index + 1, total)
            return start(cell, cell_index, **more)

        nb_man.cell_start, nb_man.save = cell_start, save_now_and_then
        client = PapermillNotebookClient(
            nb_man, kernel_name=kernel_name, kernel_manager_class=PromptManager, log_output=log_output, timeout=None,
            startup_timeout=PATIENCE_SECONDS, iopub_timeout=PATIENCE_SECONDS,
            shutdown_kernel="immediate",  # every output has come; a polite end interrupts the kernel and waits
        )  # fmt: skip
        if ahead is not None and (waiting := ahead.take()):
            client.km, client.kc = waiting
        try:
            client.execute(cleanup_kc=ahead is None)
        finally:
            nb_man.save = save
            if ahead is not None:
                ahead.end(client)


SAVE_SECONDS = 2
papermill_engines.register("cellwise", CellwiseEngine)


def execute_phase(
    phase: str,
    folder: Path,
    parameters: dict[str, Any],
    on_cell: Callable[[int, int], None] | None = None,
    kernel: str = "abaco",
    ahead: KernelAhead | None = None,
) -> Path:
    """Execute the notebook of one phase into the run's folder and return the executed notebook.

    Parameters
    ----------
    phase
        Its name with its number, such as ``01_ingestion``.
    folder
        The run's folder.
    parameters
        What to inject besides ``run_dir``; nothing at all when empty, so that a scratch run keeps the defaults.
    kernel
        The kernelspec.
    ahead
        Where a kernel may wait for this notebook.

    Raises
    ------
    InputError, RunError
        The phase's own error, or that it ended without completing; the executed notebook stays for debugging.
    """
    executed = folder / "notebooks" / f"{phase}.ipynb"
    injected = {"run_dir": str(folder), **parameters} if parameters else {}
    execute(notebook_path(phase), executed, injected, on_cell, kernel, ahead)
    if fault := finished(folder, phase):
        raise RunError(f"Phase {phase} failed: {fault}; see {project.shown(executed)}")
    return executed


def execute(
    source: Path,
    executed: Path,
    parameters: dict[str, Any],
    on_cell: Callable[[int, int], None] | None = None,
    kernel: str = "abaco",
    ahead: KernelAhead | None = None,
) -> None:
    """Execute any notebook of the project, a deep dive for example, to the file `executed`.

    Raises
    ------
    InputError, RunError
        The notebook's own error.
    """
    executed.unlink(missing_ok=True)
    what = f"{'Phase' if source.stem in PHASES else 'Notebook'} {source.stem} failed"
    try:
        execute_notebook(
            str(source), str(executed), parameters=parameters, engine_name="cellwise", kernel_name=kernel,
            progress_bar=False, cwd=str(source.parent), on_cell=on_cell, ahead=ahead,
        )  # fmt: skip
    except PapermillExecutionError as error:
        if error.ename in ERRORS:
            raise ERRORS[error.ename](error.evalue) from error
        first_line = error.evalue.split("\n", 1)[0]
        raise RunError(
            f"{what} in cell {error.cell_index + 1}: {error.ename}: {first_line}; see {project.shown(executed)}"
        ) from error
    except DeadKernelError as error:
        raise RunError(f"{what}: its kernel died; see {project.shown(executed)}") from error
