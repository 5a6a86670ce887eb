"""Ports for servers that must be told theirs before they start."""

import random
import socket

UNUSED = range(20_000, 32_000)  # ports that the system gives to nobody who asks for any


def free_port():
    """Return a port of this machine at which nobody listens, and that nobody gets by chance meanwhile."""
    while True:
        port = random.choice(UNUSED)
        with socket.socket() as one:
            if one.connect_ex(("127.0.0.1", port)):
                return port
