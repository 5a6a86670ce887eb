"""The template process: it imports what notebooks import, and forks a kernel at each request. It does nothing else.

It is started by `abaco.kernels.forking`, single-threaded and without a connection, an event loop or a ZMQ context, so
that a fork inherits nothing but loaded modules.
"""

import atexit
import gc
import importlib.util
import io
import json
import os
import random
import selectors
import signal
import socket
import sys
import threading
import time
from collections.abc import Iterable
from contextlib import suppress
from itertools import chain
from typing import Any

from abaco import lean

# What a kernel and the first notebook import.
PRELOADED = (
    "ipykernel.kernelapp", "ipykernel.ipkernel", "ipykernel.debugger", "psutil", "IPython.core.interactiveshell",
    "IPython.core.debugger", "IPython.core.magics", "IPython.extensions.storemagic", "tornado.platform.asyncio",
    "faulthandler", "numpy", "pandas", "pyarrow", "pyarrow.compute", "pyarrow.csv", "pyarrow.dataset",
    "pyarrow.parquet", "duckdb", "narwhals", "narwhals._duckdb.dataframe", "narwhals._duckdb.namespace",
    "narwhals._arrow.dataframe", "yaml", "abaco.run.phase", "abaco.ingest.quarantine", "abaco.core.dates",
    "abaco.ingest.statements", "abaco.ingest.reconciliation",
)  # fmt: skip
# What the others import besides: it is imported while the first one runs.
LATER = (
    "scrapbook", "abaco.ingest.transformation", "pydantic", "abaco.kpis.catalog", "abaco.kpis.publish", "abaco.kpis.history",
    "abaco.kpis.values", "jinja2", "bs4", "matplotlib.figure", "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg", "abaco.page", "nbconvert.exporters.html", "abaco.page.render", "abaco.mail",
    "abaco.run.manifest",
)  # fmt: skip
GARBAGE = 50_000  # new objects until a kernel looks for garbage: at 700 it costs a page or a chart a tenth
INLINE = "module://matplotlib_inline.backend_inline"  # what ipykernel sets in a kernel of its own


def threads() -> int:
    """Return how many threads this process has, those of libraries included."""
    return len(os.listdir("/proc/self/task"))


def serve(control: socket.socket, later: Iterable[str] = ()) -> dict[str, Any] | None:
    """Answer requests until the other side is gone.

    Parameters
    ----------
    control
        Where requests come from, a line of JSON each: ``argv``, ``cwd`` and ``env`` of a kernel. The answer is ``pid``
        or ``error``; the end of a kernel is told as ``ended`` and ``status``.
    later
        Modules to import while nobody asks, once the first child is forked.

    Returns
    -------
    dict or None
        In a forked child the request that it shall become; in the template None, when it is time to end.
    """
    wake_read, wake_write = os.pipe()
    os.set_blocking(wake_write, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(wake_write, warn_on_full_buffer=False)
    lines, idle = control.makefile("rwb", buffering=0), iter(())
    with selectors.DefaultSelector() as selector:
        selector.register(control, selectors.EVENT_READ)
        selector.register(wake_read, selectors.EVENT_READ)
        while True:
            if not (ready := {key.fileobj for key, _ in selector.select(0)}) and (name := next(idle, None)):
                load([name])
                continue
            ready = ready or {key.fileobj for key, _ in selector.select()}
            if wake_read in ready:
                os.read(wake_read, 4096)
                _tell_ends(lines)
            if control not in ready:
                continue
            if not (line := lines.readline()).endswith(b"\n"):
                return None
            if (count := threads()) != 1:
                lines.write(_line(error=f"the template has {count} threads, and a fork would copy only one"))
                continue
            try:
                pid = os.fork()
            except OSError as error:
                lines.write(_line(error=f"the template cannot fork: {error}"))
                continue
            if pid:
                lines.write(_line(pid=pid))
                idle, later = chain(idle, later), ()
            else:
                signal.set_wakeup_fd(-1)
                signal.signal(signal.SIGCHLD, signal.SIG_DFL)
                for descriptor in (wake_read, wake_write):
                    os.close(descriptor)
                lines.close()
                control.close()
                return json.loads(line)


def load(names: Iterable[str]) -> None:
    """Import modules; children share their objects, and must not copy them to look for garbage."""
    with lean.imports():
        for name in names:
            importlib.import_module(name)
    gc.freeze()


def _line(**content: Any) -> bytes:
    return json.dumps(content).encode() + b"\n"


def _tell_ends(lines: io.RawIOBase) -> None:
    """Tell how children ended, each before its number is free for another process."""
    with suppress(ChildProcessError):
        while child := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT):
            status = child.si_status if child.si_code == os.CLD_EXITED else -child.si_status
            lines.write(_line(ended=child.si_pid, status=status))
            os.waitpid(child.si_pid, 0)


def become_kernel(request: dict[str, Any], lifeline: int) -> None:
    """Turn a forked child into the kernel that was asked for; return when the kernel has ended.

    Parameters
    ----------
    request
        ``argv``, ``cwd`` and ``env`` of the kernel.
    lifeline
        File descriptor that is at its end when the process that asked for the kernel is gone.
    """
    os.setsid()
    os.environ.clear()
    os.environ.update(request["env"])
    time.tzset()
    os.chdir(request["cwd"])
    random.seed()
    sys.modules["numpy"].random.seed()
    sys.modules["pandas"].set_option("display.max_columns", 20)  # the template took itself for a terminal
    if "matplotlib" in sys.modules:
        sys.modules["matplotlib"].rcParams["backend"] = os.environ.get("MPLBACKEND") or INLINE
    sys.argv = [importlib.util.find_spec("ipykernel_launcher").origin, *request["argv"]]
    gc.set_threshold(GARBAGE)
    gc.enable()
    atexit.register(gc.unfreeze)  # or else some libraries see leaks at the end, and say so
    threading.Thread(target=_end_with, args=(lifeline,), daemon=True, name="lifeline").start()
    threading.Thread(target=_import_scrapbook, daemon=True, name="scrapbook").start()
    from ipykernel.kernelapp import launch_new_instance

    launch_new_instance(request["argv"])


def _import_scrapbook() -> None:
    """Import it beside the first cells, where the template has not yet: it takes long, and is needed at the end."""
    with lean.imports():
        import scrapbook  # noqa: F401


def _end_with(lifeline: int) -> None:
    from ipykernel.kernelapp import IPKernelApp

    os.read(lifeline, 1)  # nobody writes: it returns when the last writer is gone
    try:  # who had to clean up is gone
        app = IPKernelApp.instance()
        app.cleanup_connection_file()
        os.rmdir(os.path.dirname(app.ip))
    finally:
        os._exit(1)


def main() -> None:
    """Import, and serve; what is importable is what an ordinary kernel finds, wherever the template was started."""
    if not sys.flags.safe_path:
        del sys.path[0]  # this file's folder
    control, lifeline = socket.socket(fileno=int(sys.argv[1])), int(sys.argv[2])
    for descriptor in (control.fileno(), lifeline):
        os.set_inheritable(descriptor, False)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the kernels and for who runs them
    gc.disable()  # imports leave next to none behind
    load(PRELOADED)
    try:
        request = serve(control, LATER)
    except ConnectionError:  # the other side is gone and has left answers unread
        request = None
    if request is None:
        os._exit(0)  # nothing to clean up, and libraries have much to say at an orderly end
    signal.signal(signal.SIGINT, signal.default_int_handler)
    become_kernel(request, lifeline)


if __name__ == "__main__":
    main()
