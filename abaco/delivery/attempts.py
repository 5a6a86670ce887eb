"""Attempts within seconds, for a place that falters for a moment; the outbox makes the ones that take longer."""

from collections.abc import Callable
from typing import Any

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from abaco.delivery.channel import DeliveryError

MOST = 3


class PassingError(DeliveryError):
    """A place did not take an item, for a reason that may be gone in a second."""


def attempted(send: Callable[..., Any], *given: Any) -> Any:
    """Return what `send` returns, called up to three times while it raises a `PassingError`.

    Raises
    ------
    DeliveryError
        The last one.
    """
    tries = Retrying(
        stop=stop_after_attempt(MOST), wait=wait_random_exponential(multiplier=0.5, max=4),
        retry=retry_if_exception_type(PassingError), reraise=True,
    )  # fmt: skip
    return tries(send, *given)
