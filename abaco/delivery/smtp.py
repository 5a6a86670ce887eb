"""The mail server of SMTP_URL: how it is reached, that no password leaves in the clear, and what its faults mean."""

import ipaddress
import os
import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from abaco.delivery.addresses import without
from abaco.delivery.channel import DeliveryError, PassingError

PORTS = {"smtp": 587, "smtp+starttls": 587, "smtps": 465}
FORM = "write SMTP_URL as smtp://user:password@host:587"


@dataclass(frozen=True)
class Server:
    """A mail server.

    Attributes
    ----------
    scheme
        ``smtps`` speaks TLS from the start, ``smtp+starttls`` insists on STARTTLS, ``smtp`` takes it where offered.
    """

    scheme: str
    host: str
    port: int
    user: str = ""
    password: str = field(default="", repr=False)

    def __str__(self) -> str:
        return f"Mail server {self.host}:{self.port}"


def server() -> Server:
    """Return the mail server of ``SMTP_URL``.

    Raises
    ------
    DeliveryError
        When the address cannot be read; the message does not repeat it.
    """
    address = os.environ.get("SMTP_URL", "").strip()
    try:
        parts = urlsplit(address)
        port = parts.port
        (parts.hostname or "").encode("idna")  # a name that cannot be looked up
    except ValueError:
        raise DeliveryError(f"The port or host of SMTP_URL cannot be read: {FORM}") from None
    if parts.scheme not in PORTS or not parts.hostname or parts.path.strip("/") or parts.query:
        raise DeliveryError(
            f"SMTP_URL is no mail server's address: {FORM}, or with smtps:// or smtp+starttls://; "
            "in user and password write @ as %40 and / as %2F"
        )
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not (user + password).isascii():
        raise DeliveryError(
            "User or password of SMTP_URL has a character beyond ASCII: mail servers take none"
        )
    return Server(parts.scheme, parts.hostname, port or PORTS[parts.scheme], user, password)


def deliver(server: Server, timeout: float, sender: str, recipient: str, content: bytes) -> None:
    """Hand one message for one recipient to the server, which has then taken it over.

    Raises
    ------
    PassingError
        When the next attempt may succeed.
    DeliveryError
        When it will not.
    """
    with _session(server, timeout) as connection:
        connection.sendmail(sender, [recipient], content)


def probe(server: Server, timeout: float) -> None:
    """Sign in at the server, and send nothing.

    Raises
    ------
    DeliveryError
        When no message could be handed over.
    """
    with _session(server, timeout) as connection:
        connection.noop()


@contextmanager
def _session(server: Server, timeout: float) -> Iterator[smtplib.SMTP]:
    """Give a connection that is signed in, and say in a sentence what goes wrong with it."""
    try:
        connection = _connected(server, timeout)
        try:
            yield connection
        finally:
            # the message is taken over, or is not: no farewell changes that
            with suppress(smtplib.SMTPException, OSError):
                connection.quit()
    # without their causes: those repeat addresses, and a traceback would show them
    except smtplib.SMTPException as error:
        raise _refusal(server, timeout, error) from None
    except OSError as error:
        raise _fault(server, timeout, error) from None


def _connected(server: Server, timeout: float) -> smtplib.SMTP:
    trusted = ssl.create_default_context()  # the system's authorities, or those of SSL_CERT_FILE
    if server.scheme == "smtps":
        connection = smtplib.SMTP_SSL(server.host, server.port, timeout=timeout, context=trusted)
    else:
        connection = smtplib.SMTP(server.host, server.port, timeout=timeout)
    try:
        _greet(connection, server, trusted)
    except BaseException:
        connection.close()
        raise
    return connection


def _greet(connection: smtplib.SMTP, server: Server, trusted: ssl.SSLContext) -> None:
    connection.ehlo_or_helo_if_needed()
    is_private = server.scheme == "smtps"
    if not is_private and connection.has_extn("starttls"):
        connection.starttls(context=trusted)
        connection.ehlo()
        is_private = True
    if not is_private and (server.scheme == "smtp+starttls" or (server.user and not is_here(server.host))):
        raise DeliveryError(
            f"{server} offers no STARTTLS, and no password is sent in the clear: use its smtps:// port, "
            "or leave user and password out of SMTP_URL"
            if server.user
            else f"{server} offers no STARTTLS: use its smtps:// port, or smtp:// where it may be in the clear"
        )
    if server.user:
        connection.login(server.user, server.password)


def is_here(host: str | None) -> bool:
    """Return whether a host is this machine, on the way to which nobody listens."""
    with suppress(ValueError):
        return ipaddress.ip_address(host or "").is_loopback
    return host == "localhost"


def _refusal(server: Server, timeout: float, error: smtplib.SMTPException) -> DeliveryError:
    """Return in a sentence what a server's answer, or its silence, means."""
    if isinstance(error, smtplib.SMTPServerDisconnected):
        if isinstance(error.__context__, TimeoutError):
            return _fault(server, timeout, error.__context__)
        return PassingError(f"{server} broke the connection off: see whether it is well")
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        ((code, said),) = error.recipients.values()
        what, remedy = "refused a recipient", "check REPORT_RECIPIENTS, or TO"
    elif isinstance(error, smtplib.SMTPResponseException):
        code, said = error.smtp_code, error.smtp_error
        what, remedy = {
            smtplib.SMTPAuthenticationError: (
                "refused the credentials",
                "check user and password of SMTP_URL",
            ),
            smtplib.SMTPSenderRefused: ("refused the sender", "check delivery.email_from"),
        }.get(type(error), ("did not take the message", "see what it says"))
    else:  # it knows no login, say
        return DeliveryError(f"{server} cannot be used: {without(str(error))}: check SMTP_URL")
    if isinstance(error, smtplib.SMTPAuthenticationError):
        answer = f"({code})"  # what a server says of credentials may repeat them
    else:
        answer = (
            f"({code} {without(said.decode(errors='replace') if isinstance(said, bytes) else said)[:200]})"
        )
    kind = PassingError if 400 <= code < 500 else DeliveryError
    return kind(f"{server} {what} {answer}: {remedy}")


def _fault(server: Server, timeout: float, error: OSError) -> DeliveryError:
    """Return in a sentence what became of the connection."""
    if isinstance(error, TimeoutError):
        return DeliveryError(
            f"{server} gave no answer within {timeout:g} s: see whether it is well, "
            "or raise delivery.timeout_seconds"
        )
    if isinstance(error, ssl.SSLError):
        reason = getattr(error, "verify_message", "") or error.reason or "no TLS"
        return DeliveryError(
            f"TLS with {server.host}:{server.port} failed: {reason}: check host and port of SMTP_URL, "
            "or name its authority's file in SSL_CERT_FILE"
        )
    if isinstance(error, socket.gaierror):
        return PassingError(f"{server} has no address: check the host of SMTP_URL")
    return PassingError(
        f"{server} cannot be reached: {error.strerror or 'connection lost'}: see whether it is up"
    )
