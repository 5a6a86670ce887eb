"""Reports that nobody watches: what fails is told to the operators, and what succeeds calls the heartbeat.

A scheduler says that it is one by ``ABACO_UNATTENDED``; without it, whatever has no terminal for its errors may be one.
A slip in a command is a failed night only where a scheduler says so; elsewhere somebody tries something out.
"""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from abaco.core import dates, logs, secrets
from abaco.core.errors import InputError, StoppedError, UsageError
from abaco.core.text import show


@contextmanager
def watched(**options: Any) -> Iterator[list[Any]]:
    """Record and tell of an error before a run could tell of itself; at a terminal, somebody reads it there.

    Yields a list to which the run is added once it has told of itself.

    Parameters
    ----------
    **options
        Those of ``abaco report``: ``params, output, input, date``.
    """
    began, told = dates.now(), []
    try:
        yield told
    except StoppedError:
        raise
    except Exception as error:
        if isinstance(error, UsageError):
            tell_mistyped(["report"], str(error), **options)
        elif not told and _is_unwatched():
            tell(error, began, **options)
        raise


def _is_scheduled() -> bool:
    return secrets.read(secrets.UNATTENDED).strip().lower() not in ("", "0", "false", "no")


def _is_unwatched() -> bool:
    return _is_scheduled() or not sys.stderr.isatty()


def tell_mistyped(verb: list[str], text: str, **options: Any) -> None:
    """Tell of a command that was mistyped: by a scheduler as of a failed night, else less urgently.

    Parameters
    ----------
    verb
        The first word of the command, if any: of a backup nobody is woken up, and of others by hand nobody is told.
    **options
        See `watched`; none if they cannot be read.
    """
    is_night = _is_scheduled() and verb != ["backup"]
    if not is_night and not (verb in (["report"], ["backup"]) and _is_unwatched()):
        return
    began = dates.now()
    try:
        logs.start()  # for the variables of .env.local; the log itself may be what fails
    except InputError as fault:
        show(f"Warning: {fault}", error=True)
    error = InputError(text or "no command is given")
    tell(error, began, is_slip=not is_night, **options)


def tell(error: Exception, began: str, **options: Any) -> None:
    """Record and tell of a start that failed; what keeps that from being done is shown."""
    from abaco.delivery import failed_starts  # after a good start nobody needs it

    try:
        failed_starts.tell(error, began, **options)
    except Exception as fault:  # the error of the run is shown after it
        show(f"Nobody was told of this: {type(fault).__name__}: {fault}", error=True)


def beat(result: dict[str, Any], output: Path, timeout: float) -> None:
    """Call the heartbeat after a run that the database has, and note the outcome; an error is also shown and logged."""
    from abaco.delivery import heartbeat
    from abaco.delivery.channel import DeliveryError
    from abaco.run import record

    if any(row["channel"] in ("database", "deliveries") for row in result["undelivered"]):
        return
    fault = None
    try:
        if not heartbeat.beat(timeout):
            return
    except DeliveryError as error:
        fault = str(error)
        logs.keep_traceback(error)
        show(f"Warning: {error}", error=True)
    try:
        record.note_heartbeat(output, fault)
    except OSError as error:  # such as a full disk; the report is made
        logs.keep_traceback(error)
        show(f"Warning: the call of the heartbeat is not noted: {error.strerror}", error=True)
