"""Settings as far as they are valid: who must be told that the settings are wrong is told with the rest of them."""

from pathlib import Path
from typing import Any

from abaco.core import project, secrets
from abaco.core.errors import InputError
from abaco.core.settings import OWN, changed_keys, validate
from abaco.core.yaml import read_yaml

# What alerts need, where params/pipeline.yml itself cannot be read; a test compares the two.
STANDARD: dict[str, dict[str, Any]] = {
    "run": {"input": "data/sample", "output": "reports"},
    "delivery": {
        "azure_container": "abaco-reports", "azure_prefix": "reports", "azure_state": False,
        "email_from": "", "reply_to": "",
        "timeout_seconds": 30.0, "deadline_seconds": 900.0, "retry_seconds": 60.0, "max_attempts": 10,
    },
    "alerts": {"dry_run": False, "cooldown_hours": 24.0, "max_age_days": 45, "runbook": "docs/OPERATIONS.md",
        "on_call": "", "escalation": "",
    },
    "cascade": {"folder": "data/cascade"},
}  # fmt: skip


def usable(changes: str | Path | None = None, output: Path | None = None) -> dict[str, dict[str, Any]]:
    """Return the keys of `STANDARD`'s sections with the values that are valid; see `settings.load`.

    Examples
    --------
    >>> usable("alerts.max_age_days=ten,alerts.runbook=https://wiki/runbook")["alerts"]["runbook"]
    'https://wiki/runbook'
    """
    found = {name: dict(keys) for name, keys in STANDARD.items()}
    for layer in _layers(changes):
        for name in (name for name in layer if name in found and isinstance(layer[name], dict)):
            found[name] |= {key: value for key, value in layer[name].items() if _is_valid(name, key, value)}
    if output:
        found["run"]["output"] = str(output)
    return found


def _layers(changes: str | Path | None) -> list[dict[str, Any]]:
    ways = [lambda: read_yaml(project.root() / "params" / "pipeline.yml")]
    if name := secrets.read("ABACO_ENV"):
        ways.append(lambda: read_yaml(project.root() / "params" / f"{name}.yml"))
    if changes:
        ways.append(lambda: changed_keys(changes)[0])
    return [layer for way in ways if (layer := _read(way))]


def _read(way: Any) -> dict[str, Any] | None:
    try:
        return way()
    except InputError:  # it is the error that somebody is told of
        return None


def _is_valid(name: str, key: str, value: Any) -> bool:
    try:
        validate(OWN[name], {key: value}, name, "", is_complete=False)
    except InputError:
        return False
    return True
