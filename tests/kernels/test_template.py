"""The template process: what it holds, what its children inherit, and what it tells about them."""

import importlib.util
import json
import os
import shutil
import signal
import socket
import subprocess
import sys

import pytest

from abaco.kernels.forking import TEMPLATE_ENV, Template
from abaco.kernels.template import LATER, PRELOADED

from .conftest import PACKAGE
from .helpers import PATIENCE_SECONDS, children, descriptors, gone, until

# a template whose children do what the request says instead of becoming kernels
SERVE = """
import os, socket, sys, threading, time
from abaco.kernels.template import serve
if sys.argv[2] == "threaded":
    threading.Thread(target=time.sleep, args=(600,), daemon=True).start()
request = serve(socket.socket(fileno=int(sys.argv[1])), ["wave"] if sys.argv[2] == "later" else [])
if request is not None:
    exec(request["argv"])
"""


class Served:
    """The asking side of `SERVE`."""

    def __init__(self, kind=""):
        self.control, theirs = socket.socketpair()
        with theirs:
            self.process = subprocess.Popen(
                [sys.executable, "-c", SERVE, str(theirs.fileno()), kind], pass_fds=[theirs.fileno()],
                env={**os.environ, "PYTHONPATH": str(PACKAGE.parent)},
            )  # fmt: skip
        self.control.settimeout(PATIENCE_SECONDS)
        self.lines = self.control.makefile("rw")

    def ask(self, code):
        self.lines.write(json.dumps({"argv": code}) + "\n")
        self.lines.flush()

    def answer(self):
        return json.loads(self.lines.readline())

    def close(self):
        self.lines.close()
        self.control.close()
        return self.process.wait()


@pytest.fixture
def served():
    """Start a template; what is started is ended."""
    started = []

    def start(kind=""):
        started.append(Served(kind))
        return started[-1]

    yield start
    for one in started:
        one.process.kill()
        one.close()


@pytest.mark.parametrize(
    "code, expected",
    [("", 0), ("os._exit(3)", 3), ("os.kill(os.getpid(), 9)", -9), ("raise SystemExit(300)", 300 % 256)],
)
def test_end_of_a_child_is_told(served, code, expected):
    template = served()
    template.ask(code)
    pid = template.answer()["pid"]
    assert template.answer() == {"ended": pid, "status": expected}
    assert until(lambda: children(template.process.pid) == [])  # told first, and reaped then


def test_ends_are_told_for_each_child_and_no_zombie_stays(served, tmp_path):
    template, over = served(), tmp_path / "over"
    pids = {}
    for number in range(8):
        template.ask(f"while not os.path.exists({str(over)!r}): time.sleep(0.01)\nos._exit({number})")
        pids[template.answer()["pid"]] = number
    over.touch()
    told = [template.answer() for _ in pids]
    assert {answer["ended"]: answer["status"] for answer in told} == pids
    assert until(lambda: children(template.process.pid) == [])


def test_does_not_fork_with_a_second_thread(served):
    template = served("threaded")
    template.ask("")
    assert template.answer() == {"error": "the template has 2 threads, and a fork would copy only one"}
    assert children(template.process.pid) == []


def test_ends_with_who_asked_and_children_go_on(served):
    template = served()
    template.ask("time.sleep(600)")
    child = template.answer()["pid"]
    assert template.close() == 0
    assert not gone(child)
    os.kill(child, signal.SIGKILL)


def test_child_has_nothing_of_the_template_open_and_its_signals_are_as_at_a_start(served):
    template = served()
    template.ask(
        "import signal; found = [n for n in range(3, 50) if os.path.exists(f'/proc/self/fd/{n}')];"
        "os._exit(bool(found) + 2 * (signal.getsignal(signal.SIGCHLD) is not signal.SIG_DFL)"
        " + 4 * (signal.set_wakeup_fd(-1) != -1))"
    )
    template.answer()
    assert template.answer()["status"] == 0


def test_live_template_holds_nothing_that_a_fork_would_endanger(kernel):
    one = kernel()
    pid = Template.get().process.pid
    # control socket; lifeline and the two ends of the pipe that wakes it; what it waits with
    expected = ["anon_inode:", "pipe:", "pipe:", "pipe:", "socket:"]
    # while it still imports, it has a module's file open
    assert until(lambda: kinds_of_descriptors(pid) == expected), kinds_of_descriptors(pid)
    assert os.listdir(f"/proc/{pid}/task") == [str(pid)]
    assert children(pid) == [one.pid]


def kinds_of_descriptors(pid):
    return sorted(link.split("[")[0] for number, link in descriptors(pid).items() if number > 2)


def test_template_does_not_hold_its_own_lifeline(kernel, tmp_path):
    one = kernel(cwd=str(tmp_path))
    end = os.fstat(Template._lifeline[1])
    template = Template.get().process.pid
    holders = [os.getpid(), template, one.pid]
    modes = {
        pid: {_mode(pid, n) for n, link in descriptors(pid).items() if link == f"pipe:[{end.st_ino}]"}
        for pid in holders
    }
    assert modes == {os.getpid(): {"read", "write"}, template: {"read"}, one.pid: {"read"}}
    link = f"pipe:[{end.st_ino}]"
    assert one.run("import os; os.system('ls -l /proc/self/fd > listed');") == ""
    listed = tmp_path / "listed"
    assert "/dev/null" in listed.read_text()
    assert link not in listed.read_text()


def _mode(pid, number):
    with open(f"/proc/{pid}/fdinfo/{number}") as file:
        flags = next(int(line.split()[1], 8) for line in file if line.startswith("flags"))
    return ("read", "write")[flags & os.O_ACCMODE]


def test_modules_are_looked_for_where_an_ordinary_kernel_does(tmp_path, asker):
    (tmp_path / "beside.py").write_text("")
    (tmp_path / "duckdb.py").write_text(
        "raise RuntimeError('the template has imported from where it was started')"
    )
    code = "import sys, beside; print(sys.path, sys.argv[0])"
    script = f"from helpers import Kernel; kernel = Kernel(NAME); print(kernel.run({code!r})); kernel.end()"
    forked, ordinary = (asker(script.replace("NAME", repr(name))).stdout for name in ("abaco", "python3"))
    assert forked.startswith("[")
    assert forked == ordinary


def test_what_later_kernels_need_is_imported_once_the_first_is_forked(served):
    template = served("later")
    template.ask("os._exit('wave' in sys.modules)")
    template.answer()
    assert template.answer()["status"] == 0

    def is_imported():
        template.ask("os._exit('wave' in sys.modules)")
        template.answer()
        return template.answer()["status"]

    assert until(is_imported)


def test_names_to_preload_are_importable_and_start_no_thread():
    names = (*PRELOADED, *LATER)
    assert len(set(names)) == len(names)
    script = (
        "import importlib; from abaco.kernels.template import LATER, PRELOADED, threads\n"
        "for name in (*PRELOADED, *LATER): importlib.import_module(name); assert threads() == 1, name\n"
    )
    env = {**os.environ, **TEMPLATE_ENV, "PYTHONPATH": str(PACKAGE.parent)}
    result = subprocess.run([sys.executable, "-c", script], env=env, capture_output=True, text=True)
    assert (result.returncode, result.stderr) == (0, "")


def test_notebooks_import_all_that_is_preloaded(tmp_path, asker):
    """And ordinary kernels, by a kernelspec that comes first in the search path, make the report too."""
    spec = tmp_path / "jupyter" / "kernels" / "abaco"
    shutil.copytree(importlib.util.find_spec("ipykernel").submodule_search_locations[0] + "/resources", spec)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (spec / "kernel.json").write_text(
        json.dumps({"argv": argv, "display_name": "ordinary", "language": "python"})
    )
    startup = tmp_path / "ipython" / "profile_default" / "startup" / "00.py"
    startup.parent.mkdir(parents=True)
    startup.write_text(
        "import os, sys\n"
        f"folder = {str(tmp_path)!r}\n"
        "def note(result): print(*sys.modules, file=open(f'{folder}/{os.getpid()}.modules', 'w'))\n"
        "get_ipython().events.register('post_run_cell', note)\n"
    )
    script = (
        "from abaco.run.pipeline import Pipeline\n"
        f"result = Pipeline(output={str(tmp_path / 'reports')!r}).execute()\n"
        "print(result['status'])"
    )
    where = {"JUPYTER_PATH": str(tmp_path / "jupyter"), "IPYTHONDIR": str(tmp_path / "ipython")}
    result = asker(script, ABACO_ROOT=str(PACKAGE.parent), **where)
    assert result.stdout == "success\n", result.stderr
    noted = [path.read_text().split() for path in tmp_path.glob("*.modules")]
    assert len(noted) == 5
    assert {*PRELOADED, *LATER} - set().union(*noted) == set()
