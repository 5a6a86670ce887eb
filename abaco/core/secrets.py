"""Secrets: the variables that hold them, and text from which their values are taken out."""

import os
from urllib.parse import unquote, urlsplit

# Each variable and the part of its value that nobody may read: all of it, a URL's password, or keys in a string.
WHOLE = (
    "ABACO_PII_KEY", "META_SYSTEM_USER_TOKEN", "SLACK_WEBHOOK_URL", "PAGERDUTY_ROUTING_KEY", "ABACO_SERVE_TOKEN",
    "ABACO_SERVE_PASSWORD",
)  # fmt: skip
URLS = ("DATABASE_URL", "SMTP_URL")
PARTS = {"AZURE_STORAGE_CONNECTION_STRING": ("AccountKey", "SharedAccessSignature")}
SHORTEST = 4  # a shorter value would be found in ordinary words
HIDDEN = "***"


def values() -> list[str]:
    """Return what must not be read anywhere, the longest first."""
    found = [os.environ.get(name, "") for name in WHOLE]
    for name in URLS:
        password = _password(os.environ.get(name, ""))
        found += [password, unquote(password)]
    for name, keys in PARTS.items():
        pairs = (part.partition("=") for part in os.environ.get(name, "").split(";"))
        found += [value for key, _, value in pairs if key in keys]
    return sorted({value for value in found if len(value) >= SHORTEST}, key=len, reverse=True)


def _password(url: str) -> str:
    try:
        return urlsplit(url).password or ""
    except ValueError:  # no URL, so nobody knows which part of it is secret
        return url


def hide(text: str) -> str:
    """Return `text` without the value of any secret that is set.

    >>> hide("nothing is set")
    'nothing is set'
    """
    for value in values():
        text = text.replace(value, HIDDEN)
    return text
