"""Connections: slow clients are cut, and many of them keep nobody else from being answered."""

import fcntl
import socket
import sys
import termios
import threading
import time
from urllib.parse import urlsplit

import httpx2
import pytest

from tests.support.projects import NEVER
from tests.support.service import Service

MOST, SECONDS = 8, 0.5
PATIENCE_SECONDS = 60  # on a busy machine
HEAD = b"GET /health HTTP/1.1\r\nHost: localhost\r\n"


@pytest.fixture(scope="module")
def strict(shown):
    """A service that takes few connections, and gives clients little time."""
    limits = f"service.max_connections={MOST},service.client_seconds={SECONDS}"
    with Service(shown, f"service.cron={NEVER},{limits}") as found:
        yield found


def opened(service):
    """Return a connection to the service."""
    host, port = urlsplit(service.address).netloc.split(":")
    return socket.create_connection((host, int(port)), PATIENCE_SECONDS)


def rest(connection):
    """Return what comes until the service ends the connection."""
    got = b""
    try:
        while part := connection.recv(1 << 16):
            got += part
    except ConnectionResetError:
        pass
    return got


@pytest.mark.parametrize(
    "first", [b"", b"G", HEAD, HEAD + b"Content-Length: 9\r\n\r\n"], ids=["none", "G", "head", "body"]
)
def test_slow_request_is_cut_however_its_bytes_are_spread(strict, first):
    with opened(strict) as connection:
        connection.sendall(first)
        is_cut = threading.Event()

        def trickle():
            while not is_cut.wait(SECONDS / 5):
                try:
                    connection.send(b"x")
                except OSError:
                    return

        began = time.monotonic()
        thread = threading.Thread(target=trickle)
        thread.start()
        rest(connection)
        is_cut.set()
        thread.join()
    assert SECONDS / 2 < time.monotonic() - began < PATIENCE_SECONDS


def test_connection_is_kept_for_further_requests(strict):
    with httpx2.Client(base_url=strict.address, timeout=PATIENCE_SECONDS) as client:
        numbers = {client.get("/ready").extensions["network_stream"].get_extra_info("client_addr") for _ in range(3)}
    assert len(numbers) == 1


def untaken(connection):
    """Return the number of bytes that have arrived and were not taken."""
    return int.from_bytes(fcntl.ioctl(connection, termios.FIONREAD, bytes(4)), sys.byteorder)


def test_client_that_takes_no_answer_is_cut(strict):
    request = b"GET /reports/2025-12-31/report.html HTTP/1.1\r\nHost: localhost\r\n\r\n"
    with opened(strict) as connection:
        connection.sendall(request * 200)  # their answers are more than the buffers of both ends take
        arrived = -1
        while arrived < untaken(connection):
            arrived = untaken(connection)
            time.sleep(4 * SECONDS)
        assert rest(connection).count(b"HTTP/1.1 200") < 200


def test_many_that_wait_keep_nobody_from_being_answered(strict):
    crowd = [opened(strict) for _ in range(500)]
    for connection in crowd[::2]:
        connection.sendall(HEAD)
    assert strict.health()[0] == 200
    for connection in crowd:
        assert rest(connection) == b""
        connection.close()


def test_log_of_all_this_is_short_and_without_tracebacks(strict, shown):
    text = (shown.root / "logs/service.log").read_text()
    assert "Traceback" not in text and text.count("Exceeded concurrency limit") <= 21
