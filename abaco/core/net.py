"""Addresses of this machine, and the certificates of others."""

import ipaddress
import ssl
from pathlib import Path

from abaco.core import secrets

AUTHORITY = "name its authority's file in SSL_CERT_FILE"


def is_loopback(host: str) -> bool:
    """Return whether a service that listens on `host` is reachable only from this machine."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def authorities() -> str:
    """Return the file of the authorities that certificates are verified by: of ``SSL_CERT_FILE``, else the system's."""
    found = (secrets.read("SSL_CERT_FILE"), ssl.get_default_verify_paths().cafile, "/etc/ssl/certs/ca-certificates.crt")
    return next((path for path in found if path and Path(path).is_file()), "system")


def untrusted(error: BaseException | None) -> str | None:
    """Return why a certificate is not trusted, if that is what an error or one of its causes says."""
    while error is not None:
        if isinstance(error, ssl.SSLCertVerificationError):
            return error.verify_message
        error = error.__cause__ or error.__context__
    return None
