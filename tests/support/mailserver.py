"""A real mail server on this machine that keeps what it takes, and fails in the ways that mail servers do."""

import asyncio
import email
import email.policy
import ssl
from contextlib import contextmanager

import trustme
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import AuthResult

USER, PASSWORD = "abaco@example.com", "p@ss/word"
URL_USER, URL_PASSWORD = "abaco%40example.com", "p%40ss%2Fword"


def authority(folder, *names):
    """Return a server's TLS context for this machine or the hosts `names`, and the file of who vouches for it."""
    found, path = trustme.CA(), folder / "authority.pem"
    found.cert_pem.write_to_path(path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    found.issue_cert(*(names or ("localhost", "127.0.0.1"))).configure_cert(context)
    return context, path


class MailServer:
    """What a mail server took, and how it answers.

    Attributes
    ----------
    taken
        (sender, recipient, message) of everything that it took over.
    answers
        What the next messages are met with: a line such as ``451 later``, ``break`` or ``hang``; ``lose`` takes the
        message and breaks off before it says so.
    refused
        Recipients that it refuses.
    """

    def __init__(self):
        self.taken, self.answers, self.refused, self.port, self.is_private = [], [], set(), None, []

    @property
    def ids(self):
        """The message ids of what was taken, each once, as a receiver keeps them."""
        return list(dict.fromkeys(message["Message-ID"] for _, _, message in self.taken))

    async def handle_RCPT(self, server, session, envelope, address, options):
        if address in self.refused:
            return f"550 5.1.1 <{address}>: nobody of that name"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, server, session, envelope):
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer == "hang":
            await asyncio.sleep(3600)
        if answer[0] == "2" or answer == "lose":
            self.is_private.append(session.ssl is not None)
            message = email.message_from_bytes(envelope.original_content, policy=email.policy.default)
            self.taken += [(envelope.mail_from, one, message) for one in envelope.rcpt_tos]
        if answer in ("break", "lose"):
            server.transport.abort()
        return answer

    def authenticate(self, server, session, envelope, mechanism, data):
        """Know one user with one password."""
        is_known = (data.login, data.password) == (USER.encode(), PASSWORD.encode())
        return AuthResult(success=is_known, handled=is_known)


class _Controller(Controller):
    def _trigger_server(self):
        self.port = self.server.sockets[0].getsockname()[1]  # the system chose it
        super()._trigger_server()


@contextmanager
def serving(server=None, *, tls=None, implicit=False, authenticated=False):
    """Run a mail server on a free port, with STARTTLS or TLS from the start where it has a context."""
    server = server or MailServer()
    login = {"authenticator": server.authenticate, "auth_required": True, "auth_require_tls": not implicit}
    controller = _Controller(
        server, hostname="127.0.0.1", port=0, server_hostname="localhost",
        ssl_context=tls if implicit else None, tls_context=None if implicit else tls, ready_timeout=180,
        **(login if authenticated else {}),
    )  # fmt: skip
    controller.start()
    server.port = controller.port
    try:
        yield server
    finally:
        controller.stop()
