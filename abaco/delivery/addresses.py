"""Email addresses as people write them: checked before they are used in a header, and hashed for keys and logs."""

import hashlib
import re
from email.headerregistry import Address
from email.policy import default

from abaco.core.errors import InputError

MAX_LENGTH = 254  # of an address in an SMTP command
DOMAIN = re.compile(r"[A-Za-z0-9]([A-Za-z0-9.-]*[A-Za-z0-9])?")
# servers repeat addresses in their answers
ANY_ADDRESS = re.compile(r"[^\s<>\"',;:()\[\]]+@[^\s<>\"',;:()\[\]]+")


def parse(text: str, source: str) -> list[Address]:
    """Return each address of a comma-separated list once; an address is name@host or "Name <name@host>".

    Parameters
    ----------
    source
        The name of the variable or option, for errors: the addresses themselves are personal.

    Raises
    ------
    InputError
        When an address is not valid, or the text has a line break or another control character.
    """
    if not text.strip():
        return []
    if not text.isprintable():
        raise InputError(f"{source} holds a line break or another control character: remove it")
    try:
        header = default.header_factory("To", text)
        by_spec = {address.addr_spec.casefold(): address for address in header.addresses}
    except (ValueError, IndexError, AttributeError) as error:
        raise InputError(_refusal(source)) from error
    if header.defects or not by_spec or not all(map(_is_usable, by_spec)):
        raise InputError(_refusal(source))
    return list(by_spec.values())


def _is_usable(address: str) -> bool:
    local, _, domain = address.rpartition("@")
    return bool(local and DOMAIN.fullmatch(domain)) and address.isascii() and len(address) <= MAX_LENGTH


def _refusal(source: str) -> str:
    return f"{source} holds something that is not an email address: write name@host, with commas between several"


def hash_address(address: str) -> str:
    """Return the short hash that stands for an address in keys and logs.

    Examples
    --------
    >>> hash_address("Ana@example.com") == hash_address("ana@example.com")
    True
    >>> len(hash_address("ana@example.com"))
    12
    """
    return hashlib.sha256(address.casefold().encode()).hexdigest()[:12]


def remove_addresses(text: str) -> str:
    """Return a text on one line, with the addresses replaced by the word "address".

    Examples
    --------
    >>> remove_addresses("5.1.1 <ana@example.com>:\\r\\n unknown")
    '5.1.1 <address>: unknown'
    """
    return " ".join(ANY_ADDRESS.sub("address", text).split())
