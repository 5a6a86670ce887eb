"""Addresses of this machine."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Return whether only this machine reaches a service that listens on `host`."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
