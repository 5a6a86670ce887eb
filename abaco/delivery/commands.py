"""Commands: record runs that have ended, and enqueue and send their deliveries."""

import logging
from collections.abc import Collection, Iterable, Iterator
from pathlib import Path
from typing import Any

from sqlalchemy import Engine
from sqlalchemy.exc import SQLAlchemyError

from abaco.core import files, logs
from abaco.core.deadlines import call_within
from abaco.core.errors import DatabaseError, InputError, said
from abaco.database import queries, records, synchronise
from abaco.database.connection import connected, reading, take_turns, writing
from abaco.delivery import direct, holding, outbox, planning, rules, state
from abaco.delivery.azure import AzureChannel
from abaco.delivery.channel import NOT_SET_UP, DeliveryError
from abaco.delivery.registry import ALERTS
from abaco.run import folders

log = logging.getLogger(__name__)


def record_and_deliver(
    output: Path, folder: Path, settings: dict[str, Any], repeat: bool = False
) -> list[dict[str, Any]]:
    """Record a run that has ended, and earlier ones that are not recorded yet; send the deliveries that are due.

    No error here changes the outcome of the run: an exception, an interruption or a delivery that takes longer than
    ``delivery.deadline_seconds`` becomes one undelivered row.

    Parameters
    ----------
    output
        Folder of the reports.
    folder
        The run's folder.
    settings
        All settings by section.
    repeat
        Whether recipients who have a report with the same figures get it once more.

    Returns
    -------
    list of dict
        The undelivered rows of this run and earlier ones: ``channel, run_id, date, status, error``.
    """
    seconds = settings["delivery"]["deadline_seconds"]
    try:
        return call_within(seconds, _record_and_deliver, output, folder, settings, repeat)
    except KeyboardInterrupt:
        return _all_pending(folder, "stopped before all of them were sent: make deliver sends the others")
    except TimeoutError:
        reason = f"not finished within {seconds:g} s: see abaco doctor, or raise delivery.deadline_seconds"
        log.warning("delivery of %s: %s", folder.name, reason)
    except Exception as error:
        logs.keep_traceback(error)
        reason = said(error)
    _tell_directly(output, folder, settings, reason)
    return _all_pending(folder, reason)


def _all_pending(folder: Path, reason: str) -> list[dict[str, Any]]:
    run_id = folder.name.split("_")[1]
    return [{"channel": "deliveries", "run_id": run_id, "status": outbox.PENDING, "error": reason}]


def _tell_directly(output: Path, folder: Path, settings: dict[str, Any], reason: str) -> None:
    """Tell that a run failed, or that nothing of it is delivered, without the database."""
    run = files.read_object(folder / folders.RECORD)
    if ALERTS in run["deliver_to"] and not direct.is_past(folders.visible(output), run):
        alert = rules.unrecorded(run, reason) if run["status"] == "success" else rules.failure(run)
        direct.tell(output, settings, alert, run, folder)


def _record_and_deliver(output: Path, folder: Path, settings: dict[str, Any], repeat: bool) -> list[dict[str, Any]]:
    run = files.read_object(folder / "run.json")
    try:
        with state.opened(output, settings) as engine:
            faults = _synchronise_and_enqueue(engine, output, settings, folder if repeat else None)
            with reading(engine) as connection:
                pending = queries.deliveries_with(connection, outbox.PENDING, run_id=run["run_id"])
            own = {row["key"] for row in pending}
            list(send(engine, output, settings, own=own))
            return faults + _undelivered(engine, own)
    except DatabaseError as error:
        log.info("the run %s is not in the database yet: %s", folder.name, error)
        if run["deliveries"]:
            others = [entry for entry in run["deliveries"] if entry["channel"] != "database"]
            database = _entry("database", outbox.PENDING, str(error))
            files.write_json(folder / "run.json", run | {"deliveries": [database, *others]})
        _tell_directly(output, folder, settings, str(error))
        return [_fault("database", run, str(error))]


def deliver_pending(
    output: Path, settings: dict[str, Any], dead: bool = False, held: Collection[str] = ()
) -> Iterator[dict[str, Any]]:
    """Record every run that is not recorded yet, try all pending deliveries and yield the outcome of each.

    Parameters
    ----------
    dead
        Whether to try also those that were given up.
    held
        The dates whose deliveries, held since a restore, are tried, too; see `holding.release`.
    """
    with state.opened(output, settings) as engine:
        yield from _synchronise_and_enqueue(engine, output, settings)
        with writing(engine) as connection:
            if held:
                holding.release(connection, held)
            if dead:
                outbox.retry(connection, outbox.DEAD)
        yield from send(engine, output, settings, early=True)


def hold_pending(output: Path, settings: dict[str, Any], made_at: str) -> list[str]:
    """Hold what was pending in a backup, also of runs that are not recorded yet; return lines about it."""
    with connected(output, settings["delivery"]["timeout_seconds"]) as engine:
        _synchronise_and_enqueue(engine, output, settings)
        with writing(engine) as connection:
            holding.hold(connection, made_at)
            settled, doubt = [], []
            try:
                settled = holding.settle_by_azure(connection, settings)
            except DeliveryError as error:
                doubt = [f"Azure could not be asked what arrived since: {error}"]
            rows = queries.deliveries_with(connection, outbox.HELD)
        _write_outcomes_of(engine, output, settled + rows)
    return [
        *doubt,
        *holding.told("By run.json in Azure, these arrived after the backup:", settled),
        *holding.told(holding.HEADING.format(made_at=made_at), rows),
    ]


def deliver_due(output: Path, settings: dict[str, Any]) -> list[dict[str, Any]]:
    """Record every run that is not recorded yet, try the deliveries that are due and return the outcome of each."""
    with state.opened(output, settings) as engine:
        _synchronise_and_enqueue(engine, output, settings)
        return list(send(engine, output, settings))


def drop(output: Path, settings: dict[str, Any], name: str) -> list[dict[str, Any]]:
    """Drop the deliveries of a run that were given up or are held, or that of a key without a run, and return them.

    Raises
    ------
    InputError
        When nothing was given up or is held under that name.
    """
    engine = synchronise.open_synchronised(output, settings["delivery"]["timeout_seconds"])
    with writing(engine) as connection:
        rows = outbox.drop(connection, name)
    if not rows:
        raise InputError(f"Nothing that was given up or is held is of {name}: abaco status lists what was")
    _write_outcomes_of(engine, output, rows)
    return rows


def send(engine: Engine, output: Path, settings: dict[str, Any], **options: Any) -> Iterator[dict[str, Any]]:
    """Send the deliveries that are due, see `outbox.deliver`; write the outcomes into run.json of their runs."""
    changed = []
    for row in outbox.deliver(engine, output, settings, **options):
        _write_outcomes_of(engine, output, [row])
        changed.append(row["folder"])
        yield row
    with writing(engine) as connection:
        fresh = planning.plan_given_up(connection, settings)
        outbox.enqueue(connection, output, fresh)
    if fresh:
        yield from outbox.deliver(engine, output, settings, only={delivery.key for delivery in fresh})
    for folder, run in synchronise.ended_runs(output):  # also of a run whose process was killed before this
        if any(entry["status"] == outbox.PENDING for entry in run.get("deliveries", ())):
            _write_outcomes(engine, output, folder)
    _upload_outcomes(output, settings, dict.fromkeys(filter(None, changed)))


def _upload_outcomes(output: Path, settings: dict[str, Any], paths: Iterable[str]) -> None:
    """Upload run.json of runs that are in Azure again, now that their other deliveries have ended."""
    for folder in (output / path for path in paths):
        run = folders.recorded(folder)
        if run and any(
            row["channel"] == AzureChannel.name and row["status"] == outbox.DONE for row in run["deliveries"]
        ):
            try:
                AzureChannel(settings).refresh(run["date"], run["run_id"], folder)
            except DeliveryError as error:
                log.warning("run.json of %s in Azure is not the last one: %s", run["run_id"], error)


def _synchronise_and_enqueue(
    engine: Engine, output: Path, settings: dict[str, Any], repeated: Path | None = None
) -> list[dict[str, Any]]:
    """Record every run that is not recorded yet, enqueue the deliveries of each, and return the faults.

    All runs are recorded before the first delivery is enqueued, so that a failure that a later run has mended causes
    no alert.
    """
    ended = synchronise.ended_runs(output)
    waiting = [(folder, run) for folder, run in ended if synchronise.waits_for_database(run)]
    faults_by_folder = synchronise.synchronise(engine, output)
    faults = []
    for folder, run in waiting:
        if fault := faults_by_folder.get(folder):
            faults.append(_fault("database", run, fault))
            continue
        run_faults = _enqueue(engine, output, folder, run, settings, folder == repeated)
        _write_outcomes(engine, output, folder, "; ".join(fault["error"] for fault in run_faults) or None)
        faults += run_faults
    with writing(engine) as connection:
        changed = outbox.follow_reports(connection)
    _write_outcomes_of(engine, output, changed)
    return faults


def _enqueue(
    engine: Engine, output: Path, folder: Path, run: dict[str, Any], settings: dict[str, Any], repeat: bool
) -> list[dict[str, Any]]:
    """Enqueue the deliveries of a run to each place, once; return the faults of their set-up."""
    path, faults = _relative(output, folder), []
    with writing(engine) as connection:
        take_turns(connection)
        planned = queries.planned_places(connection, _owner(run, path), path)
        for place in (place for place in run["deliver_to"] if place not in planned):
            try:
                with connection.begin_nested():
                    deliveries, missing = planning.plan_deliveries(place, connection, folder, run, settings, repeat)
                    outbox.enqueue(connection, output, deliveries)
                    records.write_delivery_plan(connection, _owner(run, path), place, path, missing)
            except SQLAlchemyError:
                raise
            except Exception as error:  # such as a wrong address: the other places get theirs, this one later
                logs.keep_traceback(error)
                reason = f"{place}: {said(error)}"
                faults.append(_fault(place, run, reason))
    return faults


def _write_outcomes_of(engine: Engine, output: Path, rows: list[dict[str, Any]]) -> None:
    """Write the outcomes of deliveries into run.json of their runs, where their folders are here."""
    for path in dict.fromkeys(row["folder"] for row in rows if row["folder"]):
        if (output / path / "run.json").is_file():
            _write_outcomes(engine, output, output / path)


def _write_outcomes(engine: Engine, output: Path, folder: Path, fault: str | None = None) -> None:
    """Write the outcomes of a run's deliveries into run.json, and the phase metrics that depend on them."""
    run, path = files.read_object(folder / "run.json"), _relative(output, folder)
    with writing(engine) as connection:
        outcomes = queries.outcomes(connection, run["run_id"], path)
        planned = queries.planned_places(connection, _owner(run, path), path)
        if run["status"] == "success":
            if not queries.is_recorded(connection, run["run_id"]):  # it has just ended, and its process records it
                return
            uploads = [row["status"] == outbox.DONE for row in outcomes if row["channel"] == "azure"]
            metrics = {
                "azure_upload_success": all(uploads) if uploads else None,
                "database_writes": queries.rows_written(connection, run["run_id"]),
            }
            for metric, value in metrics.items():
                records.write_metric(connection, run["run_id"], "output", metric, value)
            run["phases"]["output"] |= metrics
    status = outbox.DONE if set(run["deliver_to"]) <= set(planned) else outbox.PENDING
    if fault is None and status == outbox.PENDING:
        fault = run["deliveries"][0]["error"]
    absent = [_entry(place, NOT_SET_UP, f"set {missing}") for place, missing in planned.items() if missing]
    entries = [_entry("database", status, fault), *absent, *outcomes]
    files.write_json(folder / "run.json", run | {"deliveries": entries})


def _undelivered(engine: Engine, own: set[str]) -> list[dict[str, Any]]:
    """Return the deliveries that were tried and are still pending, and those of `own` that are not done."""
    with reading(engine) as connection:
        rows = queries.deliveries_with(connection, outbox.PENDING, outbox.DEAD)
    return [r for r in rows if r["key"] in own or (r["status"] == outbox.PENDING and r["attempts"])]


def _fault(place: str, run: dict[str, Any], error: str) -> dict[str, Any]:
    identity = {name: run[name] for name in ("run_id", "date")}
    return {"channel": place, **identity, "status": outbox.PENDING, "error": error}


def _owner(run: dict[str, Any], path: str) -> str:
    """Return the identity of a run in its plan: its id, or its folder if it failed."""
    return run["run_id"] if run["status"] == "success" else path


def _relative(output: Path, folder: Path) -> str:
    return folder.resolve().relative_to(output.resolve()).as_posix()


def _entry(channel: str, status: str, error: str | None = None) -> dict[str, Any]:
    return {"channel": channel, "status": status, "error": error, "receipt": None}
