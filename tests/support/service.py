"""A service in a process of its own, and patience for what it does of itself."""

import signal
import sys
import time
from pathlib import Path

import httpx2

from tests.support.projects import NEVER


def until(holds, seconds=180):
    """Wait until a condition holds and return what it gave; what it waits for comes of itself."""
    end = time.monotonic() + seconds
    while not (found := holds()):
        assert time.monotonic() < end, f"never came true: {holds}"
        time.sleep(0.05)
    return found


class Service:
    """`abaco serve` on a free port; the log is in logs/service.log, the screen shows errors alone.

    Parameters
    ----------
    project
        The project that it runs in.
    params
        Settings to change; unless told so, no run is due.
    environment
        Variables that it has besides.
    """

    def __init__(self, project, params=f"service.cron={NEVER}", **environment):
        command = (Path(sys.executable).with_name("abaco"), "serve", "--port", 0, "--output", project.output)
        self.process = project.start(*command, "--log-level", "ERROR", "--params", params, **environment)
        said = self.process.stdout.readline()
        assert said.startswith("Reports at http://"), self.process.communicate()
        self.address = said.removeprefix("Reports at ").strip()
        self.client = httpx2.Client(base_url=self.address, timeout=180)

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()

    def get(self, path, **options):
        """Ask for a page."""
        return self.client.get(path, **options)

    def health(self):
        """Return the code of /health and what it says."""
        answer = self.get("/health")
        return answer.status_code, answer.json()

    def stop(self):
        """Tell it to stop as a supervisor does, and return its exit code."""
        self.client.close()
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        self.process.communicate(timeout=180)
        return self.process.returncode
