"""The project's folder, from which relative paths are resolved wherever a process was started."""

import functools
import os
from pathlib import Path

from abaco.core.errors import InputError

MARKER = Path("params") / "pipeline.yml"


def root() -> Path:
    """Return the project's folder: ``ABACO_ROOT``, else the nearest parent folder with params/pipeline.yml.

    Raises
    ------
    InputError
        When neither the current folder and its parents nor the package belong to a project.
    """
    named = os.environ.get("ABACO_ROOT")
    return _root(Path(named) if named else None, Path.cwd())


@functools.lru_cache
def _root(named: Path | None, here: Path) -> Path:
    candidates = [named] if named else [here, *here.parents, Path(__file__).resolve().parents[2]]
    for folder in candidates:
        if (folder / MARKER).is_file():
            return folder.resolve()
    raise InputError(f"No {MARKER} in {candidates[0]} or above: run this inside the project, or set ABACO_ROOT")


def resolve(path: str | Path) -> Path:
    """Return `path` as an absolute path, relative to the project's root."""
    path = Path(path).expanduser()
    return path if path.is_absolute() else root() / path


def display_path(path: str | Path) -> str:
    """Return `path` for messages: relative to the current folder or the root where it lies below one."""
    path = Path(path)
    for base in (Path.cwd(), root()):
        if path.is_relative_to(base):
            return str(path.relative_to(base))
    return str(path)
