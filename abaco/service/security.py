"""Access to the service, the security headers of every response, and the request log."""

import base64
import binascii
import hmac
import logging
import time
from dataclasses import dataclass, field
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
# inline styles and no scripts
POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; img-src 'self' data:; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)
SCRIPTED = f"{POLICY}; script-src 'self'; connect-src 'self'"  # of the service's own pages: its one script file
HEADERS = {
    "Content-Security-Policy": POLICY,
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "no-referrer",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Cache-Control": "no-store",
}
MAX_WRONG_TOKENS = 10  # of an address within the window; further ones are answered 429
WINDOW_SECONDS = 60
MAX_ADDRESSES = 1000  # that are remembered
LOGGED_CHARACTERS = 200  # of a path


@dataclass(frozen=True)
class Access:
    """The token and the password that give access; without either, access is open."""

    token: str = ""
    password: str = ""

    @classmethod
    def from_environment(cls) -> "Access":
        """Return the access of ABACO_SERVE_TOKEN and ABACO_SERVE_PASSWORD.

        Raises
        ------
        InputError
            When one of them is too short.
        """
        return cls(*secrets.service_access())

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
            # a header has bytes, which Starlette reads as Latin-1
            return bool(self.token) and _same(credentials.strip().encode("latin-1"), self.token)
        if scheme.lower() == "basic" and self.password:
            try:
                pair = base64.b64decode(credentials, validate=True)
            except (binascii.Error, ValueError):
                return False
            return _same(pair, f"{USER}:{self.password}")
        return False

    @property
    def challenge(self) -> str:
        """The header ``WWW-Authenticate``."""
        return 'Basic realm="abaco", charset="UTF-8"' if self.password else 'Bearer realm="abaco"'


def _same(credentials: bytes, expected: str) -> bool:
    return hmac.compare_digest(credentials, expected.encode())  # in constant time


@dataclass
class WrongTokens:
    """Counts the wrong tokens and passwords of each address within a minute."""

    limit: int
    counts: dict[str, tuple[float, int]] = field(default_factory=dict)  # start of the window and number, by address

    def add(self, address: str, now: float) -> int:
        """Count one, and return the seconds until the address may send another; 0 while it is within the limit."""
        start, count = self.counts.get(address, (now, 0))
        if now - start >= WINDOW_SECONDS:
            start, count = now, 0
        if address not in self.counts and len(self.counts) >= MAX_ADDRESSES:
            del self.counts[next(iter(self.counts))]  # the one that was seen first
        self.counts[address] = (start, count + 1)
        return 0 if count < self.limit else int(start + WINDOW_SECONDS - now) + 1


class Guard:
    """Middleware that rejects requests without access, adds the headers, and logs requests."""

    def __init__(self, app: ASGIApp, access: Access, max_wrong_tokens: int):
        self._app, self._access, self._wrong = app, access, WrongTokens(max_wrong_tokens)

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
            path = quote(scope["path"])[:LOGGED_CHARACTERS]
            cause = f"requests answered {status}" if status >= 400 else None
            log.log(level, "%s %s %d, %.0f ms", scope["method"], path, status, took, extra={"cause": cause})

    def _refusal(self, scope: Scope) -> ASGIApp | None:
        headers = Headers(scope=scope)
        if not self._access.is_set and not _is_local(headers.get("host", "")):
            # or a foreign page could rebind its host name to this address and read the reports
            return PlainTextResponse("Ask for localhost, or set ABACO_SERVE_TOKEN\n", 421)
        authorization = headers.get("authorization", "")
        if scope["path"] in OPEN or self._access.allows(authorization):
            return None
        if authorization and (seconds := self._wrong.add(_address(scope), time.monotonic())):
            text = f"Too many wrong tokens or passwords: try again in {seconds} s\n"
            return PlainTextResponse(text, 429, {"Retry-After": str(seconds)})
        return PlainTextResponse(
            "Token or password is missing or wrong\n", 401, {"WWW-Authenticate": self._access.challenge}
        )


def _address(scope: Scope) -> str:
    return scope["client"][0] if scope.get("client") else ""


def _is_local(host: str) -> bool:
    name = host.partition("]")[0].lstrip("[") if host.startswith("[") else host.partition(":")[0]
    return name in LOCAL or (name.startswith("127.") and is_loopback(name))
