"""Lock files: one process at a time, released when the process ends; others can see which process they wait for."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from abaco.core.errors import RunError


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
