"""The channels by name, each made only when it is asked for: their libraries take long to import."""

from importlib import import_module
from typing import Any

from abaco.delivery.channel import Channel

CHANNELS = {
    "azure": ("azure", "AzureChannel"),
    "email": ("email", "EmailChannel"),
    "slack": ("webhooks", "SlackChannel"),
    "pagerduty": ("webhooks", "PagerDutyChannel"),
}


def channel(name: str, settings: dict[str, Any]) -> Channel:
    """Return a channel by its name."""
    module, kind = CHANNELS[name]
    return getattr(import_module(f"abaco.delivery.{module}"), kind)(settings)
