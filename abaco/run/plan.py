"""Reuse: a phase whose notebook, code, parameters and inputs are unchanged is taken from a former run."""

import hashlib
import hmac
import json
import os
import shutil
from pathlib import Path
from typing import Any

from abaco.core.phases import HANDED, OUTPUTS, PHASES, notebook_path, section
from abaco.ingest import masking
from abaco.run import folders
from abaco.run.manifest import sha256

FINGERPRINT = b"abaco: which masking key"


def phase_keys(date: str, inputs: list[dict], parameters: dict[str, dict], library: str) -> dict[str, str]:
    """Return a key for each phase that changes with anything that its outputs depend on.

    Parameters
    ----------
    inputs
        ``name`` and ``sha256`` of each input file.
    parameters
        Settings by section.
    library
        Hash of the package, the KPI definitions and the lock.
    """
    secret = masking.key()
    mask = hmac.new(secret, FINGERPRINT, hashlib.sha256).hexdigest() if secret else None
    keys, before = {}, [date, library, mask, [(i["name"], i["sha256"]) for i in inputs]]
    for phase in PHASES:
        own = [before, sha256(notebook_path(phase)), parameters[section(phase)]]
        keys[phase] = before = hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()
    return keys


def reusable(keys: dict[str, str], former: Path) -> list[str]:
    """Return the phases, from the first on, that a former run of the date has done with the same keys.

    The last of them has left all that the next one reads; what only a phase in between needed may be gone.
    """
    try:
        done = folders.read_json(former / "run.json")["phases"]
    except (OSError, ValueError, KeyError):  # a run that ended before it said anything
        return []
    same = []
    for phase in PHASES:
        kept = [f"notebooks/{phase}.ipynb", *OUTPUTS[section(phase)]]
        if done.get(section(phase), {}).get("key") != keys[phase] or not all(
            (former / k).exists() for k in kept
        ):
            break
        same.append(phase)
    while (
        same
        and same != list(PHASES)
        and not all((former / h).exists() for h in HANDED.get(section(same[-1]), ()))
    ):
        same.pop()
    return same


def adopt(phases: list[str], former: Path, folder: Path) -> dict[str, Any]:
    """Take the outputs of `phases` into a new run's folder, as links where the file system has them.

    Returns
    -------
    dict
        The phases' metrics of the former run, by section.
    """
    done = folders.read_json(former / "run.json")["phases"]
    sections = [section(phase) for phase in phases]
    names = [f"notebooks/{phase}.ipynb" for phase in phases]
    for name in sections:
        names += [*done[name]["outputs"], *(h for h in HANDED.get(name, ()) if (former / h).exists())]
    for name in names:
        _link(former / name, folder / name)
    return {
        name: {**done[name], "taken_from": done[name].get("taken_from", former.name)} for name in sections
    }


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        for part in source.iterdir():
            _link(part, target / part.name)
        return
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without links
        shutil.copy2(source, target)
