"""Lock files: one process at a time, released when the process ends; others can see which process they wait for.

And paths that one process writes to for a while, which the next one removes where it was killed.
"""

import os
import shutil
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from abaco.core.errors import RunError

STRANGE_SECONDS = 86_400  # after which a path of another machine, or of a container that is gone, is left over


@contextmanager
def hold(
    path: Path, timeout: float, waiting: Callable[[str], None], thing: str, holder: Callable[[], str]
) -> Iterator[None]:
    """Hold the lock file `path`.

    Parameters
    ----------
    timeout
        Seconds to wait for another process.
    waiting
        Called once with a message, before waiting.
    thing, holder
        The names of what is locked and of the process that holds it, for messages.

    Raises
    ------
    RunError
        When the other process holds the lock for longer.
    """
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        waiting(f"Waiting for {thing}, held by {holder()}")
        try:
            lock.acquire(timeout=timeout)
        except Timeout:
            raise RunError(f"{thing} is held by {holder()}: wait for it, or raise run.lock_timeout_seconds") from None
    try:
        yield
    finally:
        lock.release()


@contextmanager
def temporary(folder: Path, name: str) -> Iterator[Path]:
    """Yield a path in a folder, where nothing is, for what this process writes to it, and remove that afterwards.

    What killed processes have left under the same name goes first.
    """
    here = f"{name}.{socket.gethostname()}."
    own = folder / f"{here}{os.getpid()}"
    for path in folder.glob(f"{name}.*"):
        process = path.name.removeprefix(here)
        is_strange = not process.isdecimal()
        if path == own or (_is_old(path) if is_strange else not is_alive({"pid": int(process)})):
            _remove(path)
    try:
        yield own
    finally:
        _remove(own)


def _is_old(path: Path) -> bool:
    return path.exists() and time.time() - path.stat().st_mtime > STRANGE_SECONDS


def _remove(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        path.unlink(missing_ok=True)


def is_here(process: dict[str, Any]) -> bool:
    """Return whether a process is one of this machine."""
    return process["host"] == socket.gethostname()


def is_alive(process: dict[str, Any]) -> bool:
    """Return whether a process of this machine is still running."""
    try:
        os.kill(process["pid"], 0)
    except ProcessLookupError:
        return False
    except PermissionError:  # it belongs to another user
        pass
    return True
