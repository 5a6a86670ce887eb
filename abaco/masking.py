"""Masking by column policy: contracts say which columns are personal; tokens are made with a key."""

import os

KEY_VARIABLE = "ABACO_PII_KEY"


def key() -> bytes | None:
    """Return the masking key of the environment, or None when there is none: values are then redacted."""
    text = os.environ.get(KEY_VARIABLE, "")
    return text.encode() if text else None


def policy() -> str:
    """Return how personal values are shown: ``token`` (HMAC-SHA256, equal values alike) or ``redacted``."""
    return "token" if key() else "redacted"
