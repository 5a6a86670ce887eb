"""The email: the short form of a report that mail clients show, and the message that carries it."""

from abaco.mail.files import MOST_BYTES, write
from abaco.mail.letter import compose

__all__ = ["MOST_BYTES", "compose", "write"]
