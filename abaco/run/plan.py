"""Planning a run: its input, and which unchanged phases are taken from a former run."""

import datetime as dt
import hashlib
import hmac
import json
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from itertools import takewhile
from pathlib import Path
from typing import Any

from abaco.core import files, project, secrets
from abaco.core.errors import DamagedError, InputError
from abaco.core.files import sha256
from abaco.core.phases import PHASES, notebook_path, outputs, section
from abaco.ingest import mappings
from abaco.ingest.sample_mark import PLACES, is_sample
from abaco.ingest.sources import Source
from abaco.run import folders, manifest

FINGERPRINT = b"abaco: which masking key"
CASCADE, METRICS = "cascade", "metrics.json"


def phase_keys(
    date: str,
    inputs: list[dict],
    parameters: dict[str, dict],
    library: str,
    lost: dict | None = None,
    had: dict | None = None,
    run_id: str = "",
) -> dict[str, str]:
    """Return a key for each phase, which changes with everything that the phase's outputs depend on.

    Parameters
    ----------
    inputs
        What the rows of each input file depend on (see `sources.identities`).
    parameters
        Settings by section.
    library
        Hash of the package, the KPI definitions and the lock.
    lost, had
        What the input lacks, and which columns had values (see `abaco.run.contents`): the verdict of the third phase
        depends on both.
    run_id
        The run that the page, which the fourth phase makes, is part of.
    """
    secret = secrets.masking_key()
    mask = hmac.new(secret, FINGERPRINT, hashlib.sha256).hexdigest() if secret else None
    keys, before = {}, [date, library, mask, inputs, parameters.get("run")]
    for phase in PHASES:
        own = [before, sha256(notebook_path(phase)), parameters[section(phase)]]
        own += [told for told in (lost, had) if told and section(phase) == "calculation"]
        own += [run_id] if section(phase) == "report" else []
        keys[phase] = before = hashlib.sha256(json.dumps(own, sort_keys=True).encode()).hexdigest()
    return keys


def reusable(keys: dict[str, str], former: Path) -> list[str]:
    """Return the leading phases that a former run of the date completed with the same keys."""
    done = _recorded(former)
    same = []
    for phase in PHASES:
        entry = done.get(section(phase), {})
        if entry.get("key") != keys[phase] or not _exist(former, [_notebook(phase), *entry["outputs"]]):
            break
        same.append(phase)
    return same


def intact(former: Path, phases: list[str]) -> list[str]:
    """Return the leading ones of some phases that a run can take over: their outputs are what the former run wrote.

    A run that was published has its manifest, and one that failed the hashes of its phases (`seal`). The work files of
    the last phase, which the next one reads, are still there.
    """
    if (former / manifest.NAME).is_file():
        altered = manifest.altered(former)
        same = list(takewhile(lambda phase: not _is_altered(former, phase, altered), phases))
    else:
        done = _recorded(former)
        same = list(takewhile(lambda phase: done[section(phase)].get("sha256") == _digest(former, phase), phases))
    while same and same != list(PHASES) and not _exist(former, _work_files(former, same[-1])):
        same.pop()
    return same


def _recorded(former: Path) -> dict[str, Any]:
    """Return the phases in a run's record; none if the run ended before it recorded anything."""
    run = folders.recorded(former)
    return run["phases"] if run else {}


def _is_altered(former: Path, phase: str, altered: list[str]) -> bool:
    if manifest.NAME in altered or _notebook(phase) in altered:
        return True
    names = outputs(former, phase) or ()
    return any(path == name or path.startswith(f"{name}/") for path in altered for name in names)


def seal(folder: Path, done: dict[str, Any]) -> None:
    """Add the hash of its outputs to each phase that a failed run has completed, for `intact`."""
    for phase in PHASES:
        if section(phase) in done:
            done[section(phase)]["sha256"] = _digest(folder, phase)


def _digest(folder: Path, phase: str) -> str:
    return manifest.digest(folder, [_notebook(phase), *(outputs(folder, phase) or ())])


def _notebook(phase: str) -> str:
    return f"notebooks/{phase}.ipynb"


def _exist(folder: Path, names: Iterable[str]) -> bool:
    return all((folder / name).exists() for name in names)


def _work_files(former: Path, phase: str) -> list[str]:
    """Return the outputs of a phase that only the next one reads, and that are removed after it."""
    return [name for name in outputs(former, phase) or () if name.startswith("work/")]


def adopt(phases: list[str], former: Path, folder: Path, run_id: str) -> dict[str, Any]:
    """Link, or else copy, the outputs of `phases` into a new run's folder; its figures name the new run.

    Returns
    -------
    dict
        The phases' metrics of the former run, by section.
    """
    done = files.read_json(former / "run.json")["phases"]
    sections = [section(phase) for phase in phases]
    names = []
    for phase in phases:
        names += [_notebook(phase), *done[section(phase)]["outputs"]]
        names += [name for name in _work_files(former, phase) if (former / name).exists()]
    for name in names:
        _link(former / name, folder / name)
    if METRICS in names and (figures := files.read_json(folder / METRICS))["run_id"] != run_id:
        files.write_json(folder / METRICS, figures | {"run_id": run_id})
    return {name: {**done[name], "taken_from": done[name].get("taken_from", former.name)} for name in sections}


def _link(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.is_dir():
        for part in source.iterdir():
            _link(part, target / part.name)
        return
    try:
        os.link(source, target)
    except OSError:  # another file system, or one without hard links
        shutil.copy2(source, target)


def located(input: str | Path | None, settings: dict[str, Any], say: Callable[[str], None]) -> Path:
    """Return the path of an input, after downloading the export if the input is ``cascade``.

    Parameters
    ----------
    input
        A file or a folder, relative to the current folder; by default the setting ``run.input``. Only the text
        ``cascade`` means the download: ``./cascade`` and a `Path` are always paths.
    say
        Called with one line about the download.
    """
    if (input or settings["run"]["input"]) == CASCADE:
        from abaco.ingest import cascade  # the HTTP client is slow to import

        return cascade.download(settings, say)
    return Path(input).expanduser().absolute() if input else project.resolve(settings["run"]["input"])


def check_sample(output: Path, date: str, source: Path, inputs: Iterable[Mapping[str, Any]]) -> None:
    """Check that the sample does not replace a report of another input.

    Parameters
    ----------
    output
        Folder of the reports.
    date
        The date of the report.
    source
        The file or folder that it is made of.
    inputs
        The files in it, with their ``sha256``.

    Raises
    ------
    InputError
        When it would.
    """
    visible, places = output / date, [project.resolve(place) for place in PLACES]
    run = folders.recorded(visible)
    if not run or not (source in places or is_sample(inputs)):
        return
    former = run["input"]
    try:
        if Path(former) in places or is_sample(files.read_object(visible / "metrics.json", "inputs")["inputs"]):
            return
    except DamagedError as error:
        raise InputError(
            f"The figures of the report of {date} are damaged, so that nobody can tell whether the sample may replace "
            "it: see abaco doctor, or give another folder for the sample with OUTPUT"
        ) from error
    raise InputError(
        f"The report of {date} was made of {former}, and {project.display_path(source)}, the synthetic sample, never "
        f"replaces it: give INPUT={former}, or another folder for the sample with OUTPUT"
    )


def latest_date(found: Sequence[Source], settings: dict[str, Any]) -> dt.date:
    """Return the latest date in the input, which is read for it."""
    from abaco.ingest.coverage import tape_dates  # not needed when the date is known
    from abaco.ingest.writing import rules_of

    return tape_dates(found, rules_of(settings["ingestion"]))[-1]


def check_catalog() -> None:
    """Raise when the definitions of the KPIs have a mistake, before a run begins."""
    from abaco.kpis import catalog  # not needed when everything is unchanged

    catalog.load()


def dependencies(parameters: dict[str, Any]) -> dict[str, Any]:
    """Return what phases depend on of the parameters of a report: of a file with facilities, its content."""
    if "facilities" not in parameters["run"]:
        return parameters
    from abaco.kpis.facilities import facility  # slow to import, and most reports have none

    found = facility.load(parameters["run"]["facilities"])
    terms = {key: entry.model_dump(mode="json", exclude_unset=True) for key, entry in found.items()}
    return parameters | {"run": parameters["run"] | {"facilities": terms}}


def params_read(depends_on: Mapping[str, Any], sources: Iterable[Source]) -> dict[str, dict[str, Any]]:
    """Return what a run reads of params/ besides settings: the terms of its facilities, and the hash of each file.

    Parameters
    ----------
    depends_on
        See `dependencies`.
    sources
        The files of the input, whose mappings are read.
    """
    hashes = {name: sha256(path) for name in manifest.PARAMS if (path := project.root() / name).is_file()}
    hashes |= {f"{mappings.FOLDER}/{one.mapping_name}.yml": one.mapping_sha256 for one in sources}
    return {"facilities": depends_on["run"].get("facilities", {}), "files": hashes}
