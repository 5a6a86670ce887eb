"""Access to the service, the security headers of every response, and the request log."""

import base64
import binascii
import hmac
import logging
import time
from dataclasses import dataclass
from urllib.parse import quote

from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from abaco.core import secrets
from abaco.core.errors import InputError
from abaco.core.net import is_loopback

log = logging.getLogger(__name__)
USER = "abaco"
OPEN = ("/health", "/ready")  # without any figure of the book: probes have no secret
OFTEN = (*OPEN, "/metrics")
LOCAL = ("localhost", "127.0.0.1", "::1")
HEADERS = {
    # pages have inline styles and no scripts
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}


@dataclass(frozen=True)
class Access:
    """The token and the password that give access; without either, access is open."""

    token: str = ""
    password: str = ""

    @classmethod
    def from_environment(cls) -> "Access":
        """Return the access of ABACO_SERVE_TOKEN and ABACO_SERVE_PASSWORD."""
        return cls(secrets.read("ABACO_SERVE_TOKEN"), secrets.read("ABACO_SERVE_PASSWORD"))

    @property
    def is_set(self) -> bool:
        """Whether access needs a secret."""
        return bool(self.token or self.password)

    def check_host(self, host: str) -> None:
        """Raise when other machines could read without a secret.

        Raises
        ------
        InputError
            Naming the variables to set.
        """
        if not is_loopback(host) and not self.is_set:
            raise InputError(
                f"Others reach {host}, so reports need a secret: "
                "set ABACO_SERVE_TOKEN or ABACO_SERVE_PASSWORD, or listen on 127.0.0.1"
            )

    def allows(self, authorization: str) -> bool:
        """Return whether the header ``Authorization`` has the token or the password."""
        if not self.is_set:
            return True
        scheme, _, credentials = authorization.partition(" ")
        if scheme.lower() == "bearer":
            return bool(self.token) and _same(credentials.strip(), self.token)
        if scheme.lower() == "basic" and self.password:
            try:
                pair = base64.b64decode(credentials, validate=True).decode()
            except (binascii.Error, UnicodeDecodeError):
                return False
            return _same(pair, f"{USER}:{self.password}")
        return False

    @property
    def challenge(self) -> str:
        """The header ``WWW-Authenticate``."""
        return 'Basic realm="abaco", charset="UTF-8"' if self.password else 'Bearer realm="abaco"'


def _same(credentials: str, expected: str) -> bool:
    return hmac.compare_digest(credentials.encode(), expected.encode())  # in constant time


class Guard:
    """Middleware that rejects requests without access, adds the headers, and logs requests."""

    def __init__(self, app: ASGIApp, access: Access):
        self._app, self._access = app, access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        began, status = time.perf_counter(), 500

        async def answer(message: Message) -> None:
            nonlocal status
            if message["type"] == "http.response.start":
                status = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)
            await send(message)

        try:
            await (self._refusal(scope) or self._app)(scope, receive, answer)
        finally:
            level = logging.DEBUG if scope["path"] in OFTEN else logging.INFO
            took = (time.perf_counter() - began) * 1000
            # without the query, and quoted so that no request can forge a line of the log
            log.log(level, "%s %s %d, %.0f ms", scope["method"], quote(scope["path"]), status, took)

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        headers = Headers(scope=scope)
        if not self._access.is_set and not _is_local(headers.get("host", "")):
            # or a foreign page could rebind its host name to this address and read the reports
            return PlainTextResponse("Ask for localhost, or set ABACO_SERVE_TOKEN\n", 421)
        if scope["path"] in OPEN or self._access.allows(headers.get("authorization", "")):
            return None
        return PlainTextResponse(
            "Token or password is missing or wrong\n", 401, {"WWW-Authenticate": self._access.challenge}
        )


def _is_local(host: str) -> bool:
    name = host.partition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
    return name in LOCAL or (name.startswith("127.") and is_loopback(name))
