"""The heartbeat: an address that each good run calls, so that somebody outside notices a night that never came."""

import logging

import httpx2

from abaco.core import secrets
from abaco.core.net import AUTHORITY, untrusted
from abaco.core.setting_values import address
from abaco.delivery.channel import DeliveryError, TransientError, retry

log = logging.getLogger(__name__)
VARIABLE = secrets.HEARTBEAT


def url() -> str:
    """Return the address of ``HEARTBEAT_URL``; empty when it is not set.

    Raises
    ------
    DeliveryError
        When it is not valid; the message does not repeat it, as it identifies who may call.
    """
    try:
        return address(secrets.read(VARIABLE).strip())
    except ValueError as error:
        raise DeliveryError(f"{VARIABLE} cannot be called: {error}") from None


def beat(timeout: float) -> bool:
    """Call the address, and return whether one is set.

    Raises
    ------
    DeliveryError
        When it does not answer well.
    """
    if not (target := url()):
        return False
    retry(_call, target, timeout)
    log.info("%s was called", VARIABLE)
    return True


def _call(target: str, timeout: float) -> None:
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # at INFO it logs addresses
    try:
        answer = httpx2.get(target, timeout=timeout)
    except httpx2.TransportError as error:
        if reason := untrusted(error):
            raise DeliveryError(f"The certificate of {VARIABLE} is not trusted ({reason}): {AUTHORITY}") from None
        raise TransientError(f"{VARIABLE} cannot be called: {type(error).__name__}: check the network") from None
    if not answer.is_success:
        kind = TransientError if answer.status_code >= 500 else DeliveryError
        raise kind(f"{VARIABLE} answered {answer.status_code}: check the address")
