"""A loan system that is played by a real HTTPS server: each request is answered as the test says."""

import ssl
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass
class Answer:
    """What one request is answered.

    `sent` is how many bytes of the body really go out before the connection breaks; `held` an event that is
    waited for after them; `length` None leaves the length out, ``chunked`` sends chunks.
    """

    body: bytes = b""
    status: int = 200
    headers: dict = field(default_factory=dict)
    sent: int | None = None
    held: threading.Event | None = None
    length: str | None = "content"


class Cascade(ThreadingHTTPServer):
    """Answers with what is queued, then with the last of it; ``requests`` has what was asked, by header."""

    daemon_threads = True

    def __init__(self, *answers):
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers, self.requests, self.scheme = list(answers), [], "http"

    def handle_error(self, *_):
        """Stay silent: a client that goes away is part of many tests."""

    @property
    def url(self):
        """Address of the export."""
        return f"{self.scheme}://127.0.0.1:{self.server_port}/export.csv"

    def next_answer(self):
        """Return what is next, the last one again and again."""
        return self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]


class Handler(BaseHTTPRequestHandler):
    """Answers one request of the `Cascade` server."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        """Say nothing on the screen."""

    def do_GET(self):
        """Send what is next; a known ETag is answered with 304, a range with the rest."""
        self.server.requests.append({"path": self.path, **self.headers})
        answer = self.server.next_answer()
        etag = answer.headers.get("ETag")
        body, status, headers = answer.body, answer.status, dict(answer.headers)
        if etag and status == 200 and self.headers["If-None-Match"] == etag:
            status, body = 304, b""
        elif etag and status == 200 and self.headers["Range"] and self.headers["If-Range"] == etag:
            start = int(self.headers["Range"].removeprefix("bytes=").removesuffix("-"))
            status, body = 206, body[start:]
            headers["Content-Range"] = f"bytes {start}-{len(answer.body) - 1}/{len(answer.body)}"
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self._send_body(answer, body)

    def do_HEAD(self):
        """Send what is next without its body."""
        self.server.requests.append({"path": self.path, **self.headers})
        answer = self.server.next_answer()
        if answer.held:
            answer.held.wait(60)
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", "0")
        self.end_headers()

    def _send_body(self, answer, body):
        if answer.length == "content":
            self.send_header("Content-Length", str(len(body)))
        elif answer.length == "chunked":
            self.send_header("Transfer-Encoding", "chunked")
            body = b"%x\r\n%s\r\n0\r\n\r\n" % (len(body), body)
        else:
            self.send_header("Connection", "close")
        self.end_headers()
        self.wfile.write(body if answer.sent is None else body[: answer.sent])
        self.wfile.flush()
        if answer.held:
            answer.held.wait(60)
        if answer.sent is not None or answer.held:
            self.close_connection = True


@contextmanager
def served(*answers, certificate=None):
    """Run a server, over TLS when there is a certificate of trustme, until the test is done with it."""
    server = Cascade(*answers)
    if certificate:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        certificate.configure_cert(context)
        # the handshake belongs to the thread of the connection, not to the one that accepts
        server.socket = context.wrap_socket(server.socket, server_side=True, do_handshake_on_connect=False)
        server.scheme = "https"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
