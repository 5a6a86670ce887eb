"""Secrets: the environment variables that hold them, and their removal from text."""

import os
from urllib.parse import unquote, urlsplit

from abaco.core.errors import InputError

MASKING_KEY, CASCADE_TOKEN, HEARTBEAT = "ABACO_PII_KEY", "META_SYSTEM_USER_TOKEN", "HEARTBEAT_URL"
UNATTENDED = "ABACO_UNATTENDED"  # not a secret: a scheduler sets it
SERVICE = ("ABACO_SERVE_TOKEN", "ABACO_SERVE_PASSWORD")
LEAST = 16  # characters: a shorter one could be guessed, by asking the service or from the tokens of known names
# Which part of a variable's value is secret: all of it, the password of a URL, or keys in a string. A new channel names
# the variable of its secret with one of these endings.
WHOLE = (MASKING_KEY, CASCADE_TOKEN, HEARTBEAT, *SERVICE)
WHOLE_ENDINGS = ("_WEBHOOK_URL", "_ROUTING_KEY", "_API_KEY", "_API_TOKEN")
URLS = ("DATABASE_URL", "SMTP_URL")
PARTS = {"AZURE_STORAGE_CONNECTION_STRING": ("AccountKey", "SharedAccessSignature")}
MIN_LENGTH = 4  # a shorter value would be found in ordinary words
REPLACEMENT = "***"


def is_secret(variable: str) -> bool:
    """Return whether an environment variable holds a secret.

    Examples
    --------
    >>> is_secret("SLACK_WEBHOOK_URL"), is_secret("SMTP_URL"), is_secret("REPORT_RECIPIENTS")
    (True, True, False)
    """
    return variable in (*WHOLE, *URLS, *PARTS) or variable.endswith(WHOLE_ENDINGS)


def read(variable: str) -> str:
    """Return the value of an environment variable, empty when it is not set."""
    return os.environ.get(variable, "")


def masking_key() -> bytes | None:
    """Return the key that personal values are masked with; without one they are redacted.

    Raises
    ------
    InputError
        When it is too short.
    """
    return _long_enough(MASKING_KEY, read(MASKING_KEY)).encode() or None


def cascade_token() -> str:
    """Return Cascade's token; empty when it is not set."""
    return read(CASCADE_TOKEN).strip()


def service_access() -> tuple[str, str]:
    """Return the token and the password of the service; empty when they are not set.

    Raises
    ------
    InputError
        When one of them is too short.
    """
    token, password = (_long_enough(variable, read(variable).strip()) for variable in SERVICE)
    return token, password


def _long_enough(variable: str, value: str) -> str:
    """Return the value of a secret that must not be guessed, or none."""
    if 0 < len(value) < LEAST:
        raise InputError(
            f"{variable} has {len(value)} characters, and needs {LEAST} or more: "
            "set one that openssl rand -hex 16 prints"
        )
    return value


def secret_values() -> list[str]:
    """Return the secret values of the environment, the longest first."""
    values = [value for name, value in os.environ.items() if name in WHOLE or name.endswith(WHOLE_ENDINGS)]
    for name in URLS:
        password = _password(read(name))
        values += [password, unquote(password)]
    for name, keys in PARTS.items():
        pairs = (part.partition("=") for part in read(name).split(";"))
        values += [value for key, _, value in pairs if key in keys]
    values = [value.strip() for value in values]
    return sorted({value for value in values if len(value) >= MIN_LENGTH}, key=len, reverse=True)


def _password(url: str) -> str:
    try:
        return urlsplit(url).password or ""
    except ValueError:  # not a URL, so any part of it may be secret
        return url


def hide(text: str) -> str:
    """Return `text` without the value of any secret that is set.

    Examples
    --------
    >>> hide("nothing is set")
    'nothing is set'
    """
    for value in secret_values():
        text = text.replace(value, REPLACEMENT)
    return text
