"""Routing: the deliveries of an alert to the channels that take its severity and are set up."""

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from abaco.core.errors import InputError
from abaco.delivery import rules
from abaco.delivery.channel import Channel, Delivery
from abaco.delivery.registry import CHANNELS, ROUTES

log = logging.getLogger(__name__)


def channels_set_up(settings: dict[str, Any]) -> dict[str, Channel]:
    """Return the channels that are set up, by name."""
    channels = {name: channel(settings) for name, channel in CHANNELS.items()}
    return {name: channel for name, channel in channels.items() if channel.missing() is None}


def routed(
    payload: dict[str, Any], key: str, run: Mapping[str, Any], folder: Path | None, channels: dict[str, Channel]
) -> list[Delivery]:
    """Return a delivery of an alert for each of its receivers; email takes what no other channel takes.

    Parameters
    ----------
    key
        The end of the deliveries' keys.
    run
        Its ``run_id`` and ``date``, each None where there was no run.
    channels
        Those that are set up.
    """

    def addressed(name: str) -> list[Delivery]:
        if name not in channels:
            return []
        try:
            return channels[name].address(Delivery(f"{name}:{key}", name, run["run_id"], run["date"], folder, payload))
        except InputError as error:  # must not keep the other channels from their alerts
            log.warning("no alert by %s: %s", name, error)
            return []

    found = [delivery for name in ROUTES[payload["severity"]] for delivery in addressed(name)]
    return found or addressed(rules.FALLBACK)
