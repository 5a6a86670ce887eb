"""The mail server of SMTP_URL: connection, a sign-in that never sends a password in the clear, and its errors."""

import smtplib
import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from abaco.core import secrets
from abaco.core.net import is_loopback
from abaco.delivery.addresses import remove_addresses
from abaco.delivery.channel import DeliveryError, TransientError

PORTS = {"smtp": 587, "smtp+starttls": 587, "smtps": 465}
FORM = "write SMTP_URL as smtp://user:password@host:587"


@dataclass(frozen=True)
class Server:
    """A mail server.

    Attributes
    ----------
    scheme
        ``smtps`` starts with TLS, ``smtp+starttls`` requires STARTTLS, ``smtp`` uses it where offered.
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
        When the address is not valid; the message does not repeat it.
    """
    address = secrets.read("SMTP_URL").strip()
    try:
        parts = urlsplit(address)
        port = parts.port
        (parts.hostname or "").encode("idna")  # a name that cannot be looked up
    except ValueError:
        raise DeliveryError(f"The port or host of SMTP_URL cannot be read: {FORM}") from None
    if parts.scheme not in PORTS or not parts.hostname or parts.path.strip("/") or parts.query:
        raise DeliveryError(
            f"SMTP_URL is not the address of a mail server: {FORM}, or with smtps:// or smtp+starttls://; "
            "in user and password write @ as %40 and / as %2F"
        )
    user, password = unquote(parts.username or ""), unquote(parts.password or "")
    if not (user + password).isascii():
        raise DeliveryError("User or password of SMTP_URL has a character beyond ASCII: mail servers accept none")
    return Server(parts.scheme, parts.hostname, port or PORTS[parts.scheme], user, password)


def deliver(server: Server, timeout: float, sender: str, recipient: str, content: bytes) -> None:
    """Hand one message for one recipient over to the server.

    Raises
    ------
    TransientError
        When the next attempt may succeed.
    DeliveryError
        When it will not.
    """
    with _session(server, timeout) as connection:
        connection.sendmail(sender, [recipient], content)


def probe(server: Server, timeout: float) -> None:
    """Sign in at the server, without sending anything.

    Raises
    ------
    DeliveryError
        When no message could be handed over.
    """
    with _session(server, timeout) as connection:
        connection.noop()


@contextmanager
def _session(server: Server, timeout: float) -> Iterator[smtplib.SMTP]:
    """Yield a connection that is signed in; an error on it becomes one sentence."""
    try:
        connection = _connect(server, timeout)
        try:
            yield connection
        finally:
            # the message was accepted or not: how the session ends does not change that
            with suppress(smtplib.SMTPException, OSError):
                connection.quit()
    # without the cause: it repeats addresses, and a traceback would show them
    except smtplib.SMTPException as error:
        raise _refusal(server, timeout, error) from None
    except OSError as error:
        raise _connection_fault(server, timeout, error) from None


def _connect(server: Server, timeout: float) -> smtplib.SMTP:
    tls = ssl.create_default_context()  # the system's authorities, or those of SSL_CERT_FILE
    if server.scheme == "smtps":
        connection = smtplib.SMTP_SSL(server.host, server.port, timeout=timeout, context=tls)
    else:
        connection = smtplib.SMTP(server.host, server.port, timeout=timeout)
    try:
        _sign_in(connection, server, tls)
    except BaseException:
        connection.close()
        raise
    return connection


def _sign_in(connection: smtplib.SMTP, server: Server, tls: ssl.SSLContext) -> None:
    connection.ehlo_or_helo_if_needed()
    is_private = server.scheme == "smtps"
    if not is_private and connection.has_extn("starttls"):
        connection.starttls(context=tls)
        connection.ehlo()
        is_private = True
    if not is_private and (server.scheme == "smtp+starttls" or (server.user and not is_loopback(server.host))):
        raise DeliveryError(
            f"{server} offers no STARTTLS, and no password is sent in the clear: use its smtps:// port, "
            "or leave user and password out of SMTP_URL"
            if server.user
            else f"{server} offers no STARTTLS: use its smtps:// port, or smtp:// where it may be in the clear"
        )
    if server.user:
        connection.login(server.user, server.password)


def _refusal(server: Server, timeout: float, error: smtplib.SMTPException) -> DeliveryError:
    """Return the error for a server's answer, or for its silence."""
    if isinstance(error, smtplib.SMTPServerDisconnected):
        if isinstance(error.__context__, TimeoutError):
            return _connection_fault(server, timeout, error.__context__)
        return TransientError(f"{server} broke the connection off: see whether it is well")
    if isinstance(error, smtplib.SMTPRecipientsRefused):
        ((code, reply),) = error.recipients.values()
        what, remedy = "refused a recipient", "check REPORT_RECIPIENTS, or TO"
    elif isinstance(error, smtplib.SMTPResponseException):
        code, reply = error.smtp_code, error.smtp_error
        what, remedy = {
            smtplib.SMTPAuthenticationError: ("refused the credentials", "check user and password of SMTP_URL"),
            smtplib.SMTPSenderRefused: ("refused the sender", "check delivery.email_from"),
        }.get(type(error), ("did not take the message", "see what it says"))
    else:  # for example a server without sign-in
        return DeliveryError(f"{server} cannot be used: {remove_addresses(str(error))}: check SMTP_URL")
    if isinstance(error, smtplib.SMTPAuthenticationError):
        answer = f"({code})"  # a reply to credentials may repeat them
    else:
        text = reply.decode(errors="replace") if isinstance(reply, bytes) else reply
        answer = f"({code} {remove_addresses(text)[:200]})"
    kind = TransientError if 400 <= code < 500 else DeliveryError
    return kind(f"{server} {what} {answer}: {remedy}")


def _connection_fault(server: Server, timeout: float, error: OSError) -> DeliveryError:
    """Return the error for a connection that failed."""
    if isinstance(error, TimeoutError):
        return DeliveryError(
            f"{server} gave no answer within {timeout:g} s: see whether it is well, or raise delivery.timeout_seconds"
        )
    if isinstance(error, ssl.SSLError):
        reason = getattr(error, "verify_message", "") or error.reason or "no TLS"
        return DeliveryError(
            f"TLS with {server.host}:{server.port} failed: {reason}: check host and port of SMTP_URL, "
            "or name its authority's file in SSL_CERT_FILE"
        )
    if isinstance(error, socket.gaierror):
        return TransientError(f"{server} has no address: check the host of SMTP_URL")
    return TransientError(f"{server} cannot be reached: {error.strerror or 'connection lost'}: see whether it is up")
