"""The archive: the report that each date shows, what became of later runs, and what is still to be delivered."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from abaco.core import dates as core_dates
from abaco.core import files, project, settings, text
from abaco.core.errors import DatabaseError, InputError
from abaco.core.text import aligned
from abaco.database import connection, queries, synchronise
from abaco.database.queries import group_deliveries
from abaco.run import folders
from abaco.run.folders import reports_folder, visible


def overview(output: Path | None = None) -> Iterator[str]:
    """Yield a line for each date with its KPIs, what became of later runs, undelivered things and open alerts.

    Raises
    ------
    InputError
        When there is no report yet.
    DatabaseError
        When the database cannot be reached or used, once what the folders of the reports tell was yielded.
    """

    folder, fault = reports_folder(output), None
    try:
        known = _of_database(folder)
    except DatabaseError as error:
        known, fault = _of_folders(folder), error
    shown, unfinished = known["shown"], [*known["failures"], *synchronise.running(folder)]
    dates = sorted({*shown, *(str(run["date"]) for run in unfinished)})
    if not dates:
        raise fault or nothing(folder)
    heading, *lines = aligned(_rows(dates, shown, known["figures"]))
    yield heading
    for date, line in zip(dates, lines, strict=True):
        yield line
        if date in shown:
            yield from _partial(known["figures"].get(shown[date]["run_id"], {}))
        yield from _later(folder, [run for run in unfinished if str(run["date"]) == date], shown.get(date))
    if fault:
        yield "\nOf deliveries and alerts only the database knows"
        raise fault
    yield from _listed(
        "Not delivered", [(_what(row), _state(row)) for row in group_deliveries(known["waiting"])]
    )
    past = [row for row in known["past"] if shown and str(row["date"]) == max(shown)]
    yield from _listed(
        "Not sent any more", [(_what(row), row["status"], row["error"]) for row in group_deliveries(past)]
    )
    alerts = [(a["severity"], a["title"], f"since {text_of(a['opened_at'])}") for a in known["alerts"]]
    yield from _listed("Open alerts", alerts)


def _of_database(folder: Path) -> dict[str, Any]:

    with connection.reading(database(folder)) as opened:
        return {
            "shown": queries.visible_runs(opened),
            "figures": queries.core_figures(opened),
            "failures": queries.failed(opened),
            "waiting": queries.deliveries_with(opened, "pending", "dead"),
            "past": queries.deliveries_with(opened, "superseded", "dropped"),
            "alerts": queries.open_alerts(opened),
        }


def _of_folders(folder: Path) -> dict[str, Any]:
    """Return what the folders of runs tell by themselves: the report of each date, and runs that failed."""

    shown, figures = visible(folder), {}
    for date, run in shown.items():
        kpis = files.read_json(folder / date / "metrics.json")["kpis"]
        figures[run["run_id"]] = {name: kpi for name, kpi in kpis.items() if kpi["group"] == "core"}
    failures = [
        run | {"status": "failed"} for _, run in synchronise.ended_runs(folder) if run["status"] != "success"
    ]
    return {"shown": shown, "figures": figures, "failures": failures}


def database(output: Path) -> Any:
    """Return the database of the reports in `output`, which then knows of every run there.

    Raises
    ------
    InputError
        When there is no report yet, nor a database elsewhere that may know of some.
    DatabaseError
        When the database cannot be reached or used.
    """

    if not (output / folders.RUNS).is_dir() and not connection.is_elsewhere():
        raise nothing(output)
    return synchronise.open_synchronised(output, settings.load()["delivery"]["timeout_seconds"])


def nothing(folder: Path) -> InputError:
    """Return the error that there is no report yet."""
    return InputError(f"No report in {project.shown(folder)} yet: run make report DATE=YYYY-MM-DD")


def text_of(time: Any) -> str:
    """Return a time as reports write it: UTC, to the second."""
    return time if isinstance(time, str) else core_dates.stamp(time)


def _rows(
    dates: list[str], shown: dict[str, dict[str, Any]], figures: dict[str, dict[str, Any]]
) -> Iterator[tuple[str, ...]]:
    of_date = {date: figures.get(run["run_id"], {}) for date, run in shown.items()}
    names = list(dict.fromkeys(name for entries in of_date.values() for name in entries))
    yield ("date", *names, "finished", "run", "input")
    for date in dates:
        entries, run = of_date.get(date, {}), shown.get(date)
        cells = [text.value_and_status(entries[name]) if name in entries else "" for name in names]
        ended = (
            (text_of(run["finished_at"]), run["run_id"], project.shown(run["input"]))
            if run
            else ("no report", "", "")
        )
        yield (date, *cells, *ended)


def _partial(entries: dict[str, dict[str, Any]]) -> Iterator[str]:
    yield from (f"  {name}{said}" for name, kpi in entries.items() if (said := text.partial(kpi)))


def _later(output: Path, unfinished: list[dict[str, Any]], run: dict[str, Any] | None) -> Iterator[str]:
    since = text_of(run["started_at"]) if run else ""
    found = sorted(
        (r for r in unfinished if text_of(r["started_at"]) >= since), key=lambda r: text_of(r["started_at"])
    )
    if found:
        kind = "later run" if run else "run"
        which = f"a {kind}" if len(found) == 1 else f"{len(found)} {kind}s did not succeed, the last"
        yield f"  {which} {_outcome(output, found[-1])}"


def _outcome(output: Path, run: dict[str, Any]) -> str:
    if run.get("status") == "running":
        who = folders.holder(output, run["date"]) or {"pid": "unknown", "host": "this machine"}
        return f"is at work since {run['started_at']}, process {who['pid']} on {who['host']}"
    if run["finished_at"]:
        return f"failed at {text_of(run['finished_at'])}: {run['error']}"
    return f"started at {text_of(run['started_at'])} and was killed"


def _what(row: dict[str, Any]) -> str:
    return f"{row['place']}  {row['run_id'] or row['key']}"


def _state(row: dict[str, Any]) -> str:
    if row["status"] == "dead":
        return f"given up after {row['attempts']} attempts: {row['error']}"
    if not row["attempts"]:
        return "not tried yet"
    return f"tried {row['attempts']} times, again at {text_of(row['next_attempt_at'])}: {row['error']}"


def _listed(title: str, rows: list[tuple[str, ...]]) -> Iterator[str]:
    if rows:
        yield f"\n{title}"
        yield from (f"  {line}" for line in aligned(rows))
