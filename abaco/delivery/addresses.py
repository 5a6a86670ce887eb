"""Email addresses as people write them: checked before they come near a header, and told apart without being shown."""

import hashlib
import re
from email.headerregistry import Address
from email.policy import default

from abaco.core.errors import InputError

LONGEST = 254  # of an address, in a mail server's command
DOMAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
# What stands between blanks or brackets around an @: servers repeat addresses in their answers.
ANY = re.compile(r"[^\s<>\"',;:()\[\]]+@[^\s<>\"',;:()\[\]]+")


def parsed(text: str, source: str) -> list[Address]:
    """Return addresses with commas between them, each once, as name@host or "Name <name@host>".

    Parameters
    ----------
    source
        Where they come from, which an error names in place of the addresses, as they are personal.

    Raises
    ------
    InputError
        When one is no address, or holds what could end a header's line.
    """
    if not text.strip():
        return []
    if not text.isprintable():
        raise InputError(f"{source} holds a line break or another control character: remove it")
    try:
        header = default.header_factory("To", text)
        found = {one.addr_spec.casefold(): one for one in header.addresses}
    except (ValueError, IndexError, AttributeError) as error:
        raise InputError(_told(source)) from error
    if header.defects or not found or not all(map(_is_usable, found)):
        raise InputError(_told(source))
    return list(found.values())


def _is_usable(address: str) -> bool:
    local, _, domain = address.rpartition("@")
    return bool(local and DOMAIN.fullmatch(domain)) and address.isascii() and len(address) <= LONGEST


def _told(source: str) -> str:
    return f"{source} holds what is no email address: write name@host, with commas between several"


def hashed(address: str) -> str:
    """Return what keys and logs hold in place of an address.

    Examples
    --------
    >>> hashed("Ana@example.com") == hashed("ana@example.com")
    True
    >>> len(hashed("ana@example.com"))
    12
    """
    return hashlib.sha256(address.casefold().encode()).hexdigest()[:12]


def without(text: str) -> str:
    """Return a text on one line, without the addresses in it.

    Examples
    --------
    >>> without("5.1.1 <ana@example.com>:\\r\\n unknown")
    '5.1.1 <address>: unknown'
    """
    return " ".join(ANY.sub("address", text).split())
