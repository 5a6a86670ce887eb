"""The contents of an input by format, and what the input of the former report held that this one lacks."""

import re
from collections.abc import Collection, Iterable, Mapping
from pathlib import Path
from typing import Any

from abaco.core import files
from abaco.core.errors import DamagedError
from abaco.ingest import sample_mark
from abaco.ingest.extent import MONTH
from abaco.ingest.sources import Source
from abaco.ingest.used_files import with_rows
from abaco.run import folders, manifest

# a day, month or year, also with the month as a word and a number before it
DATE = re.compile(
    r"(?:(?<![^\W_])\d{1,2}[-_. ]+(?:de +)?)?"
    rf"(?:(?:{MONTH.pattern}|(?<!\d)(?:19|20)\d\d(?:[-_./]?\d\d){{0,2}}(?!\d))(?:[-_. ]|de(?![^\W\d_]))*)+",
    re.IGNORECASE,
)
TAPE, SCHEDULES = "tables/tape.parquet", "tables/schedules.parquet"
Contents = dict[str, dict[str, Any]]
# what the verdict needs to tell what was emptied: date and run_id of a former report, its columns and files with rows
Had = dict[str, Any]


def series(input: str) -> str:
    """Return the path of an input without the dates in it, which exports of each month share.

    Examples
    --------
    >>> series("/exports/2025-11") == series("/exports/2025-12"), series("/exports/north") == series("/exports/south")
    (True, False)
    >>> series("/exports/Enero 2025"), series("/exports/2025-Nov"), series("/exports/31 de diciembre/tape")
    ('/exports/*', '/exports/*', '/exports/*/tape')
    """
    return DATE.sub("*", input)


def contents(sources: Iterable[Source]) -> Contents:
    """Return what an input holds, by title of the format.

    Returns
    -------
    dict
        ``files``, their names; ``columns``, those that each of the files has, with their heading; ``rows``, None where
        only reading a file would tell; and ``bytes``.
    """
    found: Contents = {}
    for source in sources:
        entry = found.setdefault(source.format.title, {"files": [], "columns": source.columns, "rows": 0, "bytes": 0})
        rows, known = _rows(source), entry["rows"] is not None
        entry["files"].append(source.name)
        entry["columns"] = {name: heading for name, heading in entry["columns"].items() if name in source.columns}
        entry["rows"] = entry["rows"] + rows if known and rows is not None else None
        entry["bytes"] += source.bytes
    return found


def _rows(source: Source) -> int | None:
    if source.kind == "parquet" and not source.file.is_packed:
        return files.row_count(Path(source.path))
    return source.lines and source.lines - source.first_line


def compare(now: Contents, before: Contents, max_change_pct: float, was_critical: bool = False) -> list[dict[str, Any]]:
    """Return what was there before and is not now: missing files and columns, and rows that changed by too much.

    Files are counted by format, as exports are often named after their date. Where rows are not known, bytes are
    compared.

    Parameters
    ----------
    was_critical
        The former report of the same date was critical: then any row less is too much, as it may be a late loan that
        was removed. Of a later date loans may have been repaid; those that were late are looked for one by one.

    Returns
    -------
    list of dict
        ``kind`` (``file``, ``column``, ``rows`` or ``bytes``), ``format``, and either ``names`` or ``before`` and
        ``now``.
    """
    found = []
    for title, old in before.items():
        new = now.get(title, {"files": [], "columns": {}})
        if len(new["files"]) < len(old["files"]):
            names = [name for name in old["files"] if name not in new["files"]]
            found.append({"kind": "file", "format": title, "names": names})
        if title not in now:
            continue
        if absent := [heading for name, heading in old["columns"].items() if name not in new["columns"]]:
            found.append({"kind": "column", "format": title, "names": absent})
        unit = "bytes" if None in (old["rows"], new["rows"]) else "rows"
        change = new[unit] - old[unit]
        if abs(change) * 100 > old[unit] * max_change_pct or (was_critical and unit == "rows" and change < 0):
            found.append({"kind": unit, "format": title, "before": old[unit], "now": new[unit]})
    return found


def expected(now: Contents, before: Contents) -> Contents:
    """Return the contents of an input, completed by what an earlier one of the same date held besides.

    The next run of the date is compared with these, so that a missing file is still missed in the second run.
    """
    merged = dict(now)
    for title, old in before.items():
        new = now.get(title, {"files": [], "columns": {}})
        more = old if len(new["files"]) < len(old["files"]) else new
        merged[title] = {**old, "files": more["files"], "columns": old["columns"] | new["columns"]}
    return merged


def compared(
    output: Path, date: str, input: str, sources: list[Source], max_change_pct: float, facilities: Collection[str] = ()
) -> tuple[Contents, dict[str, Any] | None, Had | None]:
    """Compare an input with that of the former report of its date, or else of the date before.

    The former report of the date counts whatever its input is, as it is replaced; of earlier dates, only reports of the
    same series do (see `series`). The sample is compared only with the sample. A run of the same files as the former
    report of the date keeps what that one found.

    Parameters
    ----------
    output
        Folder of the former reports.
    max_change_pct
        Per cent by which rows may differ; 0: nothing is compared.
    facilities
        The facilities of the run: of the same files, those of the former report that are none of them are missed.

    Returns
    -------
    tuple
        What the next run of the date is compared with, and what this one lost: ``date`` and ``run_id`` of the former
        report, ``items`` (see `compare`), and ``critical``, the KPIs past their critical limit there. None when
        nothing is lost. And the columns with values of the former report, by title of the format, with their heading,
        its files with rows, the statuses of its ``facilities``, and its ``date`` and ``run_id``; None when there is
        none.
    """
    now = contents(sources)
    visible = folders.visible(output)
    former_ones = {  # by date; reports of earlier versions have no contents
        day: run
        for day, run in visible.items()
        if "contents" in run and (day == date or (day < date and series(run["input"]) == series(input)))
    }
    sound = ((day, figures) for day in sorted(former_ones, reverse=True) if (figures := _figures(output / day)))
    day, figures = next(sound, (None, None))
    if not max_change_pct or day is None:
        return now, None, None
    run = former_ones[day]
    known = (run.get("had") or {}).get("facilities", {}) if run["date"] == date else {}
    standing = _facilities(known, figures.get("facilities", {}))
    if sample_mark.is_sample(figures["inputs"]) != sample_mark.is_sample(s.as_dict() for s in sources):
        return now, None, None
    if run["date"] != date:
        before = run["contents"]
    elif _files(figures["inputs"]) == _files(s.as_dict() for s in sources):
        missed = known | {key: status for key, status in standing.items() if key not in facilities}
        return run["expected"], run["lost"], _with_facilities(run.get("had"), missed, run)
    else:
        before = run["expected"]
    had = _had(run, before, figures) if run["date"] != date or not run.get("had") else run["had"]
    had = _with_facilities(had, standing, run)
    critical = [*figures["verdict"]["critical"], *figures["verdict"]["was_critical"]]
    items = compare(now, before, max_change_pct, was_critical=bool(critical) and run["date"] == date)
    if max(visible) > date:  # exports of a later date have more rows, all of them after this one
        items = [item for item in items if "names" in item or item["now"] < item["before"]]
    if not items:
        return now, None, had
    former = run["lost"] if run["date"] == date and run["lost"] else run
    lost = {"date": former["date"], "run_id": former["run_id"], "items": items, "critical": critical}
    return expected(now, before), lost, had


def former(output: Path, had: Had | None, date: str) -> dict[str, str] | None:
    """Return ``date``, ``tape``, ``schedules`` and ``currency`` of the report of an earlier date to compare with.

    None where there is none, or its run is gone or damaged.

    Parameters
    ----------
    output
        Folder of the former reports.
    had
        See `compared`.
    """
    for folder in folders.folders(output, had["date"]) if had and had["date"] < date else ():
        is_it = files.read_object(folder / folders.RECORD, "run_id")["run_id"] == had["run_id"]
        if is_it and not manifest.first_altered(folder, set(), ("metrics.json", TAPE, SCHEDULES)):
            currency = files.read_object(folder / "metrics.json", "currency")["currency"]
            schedules = str(folder / SCHEDULES) if (folder / SCHEDULES).exists() else ""
            return {"date": had["date"], "tape": str(folder / TAPE), "schedules": schedules, "currency": currency}
    return None


def _had(run: Mapping[str, Any], before: Contents, figures: Mapping[str, Any]) -> Had | None:
    """Return what had values in a former report's input; None for reports of earlier versions."""
    if (present := figures.get("quality", {}).get("present")) is None:
        return None
    with_values = {
        title: {name: heading for name, heading in held["columns"].items() if name in present.get(title, ())}
        for title, held in before.items()
    }
    filled = with_rows(figures["inputs"])
    return {"date": run["date"], "run_id": run["run_id"], "columns": with_values, "files": filled}


def _with_facilities(had: Had | None, facilities: Mapping[str, str], run: Mapping[str, Any]) -> Had | None:
    nothing: Had = {"date": run["date"], "run_id": run["run_id"], "columns": {}, "files": {}}
    return {**(had or nothing), "facilities": facilities} if had or facilities else None


def _facilities(before: Mapping[str, str], figures: Mapping[str, Any]) -> dict[str, str]:
    """Return the status of each facility of a former report; what was critical before is until it is known not to be.

    Examples
    --------
    >>> _facilities({"A": "critical", "B": "critical"}, {"A": {"status": "incomplete"}, "B": {"status": "ok"}})
    {'A': 'critical', 'B': 'ok'}
    """
    now = {key: one["status"] for key, one in figures.items()}
    kept = {key for key, status in before.items() if status == "critical" and now.get(key) == "incomplete"}
    return {**before, **{key: status for key, status in now.items() if key not in kept}}


def _figures(report: Path) -> dict[str, Any] | None:
    """Return the figures of a report; None if they are damaged, which `doctor` tells."""
    try:
        return files.read_object(report / "metrics.json", "inputs", "verdict")
    except DamagedError:
        return None


def _files(inputs: Iterable[Mapping[str, Any]]) -> set[tuple[str, str]]:
    return {(item["name"], item["sha256"]) for item in inputs}
