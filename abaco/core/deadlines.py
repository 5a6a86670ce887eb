"""Deadlines for calls that may never return, such as one that waits for a frozen server."""

import contextvars
import threading
from collections.abc import Callable
from concurrent.futures import Future
from typing import Any


def call_within(seconds: float, function: Callable[..., Any], *arguments: Any) -> Any:
    """Return the result of a function, or raise its error, unless it takes too long.

    The function runs in a daemon thread. After the deadline it is abandoned, and ends with the process.

    Raises
    ------
    TimeoutError
        When the function has not returned within `seconds`.

    Examples
    --------
    >>> call_within(60, sum, [1, 2])
    3
    """
    future: Future[Any] = Future()
    context = contextvars.copy_context()  # such as the log's run id

    def work() -> None:
        try:
            future.set_result(context.run(function, *arguments))
        except BaseException as error:  # raised again in the caller
            future.set_exception(error)

    threading.Thread(target=work, daemon=True).start()
    return future.result(seconds)
