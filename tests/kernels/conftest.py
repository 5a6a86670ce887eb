"""Real kernels, ended after each test, and real processes that ask for some."""

import os
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest

import abaco

from .helpers import Kernel

HERE = Path(__file__).parent
PACKAGE = Path(abaco.__file__).parent


@pytest.fixture(autouse=True)
def scratch(tmp_path_factory, monkeypatch):
    """Temporary directory of the kernels of a test: nothing is left there at its end."""
    tmp_path_factory.getbasetemp()  # not in there
    folder = Path(tempfile.mkdtemp(prefix="k", dir="/tmp"))  # the path of a socket has at most 107 characters
    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setenv("TMPDIR", str(folder))
    yield folder
    left = sorted(path.name for path in folder.iterdir() if path.name.startswith(("abaco-", "tmp")))
    shutil.rmtree(folder)
    assert left == []


@pytest.fixture
def kernel(scratch):
    """Start a kernel, or several."""
    started = []

    def start(name="abaco", **launch):
        started.append(Kernel(name, **launch))
        return started[-1]

    yield start
    for one in started:
        one.end()


@pytest.fixture
def asker(tmp_path):
    """Run a script in a process of its own, and return that process: finished, unless it shall go on."""
    running = []

    def run(script, wait=True, path=(), **more):
        env = {**os.environ, "PYTHONPATH": os.pathsep.join(map(str, [*path, HERE, PACKAGE.parent])), **more}
        command = [sys.executable, "-c", script]
        if wait:
            return subprocess.run(command, env=env, cwd=tmp_path, capture_output=True, text=True, timeout=600)
        running.append(subprocess.Popen(command, env=env, cwd=tmp_path, stdout=subprocess.PIPE, text=True))
        return running[-1]

    yield run
    for process in running:
        process.kill()
        process.wait()
        process.stdout.close()


@pytest.fixture
def copied(tmp_path):
    """The folder above a copy of the package that a test may change; its template imports little, to be quick."""
    package = tmp_path / "copy" / "abaco"
    shutil.copytree(PACKAGE, package, ignore=shutil.ignore_patterns("__pycache__"))
    path = package / "kernels" / "template.py"
    little = 'PRELOADED = ("ipykernel.kernelapp", "pandas")\n'
    text = re.sub(r"PRELOADED = \(.*?\n\).*?\n", little, path.read_text(), count=1, flags=re.DOTALL)
    path.write_text(re.sub(r"LATER = \(.*?\n\).*?\n", "LATER = ()\n", text, count=1, flags=re.DOTALL))
    return package.parent
