"""The settlement of a run that has ended: into the database, what it is delivered to written down and tried."""

import datetime as dt
import logging
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import SQLAlchemyError

from abaco.core import dates, files, logs, project, settings
from abaco.core.errors import AbacoError, DatabaseError, InputError
from abaco.database import queries, records, synchronise
from abaco.database.connection import connect, opened, reading, take_turns, writing
from abaco.delivery import alerting, email, outbox
from abaco.delivery.channel import ABSENT, Item
from abaco.delivery.registry import channel
from abaco.run import folders

log = logging.getLogger(__name__)


def record_and_deliver(output: Path, folder: Path, settings: dict[str, Any]) -> list[dict[str, Any]]:
    """Settle a run that has ended and all before it that are not yet; deliver what is due.

    Returns
    -------
    list of dict
        What stays undelivered, of this run and of earlier ones: ``channel, run_id, date, error``.
    """
    run = files.read_json(folder / "run.json")
    try:
        with opened(output, settings["delivery"]["timeout_seconds"]) as engine:
            faults = _enroll_all(engine, output, settings)
            with reading(engine) as connection:
                found = queries.deliveries_with(connection, outbox.PENDING, run_id=run["run_id"])
            own = {row["key"] for row in found}
            for _ in _deliver(engine, output, settings, own=own):
                pass
            return faults + undelivered(engine, own)
    except DatabaseError as error:
        log.info("the run %s is not in the database yet: %s", folder.name, error)
        if run["deliveries"]:
            entries = [d for d in run["deliveries"] if d["channel"] != "database"]
            waiting = _entry("database", outbox.PENDING, str(error))
            files.write_json(folder / "run.json", run | {"deliveries": [waiting, *entries]})
        return [_fault("database", run, str(error))]


def deliver_pending(output: Path, settings: dict[str, Any], dead: bool = False) -> Iterator[dict[str, Any]]:
    """Settle every run that is not yet, try all that is pending, and yield what became of each delivery.

    Parameters
    ----------
    dead
        Also what was given up, with a fresh set of attempts.
    """
    engine = connect(output, settings["delivery"]["timeout_seconds"])
    yield from _enroll_all(engine, output, settings)
    if dead:
        with writing(engine) as connection:
            outbox.revive(connection)
    yield from _deliver(engine, output, settings, early=True)


def drop(output: Path, settings: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Drop what was given up of a run, or of a key where there is no run, and return it.

    Raises
    ------
    InputError
        When nothing was given up under that name.
    """
    engine = connect(output, settings["delivery"]["timeout_seconds"])
    with writing(engine) as connection:
        rows = outbox.drop(connection, name)
    if not rows:
        raise InputError(f"Nothing that was given up is of {name}: abaco status lists what was")
    _tell_of(engine, output, rows)
    return rows


def deliver_due(output: Path, settings: dict[str, Any]) -> list[dict[str, Any]]:
    """Settle every run that is not yet and try what is due, as a service does from time to time."""
    engine = connect(output, settings["delivery"]["timeout_seconds"])
    _enroll_all(engine, output, settings)
    return list(_deliver(engine, output, settings))


def deliver_again(output: Path, settings: dict[str, Any], items: list[Item]) -> list[dict[str, Any]]:
    """Deliver items of finished runs now, also those that were delivered, and return what became of each."""
    engine = synchronise.caught_up(output, settings["delivery"]["timeout_seconds"])
    keys = {item.key for item in items}
    with writing(engine) as connection:
        outbox.enqueue(connection, output, items)
        outbox.renew(connection, keys)
    return [row for row in _deliver(engine, output, settings, only=keys)]


def tell_of_start(output: Path, settings: dict[str, Any], started_at: str, error: str) -> None:
    """Alert of a run that nobody watched and that failed before it had a folder: no input, a wrong setting.

    Parameters
    ----------
    started_at
        When it began; a run that came to have a folder since then has been told of already.
    """

    engine = synchronise.caught_up(output, settings["delivery"]["timeout_seconds"])
    run = {"run_id": None, "date": None, "started_at": started_at, "error": error}
    with writing(engine) as connection:
        take_turns(connection)
        if any(row["started_at"] >= dates.time_of(started_at) for row in queries.failed(connection)):
            return
        now = dt.datetime.now(dt.UTC)
        outbox.enqueue(connection, output, alerting.failed(connection, run, None, settings, now))
    for _ in _deliver(engine, output, settings):
        pass


def undelivered(engine: Engine, own: set[str]) -> list[dict[str, Any]]:
    """Return what is pending although it was tried, and what of `own` is not done."""
    with reading(engine) as connection:
        rows = queries.deliveries_with(connection, outbox.PENDING, outbox.DEAD)
    return [r for r in rows if r["key"] in own or (r["status"] == outbox.PENDING and r["attempts"])]


def _deliver(
    engine: Engine, output: Path, settings: dict[str, Any], **options: Any
) -> Iterator[dict[str, Any]]:
    """Deliver, and tell run.json of each run that anything was delivered for."""
    for row in outbox.deliver(engine, output, settings, **options):
        _tell_of(engine, output, [row])
        yield row
    for folder, run in synchronise.ended(output):  # and of each run whose process was killed before it did so
        if any(d["status"] == outbox.PENDING for d in run.get("deliveries", ())):
            _tell(engine, output, folder)


def _enroll_all(engine: Engine, output: Path, settings: dict[str, Any]) -> list[dict[str, Any]]:
    """Write down every run that waits for it, and what each is to be delivered to; return what is wrong with that."""
    waiting = [
        (folder, run)
        for folder, run in synchronise.ended(output)
        if any(
            d["channel"] == "database" and d["status"] == outbox.PENDING for d in run.get("deliveries", ())
        )
    ]
    faults, whole = [], []
    for folder, run in waiting:  # all of them first: nobody is to be alarmed by what a later run has mended
        if fault := synchronise.write(engine, output, folder):
            faults.append(_fault("database", run, fault))
        else:
            whole.append((folder, run))
    for folder, run in whole:
        found = _enroll(engine, output, folder, run, settings)
        _tell(engine, output, folder, "; ".join(fault["error"] for fault in found) or None)
        faults += found
    with writing(engine) as connection:
        changed = outbox.follow_reports(connection)
    _tell_of(engine, output, changed)
    return faults


def _enroll(
    engine: Engine, output: Path, folder: Path, run: dict[str, Any], settings: dict[str, Any]
) -> list[dict[str, Any]]:
    """Write down once what a run is to be delivered to; return what is wrong with how that is set up."""
    where, faults = folder.relative_to(output).as_posix(), []
    with writing(engine) as connection:
        take_turns(connection)
        settled = queries.settled(connection, _owner(run, where), where)
        for place in (p for p in run["deliver_to"] if p not in settled):
            try:
                with connection.begin_nested():
                    items, missing = SOURCES[place](connection, folder, run, settings)
                    outbox.enqueue(connection, output, items)
                    records.write_settlement(connection, _owner(run, where), place, where, missing)
            except SQLAlchemyError:
                raise
            except (
                Exception
            ) as error:  # a wrong address, say: the others are delivered to, and this one later
                logs.keep_traceback(error)
                text = f"{place}: {error if isinstance(error, AbacoError) else repr(error)}"
                faults.append(_fault(place, run, text))
    return faults


def _tell(engine: Engine, output: Path, folder: Path, fault: str | None = None) -> None:
    """Write into run.json what became of the deliveries, and of the phase metrics that hang on them."""
    run, where = files.read_json(folder / "run.json"), _below(output, folder)
    with writing(engine) as connection:
        found = queries.outcomes(connection, run["run_id"], where)
        settled = queries.settled(connection, _owner(run, where), where)
        if run["status"] == "success":
            uploads = [row["status"] == outbox.DONE for row in found if row["channel"] == "azure"]
            known = {
                "azure_upload_success": all(uploads) if uploads else None,
                "database_writes": queries.rows_written(connection, run["run_id"]),
            }
            for metric, value in known.items():
                records.write_metric(connection, run["run_id"], "output", metric, value)
            run["phases"]["output"] |= known
    status = outbox.DONE if set(run["deliver_to"]) <= set(settled) else outbox.PENDING
    if fault is None and status == outbox.PENDING:
        fault = run["deliveries"][0]["error"]
    absent = [_entry(place, ABSENT, f"set {missing}") for place, missing in settled.items() if missing]
    files.write_json(
        folder / "run.json", run | {"deliveries": [_entry("database", status, fault), *absent, *found]}
    )


def _tell_of(engine: Engine, output: Path, rows: list[dict[str, Any]]) -> None:
    """Write what became of deliveries into run.json of each run that they are of, where that is here."""
    for where in dict.fromkeys(row["folder"] for row in rows if row["folder"]):
        if (output / where / "run.json").is_file():
            _tell(engine, output, output / where)


def _fault(channel: str, run: dict[str, Any], error: str) -> dict[str, Any]:
    kept = {name: run[name] for name in ("run_id", "date")}
    return {"channel": channel, **kept, "status": outbox.PENDING, "error": error}


def _owner(run: dict[str, Any], where: str) -> str:
    return run["run_id"] if run["status"] == "success" else where


def _below(output: Path, folder: Path) -> str:
    return folder.resolve().relative_to(output.resolve()).as_posix()


def _entry(channel: str, status: str, error: str | None = None) -> dict[str, Any]:
    return {"channel": channel, "status": status, "error": error, "receipt": None}


Planned = tuple[list[Item], str | None]  # what to deliver, or what is to be set up for it


def _uploads(_: Connection, folder: Path, run: dict[str, Any], settings: dict[str, Any]) -> Planned:
    if run["status"] != "success":
        return [], None
    missing = channel("azure", settings).missing()
    return ([], missing) if missing else ([upload_delivery(folder, run)], None)


def upload_delivery(folder: Path, run: dict[str, Any]) -> Item:
    """Return what uploads the folder of a run."""
    return Item(f"azure:{run['run_id']}", "azure", run["run_id"], run["date"], folder, {})


def _emails(_: Connection, folder: Path, run: dict[str, Any], settings: dict[str, Any]) -> Planned:

    if run["status"] != "success":
        return [], None
    if missing := channel("email", settings).missing():
        return [], missing
    items = email.items(run, folder)
    return items, None if items else "REPORT_RECIPIENTS"


def _alerts(connection: Connection, folder: Path, run: dict[str, Any], settings: dict[str, Any]) -> Planned:

    now = dt.datetime.now(dt.UTC)
    if run["status"] == "success":
        return alerting.judge(connection, folder, settings, now), None
    told = run | {"error": run["error"] or records.KILLED}
    return alerting.failed(connection, told, folder, settings, now), None


SOURCES: dict[str, Callable[..., Planned]] = {"azure": _uploads, "email": _emails, "alerts": _alerts}


def resend_upload(date: str, params: Any = None, output: Path | None = None) -> list[dict[str, Any]]:
    """Upload a finished report, print what became of it, and return what is undelivered.

    Raises
    ------
    InputError
        When the date has no report, or Azure is not set up.
    """
    loaded, reports = settings.load(params), folders.reports_folder(output)
    folder, run = _finished_report(reports, date)
    return _resend(reports, loaded, "azure", [upload_delivery(folder, run)])


def resend_email(
    date: str, to: str | None = None, params: Any = None, output: Path | None = None
) -> list[dict[str, Any]]:
    """Send a finished report by email, print what became of it, and return what is undelivered.

    Parameters
    ----------
    to
        Recipients with commas between; by default those of ``REPORT_RECIPIENTS``.

    Raises
    ------
    InputError
        When the date has no report, there is no recipient, or no mail server is set up.
    """

    loaded, reports = settings.load(params), folders.reports_folder(output)
    folder, run = _finished_report(reports, date)
    found = email.items(run, folder, to, again=True)
    if not found:
        raise InputError("Nobody to send the report to: name somebody with TO, or set REPORT_RECIPIENTS")
    return _resend(reports, loaded, "email", found)


def _finished_report(reports: Path, date: str) -> tuple[Path, dict[str, Any]]:
    folder = (reports / date).resolve()
    if not (reports / date / "run.json").is_file():
        there = ", ".join(list(folders.visible(reports))[-5:]) or "none"
        raise InputError(f"No finished report of {date} in {project.shown(reports)}; there are: {there}")
    return folder, files.read_json(folder / "run.json")


def _resend(reports: Path, loaded: dict[str, Any], name: str, items: list) -> list[dict[str, Any]]:
    if missing := channel(name, loaded).missing():
        raise InputError(f"{name} is not set up: set {missing}")
    rows = deliver_again(reports, loaded, items)
    for row in rows:
        print(f"{row['channel']}  {row['run_id']}  {row['status']}")
    return [row for row in rows if row["status"] != "done"]
