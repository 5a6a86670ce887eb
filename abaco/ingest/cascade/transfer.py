"""The transfer: one export over HTTPS, streamed to disk, resumed after an interruption, and retried."""

import datetime as dt
import re
import ssl
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email.utils import parsedate_to_datetime
from pathlib import Path

import httpx2
from tenacity import RetryCallState, Retrying, retry_if_exception_type, stop_after_attempt, wait_exponential_jitter

from abaco.core.errors import InputError, RunError
from abaco.ingest.cascade.store import open_private

# before the second attempt, doubled before each further one; up to as much is added at random
BACKOFF_SECONDS = 1.0
MAX_WAIT_SECONDS = 120.0  # also when the server asks for more
MAX_REDIRECTS = 5

TEMPORARY = (408, 416, 425)  # statuses below 500 that are worth another attempt; 429 has its own message


class Transfer:
    """One download into a file.

    Parameters
    ----------
    part
        The file that receives the answer as the server sends it.
    timeout
        Seconds to wait for the connection, and for the next bytes.
    known
        ETag of the export that was downloaded before.
    pace
        Called before each request; returns when the request may be made.
    """

    def __init__(
        self, url: httpx2.URL, token: str, part: Path, timeout: float, known: str | None, pace: Callable[[], None]
    ):
        self._url, self._token, self._part, self._timeout = url, token, part, timeout
        self._known, self._pace = known, pace
        self.etag: str | None = None
        self.is_sized = False
        self._received, self._total = 0, None

    def run(self, attempts: int, say: Callable[[str], None]) -> bool:
        """Download, and return False when the known export is still current.

        Raises
        ------
        InputError
            When another attempt would end the same way.
        RunError
            When no attempt succeeded, with the last fault.
        """

        def announce(state: RetryCallState) -> None:
            fault, wait = state.outcome.exception(), state.next_action.sleep
            say(f"Cascade: {fault}; attempt {state.attempt_number + 1} of {attempts} in {wait:.0f} s")

        retrying = Retrying(
            stop=stop_after_attempt(attempts), wait=_wait, retry=retry_if_exception_type(Outage),
            before_sleep=announce, reraise=True,
        )  # fmt: skip
        try:
            with self._client() as client:
                return retrying(self._attempt, client)
        except Outage as fault:
            raise RunError(f"{fault}, in {attempts} attempts: try again later") from fault

    def _client(self) -> httpx2.Client:
        is_https = self._url.scheme == "https"  # a proxy of the environment could read plain HTTP
        try:
            return httpx2.Client(timeout=self._timeout, trust_env=is_https)
        except OSError as error:
            raise InputError(f"The certificates of SSL_CERT_FILE cannot be read ({error}): correct it") from error

    def _attempt(self, client: httpx2.Client) -> bool:
        host = self._url.host
        try:
            with self._answer(client) as response:
                if response.status_code == 416:  # the export is now shorter than the part received
                    self._received = 0
                raise_for_status(response, self._url, self._known is not None)
                if response.status_code == httpx2.codes.NOT_MODIFIED:
                    return False
                self._receive(response)
        except httpx2.TimeoutException as error:
            raise Outage(f"{host} was silent for {self._timeout:g} s") from error
        except httpx2.ConnectError as error:
            if untrusted := _cause(error, ssl.SSLCertVerificationError):
                raise InputError(
                    f"The certificate of {host} is not trusted ({untrusted.verify_message}): correct cascade.url, "
                    "or name its authority's file in SSL_CERT_FILE"
                ) from error
            raise Outage(f"{host} cannot be reached ({error})") from error
        except httpx2.TransportError as error:
            raise Outage(f"The connection to {host} broke off after {self._received:,} bytes ({error})") from error
        if self._total is not None and self._received != self._total:
            raise Outage(f"{host} sent {self._received:,} of {self._total:,} bytes")
        return True

    @contextmanager
    def _answer(self, client: httpx2.Client) -> Iterator[httpx2.Response]:
        """Yield the answer at the end of redirects; the token is never sent to another host."""
        url = self._url
        for _ in range(MAX_REDIRECTS + 1):
            self._pace()
            with client.stream("GET", url, headers=self._headers()) as response:
                if not response.has_redirect_location:
                    yield response
                    return
                url = response.next_request.url
            if _origin(url) != _origin(self._url):
                raise InputError(
                    f"{self._url.host} redirects to {url.scheme}://{url.netloc.decode()}, perhaps a login, "
                    "and the token goes nowhere else: correct cascade.url, or renew the token"
                )
        raise InputError(f"{self._url.host} redirects without end: correct cascade.url")

    def _headers(self) -> dict[str, str]:
        headers = {"Authorization": f"Bearer {self._token}", "Accept": "text/csv, */*;q=0.1"}
        headers["Accept-Encoding"] = "identity"  # length, strong ETag and ranges need it
        if self._received and self._can_resume:
            return headers | {"Range": f"bytes={self._received}-", "If-Range": self.etag}
        return headers | ({"If-None-Match": self._known} if self._known else {})

    @property
    def _can_resume(self) -> bool:
        return bool(self.etag) and not self.etag.startswith("W/")  # a weak one does not promise equal bytes

    def _receive(self, response: httpx2.Response) -> None:
        if response.status_code == 206:
            self._check_range(response)
        else:
            self._begin(response)
        with self._part.open("ab") as file:
            for chunk in response.iter_raw():
                file.write(chunk)
                self._received += len(chunk)

    def _begin(self, response: httpx2.Response) -> None:
        is_chunked = "chunked" in response.headers.get("Transfer-Encoding", "")
        length = None if is_chunked else response.headers.get("Content-Length")
        etag = response.headers.get("ETag")
        self.etag = etag if etag and etag.isascii() else None
        self.is_sized = is_chunked or length is not None
        self._received, self._total = 0, None if length is None else int(length)
        open_private(self._part).close()

    def _check_range(self, response: httpx2.Response) -> None:
        match = re.fullmatch(r"bytes (\d+)-\d+/(\d+)", response.headers.get("Content-Range", ""))
        start, total = map(int, match.groups()) if match else (None, None)
        is_same = self.etag == response.headers.get("ETag", self.etag) and self._total in (None, total)
        if not self._received or start != self._received or not is_same:
            self._received = 0
            raise Outage(f"{self._url.host} sent another part of the export than was asked for")
        self._total = total


def _wait(state: RetryCallState) -> float:
    usual = wait_exponential_jitter(multiplier=BACKOFF_SECONDS, jitter=BACKOFF_SECONDS)(state)
    return min(max(usual, state.outcome.exception().wait), MAX_WAIT_SECONDS)


def _origin(url: httpx2.URL) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port


def _cause(error: BaseException | None, kind: type[BaseException]) -> BaseException | None:
    while error is not None and not isinstance(error, kind):
        error = error.__cause__ or error.__context__
    return error


class Outage(RunError):
    """A temporary fault; `wait` is how many seconds the server asks to wait."""

    def __init__(self, text: str, wait: float = 0.0):
        super().__init__(text)
        self.wait = wait


def raise_for_status(response: httpx2.Response, url: httpx2.URL, is_known: bool) -> None:
    """Raise unless an answer carries the export, or says that the known one is unchanged.

    Raises
    ------
    InputError
        When another attempt would be answered in the same way.
    Outage
        When it may not.
    """
    status, host = response.status_code, url.host
    if status in (200, 206) or (status == 304 and is_known):
        if "html" in response.headers.get("Content-Type", ""):
            raise InputError(
                f"{host} sent a web page in place of CSV, perhaps a login: renew the token, or correct cascade.url"
            )
    elif status in (401, 403):
        raise InputError(f"{host} refuses the token (HTTP {status}): renew META_SYSTEM_USER_TOKEN")
    elif status in (404, 410):
        raise InputError(f"{host} has no export at {url.path} (HTTP {status}): correct cascade.url")
    elif status == 429:
        wait = retry_after(response)
        raise Outage(f"{host} wants fewer requests (HTTP 429)" + (f", none for {wait:.0f} s" if wait else ""), wait)
    elif status in TEMPORARY or status >= 500:
        raise Outage(f"{host} is out of order (HTTP {status})", retry_after(response))
    else:
        raise InputError(f"{host} answers with HTTP {status}: correct cascade.url")


def retry_after(response: httpx2.Response) -> float:
    """Return how many seconds the server asks to wait; 0 when it does not say."""
    text = response.headers.get("Retry-After", "0")
    if text.isdecimal():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return max((until - dt.datetime.now(until.tzinfo)).total_seconds(), 0.0)
