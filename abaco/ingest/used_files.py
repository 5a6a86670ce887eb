"""Which files of an input give rows to a report."""

from collections.abc import Iterable, Mapping
from typing import Any

LEFT_OUT = "left out: other files have all of its rows"


def with_rows(inputs: Iterable[Mapping[str, Any]]) -> dict[str, list[str]]:
    """Return the files whose rows are used, by title of the format: not those without rows, or with rows of others.

    Parameters
    ----------
    inputs
        What each file is used for, as in metrics.json (see `roles.inputs`).
    """
    found: dict[str, list[str]] = {}
    for one in (one for one in inputs if one["rows"] and one["used_for"] != LEFT_OUT):
        found.setdefault(one["format"], []).append(one["name"])
    return found
