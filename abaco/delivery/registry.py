"""The registry: the only list of channels, and the routes that follow from it."""

from typing import Any

from abaco.core.errors import InputError
from abaco.delivery.azure import AzureChannel
from abaco.delivery.channel import REPORT, Channel, DeliveryError
from abaco.delivery.email import EmailChannel
from abaco.delivery.rules import SEVERITIES
from abaco.delivery.webhooks import PagerDutyChannel, SlackChannel

CHANNELS: dict[str, type[Channel]] = {
    channel.name: channel for channel in (AzureChannel, PagerDutyChannel, SlackChannel, EmailChannel)
}
REPORT_CHANNELS = tuple(name for name, channel in CHANNELS.items() if REPORT in channel.takes)
# the channels of the alerts of each severity
ROUTES = {
    severity: tuple(name for name, channel in CHANNELS.items() if severity in channel.takes) for severity in SEVERITIES
}
ALERTS = "alerts"
PLACES = (*REPORT_CHANNELS, ALERTS)  # what the deliveries of a run are planned for, one after the other


def create_channel(name: str, settings: dict[str, Any]) -> Channel:
    """Return a channel by its name."""
    return CHANNELS[name](settings)


def check(settings: dict[str, Any]) -> None:
    """Refuse places that are set up in a way in which nothing can ever reach them.

    Raises
    ------
    InputError
        With the variable or the setting, and the way out.
    """
    for name in CHANNELS:
        try:
            create_channel(name, settings).check()
        except DeliveryError as error:
            raise InputError(str(error)) from None
