"""Locks: one process at a time at a place, until it ends, however it ends; who comes later hears whom it waits for."""

import os
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout

from abaco.core.errors import RunError


@contextmanager
def held(
    path: Path, timeout: float, waiting: Callable[[str], None], thing: str, holder: Callable[[], str]
) -> Iterator[None]:
    """Hold the lock file `path`.

    Parameters
    ----------
    timeout
        Seconds to wait for who holds it.
    waiting
        Told once, when there is need to wait.
    thing, holder
        What is held and by whom, in words.

    Raises
    ------
    RunError
        Naming both, when the time is over.
    """
    lock = FileLock(path)
    try:
        lock.acquire(timeout=0)
    except Timeout:
        waiting(f"Waiting for {thing}, held by {holder()}")
        try:
            lock.acquire(timeout=timeout)
        except Timeout:
            raise RunError(
                f"{thing} is held by {holder()}: wait for it, or raise run.lock_timeout_seconds"
            ) from None
    try:
        yield
    finally:
        lock.release()


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
