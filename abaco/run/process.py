"""Notebooks in separate processes, forked from a server that has made their imports."""

import multiprocessing
import os
import signal
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from multiprocessing import forkserver
from multiprocessing.connection import Connection, wait
from pathlib import Path
from types import ModuleType
from typing import Any

from abaco.core import project
from abaco.core.errors import ERRORS, RunError
from abaco.core.phases import PHASES, finished, notebook_path

CAN_FORK = "forkserver" in multiprocessing.get_all_start_methods()
PRELOADED = ["abaco.run.preload"]
# Threads that a library starts while the server imports it would be missing in every fork.
SERVER_ENVIRONMENT = {
    "OMP_NUM_THREADS": "1", "OPENBLAS_NUM_THREADS": "1", "MKL_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
}  # fmt: skip
OUTDATED = 75  # exit code of a process whose code has changed since the fork server imported it


def prepare() -> None:
    """Start the fork server, which makes its imports in the background."""
    if not CAN_FORK:
        return
    multiprocessing.set_forkserver_preload(PRELOADED)
    former = {name: os.environ.get(name) for name in SERVER_ENVIRONMENT}
    os.environ.update(SERVER_ENVIRONMENT)
    try:
        forkserver.ensure_running()
    finally:
        for name, value in former.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


class NotebookProcess:
    """A process for one notebook, which makes the notebook's imports until `execute` is called.

    Parameters
    ----------
    source
        The notebook.
    """

    def __init__(self, source: Path):
        prepare()
        self._source = source
        self._start("forkserver" if CAN_FORK else "spawn")

    def _start(self, method: str) -> None:
        context = multiprocessing.get_context(method)
        self._connection, theirs = context.Pipe()
        arguments = (theirs, self._source, dict(os.environ), method == "forkserver")
        self._process = context.Process(target=_work, args=arguments, name=self._source.stem)
        with theirs, _no_main_module():
            self._process.start()

    def execute(
        self, executed: Path, parameters: dict[str, Any], on_cell: Callable[[int, int], None] | None = None
    ) -> None:
        """Execute the notebook and write it to `executed`.

        Parameters
        ----------
        on_cell
            Called before each cell with its number and the number of cells.

        Raises
        ------
        InputError, RunError
            The error of the notebook, or of a process that ended before its notebook.
        KeyboardInterrupt
            Somebody stopped the process.
        """
        executed.unlink(missing_ok=True)
        cell = 0
        name = f"{'Phase' if self._source.stem in PHASES else 'Notebook'} {self._source.stem} failed"
        try:
            self._connection.send((executed, parameters))
            while (message := self._receive((executed, parameters)))[0] == "cell":
                cell, total = message[1:]
                if on_cell:
                    on_cell(cell, total)
        except (EOFError, ConnectionError):
            self._process.join()
            if self._process.exitcode == -signal.SIGTERM:
                raise KeyboardInterrupt from None  # somebody stopped the run, perhaps all of its processes at once
            ending = _ending(self._process.exitcode)
            raise RunError(
                f"{name} in cell {cell}: its process {ending}; see {project.display_path(executed)}"
            ) from None
        if message[0] == "failed":
            kind, text, failed_cell = message[1:]
            cell = failed_cell or cell
            if kind in ERRORS:
                raise ERRORS[kind](text)
            first_line = text.split("\n", 1)[0]
            raise RunError(f"{name} in cell {cell}: {kind}: {first_line}; see {project.display_path(executed)}")

    def _receive(self, request: tuple) -> tuple:
        """Return the next message, after replacing a process whose code is outdated."""
        wait([self._connection, self._process.sentinel])
        try:
            return self._connection.recv()
        except (EOFError, ConnectionError):
            self._process.join()
            if self._process.exitcode != OUTDATED:
                raise
            self.close()
            self._start("spawn")
            self._connection.send(request)
            return self._receive(request)

    def close(self) -> None:
        """End the process."""
        self._connection.close()
        if self._process.is_alive():
            self._process.kill()
        self._process.join()

    def __enter__(self) -> "NotebookProcess":
        return self

    def __exit__(self, *_) -> None:
        self.close()


def _work(connection: Connection, source: Path, environment: dict[str, str], is_fork: bool) -> None:
    from abaco.run import execution  # only the child process needs it

    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the parent handles Ctrl-C, and ends this process
    if is_fork:
        if execution.is_outdated():
            sys.exit(OUTDATED)
        os.environ.clear()
        os.environ.update(environment)
        time.tzset()
    execution.work(connection, source)


@contextmanager
def _no_main_module() -> Iterator[None]:
    """Keep new processes from importing the main module, which may be a script that makes a report."""
    main = sys.modules["__main__"]
    sys.modules["__main__"] = ModuleType("__main__")
    try:
        yield
    finally:
        sys.modules["__main__"] = main


def _ending(exit_code: int) -> str:
    if exit_code < 0:
        name = signal.Signals(-exit_code).name
        return f"was killed by {name}" + (", perhaps for lack of memory" if name == "SIGKILL" else "")
    return f"ended with exit code {exit_code}"


def execute(
    source: Path,
    executed: Path,
    parameters: dict[str, Any],
    on_cell: Callable[[int, int], None] | None = None,
    process: NotebookProcess | None = None,
) -> None:
    """Execute a notebook in a separate process, and write it to `executed`.

    Parameters
    ----------
    process
        A process that was started for this notebook; by default a new one.

    Raises
    ------
    InputError, RunError
        See `NotebookProcess.execute`.
    """
    with process or NotebookProcess(source) as worker:
        worker.execute(executed, parameters, on_cell)


def execute_phase(
    phase: str,
    folder: Path,
    parameters: dict[str, Any],
    on_cell: Callable[[int, int], None] | None = None,
    process: NotebookProcess | None = None,
) -> Path:
    """Execute the notebook of one phase into the run's folder and return the executed notebook.

    Parameters
    ----------
    phase
        Its name with its number, such as ``01_ingestion``.
    folder
        The run's folder.
    parameters
        Parameters to inject besides ``run_dir``. When empty, nothing is injected: a scratch run has the
        defaults.
    process
        A process that was started for this notebook; by default a new one.

    Raises
    ------
    InputError, RunError
        The error of the phase, or that it did not complete. The executed notebook is kept.
    """
    executed = folder / "notebooks" / f"{phase}.ipynb"
    injected = {"run_dir": str(folder), **parameters} if parameters else {}
    execute(notebook_path(phase), executed, injected, on_cell, process)
    if fault := finished(folder, phase):
        raise RunError(f"Phase {phase} failed: {fault}; see {project.display_path(executed)}")
    return executed
