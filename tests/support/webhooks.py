"""Slack and PagerDuty on this machine: a server under their names that keeps what they would receive, or fails.

A proxy leads here whatever asks for a host by HTTPS, as a company's proxy does: so the alerts go to the real addresses,
by real TLS, and arrive here. `environment` is what the caller's process needs to be set for that.
"""

import json
import threading
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

from tests.support.mailserver import authority

SLACK, PAGERDUTY = "hooks.slack.com", "events.pagerduty.com"


@dataclass(frozen=True)
class Request:
    """What was received: by which host, at which path, with which headers and JSON."""

    host: str
    path: str
    headers: dict
    body: dict


class Webhooks(ThreadingHTTPServer):
    """What came, and how the next ones are met.

    Attributes
    ----------
    received
        The requests that were answered well.
    answers
        What the next requests are met with: a status, ``break`` or ``hang``; ``lose`` takes what comes and breaks off.
    """

    daemon_threads = True

    def __init__(self, tls):
        super().__init__(("127.0.0.1", 0), _Handler)
        self.tls, self.received, self.answers, self.asked = tls, [], [], 0
        self.released = threading.Event()

    def of(self, host):
        """Return the JSON that a host received."""
        return [request.body for request in self.received if request.host == host]

    def handle_error(self, request, client_address):
        """Say nothing of clients that leave: they do so on purpose."""


class _Handler(BaseHTTPRequestHandler):
    host = ""

    def do_CONNECT(self):
        self.host = self.path.partition(":")[0]
        self.send_response(200)
        self.end_headers()
        self.connection = self.server.tls.wrap_socket(self.connection, server_side=True)
        self.rfile, self.wfile = self.connection.makefile("rb"), self.connection.makefile("wb", buffering=0)
        self.close_connection = False

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.server.asked += 1
        self.close_connection = True
        answer = self.server.answers.pop(0) if self.server.answers else 202 if "/v2/" in self.path else 200
        if answer == "hang":
            self.server.released.wait(60)
        if answer == "lose" or answer in (200, 202):
            request = Request(self.host or "127.0.0.1", self.path, dict(self.headers), body)
            self.server.received.append(request)
        if isinstance(answer, int):
            self._answer(answer)

    def do_GET(self):
        answer = self.server.answers.pop(0) if self.server.answers else 200
        self.server.received.append(Request(self.host or "127.0.0.1", self.path, dict(self.headers), {}))
        self._answer(answer)

    def _answer(self, status):
        said = b"ok" if status == 200 else b'{"status": "success"}' if status == 202 else b"no"
        self.send_response(status)
        self.send_header("Content-Length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    def finish(self):
        super().finish()
        self.connection.close()

    def log_message(self, *_):
        """Keep the tests' output as it is."""


@contextmanager
def recording(folder):
    """Run the server on a free port."""
    tls, path = authority(folder, SLACK, PAGERDUTY)
    with Webhooks(tls) as server:
        server.url = f"http://127.0.0.1:{server.server_port}"
        server.environment = {"https_proxy": server.url, "SSL_CERT_FILE": str(path)}
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
        thread.start()
        try:
            yield server
        finally:
            server.released.set()
            server.shutdown()
            thread.join()
