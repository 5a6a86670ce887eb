"""Run folders: each run works in its own, and a date's report switches to it in one atomic step."""

import datetime as dt
import json
import os
import shutil
import socket
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from abaco.core import locks, project, settings
from abaco.core.dates import format_time, now
from abaco.core.errors import DamagedError, InputError, RunError
from abaco.core.files import read_object, sync, write_json
from abaco.core.locks import is_alive, is_here

RUNS = ".runs"
DATES = "[0-9][0-9][0-9][0-9]-[0-9][0-9]-[0-9][0-9]"
RECORD, HOLDER, LOCK, VERIFIED = "run.json", "holder.json", "lock", "verified.json"
FACTS = "status", "run_id", "started_at"  # that every run has from its beginning
PROGRESS = "work/progress.json"  # of a run that is at work: its phase and cell
STOPPED = "stopped by a signal"  # the error of a run that somebody interrupted


def stage(output: Path, date: str, run_id: str) -> Path:
    """Make and return the folder of a new run: reports/.runs/<date>/<start>_<run id>/.

    Raises
    ------
    RunError
        When the path of the report is taken by something else.
    InputError
        When the folders of runs are on another file system than the output folder.
    """
    _check_place(output / date)
    folder = output / RUNS / date / f"{dt.datetime.now(dt.UTC):%Y%m%dT%H%M%S%fZ}_{run_id}"
    for name in ("tables", "notebooks"):
        (folder / name).mkdir(parents=True)
    if folder.stat().st_dev != output.stat().st_dev:
        discard(folder)
        raise InputError(
            f"{folder.parent} is on another file system than {output}, and a report is replaced within one: keep them "
            "on one, or choose another folder with OUTPUT"
        )
    (folder / "work").mkdir(mode=0o700)
    return folder


def check_writable(output: Path) -> None:
    """Check that reports can be written to `output`.

    Raises
    ------
    InputError
        When they cannot, with the operating system's reason.
    """
    try:
        (output / RUNS).mkdir(parents=True, exist_ok=True)
        tempfile.TemporaryFile(dir=output / RUNS, prefix=".probe-").close()
    except OSError as error:
        name = project.display_path(output)
        raise InputError(
            f"Cannot write to the output folder {name}: {error.strerror}: choose another with OUTPUT"
        ) from error


def publish(folder: Path, output: Path) -> Path:
    """Make a finished run the visible one of its date in one atomic step, and keep the former run.

    If power is lost, either the former report is visible or this one, whole.

    Returns
    -------
    Path
        reports/<date>, a symbolic link to the run's folder.
    """
    date = folder.parent.name
    visible, fresh = output / date, output / RUNS / date / "next"
    _check_place(visible)
    sync([path for path in folder.rglob("*") if not path.is_symlink()])
    sync([folder, folder.parent, output / RUNS])
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(Path(RUNS) / date / folder.name, target_is_directory=True)
    os.replace(fresh, visible)
    sync([output])
    return visible


def _check_place(visible: Path) -> None:
    if visible.exists() and not visible.is_symlink():
        raise RunError(f"{visible} was not made by a run: move it away, then run again")


def folders(output: Path, date: str) -> list[Path]:
    """Return the folders of all runs of a date, oldest first; those without a sound record are stepped over."""
    found = sorted(path.parent for path in (output / RUNS / date).glob(f"*/{RECORD}"))
    return [folder for folder in found if recorded(folder)]


def recorded(folder: Path) -> dict[str, Any] | None:
    """Return run.json of a run; None if it is gone or damaged."""
    try:
        run = read_object(folder / RECORD, *FACTS)
    except (OSError, DamagedError):
        return None
    return run if all(isinstance(run[name], str) for name in FACTS) else None


def damaged_reports(output: Path) -> list[Path]:
    """Return the links of reports whose run has no sound record."""
    return [path for path in sorted(output.glob(DATES)) if path.is_symlink() and not recorded(path)]


def in_the_way(output: Path) -> list[Path]:
    """Return files and folders that no run made, in the place of the links of reports."""
    return [path for path in sorted(output.glob(DATES)) if not path.is_symlink()]


def taken(output: Path) -> str:
    """Return which places of reports are taken by something else, and the way out; "" if none is."""
    names = ", ".join(map(project.display_path, in_the_way(output)))
    return names and f"{names} was not made by a run: move it away, then make the report of that date again"


def damaged_runs(output: Path) -> list[Path]:
    """Return the folders of runs whose record is damaged."""
    found = sorted(path.parent for path in (output / RUNS).glob(f"[0-9]*/*/{RECORD}"))
    return [folder for folder in found if not recorded(folder)]


def damaged_notes(output: Path) -> list[Path]:
    """Return the notes of who holds a date that are damaged; they hold nobody up."""
    found = sorted((output / RUNS).glob(f"[0-9]*/{HOLDER}"))
    return [path for path in found if holder(output, path.parent.name) is None and path.exists()]


def note_verified(output: Path, date: str, files: int) -> None:
    """Note that the run that a date shows gave the same files when it was made again."""
    folder = (output / date).resolve().name
    write_json(output / RUNS / date / VERIFIED, {"folder": folder, "at": now(), "files": files})


def verified(output: Path, date: str) -> dict[str, Any] | None:
    """Return when the run that a date shows was reproduced, ``at``, and how many ``files``; None: it was not."""
    try:
        note = read_object(output / RUNS / date / VERIFIED, "folder", "at", "files")
    except (OSError, DamagedError):
        return None
    return note if note["folder"] == (output / date).resolve().name else None


def discard_rows(folder: Path) -> None:
    """Remove the rows that ingestion left for transformation, since they hold unmasked personal data."""
    shutil.rmtree(folder / "work" / "rows", ignore_errors=True)


def discard_work(folder: Path) -> None:
    """Remove a run's work folder."""
    shutil.rmtree(folder / "work", ignore_errors=True)


def discard_work_of_others(output: Path, current: Path) -> None:
    """Remove the work folders of the other runs of the `current` run's date, and of killed runs of any date."""
    for work in (output / RUNS).glob("*/*/work"):
        folder = work.parent
        if folder != current and (folder.parent == current.parent or _was_killed(output, folder)):
            shutil.rmtree(work, ignore_errors=True)


def _was_killed(output: Path, folder: Path) -> bool:
    run = recorded(folder)
    return bool(run) and run["status"] == "running" and not at_work(output, folder)


def discard(folder: Path) -> None:
    """Remove the whole folder of a run."""
    shutil.rmtree(folder)


def was_stopped(error: str) -> bool:
    """Return whether the error of a run says that somebody stopped it, which is not a failure.

    Examples
    --------
    >>> was_stopped("03_calculation: stopped by a signal"), was_stopped("03_calculation: no room")
    (True, False)
    """
    return error.endswith(STOPPED)


@contextmanager
def hold(output: Path, date: str, timeout: float, waiting: Callable[[str], None]) -> Iterator[None]:
    """Lock a date, so that only one run of it works at a time; the lock also ends with the process.

    Parameters
    ----------
    timeout
        Seconds to wait for another run of the date.
    waiting
        Called once with a message that names the other run, before waiting for it.

    Raises
    ------
    RunError
        When the other run holds the date for longer.
    """
    folder = output / RUNS / date
    folder.mkdir(parents=True, exist_ok=True)
    note = folder / HOLDER
    with locks.hold(folder / LOCK, timeout, waiting, date, lambda: _holder(output, date)):
        try:
            write_json(note, {"pid": os.getpid(), "host": socket.gethostname(), "since": now()})
            yield
        finally:
            note.unlink(missing_ok=True)


def holder(output: Path, date: str) -> dict[str, Any] | None:
    """Return ``pid``, ``host`` and ``since`` of the run that holds a date, or None; a killed run leaves its entry."""
    try:
        return read_object(output / RUNS / date / HOLDER, "pid", "host", "since")
    except (OSError, DamagedError):  # nobody, or a run that has just begun or just ended
        return None


def note_progress(folder: Path, phase: str, cell: int = 0, cells: int = 0) -> None:
    """Note the phase and the cell that a run has come to, for others to see."""
    # not write_json: nobody needs it after a loss of power, and a run has a hundred cells
    (folder / PROGRESS).write_text(json.dumps({"phase": phase, "cell": cell, "cells": cells}), encoding="utf-8")


def running(output: Path) -> list[dict[str, Any]]:
    """Return the runs at work, whoever started them: ``date, since``, and ``phase, cell, cells`` once they are known.

    A run of another machine may be at work as long as its note is there.
    """
    found = []
    for note in sorted((output / RUNS).glob(f"[0-9]*/{HOLDER}")):
        date = note.parent.name
        if (process := holder(output, date)) and (not is_here(process) or is_alive(process)):
            folder = max(note.parent.glob("*Z_*"), default=None)
            progress = _progress(folder) if folder and _start(folder) >= process["since"] else None
            known = progress or {"phase": None, "cell": 0, "cells": 0}
            found.append({"date": date, "since": process["since"], "host": process["host"], **known})
    return found


def _progress(folder: Path) -> dict[str, Any] | None:
    try:
        return read_object(folder / PROGRESS, "phase", "cell", "cells")
    except (OSError, DamagedError):  # it has just begun, is just being written, or has just ended
        return None


def at_work(output: Path, folder: Path) -> bool:
    """Return whether the run of a folder, which has recorded no end, may still be running."""
    process = holder(output, folder.parent.name)
    if process is None or _start(folder) < process["since"]:  # an earlier run was killed
        return False
    return not is_here(process) or is_alive(process)


def _start(folder: Path) -> str:
    """Return when a run started, to the second, by the name of its folder."""
    return format_time(dt.datetime.strptime(folder.name[:15], "%Y%m%dT%H%M%S").replace(tzinfo=dt.UTC))


def _holder(output: Path, date: str) -> str:
    if process := holder(output, date):
        return f"another run, process {process['pid']} on {process['host']} since {process['since']}"
    return "another run, whose process is not known"


def reports_folder(output: Path | None) -> Path:
    """Return the folder of the reports: `output`, or the setting ``run.output``.

    Raises
    ------
    InputError
        When it is not a folder.
    """
    folder = output.expanduser().absolute() if output else project.resolve(settings.load()["run"]["output"])
    if folder.exists() and not folder.is_dir():
        raise InputError(f"{project.display_path(folder)} is a file, not the folder of the reports: give its folder")
    return folder


def visible(output: Path) -> dict[str, dict[str, Any]]:
    """Return run.json of the visible report of each date, oldest first."""
    runs = ((path.parent.name, recorded(path.parent)) for path in sorted(output.glob(f"[0-9]*/{RECORD}")))
    return {date: run for date, run in runs if run}
