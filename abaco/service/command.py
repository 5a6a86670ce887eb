"""A command in a process of its own: one at a time, stopped together with the service."""

import logging
import signal
import subprocess
import threading
from collections.abc import Sequence

log = logging.getLogger(__name__)
STOP_SECONDS = 60  # for a run to end by itself; then it is killed


class Command:
    """Runs one process at a time until it is stopped."""

    def __init__(self):
        self._child: subprocess.Popen | None = None
        self._lock = threading.Lock()
        self.stopped = False

    @property
    def is_at_work(self) -> bool:
        """Whether a process is running."""
        return self._child is not None

    def run(self, command: Sequence[str]) -> tuple[int, str] | None:
        """Run a command and return its exit code and output; None when it was not started or was stopped."""
        with self._lock:
            if self.stopped or self._child:
                return None
            # in its own session, Ctrl-C reaches it only through the service
            self._child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, errors="replace", start_new_session=True,
            )  # fmt: skip
        try:
            output, _ = self._child.communicate()
            return None if self.stopped else (self._child.returncode, output)
        finally:
            self._child = None

    def stop(self) -> None:
        """Start no more processes, ask the current one to end, and wait for it."""
        with self._lock:
            self.stopped = True
            child = self._child
        if child is None:
            return
        log.info("stopping process %d", child.pid)
        child.send_signal(signal.SIGTERM)
        try:
            child.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            log.error("process %d did not end within %d s and is killed", child.pid, STOP_SECONDS)
            child.kill()
            child.wait()


def error_of(output: str) -> str:
    """Return the last error line of a command's output; empty where there is none."""
    lines = [line for line in output.splitlines() if line.startswith("Error: ")]
    return lines[-1].removeprefix("Error: ") if lines else ""
