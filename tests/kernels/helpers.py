"""What tests of kernels, and the processes that they start, need: kernels, and looks at processes from outside."""

import os
import re
import time
from contextlib import suppress
from pathlib import Path

from jupyter_client.manager import start_new_kernel

PATIENCE_SECONDS = 180  # for what comes of itself, however busy the machine is


class Kernel:
    """A running kernel with a client."""

    def __init__(self, name="abaco", **launch):
        self.manager, self.client = start_new_kernel(PATIENCE_SECONDS, name, **launch)

    @property
    def process(self):
        return self.manager.provisioner.process

    @property
    def pid(self):
        return self.manager.provisioner.pid

    @property
    def sockets(self):
        """Folder of its sockets."""
        return Path(self.manager.ip).parent

    def outputs(self, code):
        """Execute a cell and return the content of each output, in order; of one stream in a row, as one."""
        found = []
        self.client.execute_interactive(
            code, output_hook=lambda message: found.append(message["content"]), timeout=PATIENCE_SECONDS,
            allow_stdin=False,
        )  # fmt: skip
        merged = []
        for content in found:
            if not {"text", "data", "ename"} & content.keys():
                continue
            if "text" in content and merged and merged[-1].get("name") == content["name"]:
                # a kernel sends what a stream has so far whenever its timer is due, be it in the middle of a line
                merged[-1] = merged[-1] | {"text": merged[-1]["text"] + content["text"]}
            else:
                merged.append(content)
        return merged

    def run(self, code):
        """Execute a cell and return what it printed; what goes wrong is part of it."""
        parts = (c.get("text") or f"{c.get('ename')}: {c.get('evalue')}" for c in self.outputs(code))
        return "".join(parts).strip()

    def send(self, code):
        """Begin to execute a cell."""
        self.client.execute(code)

    def end(self):
        self.client.stop_channels()
        self.manager.shutdown_kernel(now=True)


def until(condition, seconds=PATIENCE_SECONDS):
    """Wait until `condition` holds, and return whether it does."""
    deadline = time.monotonic() + seconds
    while not (holds := condition()) and time.monotonic() < deadline:
        time.sleep(0.01)
    return holds


def status(pid):
    """What the system says about a process, by name; empty when there is none."""
    try:
        lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    except OSError:
        return {}
    return dict(re.split(r":\s*", line, maxsplit=1) for line in lines)


def gone(pid):
    """Whether a process has ended, reaped by whoever has to or not."""
    return status(pid).get("State", "Z")[0] in "ZX"


def parent(pid):
    return int(status(pid)["PPid"])


def children(pid):
    return [int(child) for child in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def descriptors(pid):
    """Where the file descriptors of a process lead to, by number."""
    found = {}
    for path in Path(f"/proc/{pid}/fd").iterdir():
        with suppress(OSError):  # closed since
            found[int(path.name)] = os.readlink(path)
    return found
