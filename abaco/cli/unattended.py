"""Reports that nobody watches: what fails is told to the operators, and what succeeds calls the heartbeat."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from abaco.core import dates
from abaco.core.errors import StoppedError
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
        if not (told or sys.stderr.isatty()):
            tell(error, began, **options)
        raise


def tell(error: Exception, began: str, **options: Any) -> None:
    """Record and tell of a start that failed; what keeps that from being done is shown."""
    from abaco.delivery import failed_starts  # after a good start nobody needs it

    try:
        failed_starts.tell(error, began, **options)
    except Exception as fault:  # the error of the run is shown after it
        show(f"Nobody was told of this: {type(fault).__name__}: {fault}", error=True)


def beat(result: dict[str, Any], timeout: float) -> None:
    """Call the heartbeat after a run that the database has; what keeps it from being called is shown."""
    from abaco.delivery import heartbeat
    from abaco.delivery.channel import DeliveryError

    if any(row["channel"] in ("database", "deliveries") for row in result["undelivered"]):
        return
    try:
        heartbeat.beat(timeout)
    except DeliveryError as error:
        show(f"Warning: {error}", error=True)
