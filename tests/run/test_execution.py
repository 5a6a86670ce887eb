"""Cells run as in Jupyter: in a process of their own by the pipeline, in papermill's by its command line."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook

from abaco.core.errors import InputError, RunError
from abaco.run.process import NotebookProcess, execute
from tests.support.projects import ROOT

CELLS = {
    "parameters": 'name: str = "nobody"',
    "printed": 'import sys\nprint("out")\nprint("err", file=sys.stderr)\nprint(f"out for {name}")',
    "value": "import pandas as pd\ntable = pd.DataFrame({'a': [1, 2]})\ntable",
    "hidden": "table;",
    "awaited": "import asyncio\nawait asyncio.sleep(0, 'awaited')",
    "magic": "%config InlineBackend.figure_formats = ['svg']\n!echo from the shell",
    "figure": "import matplotlib.pyplot as plt\n_ = plt.plot([1, 2])",
    "displayed": "from IPython.display import clear_output, display, update_display\n"
    "_ = display('first', display_id='it')\nprint('between')",
    "updated": "update_display('second', display_id='it')",
    "cleared": "print('gone')\nclear_output()\nprint('stays')",
    "native": "import os\n_ = os.write(2, b'from a library')",
    "main": "import __main__\n__main__.table is table, __name__",
}


def notebook(folder: Path, **cells: str) -> Path:
    """Write a notebook of these cells, the first of which sets its parameters."""
    made = new_notebook(
        cells=[new_markdown_cell("Title"), *(new_code_cell(source, id=name) for name, source in cells.items())],
        metadata={"kernelspec": {"display_name": "Python 3", "language": "python", "name": "python3"}},
    )
    made.cells[1].metadata.tags = ["parameters"]
    path = folder / "small.ipynb"
    nbformat.write(made, path)
    return path


def outputs(path: Path) -> dict[str, list[tuple]]:
    """Return what the cells of an executed notebook show, by their ids."""
    found = {}
    for cell in nbformat.read(path, as_version=4).cells:
        parts = []
        for output in cell.get("outputs", ()):
            if output.output_type == "stream":
                parts.append((output.name, output.text))
            elif output.output_type == "error":
                parts.append(("error", output.ename, output.evalue))
            else:
                parts.append((output.output_type, dict(output.data)))
        found[cell.id] = parts
    return found


def check(found: dict[str, list[tuple]]) -> None:
    """Check what `CELLS` show, whoever executed them."""
    assert found["printed"] == [("stdout", "out\n"), ("stderr", "err\n"), ("stdout", "out for Ada\n")]
    ((kind, data),) = found["value"]
    assert kind == "execute_result" and "<table" in data["text/html"] and "a" in data["text/plain"]
    assert found["hidden"] == []
    assert found["awaited"] == [("execute_result", {"text/plain": "'awaited'"})]
    assert found["magic"] == [("stdout", "from the shell\n")] or found["magic"][0][1].strip() == "from the shell"
    ((kind, data),) = found["figure"]
    assert kind == "display_data" and data["image/svg+xml"].startswith("<?xml")
    assert found["displayed"] == [("display_data", {"text/plain": "'second'"}), ("stdout", "between\n")]
    assert found["updated"] == []
    assert found["cleared"] == [("stdout", "stays\n")]
    assert found["main"] == [("execute_result", {"text/plain": "(True, '__main__')"})]


def test_cells_show_in_a_process_what_they_show_in_jupyter(tmp_path):
    progress = []
    execute(notebook(tmp_path, **CELLS), tmp_path / "out.ipynb", {"name": "Ada"}, lambda *cell: progress.append(cell))
    found = outputs(tmp_path / "out.ipynb")
    check(found)
    assert found["native"] == [("stderr", "from a library")]
    total = len(CELLS) + 2  # the title, and the cell of injected parameters
    assert progress == [(number, total) for number in range(1, total + 1)]


def test_papermill_executes_with_the_engine_by_its_command_line(tmp_path):
    command = (ROOT / ".venv/bin/papermill", "--engine", "abaco", notebook(tmp_path, **CELLS), tmp_path / "out.ipynb")
    done = subprocess.run([*command, "-p", "name", "Ada"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    check(outputs(tmp_path / "out.ipynb"))


@pytest.mark.parametrize(
    ("source", "kind", "error"),
    [
        ("1 / 0", RunError, "Notebook small failed in cell 3: ZeroDivisionError: division by zero; see "),
        ("def f(:", RunError, "Notebook small failed in cell 3: SyntaxError: invalid syntax "),
        ("from abaco.core.errors import InputError\nraise InputError('no such file')", InputError, "no such file"),
        ("raise KeyboardInterrupt", RunError, "Notebook small failed in cell 3: KeyboardInterrupt: ; see "),
        ("import os\nos._exit(3)", RunError, "Notebook small failed in cell 3: its process ended with exit code 3; "),
        ("import os\nos.abort()", RunError, "Notebook small failed in cell 3: its process was killed by SIGABRT; "),
    ],
)
def test_failure_names_its_cell_in_one_line(tmp_path, source, kind, error):
    path, executed = (notebook(tmp_path, parameters="a: int = 1", fails=source, later="print(1)"), tmp_path / "o.ipynb")
    with pytest.raises(kind) as failure:
        execute(path, executed, {})
    assert str(failure.value).startswith(error) and "\n" not in str(failure.value)
    assert executed.is_file()
    assert outputs(executed).get("later") == []


def test_nothing_of_one_notebook_reaches_the_next(tmp_path):
    leaves = notebook(
        tmp_path, parameters="a: int = 1", leaves="import os, pandas\nos.environ['LEFT'] = 'x'\npandas.LEFT = 1"
    )
    execute(leaves, tmp_path / "one.ipynb", {})
    looks = notebook(
        tmp_path, parameters="a: int = 1", looks="import os, pandas\n'LEFT' in os.environ, hasattr(pandas, 'LEFT')"
    )
    execute(looks, tmp_path / "two.ipynb", {})
    assert outputs(tmp_path / "two.ipynb")["looks"] == [("execute_result", {"text/plain": "(False, False)"})]


def test_environment_is_that_of_the_moment(tmp_path, monkeypatch):
    path = notebook(tmp_path, parameters="a: int = 1", looks="import os, time\nos.environ['MOOD'], time.tzname[0]")
    monkeypatch.setenv("MOOD", "good")
    monkeypatch.setenv("TZ", "Pacific/Auckland")
    execute(path, tmp_path / "out.ipynb", {})
    assert outputs(tmp_path / "out.ipynb")["looks"] == [("execute_result", {"text/plain": "('good', 'NZST')"})]


def test_process_that_is_not_needed_ends(tmp_path):
    with NotebookProcess(notebook(tmp_path, parameters="a: int = 1")):
        pass  # it has been told nothing


def test_script_without_a_guard_starts_no_second_self(tmp_path):
    path = notebook(tmp_path, parameters="a: int = 1")
    script = tmp_path / "script.py"
    script.write_text(
        f"from pathlib import Path\nfrom abaco.run.process import execute\nprint('once')\n"
        f"execute(Path({str(path)!r}), Path({str(tmp_path / 'out.ipynb')!r}), {{}})\n"
    )
    done = subprocess.run([sys.executable, script], capture_output=True, text=True)
    assert (done.returncode, done.stdout, done.stderr) == (0, "once\n", "")


def test_code_that_changed_since_the_server_began_is_imported_anew(tmp_path):
    package = tmp_path / "abaco"
    shutil.copytree(ROOT / "abaco", package, ignore=shutil.ignore_patterns("__pycache__"))
    path = notebook(tmp_path, parameters="a: int = 1", looks="from abaco.core import dates\ndates.CHANGED")
    script = (
        "import time; from pathlib import Path; from abaco.run.process import execute, prepare; prepare()\n"
        f"folder = Path({str(tmp_path)!r}); out = folder / 'out.ipynb'; changed = folder / 'abaco/core/dates.py'\n"
        "time.sleep(0.1); execute(folder / 'first.ipynb', out, {})\n"
        "changed.write_text(changed.read_text() + '\\nCHANGED = True\\n')\n"
        "execute(folder / 'small.ipynb', out, {})\n"
    )
    first = nbformat.read(path, as_version=4)
    first.cells.pop()
    nbformat.write(first, tmp_path / "first.ipynb")
    subprocess.run([sys.executable, "-c", script], check=True, env=os.environ | {"ABACO_ROOT": str(ROOT)}, cwd=tmp_path)
    assert outputs(tmp_path / "out.ipynb")["looks"] == [("execute_result", {"text/plain": "True"})]
