"""Run folders: staged apart, switched to in one step, one run of a date at a time."""

import datetime as dt
import json
import os
import shutil
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from abaco.core import locks
from abaco.core.errors import InputError, RunError

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


def is_here(who: dict[str, Any]) -> bool:
    """Return whether a holder is a process of this machine."""
    return who["host"] == socket.gethostname()


def is_alive(who: dict[str, Any]) -> bool:
    """Return whether a holder's process, which is one of this machine, still runs."""
    try:
        os.kill(who["pid"], 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it is there, and somebody else's
        pass
    return True


def _holder(output: Path, date: str) -> str:
    if who := holder(output, date):
        return f"another run, process {who['pid']} on {who['host']} since {who['since']}"
    return "another run, which has not said who it is"


def now() -> str:
    """Return the time as reports write it."""
    return stamp(dt.datetime.now(dt.UTC))


def stamp(time: dt.datetime) -> str:
    """Return a time as reports write it: UTC, to the second.

    Examples
    --------
    >>> stamp(dt.datetime(2025, 12, 31, 2, 0, 3, 400, dt.UTC))
    '2025-12-31T02:00:03Z'
    """
    return f"{time.astimezone(dt.UTC):%Y-%m-%dT%H:%M:%SZ}"


def write_json(path: Path, content: Any) -> None:
    """Write JSON that is the same for the same content, whole or not at all."""
    fresh = path.with_name(f".{path.name}.{os.getpid()}")
    fresh.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    os.replace(fresh, path)


def read_json(path: Path) -> Any:
    """Return the content of a JSON file."""
    return json.loads(path.read_text(encoding="utf-8"))


def time_of(text: str) -> dt.datetime:
    """Return the time that reports write as text.

    Examples
    --------
    >>> time_of("2025-12-31T02:00:00Z").isoformat()
    '2025-12-31T02:00:00+00:00'
    """
    return dt.datetime.fromisoformat(text)
