"""Run folders: staged apart, switched to in one step, one run of a date at a time."""

import datetime as dt
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from abaco.core import files, locks, project, settings
from abaco.core.dates import now
from abaco.core.errors import InputError, RunError
from abaco.core.files import read_json, write_json
from abaco.core.locks import is_alive, is_here

RUNS = ".runs"
HOLDER, LOCK = "holder.json", "lock"
STOPPED = "stopped by a signal"  # the error of a run that somebody ended


def stage(output: Path, date: str, run_id: str) -> Path:
    """Make and return the folder of a new run: reports/.runs/<date>/<start>_<run id>/.

    Raises
    ------
    RunError
        When the place of the report is taken, before any work is done for it.
    """
    _check_place(output / date)
    stamp = dt.datetime.now(dt.UTC).strftime("%Y%m%dT%H%M%S%fZ")
    folder = output / RUNS / date / f"{stamp}_{run_id}"
    for name in ("tables", "notebooks"):
        (folder / name).mkdir(parents=True)
    (folder / "work").mkdir(mode=0o700)
    return folder


def check_writable(output: Path) -> None:
    """Raise when reports cannot be written to `output`.

    Raises
    ------
    InputError
        Naming the folder and the operating system's reason.
    """
    try:
        (output / RUNS).mkdir(parents=True, exist_ok=True)
        probe = output / RUNS / f".probe-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise InputError(
            f"Cannot write to the output folder {output}: {error.strerror}: choose another with OUTPUT"
        ) from error


def publish(folder: Path, output: Path) -> Path:
    """Make a finished run the visible one of its date in one atomic step; the former run stays.

    Returns
    -------
    Path
        reports/<date>, a link to the run's folder.
    """
    date = folder.parent.name
    visible, fresh = output / date, output / RUNS / date / "next"
    _check_place(visible)
    fresh.unlink(missing_ok=True)
    fresh.symlink_to(Path(RUNS) / date / folder.name, target_is_directory=True)
    os.replace(fresh, visible)
    return visible


def _check_place(visible: Path) -> None:
    if visible.exists() and not visible.is_symlink():
        raise RunError(f"{visible} was not made by a run: move it away, then run again")


def folders(output: Path, date: str) -> list[Path]:
    """Return the folders of all runs of a date, oldest first."""
    return sorted(path.parent for path in (output / RUNS / date).glob("*/run.json"))


def discard_rows(folder: Path) -> None:
    """Remove the rows that one phase handed the next: they hold personal data as the exports gave it."""
    shutil.rmtree(folder / "work" / "rows", ignore_errors=True)


def discard_work(folder: Path) -> None:
    """Remove a run's work folder."""
    shutil.rmtree(folder / "work", ignore_errors=True)


def discard_left(output: Path, date: str, kept: Path) -> None:
    """Remove the work folders that runs of a date left when they failed or were killed, but for the run `kept`."""
    for left in (output / RUNS / date).glob("*/work"):
        if left.parent != kept:
            shutil.rmtree(left, ignore_errors=True)


def discard(folder: Path) -> None:
    """Remove the folder of a run of which nothing is to stay."""
    shutil.rmtree(folder)


@contextmanager
def hold(output: Path, date: str, timeout: float, waiting: Callable[[str], None]) -> Iterator[None]:
    """Hold a date, so that no two runs of it are at work at once, until the process ends, however it ends.

    Parameters
    ----------
    timeout
        Seconds to wait for the run that holds the date.
    waiting
        Told once who holds the date, when there is need to wait.

    Raises
    ------
    RunError
        Naming the holder, when the time is over.
    """
    place = output / RUNS / date
    place.mkdir(parents=True, exist_ok=True)
    note = place / HOLDER
    with locks.held(place / LOCK, timeout, waiting, date, lambda: _holder(output, date)):
        try:
            write_json(note, {"pid": os.getpid(), "host": socket.gethostname(), "since": now()})
            yield
        finally:
            note.unlink(missing_ok=True)


def holder(output: Path, date: str) -> dict[str, Any] | None:
    """Return ``pid``, ``host`` and ``since`` of who holds a date, or None; what a killed run noted stays."""
    try:
        return read_json(output / RUNS / date / HOLDER)
    except FileNotFoundError:  # nobody, or a run that has just begun or just ended
        return None


def at_work(output: Path, folder: Path) -> bool:
    """Return whether the run of a folder, which has not said that it ended, may still be at work."""
    who, newest = (
        holder(output, folder.parent.name),
        max((path.parent.name for path in folder.parent.glob("*/run.json")), default=None),
    )
    if who is None or folder.name != newest:  # one run of a date at a time
        return False
    return not is_here(who) or is_alive(who)


def _holder(output: Path, date: str) -> str:
    if who := holder(output, date):
        return f"another run, process {who['pid']} on {who['host']} since {who['since']}"
    return "another run, which has not said who it is"


def reports_folder(output: Path | None) -> Path:
    """Return the folder of the reports: `output`, or the setting ``run.output``."""
    return output.expanduser().absolute() if output else project.resolve(settings.load()["run"]["output"])


def visible(output: Path) -> dict[str, dict[str, Any]]:
    """Return run.json of the visible report of each date, oldest first."""
    return {path.parent.name: files.read_json(path) for path in sorted(output.glob("[0-9]*/run.json"))}
