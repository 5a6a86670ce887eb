"""Addresses of this machine."""

import ipaddress


def is_loopback(host: str) -> bool:
    """Return whether a service that listens on `host` is reachable only from this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
