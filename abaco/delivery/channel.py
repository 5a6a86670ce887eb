"""Channels: the interface of every place that takes reports or alerts, and one delivery to it."""

from abc import ABC, abstractmethod
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from tenacity import Retrying, retry_if_exception_type, stop_after_attempt, wait_random_exponential

from abaco.core import secrets
from abaco.core.errors import AbacoError

REPORT = "report"  # what a channel takes, besides alerts of the severities P1 to P4
NOT_SET_UP = "not set up"  # the status in run.json of a place that nothing can be delivered to
MAX_ATTEMPTS = 3


class DeliveryError(AbacoError):
    """A delivery failed; the message names the place, its answer and the remedy."""


class TransientError(DeliveryError):
    """A delivery failed for a reason that may pass within seconds."""


@dataclass(frozen=True)
class Delivery:
    """A report or an alert for one recipient.

    Parameters
    ----------
    key
        The same for the same content and recipient, so that receivers can discard repetitions.
    channel
        The name of a channel.
    run_id, date
        Its run, if any.
    folder
        The run's folder, absolute.
    payload
        Other data for the channel, as JSON: the recipient, or the text of an alert. No secrets.
    """

    key: str
    channel: str
    run_id: str | None
    date: str | None
    folder: Path | None
    payload: dict[str, Any]


class Channel(ABC):
    """A place that takes reports, alerts or both.

    Parameters
    ----------
    settings
        All settings by section.

    Attributes
    ----------
    name
        Its name in run.json, the database, the metrics and messages.
    variables
        The environment variables that set it up.
    takes
        ``report``, and the severities of the alerts that are sent to it.
    recipients
        The variable with the recipients of reports, if it has several.
    probes_form
        Whether `probe` looks at its variables alone, and asks nobody.
    """

    name: ClassVar[str]
    variables: ClassVar[tuple[str, ...]]
    takes: ClassVar[tuple[str, ...]]
    recipients: ClassVar[str | None] = None
    probes_form: ClassVar[bool] = False

    def __init__(self, settings: dict[str, dict[str, Any]]):
        self.timeout = settings["delivery"]["timeout_seconds"]

    def missing(self) -> str | None:
        """Return the variable to set, such as ``SMTP_URL``, or None when the channel is set up."""
        return next((name for name in self.variables if not secrets.read(name)), None)

    def check(self) -> None:
        """Check, without asking anybody, that what is set up can be used.

        Raises
        ------
        InputError, DeliveryError
            When it never can.
        """
        if self.probes_form and self.missing() is None:
            self.probe()

    def address(self, delivery: Delivery) -> list[Delivery]:
        """Return a delivery for each recipient of a report or an alert; most channels have one.

        Raises
        ------
        InputError
            When a recipient is not valid.
        """
        return [delivery]

    @abstractmethod
    def probe(self) -> str:
        """Check, without sending anything, that the channel can be used, and return the result in words.

        Raises
        ------
        DeliveryError
            When it cannot be used.
        """

    @abstractmethod
    def send(self, delivery: Delivery) -> dict[str, Any]:
        """Send a delivery and return the receipt as JSON.

        Raises
        ------
        DeliveryError
            When it did not arrive, or this is unknown. The outbox tries again later.
        """


def retry(send: Callable[..., Any], *arguments: Any) -> Any:
    """Return the result of `send`, which is called up to three times while it raises a `TransientError`.

    Raises
    ------
    DeliveryError
        The last one.
    """
    retrying = Retrying(
        stop=stop_after_attempt(MAX_ATTEMPTS), wait=wait_random_exponential(multiplier=0.5, max=4),
        retry=retry_if_exception_type(TransientError), reraise=True,
    )  # fmt: skip
    return retrying(send, *arguments)
