"""The probe: whether Cascade can be reached and knows the token, without a download."""

import httpx

from abaco.core.errors import InputError, RunError
from abaco.ingest.cascade.export import TOKEN_VARIABLE, address_of, token_of

UNKNOWN = (httpx.codes.UNAUTHORIZED, httpx.codes.FORBIDDEN)
ABSENT = (httpx.codes.NOT_FOUND, httpx.codes.GONE)


def probe(url: str, timeout: float) -> str:
    """Ask once for the head of the export and return in words what was found; no redirect is followed.

    Raises
    ------
    InputError
        When the address or the token is not right.
    RunError
        When Cascade does not answer, or is in trouble.
    """
    address, token = address_of(url), token_of()
    headers = {"Authorization": f"Bearer {token}"}
    try:
        # as for the download: a proxy of the environment would read what goes by http
        with httpx.Client(timeout=timeout, trust_env=address.scheme == "https") as client:
            status = client.head(address, headers=headers).status_code
    except httpx.TimeoutException:
        raise RunError(f"{address.host} was silent for {timeout:g} s: try again later") from None
    except (httpx.TransportError, OSError) as error:
        raise RunError(
            f"{address.host} cannot be reached ({error}): check cascade.url and the network"
        ) from None
    if status in UNKNOWN:
        raise InputError(
            f"{address.host} refuses the token ({status}): ask for a new one, and set {TOKEN_VARIABLE}"
        )
    if status in ABSENT:
        raise InputError(f"{address.host} has no export at cascade.url ({status}): correct it")
    if status >= httpx.codes.INTERNAL_SERVER_ERROR and status != httpx.codes.NOT_IMPLEMENTED:
        raise RunError(f"{address.host} answered {status}: it is in trouble, try again later")
    return f"{address.host} answers"  # some know no HEAD, which also shows that they are there
