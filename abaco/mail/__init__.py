"""The email: the short form of a report that mail clients show, and the message that carries it."""

from abaco.mail.letter import compose
from abaco.mail.message import MAX_BYTES, write

__all__ = ["MAX_BYTES", "compose", "write"]
