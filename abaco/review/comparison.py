"""Two runs side by side: what differs in figures, inputs, parameters and code."""

from collections.abc import Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

from abaco.core import project, text
from abaco.core.currencies import USD
from abaco.core.errors import InputError
from abaco.core.precision import change_decimals
from abaco.core.text import aligned
from abaco.database import connection, queries
from abaco.page.facilities import LEVELS, LINES, MARKS
from abaco.page.language import phrase, say
from abaco.review import status, terminal
from abaco.run import folders


def find(connection: Any, output: Path, name: str) -> dict[str, Any]:
    """Return a finished run by its id or by the date of its report.

    Raises
    ------
    InputError
        When the run does not exist.
    """
    if run := queries.run_named(connection, name):
        return run
    run_ids = [run["run_id"] for run in queries.visible_runs(connection).values()]
    raise InputError(
        f"No finished run {name} in {project.display_path(output)}: give a run id or a date; "
        f"there are: {', '.join(run_ids[-5:])}"
    )


def compare(one: str, other: str, output: Path | None = None) -> Iterator[str]:
    """Yield lines about the differences between two runs.

    Parameters
    ----------
    one, other
        Run ids, or dates of reports.
    """
    folder = folders.reports_folder(output)
    with connection.reading(status.database(folder)) as opened:
        before, after = (find(opened, folder, name) for name in (one, other))
        kpis = [all_figures(opened, run) for run in (before, after)]
        files = [queries.inputs_of(opened, run["run_id"]) for run in (before, after)]
    yield f"{before['run_id']} → {after['run_id']}"
    settings = parameters(before["parameters"], after["parameters"])
    yield from _section(phrase("Figures"), figures(*kpis), phrase("Every figure is the same."))
    yield from _section(phrase("Inputs"), inputs(*files), phrase("The same files."))
    yield from _section(phrase("Parameters"), settings, phrase("The same."))
    names = {"commit": "code_commit", "sha256": "code_sha256"}
    code = [(name, str(before[key]), "→", str(after[key])) for name, key in names.items()]
    differs = before["code_sha256"] != after["code_sha256"]
    yield from _section(phrase("Code"), code if differs else [], phrase("The same."))


def _section(title: str, rows: list[tuple[str, ...]], otherwise: str) -> Iterator[str]:
    yield f"\n{title}"
    yield from (f"  {line}" for line in (aligned(rows) if rows else [otherwise]))


def all_figures(connection: Any, run: dict[str, Any]) -> dict[str, Any]:
    """Return the KPIs of a run, and the figures of its facilities."""
    currency = queries.quality_of(connection, run["run_id"]).get("currency", USD)
    facilities = queries.facilities(connection).get(run["run_id"], {})
    return queries.figures(connection, run) | of_facilities(facilities, currency)


def of_facilities(facilities: Mapping[str, Any], currency: str) -> dict[str, dict[str, Any]]:
    """Return the figures of facilities in the form of KPIs: borrowing base, availability, and value of each covenant.

    Parameters
    ----------
    facilities
        As metrics.json has them.
    """
    found: dict[str, dict[str, Any]] = {}
    for key, one in facilities.items():
        usual = {"title": one["title"], "partial_through": None}
        for line in ("borrowing_base", "availability"):
            value = one[line] and float(one[line])
            found[f"{key}: {phrase(LINES[line]).lower()}"] = usual | {
                "value": value, "status": "none", "unit": currency, "precision": 2, "direction": "higher",
            }  # fmt: skip
        for name, covenant in one["covenants"].items():
            found[f"{key}: {name.replace('_', ' ')}"] = usual | {
                **{part: covenant[part] for part in ("value", "level", "unit", "precision")},
                "status": MARKS[covenant["level"]], "direction": covenant["better"],
                "thresholds": {"warning": covenant["trigger_at"], "critical": covenant["default_at"]},
            }  # fmt: skip
    return found


def figures(before: dict[str, Any], after: dict[str, Any]) -> list[tuple[str, ...]]:
    """Return id, value before and after, and change of the figures that differ."""
    rows = []
    for name in dict.fromkeys((*before, *after)):
        old, new = before.get(name), after.get(name)
        if old and new and _compared(old) == _compared(new):
            continue
        texts = [_value(kpi) if kpi else phrase("not there") for kpi in (old, new)]
        change = ""
        if old and new and None not in (old["value"], new["value"]):
            moved = Decimal(str(new["value"])) - Decimal(str(old["value"]))
            change = text.signed(moved, change_decimals(new, moved))
        rows.append((name, texts[0], "→", texts[1], change))
    return rows


def _value(kpi: dict[str, Any]) -> str:
    named = kpi | {"status": LEVELS[kpi["level"]]} if "level" in kpi else kpi
    return terminal.value_and_status(named) + terminal.partial(kpi)


def _compared(kpi: dict[str, Any]) -> tuple[Any, ...]:
    return kpi["value"], kpi["status"], kpi.get("level"), text.partial(kpi)


def inputs(before: list[dict[str, Any]], after: list[dict[str, Any]]) -> list[tuple[str, ...]]:
    """Return the input files that were added, removed or changed."""
    old, new = ({one["name"]: one for one in files} for files in (before, after))
    rows = []
    for name in sorted({*old, *new}):
        if name not in old or name not in new:
            rows.append((name, phrase("only in the first" if name in old else "only in the second")))
        elif old[name]["sha256"] != new[name]["sha256"]:
            change = say("changed: {before} → {after} rows", before=old[name]["rows"], after=new[name]["rows"])
            rows.append((name, change))
    return rows


def parameters(before: dict[str, dict], after: dict[str, dict]) -> list[tuple[str, ...]]:
    """Return what differs of settings, terms of facilities and hashes of files: name, value before and after."""
    old, new = (dict(_leaves(one)) for one in (before, after))
    names = sorted(name for name in {*old, *new} if old.get(name) != new.get(name))
    absent = phrase("not there")
    return [(name.removeprefix("files."), old.get(name, absent), "→", new.get(name, absent)) for name in names]


def _leaves(content: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for name, value in content.items():
        if isinstance(value, dict):
            yield from _leaves(value, f"{above}{name}.")
        else:
            yield f"{above}{name}", str(value)[:12] if above == "files." else str(value)
