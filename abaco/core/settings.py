"""Settings of a run: params/pipeline.yml, its overlay, and the caller's changes, checked at the start."""

import ast
import json
import os
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError, create_model

from abaco.core import project
from abaco.core.errors import InputError
from abaco.core.phases import PHASES, notebook_path, section
from abaco.core.yaml import read_yaml

# Parameters that the pipeline itself gives to a phase.
GIVEN = {"ingestion": ("run_dir", "input", "date")}
ALWAYS_GIVEN = ("run_dir",)
TYPES = {"str": str, "int": int, "float": float, "bool": bool}
STRICT = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class RunSettings(BaseModel):
    """The section ``run``: what concerns no single phase."""

    model_config = STRICT

    input: str
    output: str
    engine: Literal["duckdb", "spark"]
    memory_limit: str
    threads: int = Field(ge=0)
    lock_timeout_seconds: float = Field(ge=0)
    log_format: Literal["text", "json"]


class DeliverySettings(BaseModel):
    """The section ``delivery``: where reports go. It moves no figure, and is no part of a run's id."""

    model_config = STRICT

    azure_container: str = Field(pattern=r"^[a-z0-9](-?[a-z0-9]){2,62}$")
    azure_prefix: str
    email_from: str
    timeout_seconds: float = Field(gt=0)
    deadline_seconds: float = Field(gt=0)
    retry_seconds: float = Field(ge=0)
    max_attempts: int = Field(ge=1)


class AlertSettings(BaseModel):
    """The section ``alerts``: when somebody is told."""

    model_config = STRICT

    dry_run: bool
    cooldown_hours: float = Field(ge=0)
    max_age_days: int = Field(ge=0)
    runbook: str


class CascadeSettings(BaseModel):
    """The section ``cascade``: the download of the exports."""

    model_config = STRICT

    url: str
    folder: str
    timeout_seconds: float = Field(gt=0)
    max_attempts: int = Field(ge=1)
    requests_per_minute: float = Field(gt=0)


class RetentionSettings(BaseModel):
    """The section ``retention``: how long the folders of former runs stay."""

    model_config = STRICT

    keep_runs: int = Field(ge=0)
    keep_days: int = Field(ge=0)


class ServiceSettings(BaseModel):
    """The section ``service``: what `abaco serve` does."""

    model_config = STRICT

    host: str = Field(min_length=1)
    port: int = Field(ge=0, le=65535)
    cron: str
    overdue_hours: float = Field(gt=0)


# Sections that concern the run as a whole and no notebook: none of them moves a figure.
OWN = {
    "run": RunSettings, "delivery": DeliverySettings, "alerts": AlertSettings, "cascade": CascadeSettings,
    "retention": RetentionSettings, "service": ServiceSettings,
}  # fmt: skip


def notebook_parameters(path: Path) -> dict[str, tuple[type, Any]]:
    """Return the type and the default of each parameter in a notebook's parameters cell.

    Raises
    ------
    InputError
        When there is no such cell, or a parameter is not annotated with ``str, int, float`` or ``bool``.
    """
    shown = project.shown(path)
    if not path.is_file():
        raise InputError(f"Notebook not found: {shown}: restore it")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    source = next(
        ("".join(c["source"]) for c in cells if "parameters" in c["metadata"].get("tags", [])), None
    )
    if source is None:
        raise InputError(f"{shown} has no cell tagged parameters: tag the one that sets them")
    found = {}
    for line in ast.parse(source).body:
        try:
            found[line.target.id] = (TYPES[ast.unparse(line.annotation)], ast.literal_eval(line.value))
        except (AttributeError, KeyError, ValueError) as error:
            raise InputError(
                f"{shown}: write {ast.unparse(line)!r} as `name: type = value`, "
                f"with a type of {', '.join(TYPES)}"
            ) from error
    return found


def load(changes: str | Path | dict | None = None, **run: str | None) -> dict[str, dict[str, Any]]:
    """Return all settings by section, checked against the model and the notebooks' parameters.

    Parameters
    ----------
    changes
        A YAML file with the keys to change, or ``section.key=value`` pairs with commas between, or a dict.
    **run
        Keys of the section ``run`` given one by one; None leaves the setting as it is.

    Raises
    ------
    InputError
        Naming the file, the key, and what it should be.
    """
    folder = project.root() / "params"
    layers = [(read_yaml(folder / "pipeline.yml"), "params/pipeline.yml")]
    if name := os.environ.get("ABACO_ENV"):
        layers.append((read_yaml(folder / f"{name}.yml"), f"params/{name}.yml"))
    if changes:
        layers.append(_changes(changes))
    layers.append(({"run": {k: v for k, v in run.items() if v is not None}}, "the command line"))
    models = OWN | {section(phase): _phase_model(phase) for phase in PHASES}
    merged: dict[str, dict[str, Any]] = {name: {} for name in models}
    for layer, origin in layers:
        for name, keys in layer.items():
            if name not in models:
                raise InputError(f"{origin}: {name} is not one of the sections {', '.join(models)}")
            if not isinstance(keys, dict):
                raise InputError(f"{origin}: {name} is a section: write its keys below it, as `key: value`")
            _check(models[name], merged[name] | keys, name, origin, given=keys)
            merged[name] |= keys
    for name, model in models.items():
        merged[name] = _check(model, merged[name], name, "params/pipeline.yml", given=None).model_dump()
    return merged


def _phase_model(phase: str) -> type[BaseModel]:
    given = GIVEN.get(section(phase), ALWAYS_GIVEN)
    found = notebook_parameters(notebook_path(phase))
    if absent := [name for name in given if name not in found]:
        raise InputError(
            f"{project.shown(notebook_path(phase))} has no parameter {absent[0]}, which the pipeline gives it"
        )
    # every number here is a limit, a share or a count
    kinds = {
        n: Annotated[kind, Field(ge=0)] if kind in (int, float) else kind for n, (kind, _) in found.items()
    }
    fields = {name: (kind, ...) for name, kind in kinds.items() if name not in given}
    return create_model(section(phase), __config__=STRICT, **fields)


def _check(
    model: type[BaseModel], keys: dict, name: str, origin: str, given: dict | None
) -> BaseModel | None:
    try:
        return model.model_validate(keys)
    except ValidationError as error:
        for fault in error.errors():
            key = str(fault["loc"][0])
            if fault["type"] == "missing":
                if given is None:
                    raise InputError(
                        f"{origin}: {name}.{key} is missing: a parameter of the notebook needs it"
                    ) from error
                continue
            if fault["type"] == "extra_forbidden":
                known = ", ".join(model.model_fields) or "none"
                raise InputError(
                    f"{origin}: {name}.{key} is not a known parameter; {name} has: {known}"
                ) from error
            raise InputError(f"{origin}: {name}.{key}: {fault['msg']}, not {fault['input']!r}") from error


def _changes(changes: str | Path | dict) -> tuple[dict, str]:
    if isinstance(changes, dict):
        return changes, "params"
    if "=" not in str(changes):
        return read_yaml(Path(changes).expanduser()), str(changes)
    found: dict[str, dict[str, Any]] = {}
    for pair in str(changes).split(","):
        key, _, value = pair.partition("=")
        if key.count(".") != 1:
            raise InputError(
                f"--params {pair.strip()}: write section.key=value, for example ingestion.max_reject_pct=2"
            )
        name, key = key.strip().split(".")
        try:
            found.setdefault(name, {})[key] = yaml.safe_load(value)
        except yaml.YAMLError as error:
            raise InputError(f"--params {pair.strip()}: {value!r} is no value: put it in quotes") from error
    return found, "--params"
