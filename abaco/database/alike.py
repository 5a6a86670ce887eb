"""Deliveries that are alike: the same for whoever reads of them, so that they are told of once and counted."""

from collections.abc import Iterable, Iterator
from typing import Any


def alike(rows: Iterable[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Yield the first of the deliveries of one channel and run to which the same happened; ``place`` has their number.

    Examples
    --------
    >>> row = {"channel": "slack", "run_id": "r1", "status": "pending", "error": "refused"}
    >>> [one["place"] for one in alike([row, {**row, "channel": "azure"}, row])]
    ['slack (2)', 'azure']
    """
    groups: dict[tuple, list[dict[str, Any]]] = {}
    for row in rows:
        key = (row["channel"], row["run_id"] or row["key"], row["status"], row.get("attempts"), row["error"])
        groups.setdefault(key, []).append(row)
    for (channel, *_), found in groups.items():
        yield {**found[0], "place": channel if len(found) == 1 else f"{channel} ({len(found)})"}
