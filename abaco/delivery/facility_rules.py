"""Rules of alerts for facilities: deficiencies and covenants past a level, in the words of the verdict."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

# Of a covenant at that level; within its cure period a default is not one yet.
SEVERITY = {"default": "P1", "curing": "P2", "trigger": "P2", "warning": "P3", "not_computable": "P3"}
KIND = "facility"

Metrics = Mapping[str, Any]


def problems(metrics: Metrics) -> Iterator[tuple[str, str, str]]:
    """Yield the cause, the severity and the sentence of each problem of the facilities of a report.

    Causes are ``facility:SENIOR`` of the availability and ``facility:SENIOR:arrears`` of a covenant.
    """
    for key, one in metrics.get("facilities", {}).items():  # reports without facilities have none
        available = one["availability"]
        if available is None or (available.startswith("-") and Decimal(one["drawn"])):
            yield f"{KIND}:{key}", "P3" if available is None else "P1", one["verdict"][0]
        for name, covenant in one["covenants"].items():
            if severity := SEVERITY.get(covenant["level"]):
                yield f"{KIND}:{key}:{name}", severity, f"{one['title']}: {_sentence(metrics, key, name)}"


def _sentence(metrics: Metrics, key: str, covenant: str) -> str:
    """Return what the verdict says of a covenant."""
    told = zip(metrics["reason_codes"]["facilities"][key], metrics["facilities"][key]["verdict"], strict=True)
    return " ".join(text for code, text in told if code.get("covenant") == covenant)


def cleared(name: str, metrics: Metrics) -> str | None:
    """Return the line that says a problem is gone, for a report without it; None where the report cannot tell.

    Parameters
    ----------
    name
        The cause without its kind: ``SENIOR`` or ``SENIOR:arrears``.
    """
    key, _, covenant = name.partition(":")
    one = metrics.get("facilities", {}).get(key)
    if one is None:
        return f"Facility {key} is not in the report any more"
    if not covenant:
        return one["verdict"][0].removesuffix(".")
    if covenant not in one["covenants"]:
        return f"{one['title']} has no covenant “{covenant}” any more"
    return f"{one['title']}: covenant “{covenant}” holds"
