"""The notebook of a run that failed, as a page: its cells up to the one that failed, and what they printed."""

import re
from pathlib import Path
from typing import Any

from abaco.core import files
from abaco.run.folders import RUNS

ANSI = re.compile(r"\x1b\[[0-9;]*m")
NOTICE = "papermill-error-cell-tag"  # of cells that papermill adds to say which one failed
MAX_OUTPUT = 20_000  # characters of one output that are shown


def path_of(output: Path, failed: dict[str, Any]) -> Path | None:
    """Return the executed notebook of the phase that failed; None when there is none, or not below the runs."""
    if not failed["phase"]:
        return None
    path = (output / failed["folder"] / "notebooks" / f"{failed['phase']}.ipynb").resolve()
    return path if path.is_relative_to((output / RUNS).resolve()) and path.is_file() else None


def cells(path: Path) -> list[dict[str, Any]]:
    """Return the cells that were executed: ``number, is_code, source, outputs, has_failed``.

    Raises
    ------
    DamagedError
        When the file is not JSON.
    """
    found = []
    written = [cell for cell in files.read_json(path)["cells"] if NOTICE not in cell["metadata"].get("tags", ())]
    for number, cell in enumerate(written, start=1):
        outputs = [_text(output)[:MAX_OUTPUT] for output in cell.get("outputs", [])]
        has_failed = any(output["output_type"] == "error" for output in cell.get("outputs", []))
        shown = {"number": number, "is_code": cell["cell_type"] == "code", "source": "".join(cell["source"])}
        found.append(shown | {"outputs": [text for text in outputs if text], "has_failed": has_failed})
        if has_failed:
            break
    return found


def _text(output: dict[str, Any]) -> str:
    """Return an output as text; pictures and tables are left to Jupyter."""
    if output["output_type"] == "error":
        return ANSI.sub("", "\n".join(output["traceback"]) or f"{output['ename']}: {output['evalue']}")
    if output["output_type"] == "stream":
        return ANSI.sub("", "".join(output["text"]))
    return "".join(output.get("data", {}).get("text/plain", ""))
