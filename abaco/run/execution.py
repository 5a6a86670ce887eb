"""Execution of a notebook in the current process: a papermill engine that runs each cell with IPython."""

import ast
import base64
import gc
import io
import os
import random
import sys
import tempfile
import threading
import time
from collections.abc import Callable
from contextlib import redirect_stderr, redirect_stdout, suppress
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import nbformat
import numpy as np
import pandas as pd
import scrapbook  # noqa: F401  imported once in the fork server for all phases, which record their figures with it
from IPython.core.displayhook import DisplayHook
from IPython.core.displaypub import DisplayPublisher
from IPython.core.interactiveshell import InteractiveShell
from nbformat import NotebookNode
from nbformat.v4 import new_output
from papermill.engines import Engine, NotebookExecutionManager, papermill_engines
from papermill.exceptions import PapermillExecutionError
from papermill.execute import execute_notebook
from papermill.iorw import write_ipynb
from traitlets import Any as AnyTrait
from traitlets import Type
from traitlets.config import Config

LOADED = time.time()
SAVE_SECONDS = 2
GARBAGE_THRESHOLD = 50_000  # new objects before a collection: with 700, a chart takes a tenth longer
INLINE_BACKEND = "module://matplotlib_inline.backend_inline"  # what Jupyter sets for Matplotlib


class Outputs:
    """The outputs of the running cell, in the order in which they appear."""

    def __init__(self):
        self._cell: list[NotebookNode] = []
        self._displays: dict[str, list[NotebookNode]] = {}
        self._clear_before_next = False

    def begin(self, cell: list[NotebookNode]) -> None:
        """Direct outputs to another cell."""
        self._cell, self._clear_before_next = cell, False

    def add(self, output: NotebookNode) -> None:
        """Append an output."""
        if self._clear_before_next:
            self.clear()
        self._cell.append(output)

    def add_text(self, name: str, text: str) -> None:
        """Append text to ``stdout`` or ``stderr``."""
        last = self._cell[-1] if self._cell and not self._clear_before_next else None
        if last and last.output_type == "stream" and last.name == name:
            last.text += text
        elif text:
            self.add(new_output("stream", name=name, text=text))

    def add_display(self, data: dict, metadata: dict | None, display_id: str | None, update: bool) -> None:
        """Append a display, or replace the earlier one with the same id."""
        if update:
            for output in self._displays.get(display_id, []):
                output.data, output.metadata = _as_json(data), NotebookNode(metadata or {})
            return
        output = new_output("display_data", data=_as_json(data), metadata=metadata or {})
        if display_id:
            self._displays.setdefault(display_id, []).append(output)
        self.add(output)

    def clear(self, wait: bool = False) -> None:
        """Remove the outputs of the running cell, now or when the next one appears."""
        self._clear_before_next = wait
        if not wait:
            self._cell.clear()


def _as_json(data: dict[str, Any]) -> dict[str, Any]:
    return {k: base64.b64encode(v).decode() if isinstance(v, bytes) else v for k, v in data.items()}


class TextOutput(io.TextIOBase):
    """A standard stream that appends to the outputs of the running cell."""

    def __init__(self, name: str, outputs: Outputs):
        self._name, self._outputs = name, outputs

    def write(self, text: str) -> int:
        """Append text."""
        self._outputs.add_text(self._name, text)
        return len(text)


class ResultHook(DisplayHook):
    """Appends the value of a cell's last expression to the outputs."""

    def write_output_prompt(self) -> None:
        """Print no prompt."""

    def write_format_data(self, format_dict: dict, md_dict: dict | None = None) -> None:
        """Append the value in all its representations."""
        count, metadata = self.prompt_count, md_dict or {}
        self.shell.outputs.add(
            new_output("execute_result", data=_as_json(format_dict), metadata=metadata, execution_count=count)
        )

    def finish_displayhook(self) -> None:
        """Print no separator."""


class OutputPublisher(DisplayPublisher):
    """Appends what a cell displays to the outputs."""

    def publish(self, data, metadata=None, source=None, *, transient=None, update=False, **_) -> None:
        """Append or update a display."""
        self.shell.outputs.add_display(data, metadata, (transient or {}).get("display_id"), update)

    def clear_output(self, wait: bool = False) -> None:
        """Remove the outputs of the running cell."""
        self.shell.outputs.clear(wait)


class NotebookShell(InteractiveShell):
    """IPython with magics, displays and top-level ``await``, but without history."""

    displayhook_class = Type(ResultHook)
    display_pub_class = Type(OutputPublisher)
    outputs = AnyTrait()
    kernel = AnyTrait("none")  # libraries take a shell with this attribute for a notebook

    def showtraceback(self, *_, **__) -> None:
        """Print nothing: the error becomes an output of its cell."""

    def showsyntaxerror(self, *_, **__) -> None:
        """Print nothing: the error becomes an output of its cell."""

    def run(self, cell: NotebookNode) -> bool:
        """Run a code cell into its outputs, and return whether it succeeded."""
        self.outputs.begin(cell.outputs)
        streams = [TextOutput(name, self.outputs) for name in ("stdout", "stderr")]
        with redirect_stdout(streams[0]), redirect_stderr(streams[1]):
            cell.execution_count = self.execution_count
            result = self.run_cell(cell.source, store_history=True)
        error = result.error_before_exec or result.error_in_exec
        if error is None:
            return True
        traceback = self.InteractiveTB.structured_traceback(type(error), error, error.__traceback__)
        self.outputs.add(new_output("error", ename=type(error).__name__, evalue=str(error), traceback=traceback))
        return False


def show_figures_inline() -> None:
    """Let Matplotlib show figures in notebooks, as Jupyter does; it reads this when it is imported."""
    os.environ.setdefault("MPLBACKEND", INLINE_BACKEND)


def new_shell() -> NotebookShell:
    """Return a shell with an empty namespace, and make it IPython's current one."""
    show_figures_inline()
    pd.set_option("display.max_columns", 20)  # pandas assumed a terminal when it was imported
    config = Config()
    config.HistoryManager.enabled = False
    NotebookShell.clear_instance()
    return NotebookShell.instance(config=config, outputs=Outputs())


class NotebookEngine(Engine):
    """Runs the cells of a notebook in the calling process."""

    @classmethod
    def execute_managed_notebook(
        cls,
        nb_man: NotebookExecutionManager,
        kernel_name: str,
        on_cell: Callable[[int, int], None] | None = None,
        save_to: Path | None = None,
        native: "NativeOutput | None" = None,
        shell: NotebookShell | None = None,
        **_,
    ) -> None:
        """Execute a notebook up to its end or its first error.

        Parameters
        ----------
        on_cell
            Called before each cell with its number and the number of cells.
        save_to
            A file that the unfinished notebook is written to every few seconds.
        native
            What libraries print without Python's streams.
        shell
            The shell that runs the cells; by default a new one.
        """
        shell, saved = shell or new_shell(), 0.0
        try:
            for index, cell in enumerate(nb_man.nb.cells):
                nb_man.cell_start(cell, index)
                if on_cell:
                    on_cell(index + 1, len(nb_man.nb.cells))
                if save_to and time.monotonic() - saved >= SAVE_SECONDS:
                    write_ipynb(nb_man.nb, str(save_to))
                    saved = time.monotonic()
                succeeded = cell.cell_type != "code" or not cell.source.strip() or shell.run(cell)
                if native:
                    shell.outputs.add_text("stderr", native.read())
                if not succeeded:
                    nb_man.cell_exception(cell, cell_index=index)
                nb_man.cell_complete(cell, cell_index=index)
                if not succeeded:
                    break
        finally:
            shell.restore_sys_module_state()


papermill_engines.register("abaco", NotebookEngine)


class NativeOutput:
    """Captures what libraries write to the process's standard streams without Python, such as C code."""

    def __init__(self):
        self._file = tempfile.TemporaryFile()  # noqa: SIM115  open for the life of the process
        for descriptor in (1, 2):
            os.dup2(self._file.fileno(), descriptor)
        self._position = 0

    def read(self) -> str:
        """Return the text written since the last call."""
        if os.fstat(self._file.fileno()).st_size == self._position:
            return ""
        data = os.pread(self._file.fileno(), 1 << 20, self._position)
        self._position = os.lseek(self._file.fileno(), 0, os.SEEK_END)
        return data.decode(errors="replace")


def work(connection: Connection, source: Path) -> None:
    """Execute one notebook when the process at the other end asks for it, and exit when that process has exited.

    Parameters
    ----------
    connection
        Receives the file to write and the parameters. Sends ``("cell", number, total)`` before each cell and at the end
        ``("done",)`` or ``("failed", type, message, cell)``, without the cell where the notebook cannot be written.
    source
        The notebook. Its imports are made while waiting.
    """
    random.seed()
    np.random.seed()
    gc.set_threshold(GARBAGE_THRESHOLD)
    sys.path.insert(0, "")  # modules beside a notebook can be imported, as in Jupyter
    native, shell = NativeOutput(), new_shell()
    import_ahead(source)
    try:
        executed, parameters = connection.recv()
    except EOFError:  # the notebook is not needed
        return
    threading.Thread(target=_end_with, args=(connection,), daemon=True).start()
    try:
        execute_notebook(
            str(source), str(executed), parameters=parameters, engine_name="abaco", progress_bar=False,
            cwd=str(source.parent), request_save_on_cell_execute=False, save_to=executed, native=native,
            shell=shell, on_cell=lambda number, total: connection.send(("cell", number, total)),
        )  # fmt: skip
        connection.send(("done",))
    except PapermillExecutionError as error:
        connection.send(("failed", error.ename, error.evalue, error.cell_index + 1))
    except OSError as error:  # the executed notebook cannot be written
        connection.send(("failed", type(error).__name__, str(error), None))


def _end_with(connection: Connection) -> None:
    with suppress(OSError):
        connection.poll(None)  # nothing more is sent, so it returns when the other end closes
    os._exit(1)


def import_ahead(source: Path) -> None:
    """Make the imports of a notebook; an import that fails is reported later, by its cell."""
    for cell in nbformat.read(source, as_version=4).cells:
        if cell.cell_type == "code":
            with suppress(Exception):
                body = ast.parse(cell.source).body
                imports = [node for node in body if isinstance(node, ast.Import | ast.ImportFrom)]
                exec(compile(ast.Module(imports, []), str(source), "exec"), {})


def is_outdated() -> bool:
    """Return whether a module of this package has changed since it was imported here or in the fork server."""
    files = [m.__file__ for name, m in list(sys.modules.items()) if name.startswith("abaco.") and m.__file__]
    return any(os.path.getmtime(file) > LOADED for file in files if os.path.exists(file))
