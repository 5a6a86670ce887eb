"""The manifest of a run: every input and output with its size and SHA-256, and the version of the code."""

import hashlib
import json
import subprocess
from collections.abc import Iterable, Mapping
from itertools import groupby
from pathlib import Path
from typing import Any

from abaco.core import project
from abaco.core.errors import DamagedError
from abaco.core.files import damaged, read_object, sha256, write_json
from abaco.core.phases import PHASES, notebook_path

NAME = "manifest.json"
State = tuple[str, int, int]  # path, size and time of a change of a file
EXCLUDED = (NAME, "run.json")  # run.json changes later, with the deliveries
# Files of params/ that every run reads, as paths in the project.
PARAMS = tuple(f"params/{name}.yml" for name in ("kpis", "flows", "loans", "scales", "headings", "rate_periods"))


def code() -> dict[str, str | None]:
    """Return ``commit``, if there is one, ``sha256`` of the code, and ``library``, the same without the notebooks."""
    root = project.root()
    package = Path(__file__).parents[1]  # an installed package is not inside the project
    own = [p for p in package.rglob("*") if p.is_file() and "__pycache__" not in p.parts and p.name[0] != "."]
    others = [*(root / name for name in PARAMS), root / "requirements.lock"]
    files = {p.relative_to(package.parent).as_posix(): p for p in own}
    files |= {p.relative_to(root).as_posix(): p for p in others if p.is_file()}
    library = _digest(files)
    phases = (notebook_path(phase) for phase in PHASES)  # a report does not depend on the deep dives
    notebooks = {p.relative_to(root).as_posix(): p for p in phases if p.is_file()}
    try:
        command = ["git", "-C", str(root), "describe", "--always", "--dirty", "--abbrev=12"]
        commit = subprocess.run(command, capture_output=True, text=True, timeout=10, check=True).stdout.strip()
    except (OSError, subprocess.SubprocessError):  # not a git checkout
        commit = None
    return {"commit": commit, "sha256": _digest(files | notebooks), "library": library}


def _digest(files: dict[str, Path]) -> str:
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\0{sha256(files[name])}\n".encode())
    return digest.hexdigest()


def run_id(
    date: str, inputs: list[dict], parameters: dict, code_sha256: str, *compared: Mapping[str, Any] | None
) -> str:
    """Return the id of a run: the same for the same date, inputs, parameters, code, and what `compared` found."""
    facts = [date, [(i["name"], i["sha256"], i["mapping_sha256"]) for i in inputs], parameters, code_sha256]
    seed = json.dumps(facts + [found for found in compared if found], sort_keys=True)
    return f"{date.replace('-', '')}-{hashlib.sha256(seed.encode()).hexdigest()[:12]}"


def altered(folder: Path) -> list[str]:
    """Return the outputs of a finished run that are missing or differ from its manifest, or a damaged manifest."""
    try:
        parts = files_of(folder)
    except DamagedError:
        return [NAME]
    return [p["path"] for p in parts if not (f := folder / p["path"]).is_file() or sha256(f) != p["sha256"]]


def first_altered(folder: Path, proven: set[State], places: tuple[str, ...] = ()) -> str | None:
    """Return a file of a visible report that is not what its run wrote; None when there is none.

    A file is read again only when it was changed after the manifest was written, and is not one of those `proven`.

    Parameters
    ----------
    places
        The files, and the folders, that matter; by default all.
    """
    try:
        written_at = (folder / NAME).stat().st_mtime_ns
        for part in files_of(folder):
            if places and not f"{part['path']}/".startswith(tuple(f"{place}/" for place in places)):
                continue
            path = folder / part["path"]
            found = path.stat()
            state = (str(path.resolve()), found.st_size, found.st_mtime_ns)
            if found.st_size != part["bytes"]:
                return part["path"]
            if found.st_mtime_ns > written_at and state not in proven:
                if sha256(path) != part["sha256"]:
                    return part["path"]
                proven.add(state)
    except (OSError, DamagedError) as error:
        return Path(error.filename).relative_to(folder).as_posix() if isinstance(error, OSError) else NAME
    return None


def check(folder: Path, *places: str) -> None:
    """Check that files, and those of folders, of a finished run are what it wrote.

    Raises
    ------
    DamagedError
        Naming the first that is not.
    """
    if name := first_altered(folder, set(), places):
        raise damaged(folder / name)


def files_of(folder: Path) -> list[dict[str, Any]]:
    """Return ``path``, ``bytes`` and ``sha256`` of each output in a finished run's manifest.

    Raises
    ------
    DamagedError
        When the manifest is damaged.
    """
    outputs = read_object(folder / NAME, "outputs")["outputs"]
    try:
        parts = [part for output in outputs for part in output.get("parts", [output])]
        return [{**part, "path": str(part["path"]), "bytes": part["bytes"], "sha256": part["sha256"]} for part in parts]
    except (KeyError, TypeError):
        raise damaged(folder / NAME) from None


def digest(folder: Path, names: Iterable[str]) -> str:
    """Return one SHA-256 of files and folders of a run: of the name and the content of each file."""
    paths = [folder / name for name in names]
    files = [p for path in paths for p in ([path] if path.is_file() else path.rglob("*")) if p.is_file()]
    return _digest({path.relative_to(folder).as_posix(): path for path in files})


def _table(path: str) -> str | None:
    """Return the folder of the table that a file is a part of, or None."""
    folder = path.rpartition("/")[0]
    return folder if folder.endswith(".parquet") else None


def _whole(table: str, parts: list[dict[str, Any]]) -> dict[str, Any]:
    digest = hashlib.sha256("".join(f"{p['path']}\0{p['sha256']}\n" for p in parts).encode()).hexdigest()
    return {"path": table, "bytes": sum(p["bytes"] for p in parts), "sha256": digest, "parts": parts}


def write(folder: Path, facts: dict[str, Any], unfinished: tuple[str, ...] = ()) -> dict[str, Any]:
    """Write the manifest of a run's folder and return it.

    A table that a cluster wrote is a folder. It becomes one entry, which lists its parts.

    Parameters
    ----------
    facts
        ``run_id``, ``date``, ``parameters``, ``code``, ``inputs`` and ``reconciliation``.
    unfinished
        Files to leave out, as they are still being written.
    """
    entries = []
    for path in sorted(p for p in folder.rglob("*") if p.is_file() and p.name not in EXCLUDED):
        name = path.relative_to(folder)
        if "work" not in name.parts and name.as_posix() not in unfinished:
            entries.append({"path": name.as_posix(), "bytes": path.stat().st_size, "sha256": sha256(path)})
    outputs = []
    for table, group in groupby(entries, key=lambda entry: _table(entry["path"])):
        parts = list(group)
        outputs += parts if table is None else [_whole(table, parts)]
    content = {"schema_version": 1, **facts, "outputs": outputs}
    write_json(folder / NAME, content)
    return content
