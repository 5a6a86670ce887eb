"""Loaded by every interpreter of a run under test: at the n-th change of a file below a folder, the fault happens.

The standard library's audit events tell of files that are opened for writing, renamed, linked and removed. What native
code writes is not counted; it fails by the limit on the size of files, which `faults` sets.
"""

import errno
import os
import shutil
import signal
import sys

CHANGES = ("os.rename", "os.symlink", "os.link", "os.remove", "os.mkdir", "os.rmdir", "shutil.rmtree")
FOLDER, COUNTER = os.environ.get("FAULT_FOLDER"), os.environ.get("FAULT_COUNTER")
AT, ACTION = int(os.environ.get("FAULT_AT", "0")), os.environ.get("FAULT_ACTION", "")
SWAP = os.environ.get("FAULT_SWAP", "").split(os.pathsep)  # an input, and what takes its place


def path_of(event, arguments):
    """Return the path that an event changes, or None."""
    if event == "open":
        path, _, flags = arguments
        return path if flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT) else None
    return arguments[0] if event in CHANGES else None


def act(event, path):
    """Do to the run what is asked for."""
    with open(f"{COUNTER}.point", "w") as file:
        file.write(f"{event} {path}")
    group = os.getpgid(0)  # the command leads its group
    if ACTION == "disk full":
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC), str(path))
    if ACTION == "input changed":
        shutil.copyfile(SWAP[1], SWAP[0])
    elif ACTION == "SIGKILL of all":
        os.killpg(group, signal.SIGKILL)
    elif ACTION == "SIGKILL of the process":
        os.kill(os.getpid(), signal.SIGKILL)
    else:  # SIGKILL, SIGTERM or SIGINT of the command
        os.kill(group, signal.Signals[ACTION])


def install():
    """Count the changes of files below the folder."""
    counter, acted = os.open(COUNTER, os.O_WRONLY | os.O_CREAT | os.O_APPEND), []

    def hook(event, arguments):
        if event != "open" and event not in CHANGES:
            return
        path = path_of(event, arguments)
        if acted or not isinstance(path, str | os.PathLike) or not os.fspath(path).startswith(FOLDER):
            return
        os.write(counter, b".")
        if os.lseek(counter, 0, os.SEEK_CUR) == AT:
            acted.append(True)
            act(event, os.fspath(path))

    sys.addaudithook(hook)


if FOLDER and COUNTER:
    install()
