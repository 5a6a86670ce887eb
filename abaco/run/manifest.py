"""The manifest of a run: every input and output with its size and SHA-256, and the code that made them."""

import hashlib
import json
import subprocess
from itertools import groupby
from pathlib import Path
from typing import Any

from abaco.core import project
from abaco.core.files import read_json, sha256, write_json
from abaco.core.phases import PHASES, notebook_path

NAME = "manifest.json"
# What is no output: the manifest itself, and the record of the run, which goes on with its deliveries.
APART = (NAME, "run.json")


def code() -> dict[str, str | None]:
    """Return what identifies the code: the commit, where there is one, and a hash of all that computes.

    ``library`` is the hash without the notebooks.
    """
    root = project.root()
    package = Path(__file__).parents[1]  # installed, it lies elsewhere than the project
    own = [p for p in package.rglob("*") if p.is_file() and "__pycache__" not in p.parts and p.name[0] != "."]
    others = [root / "params" / "kpis.yml", root / "requirements.lock"]
    files = {p.relative_to(package.parent).as_posix(): p for p in own}
    files |= {p.relative_to(root).as_posix(): p for p in others if p.is_file()}
    library = _digest(files)
    phases = (notebook_path(phase) for phase in PHASES)  # a report does not depend on the deep dives
    notebooks = {p.relative_to(root).as_posix(): p for p in phases if p.is_file()}
    try:
        command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"]
        commit = subprocess.run(
            command, capture_output=True, text=True, timeout=10, check=True
        ).stdout.strip()
    except (OSError, subprocess.SubprocessError):  # an installed copy outside of version control
        commit = None
    return {"commit": commit, "sha256": _digest(files | notebooks), "library": library}


def _digest(files: dict[str, Path]) -> str:
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{sha256(files[name])}\n".encode())
    return digest.hexdigest()


def run_id(date: str, inputs: list[dict], parameters: dict, code_sha256: str) -> str:
    """Return the id of a run: the same for the same date, inputs, parameters and code."""
    seed = json.dumps(
        [date, [(i["name"], i["sha256"]) for i in inputs], parameters, code_sha256], sort_keys=True
    )
    return f"{date.replace('-', '')}-{hashlib.sha256(seed.encode()).hexdigest()[:12]}"


def altered(folder: Path) -> list[str]:
    """Return the outputs of a finished run that are no longer there, or not as its manifest says."""
    outputs = read_json(folder / NAME)["outputs"]
    parts = [part for o in outputs for part in o.get("parts", [o])]
    return [p["path"] for p in parts if not (f := folder / p["path"]).is_file() or sha256(f) != p["sha256"]]


def _table(path: str) -> str | None:
    """Return the folder that is the table which a file is a part of, or None."""
    folder = path.rpartition("/")[0]
    return folder if folder.endswith(".parquet") else None


def _whole(table: str, parts: list[dict[str, Any]]) -> dict[str, Any]:
    digest = hashlib.sha256("".join(f"{p['path']}\0{p['sha256']}\n" for p in parts).encode()).hexdigest()
    return {"path": table, "bytes": sum(p["bytes"] for p in parts), "sha256": digest, "parts": parts}


def write(folder: Path, facts: dict[str, Any], unfinished: tuple[str, ...] = ()) -> dict[str, Any]:
    """Write the manifest of a run's folder and return it.

    A table that a cluster wrote is a folder: one entry, which lists its parts.

    Parameters
    ----------
    facts
        ``run_id``, ``date``, ``parameters``, ``code``, ``inputs`` and ``reconciliation``.
    unfinished
        Files that are still being written, left out.
    """
    files = sorted(
        p
        for p in folder.rglob("*")
        if p.is_file() and p.name not in APART and "work" not in p.relative_to(folder).parts
    )
    files = [p for p in files if p.relative_to(folder).as_posix() not in unfinished]
    entries = [
        {"path": p.relative_to(folder).as_posix(), "bytes": p.stat().st_size, "sha256": sha256(p)}
        for p in files
    ]
    outputs = []
    for table, group in groupby(entries, key=lambda entry: _table(entry["path"])):
        parts = list(group)
        outputs += parts if table is None else [_whole(table, parts)]
    content = {"schema_version": 1, **facts, "outputs": outputs}
    write_json(folder / NAME, content)
    return content
