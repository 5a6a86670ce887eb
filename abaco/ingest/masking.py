"""Masking: contracts name the personal columns; a key turns their values into tokens."""

import hashlib
import hmac
import os

KEY_VARIABLE = "ABACO_PII_KEY"


def key() -> bytes | None:
    """Return the masking key of the environment, or None when there is none: values are then redacted."""
    text = os.environ.get(KEY_VARIABLE, "")
    return text.encode() if text else None


def policy() -> str:
    """Return how personal values are shown: ``token`` (HMAC-SHA256, equal values alike) or ``redacted``."""
    return "token" if key() else "redacted"


def token(value: str, secret: bytes) -> str:
    """Return the token of one value, the same that an engine gives it (see `Engine.masked`)."""
    return "tok_" + hmac.new(secret, value.encode(), hashlib.sha256).hexdigest()[:32]
