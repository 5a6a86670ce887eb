"""PostgreSQL on another machine has to prove who it is, unless sslmode says otherwise."""

import socket
import threading
from contextlib import contextmanager, suppress

import pytest

from abaco.core.errors import DatabaseError
from abaco.database import connection
from abaco.operations import doctor_places
from abaco.operations.findings import Case
from tests.support.mailserver import authority

HOST = "db.example.com"


@contextmanager
def guarded(postgres, context):
    """Run a server in front of a real PostgreSQL that answers its request for TLS, and relays what comes after it."""
    with socket.create_server(("127.0.0.1", 0)) as listener:

        def serve():
            while True:
                with suppress(OSError):
                    client, _ = listener.accept()
                    threading.Thread(target=relay, args=[client], daemon=True).start()
                    continue
                return

        def relay(client):
            with suppress(OSError), client:
                client.recv(8)  # SSLRequest
                client.sendall(b"S")
                with (
                    context.wrap_socket(client, server_side=True) as private,
                    socket.create_connection(("127.0.0.1", postgres.port)) as server,
                ):
                    threading.Thread(target=pump, args=[server, private], daemon=True).start()
                    pump(private, server)

        threading.Thread(target=serve, daemon=True).start()
        yield listener.getsockname()[1]
        listener.shutdown(socket.SHUT_RDWR)


def pump(source, target):
    with suppress(OSError):
        while data := source.recv(65536):
            target.sendall(data)


def test_certificate_is_verified_unless_sslmode_says_otherwise_and_the_doctor_tells(postgres, tmp_path, monkeypatch):
    monkeypatch.delenv("PGSSLMODE", raising=False)
    monkeypatch.setenv("SSL_CERT_FILE", "/dev/null/none")  # the system's authorities
    (tmp_path / "one").mkdir()
    good, path = authority(tmp_path / "one", HOST)
    database = postgres.new().rpartition("/")[2]
    case = Case(loaded={"delivery": {"timeout_seconds": 10.0}, "run": {}}, given_output=tmp_path)
    with guarded(postgres, good) as port:
        at_host = postgres.address(database).replace(f"127.0.0.1:{postgres.port}", f"{HOST}:{port}")
        address = f"{at_host}?hostaddr=127.0.0.1"
        monkeypatch.setenv("DATABASE_URL", address)
        with pytest.raises(DatabaseError, match=r"certificate verify failed.*SSL_CERT_FILE, or in sslrootcert"):
            connection.connect(tmp_path)
        monkeypatch.setenv("SSL_CERT_FILE", str(path))
        found = doctor_places.database(case)
        assert (found.level, "its certificate is verified (verify-full)" in found.text) == ("ok", True)
        monkeypatch.setenv("DATABASE_URL", address.replace(HOST, "other.example.com"))
        with pytest.raises(DatabaseError, match="certificate"):  # of another host
            connection.connect(tmp_path)
        monkeypatch.setenv("DATABASE_URL", f"{address}&sslmode=require".replace(HOST, "other.example.com"))
        found = doctor_places.database(case)
        assert (found.level, "its certificate is not verified, as sslmode is require" in found.text) == (
            "warning",
            True,
        )
    monkeypatch.setenv("DATABASE_URL", f"{postgres.address(database)}")
    found = doctor_places.database(case)  # on this machine nothing is asked for
    assert (found.level, "certificate" in found.text) == ("ok", False)
