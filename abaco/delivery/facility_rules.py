"""Rules of alerts for facilities: deficiencies and covenants past a level, in the words of the verdict."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

# Of a covenant at that level; within its cure period a default is not one yet.
SEVERITY = {"default": "P1", "curing": "P2", "trigger": "P2", "warning": "P3", "not_computable": "P3"}
KIND, UNKNOWN = "facility", "facility_unknown"  # kinds of causes: what is unknown clears nothing that was known

Metrics = Mapping[str, Any]


def problems(metrics: Metrics) -> Iterator[tuple[str, str, str]]:
    """Yield the cause, the severity and the sentence of each problem of the facilities of a report.

    Causes are ``facility:SENIOR`` of the availability and ``facility:SENIOR:arrears`` of a covenant, and begin with
    ``facility_unknown`` where it is not known.
    """
    for key, one in metrics.get("facilities", {}).items():  # reports without facilities have none
        available = one["availability"]
        if available is None:
            yield f"{UNKNOWN}:{key}", "P3", one["verdict"][0]
        elif available.startswith("-") and Decimal(one["drawn"]):
            yield f"{KIND}:{key}", "P1", one["verdict"][0]
        for name, covenant in one["covenants"].items():
            if severity := SEVERITY.get(covenant["level"]):
                kind = UNKNOWN if covenant["level"] == "not_computable" else KIND
                yield f"{kind}:{key}:{name}", severity, f"{one['title']}: {_sentence(metrics, key, name)}"


def _sentence(metrics: Metrics, key: str, covenant: str) -> str:
    """Return what the verdict says of a covenant."""
    told = zip(metrics["reason_codes"]["facilities"][key], metrics["facilities"][key]["verdict"], strict=True)
    return " ".join(text for code, text in told if code.get("covenant") == covenant)


def cleared(kind: str, name: str, metrics: Metrics) -> str | None:
    """Return the line that says a problem is gone, for a report without it; None where the report cannot tell.

    Parameters
    ----------
    kind
        `KIND` or `UNKNOWN`.
    name
        The rest of the cause: ``SENIOR`` or ``SENIOR:arrears``.
    """
    key, _, covenant = name.partition(":")
    one = metrics.get("facilities", {}).get(key)
    if one is None:
        lost = (metrics.get("verdict", {}).get("lost") or {}).get("items", ())
        is_lost = any(key in item["names"] for item in lost if item["kind"] == "facility")
        return None if is_lost else f"Facility {key} is not in the report any more"
    if not covenant:
        return one["verdict"][0].removesuffix(".") if one["availability"] is not None else None
    if covenant not in one["covenants"]:
        return f"{one['title']} has no covenant “{covenant}” any more"
    if one["covenants"][covenant]["level"] == "not_computable":
        return None
    return f"{one['title']}: covenant “{covenant}” {'is known again' if kind == UNKNOWN else 'holds'}"
