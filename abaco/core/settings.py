"""Settings of a run: params/pipeline.yml, its overlay and the caller's changes, validated together."""

import ast
import json
import os
from pathlib import Path
from typing import Annotated, Any, Literal

import yaml
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field, ValidationError, create_model

from abaco.core import currencies, faults, project, setting_values
from abaco.core.errors import InputError, UsageError
from abaco.core.phases import PHASES, notebook_path, section
from abaco.core.quoting import visible
from abaco.core.yaml import parse, read_yaml

# Parameters that the pipeline sets, not the settings.
PIPELINE_PARAMETERS = {
    "ingestion": ("run_dir", "input", "date", "currency"),
    "transformation": ("run_dir", "facilities"),
    "calculation": ("run_dir", "facilities"),
}
RUN_DIR = ("run_dir",)
TYPES = {"str": str, "int": int, "float": float, "bool": bool}
DAYS = 36_500  # a century: longer than anybody waits or keeps a report
Seconds = Annotated[float, Field(ge=0, le=DAYS * 86_400)]
PositiveSeconds = Annotated[float, Field(gt=0, le=DAYS * 86_400)]
# What a phase's parameter may say, where it is a word.
WORDS = {
    "decimal_mark": ("auto", "point", "comma"),
    "interest_rate": ("auto", "fraction", "percent"),
    "dates": ("auto", "dmy", "mdy", "ymd"),
    "months": ("auto", "first", "last"),
    "not_late": ("auto", "blank", "negative", "both"),
    "language": ("en", "es"),
    "pdf": ("none", "file", "email"),
}
AUTO = "auto"
TYPED = PARAMS, COMMAND_LINE = "--params", "the command line"  # where settings come from that somebody typed
UNQUOTED = ("cascade.url",)  # it may hold a password
MAX_NUMBER = 10**12  # of a phase's parameter that is an amount
# Lower and upper bounds of a phase's parameters other than amounts.
BOUNDS = {
    "max_reject_pct": (0, 100), "max_reject_amount_pct": (0, 100), "max_absent_pct": (0, 100),
    "loss_given_default_pct": (0, 100), "max_rows_change_pct": (0, 1000), "max_change_pct": (0, 100_000),
    "outlier_multiple": (1, 1_000_000), "history_dates": (1, 1200),
}  # fmt: skip


def _without_controls(text: str) -> str:
    if text != visible(text):
        raise ValueError("it holds characters that cannot be seen")
    return text


def _currency(text: str) -> str:
    found = text if text == AUTO else currencies.code(text)
    if found is None:
        raise ValueError("it is auto, or a code of ISO 4217 such as USD")
    return found


Text = Annotated[str, AfterValidator(_without_controls)]
Place = Annotated[Text, AfterValidator(setting_values.place)]
STRICT = ConfigDict(extra="forbid", strict=True, frozen=True, allow_inf_nan=False)


class RunSettings(BaseModel):
    """The section ``run``: settings that belong to no single phase."""

    model_config = STRICT

    input: Place
    output: Place
    engine: Literal["duckdb", "spark"]
    memory_limit: Text
    threads: int = Field(ge=0, le=1024)
    currency: Annotated[str, AfterValidator(_currency)]
    facilities: Place = Field(min_length=1)
    lock_timeout_seconds: Seconds
    log_format: Literal["text", "json"]


class DeliverySettings(BaseModel):
    """The section ``delivery``: where reports go. It changes no figure, and is not part of a run's id."""

    model_config = STRICT

    azure_container: Annotated[Text, AfterValidator(setting_values.container)]
    azure_prefix: Annotated[Text, AfterValidator(setting_values.prefix)]
    azure_state: bool
    email_from: Text
    reply_to: Text
    timeout_seconds: PositiveSeconds
    deadline_seconds: PositiveSeconds
    retry_seconds: Seconds
    max_attempts: int = Field(ge=1, le=1000)


class AlertSettings(BaseModel):
    """The section ``alerts``: when alerts are sent."""

    model_config = STRICT

    dry_run: bool
    cooldown_hours: float = Field(ge=0, le=DAYS * 24)
    max_age_days: int = Field(ge=0, le=DAYS)
    runbook: Text
    on_call: Text
    escalation: Text


class CascadeSettings(BaseModel):
    """The section ``cascade``: the download of the exports."""

    model_config = STRICT

    url: Annotated[Text, AfterValidator(setting_values.address)]
    folder: Text
    timeout_seconds: PositiveSeconds
    max_attempts: int = Field(ge=1, le=1000)
    requests_per_minute: float = Field(gt=0, le=100_000)


class RetentionSettings(BaseModel):
    """The section ``retention``: how long the folders of former runs are kept."""

    model_config = STRICT

    keep_runs: int = Field(ge=0, le=100_000)
    keep_days: int = Field(ge=0, le=DAYS)
    failed_days: int = Field(ge=1, le=DAYS)
    replaced_days: int = Field(ge=1, le=DAYS)
    cascade_days: int = Field(ge=1, le=DAYS)
    keep_backups: int = Field(ge=1, le=100_000)


class ServiceSettings(BaseModel):
    """The section ``service``: what `abaco serve` does."""

    model_config = STRICT

    host: Text = Field(min_length=1)
    port: int = Field(ge=0, le=65535)
    cron: Text
    backup_cron: Text
    backup_to: Text
    overdue_hours: float = Field(gt=0, le=DAYS * 24)
    max_connections: int = Field(ge=8, le=10_000)
    client_seconds: float = Field(gt=0, le=3600)
    max_wrong_tokens: int = Field(ge=1, le=1_000_000)
    make_reports: bool
    uploads: Place = Field(min_length=1)
    upload_mb: int = Field(ge=1, le=100_000)
    upload_days: int = Field(ge=1, le=DAYS)


# Sections that belong to no notebook and, but for run.currency, change no figure.
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
    name = project.display_path(path)
    if not path.is_file():
        raise InputError(f"Notebook not found: {name}: restore it")
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    tagged = ("".join(c["source"]) for c in cells if "parameters" in c["metadata"].get("tags", []))
    if (source := next(tagged, None)) is None:
        raise InputError(f"{name} has no cell tagged parameters: tag the one that sets them")
    parameters = {}
    for line in ast.parse(source).body:
        try:
            parameters[line.target.id] = (TYPES[ast.unparse(line.annotation)], ast.literal_eval(line.value))
        except (AttributeError, KeyError, ValueError) as error:
            raise InputError(
                f"{name}: write {ast.unparse(line)!r} as `name: type = value`, with a type of {', '.join(TYPES)}"
            ) from error
    return parameters


def load(changes: str | Path | dict | None = None, **run: str | None) -> dict[str, dict[str, Any]]:
    """Return all settings by section, validated against the models and the notebooks' parameters.

    Parameters
    ----------
    changes
        A YAML file with the changed keys, or ``section.key=value`` pairs with commas between, or a dict.
    **run
        Keys of the section ``run``; None leaves a setting unchanged.

    Raises
    ------
    InputError
        With the file, the key and the expected value.
    """
    folder = project.root() / "params"
    layers = [(read_yaml(folder / "pipeline.yml"), "params/pipeline.yml")]
    if name := os.environ.get("ABACO_ENV"):
        layers.append((read_yaml(folder / f"{name}.yml"), f"params/{name}.yml"))
    if changes:
        layers.append(changed_keys(changes))
    layers.append(({"run": {k: v for k, v in run.items() if v is not None}}, COMMAND_LINE))
    models = OWN | {section(phase): _phase_model(phase) for phase in PHASES}
    merged: dict[str, dict[str, Any]] = {name: {} for name in models}
    for layer, origin in layers:
        for name, keys in layer.items():
            if name not in models:
                raise _fault(origin)(f"{origin}: {name} is not one of the sections {', '.join(models)}")
            if not isinstance(keys, dict):
                raise _fault(origin)(f"{origin}: {name} is a section: write its keys below it, as `key: value`")
            validate(models[name], merged[name] | keys, name, origin, is_complete=False)
            merged[name] |= keys
    for name, model in models.items():
        merged[name] = validate(model, merged[name], name, "params/pipeline.yml", is_complete=True).model_dump()
    return merged


def _phase_model(phase: str) -> type[BaseModel]:
    from_pipeline = PIPELINE_PARAMETERS.get(section(phase), RUN_DIR)
    parameters = notebook_parameters(notebook_path(phase))
    if absent := [name for name in from_pipeline if name not in parameters]:
        raise InputError(
            f"{project.display_path(notebook_path(phase))} has no parameter {absent[0]}, which the pipeline sets"
        )
    fields = {name: (_bounded(name, kind), ...) for name, (kind, _) in parameters.items() if name not in from_pipeline}
    return create_model(section(phase), __config__=STRICT, **fields)


def _bounded(name: str, kind: type) -> Any:
    """Return the type of a phase's parameter, with its bounds: all numbers are limits, shares or counts."""
    if name in WORDS:
        return Literal[WORDS[name]]
    if name == "default_probability_pct":
        return Annotated[Text, BeforeValidator(setting_values.percentages)]
    least, most = BOUNDS.get(name, (0, MAX_NUMBER))
    return {str: Text, bool: bool}.get(kind) or Annotated[kind, Field(ge=least, le=most)]


def validate(model: type[BaseModel], keys: dict, name: str, origin: str, is_complete: bool) -> BaseModel | None:
    """Return the keys of a section as its model; None where one is missing that need not be there.

    Raises
    ------
    InputError
        With `origin`, the key and the expected value.
    """
    try:
        return model.model_validate(keys)
    except ValidationError as error:
        for fault in error.errors():
            key = f"{name}.{fault['loc'][0]}"
            found = "" if key in UNQUOTED else faults.found(fault)
            text = f"{key}: {faults.remedy(fault)}{found}"
            if fault["type"] == "missing":
                if not is_complete:
                    continue
                text = f"{key} is missing: a parameter of the notebook needs it"
            elif fault["type"] == "extra_forbidden":
                names = ", ".join(model.model_fields) or "none"
                text = f"{key} is not a known parameter; {name} has: {names}"
            raise _fault(origin)(f"{origin}: {text}") from error


def _fault(origin: str) -> type[InputError]:
    return UsageError if origin in TYPED else InputError


def changed_keys(changes: str | Path | dict) -> tuple[dict, str]:
    """Return the keys that a caller changes, by section, and where they come from, for errors; see `load`."""
    if isinstance(changes, dict):
        return changes, "params"
    if "=" not in str(changes):
        return read_yaml(Path(changes).expanduser()), str(changes)
    parsed: dict[str, dict[str, Any]] = {}
    for pair in str(changes).split(","):
        key, _, value = pair.partition("=")
        if key.count(".") != 1:
            raise UsageError(
                f"--params {pair.strip()}: write section.key=value, for example ingestion.max_reject_pct=2"
            )
        name, key = key.strip().split(".")
        try:
            parsed.setdefault(name, {})[key] = parse(value) if value.strip() else ""
        except yaml.YAMLError as error:
            raise UsageError(f"--params {pair.strip()}: {value!r} is not a valid value: put it in quotes") from error
    return parsed, PARAMS
