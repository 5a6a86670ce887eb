"""The status of all dates: their reports, later runs without a report, undelivered items and open alerts."""

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from abaco.core import currencies, files, project, settings, text
from abaco.core import dates as core_dates
from abaco.core.errors import DatabaseError, InputError
from abaco.core.precision import shown_decimals
from abaco.core.text import aligned
from abaco.database import connection, notes, queries, records, synchronise
from abaco.database.queries import group_deliveries
from abaco.run import folders
from abaco.run.folders import reports_folder, visible

WIDTH = 80  # columns of a terminal
STARTS = 3  # that failed, and are listed


def overview(output: Path | None = None) -> Iterator[str]:
    """Yield a line for each date with its KPIs and later runs, then undelivered items and open alerts.

    Lines are at most `WIDTH` wide, unless a name in them is longer.

    Raises
    ------
    InputError
        When there is no report yet.
    DatabaseError
        When the database cannot be used; the lines that need only the report folders are yielded before.
    """
    for line in _lines(reports_folder(output)):
        yield line if len(line) <= WIDTH else "\n".join(_wrapped(line))


def _wrapped(line: str) -> list[str]:
    return textwrap.wrap(
        line, WIDTH, subsequent_indent="    ", break_long_words=False, break_on_hyphens=False, drop_whitespace=True
    )


def _lines(folder: Path) -> Iterator[str]:
    fault = None
    try:
        state = _from_database(folder)
    except DatabaseError as error:
        state, fault = _from_folders(folder), error
    reports, unfinished = state["reports"], [*state["unfinished"], *synchronise.running(folder)]
    dates = sorted({*reports, *(str(run["date"]) for run in unfinished)})
    if not dates and not state["starts"]:
        raise fault or no_report_error(folder)
    yield from _reports(folder, state, dates, unfinished)
    yield from _listed("Starts that failed", _starts(state["starts"], reports))
    yield from _listed("Damaged", [(path.name, "make it again") for path in folders.damaged_reports(folder)])
    if fault:
        yield "\nDeliveries and alerts are known only to the database"
        raise fault
    waiting = [(_item(row), _state(row)) for row in group_deliveries(state["waiting"])]
    yield from _listed("Not delivered", waiting)
    past = [row for row in state["past"] if reports and str(row["date"]) == max(reports)]
    ended = [(_item(row), row["status"], row["error"]) for row in group_deliveries(past)]
    yield from _listed("Not sent any more", ended)
    alerts = [(a["severity"], a["title"], f"since {text_of(a['opened_at'])}", _input(a)) for a in state["alerts"]]
    yield from _listed("Open alerts", alerts)


def _reports(folder: Path, state: dict[str, Any], dates: list[str], unfinished: list[dict[str, Any]]) -> Iterator[str]:
    reports = state["reports"]
    if not dates:
        yield "No report yet"
        return
    heading, *lines = aligned(_rows(dates, reports, state["figures"]))
    yield heading
    for date, line in zip(dates, lines, strict=True):
        yield line
        if date in reports:
            run, run_id = reports[date], reports[date]["run_id"]
            yield f"  made {text_of(run['finished_at'])} by {run_id} of {project.display_path(run['input'])}"
            if note := folders.verified(folder, date):
                yield f"  reproduced byte for byte at {note['at']}: {text.counted(note['files'], 'file')}"
            if remark := text.completeness(state["verdicts"].get(run_id)):
                yield f"  {remark}"
            yield from (f"  {' '.join(one['verdict'])}" for one in state["facilities"].get(run_id, {}).values())
            yield from _partial(state["figures"].get(run_id, {}))
        yield from _later(folder, [run for run in unfinished if str(run["date"]) == date], reports.get(date))


def _starts(starts: list[dict[str, Any]], reports: dict[str, dict[str, Any]]) -> list[tuple[str, ...]]:
    """Return the last starts that failed since the last good run."""
    since = max((text_of(run["finished_at"]) for run in reports.values()), default="")
    later = [start for start in starts if text_of(start["started_at"]) >= since]
    return [(text_of(start["started_at"]), start["error"]) for start in later[-STARTS:]]


def _from_database(folder: Path) -> dict[str, Any]:
    with connection.reading(database(folder)) as opened:
        return {
            "reports": queries.visible_runs(opened),
            "facilities": queries.facilities(opened),
            "figures": queries.core_figures(opened),
            "verdicts": queries.verdicts(opened),
            "unfinished": queries.unfinished(opened),
            "starts": queries.starts_that_failed(opened),
            "waiting": queries.deliveries_with(opened, "pending", "dead", "held"),
            "past": queries.deliveries_with(opened, "superseded", "dropped"),
            "alerts": queries.open_alerts(opened),
        }


def _from_folders(folder: Path) -> dict[str, Any]:
    """Return what the run folders hold: the report of each date, and runs that did not succeed."""
    reports, figures, verdicts, facilities = visible(folder), {}, {}, {}
    for date, run in reports.items():
        metrics = files.read_object(folder / date / "metrics.json", "kpis")
        figures[run["run_id"]] = {name: kpi for name, kpi in metrics["kpis"].items() if kpi["group"] == "core"}
        verdicts[run["run_id"]] = metrics.get("verdict")  # reports of earlier versions have none
        facilities[run["run_id"]] = metrics.get("facilities", {})
    runs = [run for _, run in synchronise.ended_runs(folder) if run["status"] != "success"]
    ended = [run | {"status": "failed", "error": run["error"] or records.KILLED} for run in runs]
    found = {"reports": reports, "figures": figures, "verdicts": verdicts, "facilities": facilities}
    return found | {"unfinished": ended, "starts": notes.read(folder)["failed_starts"]}


def database(output: Path) -> Any:
    """Return the database of the reports in `output`, brought up to date with the run folders.

    Raises
    ------
    InputError
        When there is neither a report nor a database elsewhere.
    DatabaseError
        When the database cannot be used.
    """
    if not (output / folders.RUNS).is_dir() and not connection.is_elsewhere():
        raise no_report_error(output)
    return synchronise.open_synchronised(output, settings.load()["delivery"]["timeout_seconds"])


def no_report_error(folder: Path) -> InputError:
    """Return the error for a folder without reports."""
    return InputError(f"No report in {project.display_path(folder)} yet: run make report DATE=YYYY-MM-DD")


def text_of(time: Any) -> str:
    """Return a time as reports write it: UTC, to the second."""
    return time if isinstance(time, str) else core_dates.format_time(time)


def _rows(
    dates: list[str], reports: dict[str, dict[str, Any]], figures: dict[str, dict[str, Any]]
) -> Iterator[tuple[str, ...]]:
    of_date = {date: figures.get(run["run_id"], {}) for date, run in reports.items()}
    names = list(dict.fromkeys(name for entries in of_date.values() for name in entries))
    shares = {name for entries in of_date.values() for name, kpi in entries.items() if kpi["unit"] == "%"}
    yield ("date", *(f"{name} %" if name in shares else name for name in names), *([] if names else [""]))
    for date in dates:
        entries = of_date.get(date, {})
        cells = [_cell(entries[name]) if name in entries else "" for name in names] or [""]
        yield (date, *cells) if date in reports else (date, "no report", *cells[1:])


def _cell(kpi: dict[str, Any]) -> str:
    """Return a value with its status; its unit stands in the heading."""
    if kpi["value"] is None or kpi["unit"] in currencies.CODES:
        return text.value_and_status(kpi)
    return f"{kpi['value']:,.{shown_decimals(kpi)}f} {kpi['status'] if kpi['status'] != 'none' else ''}".rstrip()


def _partial(entries: dict[str, dict[str, Any]]) -> Iterator[str]:
    yield from (f"  {name}{remark}" for name, kpi in entries.items() if (remark := text.partial(kpi)))


def _later(output: Path, unfinished: list[dict[str, Any]], run: dict[str, Any] | None) -> Iterator[str]:
    since = text_of(run["started_at"]) if run else ""
    later = [other for other in unfinished if text_of(other["started_at"]) >= since]
    if later:
        kind = "later run" if run else "run"
        subject = f"a {kind}" if len(later) == 1 else f"{len(later)} {kind}s did not succeed, the last"
        last = max(later, key=lambda other: text_of(other["started_at"]))
        yield f"  {subject} {_outcome(output, last)}"


def _outcome(output: Path, run: dict[str, Any]) -> str:
    if run.get("status") == "running":
        process = folders.holder(output, run["date"]) or {"pid": "unknown", "host": "this machine"}
        return f"is at work since {run['started_at']}, process {process['pid']} on {process['host']}"
    if folders.was_stopped(run["error"]):
        return f"was stopped at {text_of(run['finished_at'])}"
    if run["finished_at"]:
        return f"failed at {text_of(run['finished_at'])}: {run['error']}"
    return f"started at {text_of(run['started_at'])} and was killed"


def _input(alert: dict[str, Any]) -> str:
    return f"of {project.display_path(alert['input'])}" if alert["input"] else ""


def _item(row: dict[str, Any]) -> str:
    return f"{row['place']}  {row['run_id'] or row['key']}"


def _state(row: dict[str, Any]) -> str:
    if row["status"] == "dead":
        after = f" after {text.counted(row['attempts'], 'attempt')}" if row["attempts"] else ""
        return f"given up{after}: {row['error']}"
    if row["status"] == "held":
        return f"held: {row['error']}; abaco deliver --held sends it, --drop RUN does not"
    if not row["attempts"]:
        return "not tried yet"
    times = "once" if row["attempts"] == 1 else f"{row['attempts']} times"
    return f"tried {times}, again at {text_of(row['next_attempt_at'])}: {row['error']}"


def _listed(title: str, rows: list[tuple[str, ...]]) -> Iterator[str]:
    if rows:
        yield f"\n{title}"
        yield from (f"  {line}" for line in aligned(rows))
