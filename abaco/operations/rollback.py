"""Rollback: a former good run becomes the report of its date again, in one step with database and alerts."""

import datetime as dt
from pathlib import Path

from abaco.core import files, project, settings
from abaco.core.currencies import USD
from abaco.core.dates import parse_date
from abaco.core.errors import DamagedError, InputError, RunError
from abaco.core.text import aligned
from abaco.database import records
from abaco.database.connection import connect, take_turns, writing
from abaco.delivery import alerting, corrections, outbox, planning
from abaco.review import comparison
from abaco.run import folders, manifest


def good_runs(output: Path, date: str) -> list[Path]:
    """Return the folders of the runs of a date that succeeded, oldest first."""
    complete = (folder for folder in folders.folders(output, date) if (folder / manifest.NAME).is_file())
    return [folder for folder in complete if folders.recorded(folder)["status"] == "success"]


def rollback(date: str, to: str | None = None, output: Path | None = None) -> list[str]:
    """Make a former run the report of its date again, enqueue its alerts, and return lines about what changed.

    Parameters
    ----------
    to
        A run id; by default that of the last other good run before the visible one.

    Raises
    ------
    InputError
        When the run does not exist, naming the runs that do.
    RunError
        When a file of the run has changed.
    DatabaseError
        When the rollback cannot be recorded: then nothing has changed.
    """
    folder, date, loaded = folders.reports_folder(output), str(parse_date(date)), settings.load()
    with folders.hold(folder, date, loaded["run"]["lock_timeout_seconds"], print):
        visible = (folder / date).resolve()
        target = _target(folder, date, visible, to)
        if altered := manifest.altered(target):
            raise RunError(f"{date}: {altered[0]} of {_id(target)} is not what the run wrote; choose another with --to")
        now = dt.datetime.now(dt.UTC).replace(microsecond=0)
        engine = connect(folder, loaded["delivery"]["timeout_seconds"])
        with writing(engine) as connection:  # undone when the switch fails
            take_turns(connection)
            records.write_run(connection, folder, target)
            records.write_visible(connection, date, _id(target), now, "rolled back")
            deliveries = alerting.evaluate_alerts(connection, target, loaded, now, is_rollback=True)
            again = planning.shown_again(target, folders.recorded(target), loaded)
            outbox.enqueue(connection, folder, [*deliveries, *again])
            difference = _difference(visible, target)
            folders.publish(target, folder)
    done = f"{date} shows {_id(target)} of {_ended(target)} again; {_id(visible)} of {_ended(visible)} is kept"
    return [done, *difference]


def _difference(visible: Path, target: Path) -> list[str]:
    """Return lines about the figures of two runs that differ, in the order of the switch."""
    try:
        former, now = (files.read_object(folder / "metrics.json", "kpis") for folder in (visible, target))
    except DamagedError as error:  # which may be why it is rolled back
        return [f"What it showed before cannot be compared: {error}"]
    shown = (
        one["kpis"] | comparison.of_facilities(one.get("facilities", {}), one.get("currency", USD))
        for one in (former, now)
    )
    if rows := comparison.figures(*shown):
        return [
            f"{len(rows)} of its figures differ from those that it showed:",
            *(f"  {line}" for line in aligned(rows)),
        ]
    rest = "" if corrections.content(former) == corrections.content(now) else "; other details of the report differ"
    return [f"Every figure is the same as before{rest}"]


def _target(output: Path, date: str, visible: Path, to: str | None) -> Path:
    good = good_runs(output, date)
    if visible not in good:
        raise InputError(
            f"No report of {date} in {project.display_path(output)}: make one with make report DATE={date}"
        )
    others = [f for f in good if _id(f) != _id(visible)]
    candidates = [f for f in others if _id(f) == to] if to else [f for f in others if f.name < visible.name]
    if not candidates:
        known = ", ".join(dict.fromkeys(_id(f) for f in others)) or "none"
        which = f"run {to}" if to else f"good run before {_id(visible)}"
        raise InputError(f"There is no {which} to go back to on {date}; other good runs of it: {known}")
    return candidates[-1]


def _id(folder: Path) -> str:
    return folder.name.split("_", 1)[1]


def _ended(folder: Path) -> str:
    return files.read_object(folder / "run.json")["finished_at"]
