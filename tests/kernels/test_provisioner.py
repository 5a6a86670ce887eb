"""Forked kernels behave as ordinary ones do, whoever asks for them."""

import asyncio
import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path

import nbformat
import papermill
import pytest
from jupyter_client.manager import KernelManager
from jupyter_client.multikernelmanager import AsyncMultiKernelManager, MultiKernelManager
from nbclient import NotebookClient
from nbclient.exceptions import DeadKernelError

from abaco.kernels.forking import TEMPLATE_ENV, ForkedKernel, Template
from abaco.run.execution import execute, execute_phase

from .helpers import PATIENCE_SECONDS, children, descriptors, gone, parent, until

PARENT = "import os; print(os.getppid())"


def notebook(path, *cells):
    nb = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in cells])
    nb.metadata.kernelspec = {"name": "abaco", "display_name": "Abaco", "language": "python"}
    nbformat.write(nb, path)
    return path


def template():
    return Template.get().process.pid


class TestChild:
    """What a forked kernel starts with."""

    def test_random_numbers_differ_between_kernels(self, kernel):
        code = "import random, numpy; print(random.random(), numpy.random.rand(), numpy.random.default_rng().random())"
        numbers = [one.run(code).split() for one in (kernel(), kernel())]
        assert len({number for three in numbers for number in three}) == 6

    def test_environment_is_the_one_asked_for(self, kernel, monkeypatch):
        monkeypatch.setenv("ABACO_TEST_GONE", "1")
        Template.get().close()
        started = Template.get()
        monkeypatch.setenv("ABACO_TEST_NEW", "a\nb=ü")
        monkeypatch.delenv("ABACO_TEST_GONE")
        one, ordinary = kernel(), kernel("python3")
        assert Template.get() is started
        look = "import os, json; print(json.dumps(dict(os.environ)))"
        has, usual = json.loads(one.run(look)), json.loads(ordinary.run(look))
        del usual["PYDEVD_USE_FRAME_EVAL"]  # the debugger sets it when it is imported
        assert has == usual
        assert has["JPY_PARENT_PID"] == str(os.getpid())
        assert has["ABACO_TEST_NEW"] == "a\nb=ü"
        assert has.keys() & {"ABACO_TEST_GONE", *TEMPLATE_ENV} <= {"JPY_PARENT_PID", *os.environ}
        assert one.run("print(os.popen('echo $ABACO_TEST_NEW $OMP_NUM_THREADS').read())") == "a b=ü"

    def test_environment_counts_where_it_is_read_late(self, kernel, scratch):
        started = Template.get()
        one = kernel(env={**os.environ, "TZ": "Asia/Tokyo"})
        assert Template.get() is started
        assert one.run("import time; print(time.tzname[0], time.localtime(0).tm_hour)") == "JST 9"
        assert one.run("import tempfile; print(tempfile.gettempdir())") == str(scratch)

    def test_folder_is_the_one_asked_for(self, kernel, tmp_path):
        assert kernel(cwd=str(tmp_path)).run("import os; print(os.getcwd())") == str(tmp_path)

    def test_folder_that_does_not_exist_is_the_ordinary_error(self, scratch):
        manager = KernelManager(kernel_name="abaco")
        with pytest.raises(FileNotFoundError, match="nowhere"):
            manager.start_kernel(cwd=str(scratch / "nowhere"))
        manager.cleanup_connection_file()

    @pytest.mark.parametrize(
        "code",
        [
            "import sys; print(sys.argv[0], sys.argv[1:2], sys.flags, sys.path)",
            "from signal import *; print([getsignal(n) for n in (SIGINT, SIGCHLD, SIGTERM, SIGPIPE)])",
            "import signal; print(signal.pthread_sigmask(signal.SIG_BLOCK, []))",
            "import warnings; warnings.warn('careful'); warnings.warn('old', DeprecationWarning)",
            "import logging; logging.warning('careful'); print(logging.root.handlers, logging.root.level)",
            "input('name?')",
            "1 / 0",
            "import sys, subprocess; subprocess.run([sys.executable, '-c', 'print(5)'], check=True)",
            "import os; os.system('echo six; echo seven >&2')",
            "!echo eight",
            "import threading; t = threading.Thread(target=print, args=(9,)); t.start(); t.join()",
            "import multiprocessing; print(multiprocessing.get_context('fork').Pool(2).map(abs, [-1, -2]))",
            "import pyarrow; print(pyarrow.cpu_count(), pyarrow.io_thread_count())",
            "from pandas import options; options.mode.d, options.display.d | {'encoding': 'utf-8 or UTF-8'}",
            "import matplotlib; dict(matplotlib.rcParams)",
            "import numpy; numpy.get_printoptions(), numpy.geterr()",
            "import duckdb; duckdb.sql('from duckdb_settings() where name != $$duckdb_api$$').fetchall()",
            "import asyncio; await asyncio.sleep(0); print(type(asyncio.get_running_loop()))",
            "import locale, sys; print(locale.getlocale(), sys.stdout.encoding, sys.getfilesystemencoding())",
            "__name__, __builtins__.__name__, sorted(name for name in dir() if not name.startswith('_'))",
        ],
    )  # fmt: skip
    def test_behaves_as_an_ordinary_kernel(self, pair, code):
        forked, ordinary = ([_neutral(output) for output in one.outputs(code)] for one in pair)
        assert forked == ordinary

    def test_plot_is_shown(self, pair):
        code = "import matplotlib.pyplot as plt; plt.plot([1, 2])"
        forked, ordinary = ([sorted(output["data"]) for output in one.outputs(code)] for one in pair)
        assert forked == ordinary == [["text/plain"], ["image/png", "text/plain"]]

    def test_libraries_compute_with_more_than_one_thread(self, kernel):
        one = kernel()
        code = """
import duckdb, pyarrow as pa, pyarrow.compute as pc, os
before = len(os.listdir("/proc/self/task"))
pa.set_cpu_count(4)
con = duckdb.connect(config={"threads": 4})
rows = con.sql("select count(*) n from range(5000000) t(i) group by i % 10").arrow().read_all()
columns = {"a": [list(range(1000))] * 64, "g": [[i % 5 for i in range(1000)]] * 64}
table = pa.table({name: pa.chunked_array(chunks) for name, chunks in columns.items()})
sums = table.group_by("g", use_threads=True).aggregate([("a", "sum")]).sort_by("g")["a_sum"].to_pylist()
print(pc.sum(rows["n"]), sums, len(os.listdir("/proc/self/task")) >= before + 6)
"""
        assert one.run(code) == "5000000 [6368000, 6380800, 6393600, 6406400, 6419200] True"

    def test_kernel_starts_kernels(self, kernel):
        one = kernel()
        one.run(
            "from jupyter_client.manager import start_new_kernel; km, kc = start_new_kernel(kernel_name='abaco')"
        )
        inner = int(one.run("print(km.provisioner.pid)"))
        assert parent(parent(inner)) == one.pid
        one.manager.shutdown_kernel(now=True)
        assert until(lambda: gone(inner))


@pytest.fixture(scope="module")
def pair(tmp_path_factory):
    """A forked and an ordinary kernel."""
    from .helpers import Kernel

    folder = tmp_path_factory.mktemp("pair")
    both = [Kernel(name, cwd=str(folder)) for name in ("abaco", "python3")]
    yield both
    for one in both:
        one.end()


def _neutral(output):
    """An output without process numbers, addresses and paths of this very kernel."""
    text = json.dumps(
        {
            name: output[name]
            for name in ("name", "text", "data", "ename", "evalue", "traceback")
            if name in output
        }
    )
    return re.sub(r"ipykernel_\d+|0x[0-9a-f]+|tmp\w+\.json", "…", text)


class TestLife:
    """Interrupt, restart, kill, shut down."""

    def test_interrupt(self, kernel):
        one = kernel()
        one.run("kept = 7")
        one.send("import time; print('at work', flush=True); time.sleep(600)")
        # the kernel tells of the cell before it runs it, and an interrupt in between would get no answer
        assert until(lambda: one.client.get_iopub_msg(timeout=PATIENCE_SECONDS)["msg_type"] == "stream")
        one.manager.interrupt_kernel()
        reply = one.client.get_shell_msg(timeout=PATIENCE_SECONDS)
        assert reply["content"]["ename"] == "KeyboardInterrupt"
        assert until(lambda: one.run("print(kept)") == "7")  # at first it may drop what comes after an error

    @pytest.mark.parametrize("now", [True, False])
    def test_restart(self, kernel, now):
        one = kernel()
        one.run("kept = 7")
        first, folder = one.pid, one.sockets
        one.manager.restart_kernel(now=now)
        one.client.wait_for_ready(timeout=PATIENCE_SECONDS)
        assert one.pid != first
        assert gone(first)
        assert one.sockets == folder
        assert one.run("print(kept)") == "NameError: name 'kept' is not defined"
        assert isinstance(one.process, ForkedKernel)

    @pytest.mark.parametrize("now", [True, False])
    def test_shutdown(self, kernel, now):
        one = kernel()
        pid, folder, connection = one.pid, one.sockets, Path(one.manager.connection_file)
        assert one.manager.is_alive()
        assert connection.exists()
        one.manager.shutdown_kernel(now=now)
        assert not one.manager.is_alive()
        assert gone(pid)
        assert not folder.exists()
        assert not connection.exists()

    def test_what_a_kernel_has_started_is_killed_with_it(self, kernel):
        one = kernel()
        sleeper = int(one.run("import subprocess; p = subprocess.Popen(['sleep', '600']); print(p.pid)"))
        one.manager.shutdown_kernel(now=True)
        assert until(lambda: gone(sleeper))

    def test_kernel_that_dies_while_executing(self, scratch, tmp_path):
        nb = nbformat.read(notebook(tmp_path / "dies.ipynb", "import os; os._exit(3)"), 4)
        with pytest.raises(DeadKernelError):
            NotebookClient(nb, kernel_name="abaco", timeout=PATIENCE_SECONDS).execute()


class TestConnection:
    """IPC in a private folder."""

    def test_folder_is_private_and_the_kernel_listens_nowhere_else(self, kernel):
        one = kernel()
        assert stat.S_IMODE(one.sockets.stat().st_mode) == 0o700
        assert sorted(path.name for path in one.sockets.iterdir()) == [f"kernel-{n}" for n in range(1, 6)]
        info = json.loads(Path(one.manager.connection_file).read_text())
        assert (info["transport"], info["ip"]) == ("ipc", f"{one.sockets}/kernel")
        assert stat.S_IMODE(os.stat(one.manager.connection_file).st_mode) == 0o600
        ours = {link for link in descriptors(one.pid).values() if link.startswith("socket:")}
        lines = [
            line.split()
            for name in ("tcp", "tcp6")
            for line in Path(f"/proc/net/{name}").read_text().splitlines()[1:]
        ]
        addresses = [line[1].split(":")[0] for line in lines if f"socket:[{line[9]}]" in ours]
        assert ours
        assert addresses == [
            "0100007F"
        ]  # where ipykernel hears, with a secret, what forks of the kernel print: 127.0.0.1


class TestWhoAsks:
    """papermill, nbval and a server's kernel managers; and ordinary kernels where they are wanted."""

    def test_papermill(self, scratch, tmp_path):
        path = notebook(tmp_path / "in.ipynb", PARENT)
        done = papermill.execute_notebook(str(path), str(tmp_path / "out.ipynb"), progress_bar=False)
        assert done.cells[0].outputs[0].text == f"{template()}\n"

    def test_kernel_that_says_late_that_a_cell_has_ended(self, scratch, tmp_path):
        late = """
import time
kernel = get_ipython().kernel
usual = kernel._publish_status
def slow(status, *given, **named):
    if status == "idle":
        kernel.iopub_thread.schedule(lambda: time.sleep(4.5))
    return usual(status, *given, **named)
kernel._publish_status = slow
print("said")
"""
        execute(notebook(tmp_path / "in.ipynb", late), tmp_path / "out.ipynb", {})
        assert nbformat.read(tmp_path / "out.ipynb", 4).cells[0].outputs[0].text == "said\n"

    def test_nbval(self, tmp_path):
        code = "import os\nprint('forked' if 'template.py' in open(f'/proc/{os.getppid()}/cmdline').read() else '')"
        path = notebook(tmp_path / "checked.ipynb", code)
        nb = nbformat.read(path, 4)
        nb.cells[0].outputs = [nbformat.v4.new_output("stream", name="stdout", text="forked\n")]
        nb.cells[0].execution_count = 1
        nbformat.write(nb, path)
        command = [sys.executable, "-m", "pytest", "-q", "--nbval", "--nbval-kernel-name", "abaco", path.name]
        result = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
        assert "1 passed" in result.stdout, result.stdout

    def test_server_with_several_kernels(self, scratch):
        async def serve():
            manager = AsyncMultiKernelManager()
            ids = await asyncio.gather(*(manager.start_kernel(kernel_name="abaco") for _ in range(3)))
            pids = [manager.get_kernel(each).provisioner.pid for each in ids]
            assert {parent(pid) for pid in pids} == {template()}
            await manager.restart_kernel(ids[0], now=True)
            await manager.interrupt_kernel(ids[1])
            alive = [await manager.is_alive(each) for each in ids]
            await manager.shutdown_all(now=True)
            return pids, alive

        pids, alive = asyncio.run(serve())
        assert alive == [True] * 3
        assert len(set(pids)) == 3
        assert all(gone(pid) for pid in pids)

    def test_server_of_the_blocking_kind(self, scratch):
        manager = MultiKernelManager()
        first = manager.start_kernel(kernel_name="abaco")
        assert parent(manager.get_kernel(first).provisioner.pid) == template()
        manager.shutdown_all(now=True)

    def test_event_loop_goes_on_while_a_template_starts(self, scratch):
        async def start():
            manager = AsyncMultiKernelManager()
            starting = asyncio.create_task(manager.start_kernel(kernel_name="abaco"))
            turns = 0
            while not starting.done():
                await asyncio.sleep(0.01)
                turns += 1
            await manager.shutdown_all(now=True)
            return turns

        Template.get().close()
        assert asyncio.run(start()) > 10

    def test_ordinary_kernel_by_choice(self, scratch, tmp_path):
        before = {*children(template())}
        run = tmp_path / "run"
        for folder in ("notebooks", "work", "tables"):
            (run / folder).mkdir(parents=True)
        executed = execute_phase("01_ingestion", run, {"date": "2025-12-31"}, kernel="python3")
        assert executed == run / "notebooks" / "01_ingestion.ipynb"
        assert (run / "tables" / "quarantine.parquet").exists()
        assert {*children(template())} <= before  # of those that have ended some may have been reaped since

    def test_other_interpreters_are_not_forked(self, scratch, tmp_path, asker):
        other = next(
            path for path in Path(sys.executable).parent.glob("python3*") if str(path) != sys.executable
        )
        spec = tmp_path / "jupyter" / "kernels" / "other"
        spec.mkdir(parents=True)
        (spec / "kernel.json").write_text(json.dumps({
            "argv": [str(other), "-m", "ipykernel_launcher", "-f", "{connection_file}"], "display_name": "other",
            "language": "python", "metadata": {"kernel_provisioner": {"provisioner_name": "abaco-fork"}},
        }))  # fmt: skip
        script = (
            "from helpers import Kernel; kernel = Kernel('other')\n"
            "print(type(kernel.process).__name__, kernel.manager.transport); kernel.end()"
        )
        assert asker(script, JUPYTER_PATH=str(tmp_path / "jupyter")).stdout == "Popen ipc\n"
