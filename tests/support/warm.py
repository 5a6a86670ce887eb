"""The command line without the seconds that imports take: a process that has done them forks one for each command.

A command is a process of its own as ever, with its own environment, folder, files and exit code, and ends as ever. The
helpers that multiprocessing starts for it, such as the fork server of notebooks, are forked likewise: a small
program, which multiprocessing takes for the interpreter, asks for them.
"""

import atexit
import fcntl
import functools
import gc
import json
import multiprocessing
import os
import pkgutil
import socket
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from importlib import import_module
from pathlib import Path

import duckdb
import narwhals as nw
import pandas as pd
import pyarrow as pa

from abaco.run import process
from tests.support import warm_client
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
def programs() -> Path:
    """Start the process, once, and return the folder of the programs that ask it, beside its socket."""
    temporary = tempfile.TemporaryDirectory(prefix="abaco-warm-")
    folder = Path(temporary.name)
    for name in ("abaco", "python"):
        (folder / name).write_text(f"#!{sys.executable} -IS\n{Path(warm_client.__file__).read_text()}")
        (folder / name).chmod(0o755)
    server = subprocess.Popen(
        [*END_WITH_US, sys.executable, "-m", "tests.support.warm", folder], cwd=ROOT, stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE, env={**os.environ, **process.SERVER_ENVIRONMENT},
    )  # fmt: skip
    atexit.register(temporary.cleanup)
    atexit.register(server.wait)
    atexit.register(server.kill)
    assert server.stdout.readline() == b"ready\n"
    return folder


def run(arguments: list[str], folder: Path, environment: dict[str, str]) -> tuple[int, str, str]:
    """Run abaco to its end in a folder; return its exit code, and what it wrote to both outputs."""
    request = {"arguments": arguments, "folder": str(folder), "environment": environment, "files": [1, 2]}
    with tempfile.TemporaryFile("w+") as out, tempfile.TemporaryFile("w+") as err:
        code = warm_client.ask(f"{programs()}/socket", request, [out.fileno(), err.fileno()], 900)
        return code, *(file.seek(0) or file.read() for file in (out, err))


def _next(path: str) -> dict:
    """Take requests for ever; in the process that is forked for one, return it."""
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
    size, received, *_ = socket.recv_fds(connection, 4, 16)
    with connection, connection.makefile("rb") as stream:
        request = json.loads(stream.read(int.from_bytes(size)))
        if child := os.fork():
            code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
            connection.sendall(str(code).encode())
            os._exit(0)
    apart = [fcntl.fcntl(file, fcntl.F_DUPFD_CLOEXEC, 64) for file in received]  # clear of the numbers they will get
    for file in received:
        os.close(file)
    for file, number in zip(apart, request["files"], strict=True):
        os.dup2(file, number)
        os.close(file)
    return request


def _use_libraries() -> None:
    """Use the libraries of frames once, which import the rest of themselves then."""
    pd.DataFrame({"a": [1]}).to_html()
    nw.from_native(pa.table({"a": [1]})).to_pandas()
    with duckdb.connect(config={"threads": 1}) as connection:
        frame = nw.from_native(connection.sql("SELECT ' a' AS a"))
        frame.select(nw.col("a").str.strip_chars()).collect("pyarrow")


def _serve(folder: str) -> None:
    import abaco
    from abaco.cli import main

    for module in pkgutil.walk_packages(abaco.__path__, "abaco."):
        if not any(part in module.name for part in LEFT_OUT):
            import_module(module.name)
    for name in LATE:
        import_module(name)
    _use_libraries()
    multiprocessing.set_executable(f"{folder}/python")
    gc.freeze()
    request = _next(f"{folder}/socket")
    os.environ.clear()
    os.environ.update(request["environment"])
    time.tzset()
    os.chdir(request["folder"])
    code = 1
    try:
        if "code" in request:
            sys.argv = ["-c", *request["arguments"]]
            exec(request["code"], {})
        else:
            sys.argv = ["abaco", *request["arguments"]]
            main()
        code = 0
    except SystemExit as end:
        code = end.code or 0
    finally:
        atexit._run_exitfuncs()
        for stream in (sys.stdout, sys.stderr):
            if not stream.closed:  # by the command
                stream.flush()
        os._exit(code)  # to take apart what was imported takes ten times as long as most commands


if __name__ == "__main__":
    _serve(sys.argv[1])
