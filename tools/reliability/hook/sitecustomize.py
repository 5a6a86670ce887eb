"""Loaded by every interpreter of a run under test: when the run is at a place for the n-th time, the fault happens.

A place is a change of a file below a folder, the opening of the input, or the start of a notebook's cell. The standard
library's audit events tell of them. What native code writes is not counted; a disk that is full at a cell is full for
native code too, by the limit on the size of files.
"""

import errno
import json
import os
import re
import resource
import shutil
import signal
import subprocess
import sys
from pathlib import Path

EVENTS = ("open", "exec", "os.rename", "os.symlink", "os.link", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree")
FOLDER, COUNTER = os.environ.get("FAULT_FOLDER"), os.environ.get("FAULT_COUNTER")
PLACE, TIME = os.environ.get("FAULT_PLACE"), int(os.environ.get("FAULT_TIME", "1"))
ACTION = os.environ.get("FAULT_ACTION", "")
SWAP = os.environ.get("FAULT_SWAP", "").split(os.pathsep)  # an input, and what takes its place
OTHER = json.loads(os.environ.get("FAULT_OTHER", "[]"))  # the command of another run
CELL = "<ipython-input-"  # how the names of compiled cells begin


def place_of(point, path):
    """Return the name of a place without what differs from run to run: times, ids, and numbers of processes."""
    names = re.sub(r"/abaco-[a-z\d_]{8}\b", "/N", path.replace(str(FOLDER), "reports"))
    names = re.sub(r"\d{4,}[\d-]*", "N", re.sub(r"\d{8}T\d+Z_[\w-]+", "RUN", names))
    return f"{point} {names}".lstrip()


class Points:
    """Tells the points of a process, each once."""

    def __init__(self):
        self.notebook, self.cells = "", []

    def of(self, event, arguments):
        """Return what a point does, and to which path or cell, or None."""
        if event == "exec":
            name = getattr(arguments[0], "co_filename", "")
            if not name.startswith(CELL) or name in self.cells:
                return None
            self.cells.append(name)
            return "cell", f"{len(self.cells)} of {self.notebook}"
        path = arguments[0]
        if not isinstance(path, str | os.PathLike):
            return None
        path = os.fspath(path)
        is_change = event != "open" or arguments[2] & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
        if is_change and path.endswith(".ipynb"):
            self.notebook = Path(path).stem
        return (event, path) if path == SWAP[0] or (is_change and path.startswith(FOLDER)) else None


def act(event, path):
    """Do to the run what is asked for."""
    group = os.getpgid(0)  # the command leads its group
    if ACTION == "disk full" and event == "cell":
        resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    elif ACTION == "disk full":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    elif ACTION == "input changed":
        shutil.copyfile(SWAP[1], SWAP[0])
    elif ACTION.startswith("another run"):
        environment = {name: value for name, value in os.environ.items() if not name.startswith("FAULT_")}
        done = subprocess.run(OTHER, env=environment, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        Path(f"{COUNTER}.other").write_text(json.dumps([done.returncode, done.stderr]))
    elif ACTION == "SIGKILL of all":
        os.killpg(group, signal.SIGKILL)
    elif ACTION == "SIGKILL of the process":
        os.kill(os.getpid(), signal.SIGKILL)
    else:  # SIGKILL, SIGTERM or SIGINT of the command
        os.kill(group, signal.Signals[ACTION])


def install():
    """Count the points of the run, and write down those of all places when none is given."""
    counter, acted, points = os.open(COUNTER, os.O_WRONLY | os.O_CREAT | os.O_APPEND), [], Points()

    def hook(event, arguments):
        if acted or event not in EVENTS or (point := points.of(event, arguments)) is None:
            return
        place = place_of(*point)
        if not PLACE:
            os.write(counter, f"{place}\n".encode())
        elif place == PLACE:
            os.write(counter, b".")
            if os.lseek(counter, 0, os.SEEK_CUR) == TIME:
                acted.append(True)
                act(*point)

    sys.addaudithook(hook)


if FOLDER and COUNTER:
    install()
