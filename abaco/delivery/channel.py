"""What is delivered: one thing for one place, and how a channel says that it could not take it."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from abaco.core.errors import AbacoError

ABSENT = "not set up"  # what run.json says of a place that nothing can be delivered to

MOST = 3


class DeliveryError(AbacoError):
    """A channel did not take an item; the message names the place, what it said and what to do."""


@dataclass(frozen=True)
class Item:
    """One thing for one place.

    Parameters
    ----------
    key
        The same whenever the same thing is meant for the same place; receivers that can, discard a second one by it.
    channel
        ``azure``, ``email``, ``slack`` or ``pagerduty``.
    run_id, date
        The run that it is of, if any.
    folder
        That run's folder, absolute.
    payload
        What the channel needs besides, as JSON: recipients, or the text of an alert. No secret.
    """

    key: str
    channel: str
    run_id: str | None
    date: str | None
    folder: Path | None
    payload: dict[str, Any]


class Channel(Protocol):
    """A place that takes items, made from the settings and the environment."""

    def missing(self) -> str | None:
        """Return None when the channel is set up, else what to set, such as ``SMTP_URL``."""

    def send(self, item: Item) -> dict[str, Any]:
        """Deliver an item and return the receipt as JSON: what arrived and how it was checked.

        Raises
        ------
        DeliveryError
            When it did not arrive, or nobody can say whether it did. The outbox tries again later.
        """


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
