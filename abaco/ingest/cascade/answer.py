"""The answer: what the server's status means to the download, and for how long it asks to be left alone."""

import datetime as dt
from email.utils import parsedate_to_datetime

import httpx

from abaco.core.errors import InputError, RunError

PASSING = (
    408,
    416,
    425,
)  # the statuses below 500 that another attempt may not meet again; 429 has its own words


class Outage(RunError):
    """A fault that may pass; `wait` is for how many seconds the server asks to be left alone."""

    def __init__(self, text: str, wait: float = 0.0):
        super().__init__(text)
        self.wait = wait


def judge(response: httpx.Response, url: httpx.URL, is_known: bool) -> None:
    """Raise unless an answer brings the export, or says that the known one is unchanged.

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
        raise Outage(
            f"{host} wants fewer requests (HTTP 429)" + (f", none for {wait:.0f} s" if wait else ""), wait
        )
    elif status in PASSING or status >= 500:
        raise Outage(f"{host} is out of order (HTTP {status})", retry_after(response))
    else:
        raise InputError(f"{host} answers with HTTP {status}: correct cascade.url")


def retry_after(response: httpx.Response) -> float:
    """Return for how many seconds the server asks to be left alone; 0 when it does not say."""
    text = response.headers.get("Retry-After", "0")
    if text.isdecimal():
        return float(text)
    try:
        until = parsedate_to_datetime(text)
    except ValueError:
        return 0.0
    return max((until - dt.datetime.now(until.tzinfo)).total_seconds(), 0.0)
