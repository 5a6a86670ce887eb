"""A real Prometheus that scrapes a real service with one report."""

import json
import shutil
import subprocess
import sys
import time
import urllib.parse
import urllib.request
from pathlib import Path

import pytest

from tests.support import deploy_files
from tests.support.ports import free_port
from tests.support.programs import END_WITH_US, TIMEOUT_SECONDS, need
from tests.support.projects import NEVER

TOKEN = "a token that only Prometheus has"


@pytest.fixture(scope="session")
def promtool():
    return need("promtool", "tests/setup.sh")


@pytest.fixture(scope="session")
def configuration(tmp_path_factory):
    """Write a copy of deploy/prometheus for a service at `target`, its token in a file that is there."""

    def write(target="127.0.0.1:8000"):
        folder = tmp_path_factory.mktemp("prometheus")
        shutil.copytree(deploy_files.DEPLOY / "prometheus", folder, dirs_exist_ok=True)
        (folder / "token").write_text(TOKEN)
        text = (folder / "prometheus.yml").read_text()
        changes = {"/run/secrets/abaco_serve_token": "token", "abaco:8000": target, " 30s": " 1s"}
        for old, new in changes.items():
            assert old in text
            text = text.replace(old, new)
        (folder / "prometheus.yml").write_text(text)
        return folder

    return write


class Prometheus:
    """What the server answers."""

    def __init__(self, port):
        self.address = f"http://127.0.0.1:{port}"

    def get(self, path, **query):
        url = f"{self.address}{path}?{urllib.parse.urlencode(query)}"
        with urllib.request.urlopen(url, timeout=TIMEOUT_SECONDS) as answer:
            return json.load(answer)["data"]

    def query(self, expression):
        """The series that an expression has now."""
        return self.get("/api/v1/query", query=expression)["result"]

    def assert_has(self, expression):
        """Wait until an expression has a series: after a scrape that took too long, there is none for a moment."""
        self.wait_for(lambda: self.query(expression), expression)

    def is_ready(self):
        """Whether it answers."""
        with urllib.request.urlopen(f"{self.address}/-/ready", timeout=TIMEOUT_SECONDS) as answer:
            return answer.status == 200

    def wait_for(self, condition, name=""):
        """Wait until a condition holds that may need an answer of the server."""
        end = time.monotonic() + TIMEOUT_SECONDS
        while True:
            try:
                if condition():
                    return
            except OSError:  # not up yet
                pass
            assert time.monotonic() < end, f"Prometheus does not get there: {name}"
            time.sleep(0.1)


@pytest.fixture(scope="module")
def service(finished):
    """The address of the service over the finished project, whose schedule has nothing to do."""
    process = finished.start(
        *END_WITH_US, Path(sys.executable).with_name("abaco"), "serve", "--port", "0", "--output", finished.output,
        "--params", f"service.cron={NEVER}", "--log-level", "ERROR", ABACO_SERVE_TOKEN=TOKEN,
    )  # fmt: skip
    address = process.stdout.readline()
    assert address.startswith("Reports at http://"), process.stderr.read()
    yield address.split("/")[2]
    process.terminate()
    process.communicate(timeout=TIMEOUT_SECONDS)


@pytest.fixture(scope="module")
def prometheus(service, configuration):
    """Prometheus that has scraped the service and evaluated every rule."""
    server, folder = need("prometheus", "tests/setup.sh"), configuration(service)
    process, found = start(server, folder)
    try:
        found.wait_for(lambda: found.query('up{job="abaco"} == 1'))
        found.wait_for(lambda: all(rule["health"] == "ok" for rule in rules(found)))
        yield found
    finally:
        process.kill()
        process.wait()


def start(server, folder):
    """Start Prometheus, on another port when somebody was faster to take one."""
    for _ in range(5):
        port = free_port()
        with (folder / "log").open("w") as log:
            process = subprocess.Popen(
                [*END_WITH_US, server, f"--config.file={folder}/prometheus.yml",
                 f"--storage.tsdb.path={folder}/data", f"--web.listen-address=127.0.0.1:{port}"],
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
            )  # fmt: skip
        found = Prometheus(port)
        found.wait_for(lambda: process.poll() is not None or found.is_ready())  # noqa: B023
        if process.poll() is None:
            return process, found
    raise AssertionError((folder / "log").read_text())


def rules(found):
    """Every rule as the server has it."""
    return [rule for group in found.get("/api/v1/rules")["groups"] for rule in group["rules"]]
