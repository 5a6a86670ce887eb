"""A command that the service runs in a process of its own, so that it can be stopped, and cannot harm the service."""

import logging
import signal
import subprocess
import threading
from collections.abc import Sequence

log = logging.getLogger(__name__)
STOP_SECONDS = 60  # for a run to end tidily; then it is killed


class Command:
    """Runs one process at a time until it is told to stop."""

    def __init__(self):
        self._child: subprocess.Popen | None = None
        self._lock = threading.Lock()
        self.stopped = False

    @property
    def is_at_work(self) -> bool:
        """Whether a process is running."""
        return self._child is not None

    def run(self, command: Sequence[str]) -> tuple[int, str] | None:
        """Run a command to its end; None when it was not begun or was stopped.

        Returns
        -------
        tuple
            Its exit code, and the last line that it said of an error.
        """
        with self._lock:
            if self.stopped or self._child:
                return None
            # in a session of its own, Ctrl-C reaches it through the service alone
            self._child = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                text=True, errors="replace", start_new_session=True,
            )  # fmt: skip
        try:
            said, _ = self._child.communicate()
            return None if self.stopped else (self._child.returncode, _error(said))
        finally:
            self._child = None

    def stop(self) -> None:
        """Let no process begin any more, ask the one that runs to end, and wait for it."""
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


def _error(said: str) -> str:
    lines = [line for line in said.splitlines() if line.startswith("Error: ")]
    return lines[-1].removeprefix("Error: ") if lines else ""
