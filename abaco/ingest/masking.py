"""Masking: the token of a personal value. `Engine.masked` applies it to the columns that contracts name as personal."""

import hashlib
import hmac

TOKEN = "tok_"
REDACTED = "redacted"


def policy(key: bytes | None) -> str:
    """Return how personal values are shown: ``token`` (HMAC-SHA256, equal values alike) or ``redacted``."""
    return "token" if key else REDACTED


def token(value: str, key: bytes) -> str:
    """Return the token of one value, the same that an engine gives it (see `Engine.masked`)."""
    return TOKEN + hmac.new(key, value.encode(), hashlib.sha256).hexdigest()[:32]
