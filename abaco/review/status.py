"""The status of all dates: their reports, later runs without a report, undelivered items and open alerts."""

import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from abaco.core import currencies, files, project, secrets, settings
from abaco.core import dates as core_dates
from abaco.core.errors import DatabaseError, InputError
from abaco.core.precision import shown_decimals
from abaco.core.text import aligned
from abaco.database import connection, notes, queries, records, synchronise
from abaco.database.queries import group_deliveries
from abaco.page.language import phrase, say
from abaco.review import terminal
from abaco.run import folders, manifest, record
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
    yield from _listed(phrase("Starts that failed"), _starts(state["starts"], reports))
    damaged = [(path.name, phrase("make it again")) for path in folders.damaged_reports(folder)]
    damaged += [
        (f"{date} ({name})", phrase("make it again"))
        for date in visible(folder)
        if (name := manifest.first_altered(folder / date, set()))
    ]
    taken = [
        (path.name, phrase("no run made it: move it away, then make it again")) for path in folders.in_the_way(folder)
    ]
    unread = phrase("it tells of starts that failed and alerts: read it, then remove it")
    lost = [(project.display_path(path), unread) for path in notes.damaged(folder)]
    yield from _listed(phrase("Damaged"), sorted(damaged + taken + lost))
    yield from _listed(phrase("Heartbeat"), _heartbeat(folder))
    if fault:
        yield "\n" + phrase("Deliveries and alerts are known only to the database")
        raise fault
    waiting = [(_item(row), _state(row)) for row in group_deliveries(state["waiting"])]
    yield from _listed(phrase("Not delivered"), waiting)
    past = [row for row in state["past"] if reports and str(row["date"]) == max(reports)]
    ended = [(_item(row), row["status"], row["error"]) for row in group_deliveries(past)]
    yield from _listed(phrase("Not sent any more"), ended)
    yield from _listed(phrase("Open alerts"), [_alert(alert) for alert in state["alerts"]])


def _reports(folder: Path, state: dict[str, Any], dates: list[str], unfinished: list[dict[str, Any]]) -> Iterator[str]:
    reports = state["reports"]
    if not dates:
        yield phrase("No report yet")
        return
    heading, *lines = aligned(_rows(dates, reports, state["figures"]))
    yield heading
    for date, line in zip(dates, lines, strict=True):
        yield line
        if date in reports:
            run, run_id = reports[date], reports[date]["run_id"]
            made = {"time": text_of(run["finished_at"]), "run": run_id, "input": project.display_path(run["input"])}
            yield "  " + say("made {time} by {run} of {input}", **made)
            if note := folders.verified(folder, date):
                files_same = terminal.counted(note["files"], "file")
                yield "  " + say("reproduced byte for byte at {time}: {files}", time=note["at"], files=files_same)
            if remark := terminal.completeness(state["verdicts"].get(run_id)):
                yield f"  {remark}"
            yield from (f"  {' '.join(one['verdict'])}" for one in state["facilities"].get(run_id, {}).values())
            yield from _partial(state["figures"].get(run_id, {}))
        yield from _later(folder, [run for run in unfinished if str(run["date"]) == date], reports.get(date))


def _starts(starts: list[dict[str, Any]], reports: dict[str, dict[str, Any]]) -> list[tuple[str, ...]]:
    """Return the last starts that failed since the last good run."""
    since = max((text_of(run["finished_at"]) for run in reports.values()), default="")
    later = [start for start in starts if text_of(start["started_at"]) >= since]
    return [(text_of(start["started_at"]), start["error"]) for start in later[-STARTS:]]


def _heartbeat(folder: Path) -> list[tuple[str, ...]]:
    """Return the last call of the heartbeat if it failed, where one is set."""
    last = record.last_heartbeat(folder) if secrets.read(secrets.HEARTBEAT) else None
    return (
        [(say("the call of {time} failed: {error}", time=last["at"], error=last["error"]),)]
        if last and last["error"]
        else []
    )


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
    yield (phrase("date"), *(f"{name} %" if name in shares else name for name in names), *([] if names else [""]))
    for date in dates:
        entries = of_date.get(date, {})
        cells = [_cell(entries[name]) if name in entries else "" for name in names] or [""]
        yield (date, *cells) if date in reports else (date, phrase("no report"), *cells[1:])


def _cell(kpi: dict[str, Any]) -> str:
    """Return a value with its status; its unit stands in the heading."""
    if kpi["value"] is None or kpi["unit"] in currencies.CODES:
        return terminal.value_and_status(kpi)
    status = "" if kpi["status"] == "none" else f" {terminal.status(kpi['status'])}"
    return f"{kpi['value']:,.{shown_decimals(kpi)}f}{status}"


def _partial(entries: dict[str, dict[str, Any]]) -> Iterator[str]:
    yield from (f"  {name}{remark}" for name, kpi in entries.items() if (remark := terminal.partial(kpi)))


def _later(output: Path, unfinished: list[dict[str, Any]], run: dict[str, Any] | None) -> Iterator[str]:
    since = text_of(run["started_at"]) if run else ""
    later = [other for other in unfinished if text_of(other["started_at"]) >= since]
    if later:
        kind = ("a later run {outcome}", "{count} later runs did not succeed, the last {outcome}")
        kind = kind if run else ("a run {outcome}", "{count} runs did not succeed, the last {outcome}")
        last = max(later, key=lambda other: text_of(other["started_at"]))
        yield "  " + say(kind[len(later) > 1], count=len(later), outcome=_outcome(output, last))


def _outcome(output: Path, run: dict[str, Any]) -> str:
    if run.get("status") == "running":
        process = folders.holder(output, run["date"]) or {"pid": "unknown", "host": "this machine"}
        return say("is at work since {time}, process {pid} on {host}", time=run["started_at"], **process)
    if folders.was_stopped(run["error"]):
        return say("was stopped at {time}", time=text_of(run["finished_at"]))
    if run["finished_at"]:
        return say("failed at {time}: {error}", time=text_of(run["finished_at"]), error=run["error"])
    return say("started at {time} and was killed", time=text_of(run["started_at"]))


def _alert(alert: dict[str, Any]) -> tuple[str, ...]:
    since = say("since {time}", time=text_of(alert["opened_at"]))
    if worse := alert["severity_since"]:
        since += f", {alert['severity']} " + say("since {time}", time=text_of(worse))
    return alert["severity"], alert["title"], since, _input(alert)


def _input(alert: dict[str, Any]) -> str:
    return say("of {input}", input=project.display_path(alert["input"])) if alert["input"] else ""


def _item(row: dict[str, Any]) -> str:
    return f"{row['place']}  {row['run_id'] or row['key']}"


def _state(row: dict[str, Any]) -> str:
    if row["status"] == "dead":
        form = "given up after {attempts}: {error}" if row["attempts"] else "given up: {error}"
        return say(form, attempts=terminal.counted(row["attempts"], "attempt"), error=row["error"])
    if row["status"] == "held":
        times = {"date": row["date"] or "all", "time": text_of(row["created_at"])}
        said = "held, queued at {time}: {error}; abaco deliver --held {date} sends it, --drop RUN does not"
        return say(said, error=row["error"], **times)
    if not row["attempts"]:
        return phrase("not tried yet")
    if row["attempts"] == 1:
        return say("tried once, again at {time}: {error}", time=text_of(row["next_attempt_at"]), error=row["error"])
    tried = {"times": row["attempts"], "time": text_of(row["next_attempt_at"]), "error": row["error"]}
    return say("tried {times} times, again at {time}: {error}", **tried)


def _listed(title: str, rows: list[tuple[str, ...]]) -> Iterator[str]:
    if rows:
        yield f"\n{title}"
        yield from (f"  {line}" for line in aligned(rows))
