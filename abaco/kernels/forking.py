"""The other side of the template process: starting it, asking it for kernels, and watching them."""

import atexit
import json
import os
import select
import signal
import socket
import subprocess
import sys
import sysconfig
import threading
import time
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

# What libraries read when the template imports them. Kernels get the environment that is asked for.
TEMPLATE_ENV = {
    "OMP_NUM_THREADS": "1",  # no threads, which a fork would lose
    "OPENBLAS_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "JE_ARROW_MALLOC_CONF": "background_thread:false",
    "JPY_PARENT_PID": "1",  # kernels watch the lifeline, not their parent, and do not say how to connect to them
    "PYDEVD_DISABLE_FILE_VALIDATION": "1",  # the debugger would warn about modules that everybody has
}
AT_START = ("PYTHON", "LD_", "LANG", "LC_")  # variables that a process reads only when it starts
SCRIPT = Path(__file__).with_name("template.py")
PATIENCE_SECONDS = 60


class TemplateError(RuntimeError):
    """No kernel can be forked; an ordinary one can be started."""


class Template:
    """A template process of this process, and the pipe by which it and its kernels see that this process lives."""

    _current: "Template | None" = None
    _lock = threading.Lock()
    _lifeline: tuple[int, int] | None = None

    def __init__(self, env: Mapping[str, str]):
        os.close(os.pidfd_open(os.getpid()))  # an error where kernels cannot be watched through such handles
        if Template._lifeline is None:
            Template._lifeline = os.pipe()
        ours, theirs = socket.socketpair()
        lifeline = Template._lifeline[0]
        self.stamp = _stamp(env)
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, str(SCRIPT), str(theirs.fileno()), str(lifeline)],
                stdin=subprocess.DEVNULL, pass_fds=(theirs.fileno(), lifeline), env={**env, **TEMPLATE_ENV},
                start_new_session=True,
            )  # fmt: skip
        self._control, self._received, self.ended = ours, b"", {}
        self._control.settimeout(PATIENCE_SECONDS)

    @classmethod
    def get(cls, env: Mapping[str, str] = os.environ) -> "Template":
        """Return the template; a new one when there is none, it is dead, or it would not start the same any more.

        Parameters
        ----------
        env
            The environment that a kernel shall have.
        """
        with cls._lock:
            current = cls._current
            if current is None or current.process.poll() is not None or current.stamp != _stamp(env):
                if current is not None:
                    current.close()
                cls._current = Template(env)
            return cls._current

    def close(self) -> None:
        """End the template; its kernels go on."""
        self._take_notes()
        self.process.kill()
        self.process.wait()
        self._control.close()

    def fork(self, argv: list[str], cwd: str, env: dict[str, str]) -> "ForkedKernel":
        """Fork a kernel and return it.

        Raises
        ------
        TemplateError
            When the template is dead or may not fork.
        """
        with self._lock:
            try:
                self._control.sendall(json.dumps({"argv": argv, "cwd": cwd, "env": env}).encode() + b"\n")
                while "ended" in (answer := self._next(wait=True)):
                    pass
            except BaseException as error:  # the next request must not take a late answer for its own
                self.close()
                if isinstance(error, OSError):
                    raise TemplateError(f"the template is dead: {error}") from error
                raise
            if "error" in answer:
                raise TemplateError(answer["error"])
            self.ended.pop(answer["pid"], None)  # of a former process with this number
            return ForkedKernel(answer["pid"], self)

    def status(self, pid: int) -> int | None:
        """Return the exit status of a kernel, or None when the template has not told it."""
        with self._lock:
            self._take_notes()
        return self.ended.get(pid)

    def _take_notes(self) -> None:
        with suppress(OSError, TemplateError, ValueError):  # dead, or closed
            while self._next(wait=False):
                pass

    @classmethod
    def _end(cls) -> None:
        if cls._current is not None:
            cls._current.close()

    @classmethod
    def _forget(cls) -> None:
        """In a fork of this process: the template and its kernels are not the fork's, and must not wait for its end."""
        if cls._current is not None:
            cls._current._control.close()
        for descriptor in cls._lifeline or ():
            os.close(descriptor)
        cls._current, cls._lifeline, cls._lock = None, None, threading.Lock()

    def _next(self, wait: bool) -> dict[str, Any] | None:
        while b"\n" not in self._received:
            if not wait and not _readable(self._control.fileno()):
                return None
            if not (chunk := self._control.recv(65536)):
                raise TemplateError("the template is dead")
            self._received += chunk
        line, self._received = self._received.split(b"\n", 1)
        answer = json.loads(line)
        if "ended" in answer:
            self.ended[answer["ended"]] = answer["status"]
        return answer


atexit.register(Template._end)
os.register_at_fork(after_in_child=Template._forget)


class ForkedKernel:
    """A kernel process that is no child of this process; what `subprocess.Popen` offers, as far as provisioners ask."""

    stdin = stdout = stderr = None

    def __init__(self, pid: int, template: Template):
        self.pid, self.returncode, self._template = pid, None, template
        try:
            self._handle = os.pidfd_open(pid)
        except ProcessLookupError:  # ended already
            self._handle = None

    def poll(self) -> int | None:
        """Return the exit status, or None while it runs; 1 when it has ended and nobody is left who knows how."""
        if self.returncode is None and (self._handle is None or _readable(self._handle)):
            deadline = time.monotonic() + PATIENCE_SECONDS  # it may just import something
            while (status := self._template.status(self.pid)) is None and time.monotonic() < deadline:
                if self._template.process.poll() is not None:
                    break
                time.sleep(0.005)
            self.returncode = 1 if status is None else status
            if self._handle is not None:
                os.close(self._handle)
                self._handle = None
        return self.returncode

    def wait(self) -> int:
        """Wait for the end and return the exit status."""
        if self._handle is not None:
            _readable(self._handle, None)
        return self.poll()

    def send_signal(self, number: int) -> None:
        """Send a signal, unless it has ended."""
        if self.poll() is None:
            signal.pidfd_send_signal(self._handle, number)

    def kill(self) -> None:
        """Kill it."""
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        """Ask it to end."""
        self.send_signal(signal.SIGTERM)


def prepare() -> None:
    """Start the template, where kernels can be forked; whoever asks for a kernel later finds it ready."""
    if sys.platform == "linux":
        with suppress(OSError):
            Template.get()


def _readable(descriptor: int, timeout: float | None = 0) -> bool:
    poll = select.poll()  # `select.select` ends at descriptor 1023, which a server may have used up
    poll.register(descriptor, select.POLLIN)
    return bool(poll.poll(timeout))


def _stamp(env: Mapping[str, str]) -> tuple[float, dict[str, str]]:
    """Return what makes a template: when code or packages last changed, and the variables that Python reads."""
    package = Path(__file__).parents[1]
    watched = [*package.glob("**/*.py"), Path(sysconfig.get_path("purelib"))]
    changed = max(path.stat().st_mtime for path in watched)
    return changed, {name: value for name, value in env.items() if name.startswith(AT_START)}
