"""The command line without the seconds that imports take: a process that has done them forks one for each command.

A command is a process of its own as ever, with its own environment, folder, files and exit code, and ends as ever. The
server that forks the notebooks of a report is itself a fork, rather than a new interpreter with the same imports.
"""

import atexit
import functools
import gc
import json
import os
import pkgutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from importlib import import_module
from multiprocessing import util
from pathlib import Path

import duckdb
import narwhals as nw
import pandas as pd
import pyarrow as pa

from abaco.run import process
from tests.support.programs import END_WITH_US

ROOT = Path(__file__).resolve().parents[2]
# installed for those who use it alone, or run when they are imported
LEFT_OUT = ("spark", "kernels", "migrations", "__main__")
# what IPython and Matplotlib import when they are first used
LATE = (
    "IPython.core.completer", "IPython.core.magics", "IPython.core.oinspect", "matplotlib.backends.backend_agg",
    "matplotlib.backends.backend_svg",
)  # fmt: skip
AT_START = ("PYTHON", "LC_", "LANG")  # variables that only a new interpreter reads


@functools.cache
def _address() -> str:
    """Start the process, once, and return the socket at which it takes commands."""
    folder = tempfile.TemporaryDirectory(prefix="abaco-warm-")
    path = f"{folder.name}/socket"
    server = subprocess.Popen(
        [*END_WITH_US, sys.executable, "-m", "tests.support.warm", path], cwd=ROOT, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, env={**os.environ, **process.SERVER_ENVIRONMENT},
    )  # fmt: skip
    atexit.register(folder.cleanup)
    atexit.register(server.wait)
    atexit.register(server.kill)
    assert server.stdout.readline() == b"ready\n"
    return path


def run(arguments: list[str], folder: Path, environment: dict[str, str]) -> tuple[int, str, str]:
    """Run abaco to its end in a folder; return its exit code, and what it wrote to both outputs."""
    request = json.dumps({"arguments": arguments, "folder": str(folder), "environment": environment}).encode()
    with (
        tempfile.TemporaryFile("w+") as out,
        tempfile.TemporaryFile("w+") as err,
        socket.socket(socket.AF_UNIX) as connection,
    ):
        connection.connect(_address())
        connection.settimeout(900)
        socket.send_fds(connection, [len(request).to_bytes(4)], [out.fileno(), err.fileno()])
        connection.sendall(request)
        code = int(connection.recv(16))
        return code, *(file.seek(0) or file.read() for file in (out, err))


def _next(path: str) -> dict:
    """Take commands for ever; in the process that is forked for one, return it."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(path)
        listener.listen(64)
        print("ready", flush=True)
        while True:
            connection, _ = listener.accept()
            if os.fork() == 0:
                break
            connection.close()
            with suppress(ChildProcessError):
                while os.waitpid(-1, os.WNOHANG)[0]:
                    pass
    size, outputs, *_ = socket.recv_fds(connection, 4, 2)
    with connection, connection.makefile("rb") as stream:
        request = json.loads(stream.read(int.from_bytes(size)))
        if child := os.fork():
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            connection.sendall(str(code).encode())
            os._exit(0)
    for number, output in enumerate(outputs, start=1):
        os.dup2(output, number)
        os.close(output)
    return request


def _fork_helper(path: str, arguments: list[str], passed: tuple[int, ...], spawn=util.spawnv_passfds) -> int:
    """Start a helper of multiprocessing, such as the fork server of notebooks, in a fork with every import made."""
    if arguments[-2] != "-c":  # a process that must be a new interpreter
        return spawn(path, arguments, passed)
    if child := os.fork():
        return child
    try:
        for number in map(int, os.listdir("/proc/self/fd")):
            if number > 2 and number not in passed:
                with suppress(OSError):  # the listing's own
                    os.close(number)
        exec(arguments[-1], {})
    finally:
        os._exit(0)


def _use_libraries() -> None:
    """Use the libraries of frames once, which import the rest of themselves then."""
    pd.DataFrame({"a": [1]}).to_html()
    nw.from_native(pa.table({"a": [1]})).to_pandas()
    with duckdb.connect(config={"threads": 1}) as connection:
        frame = nw.from_native(connection.sql("SELECT ' a' AS a"))
        frame.select(nw.col("a").str.strip_chars()).collect("pyarrow")


def _serve(path: str) -> None:
    import abaco
    from abaco.cli import main

    for module in pkgutil.walk_packages(abaco.__path__, "abaco."):
        if not any(part in module.name for part in LEFT_OUT):
            import_module(module.name)
    for name in LATE:
        import_module(name)
    _use_libraries()
    gc.freeze()
    util.spawnv_passfds = _fork_helper
    request = _next(path)
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    os.chdir(request["folder"])
    sys.argv = ["abaco", *request["arguments"]]
    code = 1
    try:
        main()
    except SystemExit as end:
        code = end.code or 0
    finally:
        atexit._run_exitfuncs()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)  # to take apart what was imported takes ten times as long as most commands


if __name__ == "__main__":
    _serve(sys.argv[1])
