"""Starts that failed: recorded, and told like a failed run, whatever it is that failed."""

import datetime as dt
import os
import socket
from pathlib import Path
from typing import Any

from abaco.core import dates, logs, project
from abaco.core.deadlines import call_within
from abaco.core.errors import AbacoError, InputError
from abaco.core.usable_settings import usable
from abaco.database import queries, records, schema
from abaco.database.connection import connected, take_turns, writing
from abaco.delivery import alerting, commands, direct, outbox, planning, rules, state
from abaco.run.plan import CASCADE


def tell(
    error: Exception,
    started_at: str,
    params: str | Path | None = None,
    output: Path | None = None,
    input: str | None = None,
    date: str | None = None,
    is_slip: bool = False,
) -> None:
    """Record and tell that ``abaco report`` failed before its run could tell of itself.

    By the database and its outbox, or, where they cannot be used, directly and by a note beside the reports.

    Parameters
    ----------
    error
        Why it failed.
    started_at
        When it started.
    params, output, input, date
        Its options; settings that are not valid are left out.
    is_slip
        Whether somebody mistyped a command by hand: that is told, and no failed night.
    """
    settings = usable(params, output)
    reason = str(error) if isinstance(error, AbacoError) else f"{type(error).__name__}: {error}"
    if is_slip:
        tell_alert(project.resolve(settings["run"]["output"]), settings, rules.mistyped(reason))
        return
    run = {"run_id": None, "date": _date(date), "input": _input(settings, input), "started_at": started_at}
    record(Path(settings["run"]["output"]), settings, run | {"status": "failed", "error": " ".join(reason.split())})


def tell_alert(
    output: Path, settings: dict[str, Any], alert: rules.Alert | None, cause: str = "", why: str = ""
) -> None:
    """Tell an alert that is of no run; without one, that its cause is gone, and why."""
    now = dt.datetime.now(dt.UTC)
    try:
        with connected(output, settings["delivery"]["timeout_seconds"]) as engine, writing(engine) as connection:
            deliveries = alerting.alert_of(connection, alert.cause if alert else cause, alert, why, settings, now)
            outbox.enqueue(connection, output, deliveries)
        if deliveries:
            commands.deliver_due(output, settings)
    except AbacoError as error:  # the database may be what failed
        logs.keep_traceback(error)
        if alert:
            direct.tell(output, settings, alert, alerting.NO_RUN)


def record(output: Path, settings: dict[str, Any], run: dict[str, Any]) -> None:
    """Record a start that failed, and tell of it, unless a run or a start since then has told of itself.

    Parameters
    ----------
    run
        As run.json: ``date`` and ``input``, each None where it is not known, ``started_at``, ``error``, no ``run_id``.
    """
    output = project.resolve(output)
    try:
        call_within(settings["delivery"]["deadline_seconds"], _record, output, settings, run)
    except Exception as error:  # the database may be what failed
        logs.keep_traceback(error)
        direct.tell(output, settings, rules.failure(run), run, starts=[_row(run)])


def _record(output: Path, settings: dict[str, Any], run: dict[str, Any]) -> None:
    commands.deliver_due(output, settings)  # also of a run that was killed, which so tells of itself
    with state.opened(output, settings) as engine, writing(engine) as connection:
        take_turns(connection)
        since = dates.time_of(run["started_at"])
        known = [*queries.failed(connection), *queries.starts_that_failed(connection)]
        if any(row["started_at"] >= since for row in known):
            return
        records.insert(connection, schema.failed_starts, [_row(run)])
        outbox.enqueue(connection, output, planning.plan_alerts(connection, None, run, settings))
    commands.deliver_due(output, settings)


def _row(run: dict[str, Any]) -> dict[str, Any]:
    return {
        "key": f"{run['started_at']} {socket.gethostname()} {os.getpid()}",
        "started_at": dates.time_of(run["started_at"]), "date": run["date"] and dates.parse_date(run["date"]),
        "input": run["input"], "error": run["error"],
    }  # fmt: skip


def _date(text: str | None) -> str | None:
    try:
        return str(dates.parse_date(text)) if text else None
    except InputError:  # it is the error that is told
        return None


def _input(settings: dict[str, Any], input: str | None) -> str:
    """Return the input as run.json would have it."""
    if (input or settings["run"]["input"]) == CASCADE:
        return str(project.resolve(settings["cascade"]["folder"]) / "current")
    return str(Path(input).expanduser().absolute() if input else project.resolve(settings["run"]["input"]))
