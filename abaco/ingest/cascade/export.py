"""The export: check address and token, download it, check it, and replace the former one."""

import errno
import logging
from collections.abc import Callable
from pathlib import Path
from typing import Any

import httpx2

from abaco.core import project, secrets
from abaco.core.errors import AbacoError, InputError, RunError
from abaco.core.net import AUTHORITY, is_loopback, untrusted
from abaco.ingest.cascade import store as cascade_store
from abaco.ingest.cascade.store import Store
from abaco.ingest.cascade.transfer import Transfer

FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

log = logging.getLogger(__name__)

UNKNOWN = (httpx2.codes.UNAUTHORIZED, httpx2.codes.FORBIDDEN)
ABSENT = (httpx2.codes.NOT_FOUND, httpx2.codes.GONE)


def download(settings: dict[str, Any], say: Callable[[str], None]) -> Path:
    """Bring the export up to date and return the folder that holds it alone.

    An export that is unchanged, by the server's answer or by its hash, changes nothing.

    Raises
    ------
    InputError
        The address, the token or the export is wrong; trying again would not help.
    RunError
        The download failed for now; the former export is unchanged.
    """
    url, token = address_of(settings["cascade"]["url"]), token_of()
    store = Store(project.resolve(settings["cascade"]["folder"]))

    def tell(line: str) -> None:
        log.info(line)
        say(line)

    try:
        with store.hold(settings["run"]["lock_timeout_seconds"], tell):
            tell(f"Cascade: {_refresh(url, token, store, settings, tell)}")
    except AbacoError as error:
        if token not in str(error):
            raise
        raise type(error)(str(error).replace(token, "[token]")) from None  # an answer may quote the token
    except OSError as error:
        raise _unwritten(error, store) from error
    return store.current.parent


def _refresh(url: httpx2.URL, token: str, store: Store, settings: dict[str, Any], say: Callable[[str], None]) -> str:
    transfer = Transfer(
        url, token, store.part, settings["cascade"]["timeout_seconds"], known=store.known_etag(str(url)),
        pace=lambda: store.pace(settings["cascade"]["requests_per_minute"], say),
    )  # fmt: skip
    say(f"Cascade: asking {url.host} for the export")
    if not transfer.run(settings["cascade"]["max_attempts"], say):
        return "the export is unchanged"
    path = cascade_store.unpacked(store.part, store.fresh, transfer.is_sized)
    source = cascade_store.examined(path)
    archived = store.archive(source)
    is_new = store.replace(source, str(url), transfer.etag)
    size = f"{source.bytes:,} bytes, archived as {project.display_path(archived)}"
    return size if is_new else f"the export is unchanged, {size}"


def address_of(text: str) -> httpx2.URL:
    """Return the address of the export, to which the token may be sent.

    Raises
    ------
    InputError
        When it is not a valid address, or others could read the token on the way.
    """
    if not text:
        raise InputError("cascade.url is empty: set the address of the export, or give another input")
    try:
        url = httpx2.URL(text)
    except httpx2.InvalidURL as error:
        raise InputError(f"cascade.url is not a valid address: {error}: correct it") from None
    if url.userinfo:
        raise InputError("cascade.url holds a user or a password: take it out, the token alone signs in")
    if not url.host or not (url.scheme == "https" or (url.scheme == "http" and is_loopback(url.host))):
        raise InputError(
            f"cascade.url begins with {url.scheme or 'no scheme'}: write https://host/…, "
            "or the token could be read on the way"
        )
    return url


def token_of() -> str:
    """Return the token of the environment.

    Raises
    ------
    InputError
        When it is missing or malformed.
    """
    token = secrets.cascade_token()
    if not token:
        raise InputError(f"{secrets.CASCADE_TOKEN} is not set: put Cascade's token into the environment or .env.local")
    if not token.isascii() or not token.isprintable() or " " in token:
        raise InputError(f"{secrets.CASCADE_TOKEN} holds characters that no token has: copy it once more")
    return token


def _unwritten(error: OSError, store: Store) -> AbacoError:
    place = project.display_path(store.folder)
    if error.errno in FULL:
        return RunError(f"No room for the export in {place}: make some, or choose another cascade.folder")
    return InputError(
        f"Cannot write to {place}: {error.strerror or error}: make it writable, or choose another cascade.folder"
    )


def probe(url: str, timeout: float) -> str:
    """Request the head of the export once and return the result in words; no redirect is followed.

    Raises
    ------
    InputError
        When the address or the token is wrong.
    RunError
        When Cascade does not answer, or fails.
    """
    address, token = address_of(url), token_of()
    headers = {"Authorization": f"Bearer {token}"}
    try:
        # as for the download: a proxy of the environment could read plain HTTP
        with httpx2.Client(timeout=timeout, trust_env=address.scheme == "https") as client:
            status = client.head(address, headers=headers).status_code
    except httpx2.TimeoutException:
        raise RunError(f"{address.host} was silent for {timeout:g} s: try again later") from None
    except (httpx2.TransportError, OSError) as error:
        if reason := untrusted(error):
            raise InputError(f"The certificate of {address.host} is not trusted ({reason}): {AUTHORITY}") from None
        raise RunError(f"{address.host} cannot be reached ({error}): check cascade.url and the network") from None
    if status in UNKNOWN:
        raise InputError(
            f"{address.host} refuses the token ({status}): ask for a new one, and set {secrets.CASCADE_TOKEN}"
        )
    if status in ABSENT:
        raise InputError(f"{address.host} has no export at cascade.url ({status}): correct it")
    if status >= httpx2.codes.INTERNAL_SERVER_ERROR and status != httpx2.codes.NOT_IMPLEMENTED:
        raise RunError(f"{address.host} answered {status}: try again later")
    return f"{address.host} answers"  # an answer that HEAD is not supported also shows that the host is up
