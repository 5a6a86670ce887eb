"""A real Spark cluster on loopback: a master and a worker of two cores, started and stopped by the tests."""

import importlib.util
import json
import os
import shutil
import signal
import subprocess
import time
import urllib.request
from http.client import HTTPException
from pathlib import Path

import pytest

from abaco import engines
from tests.support.ports import free_port
from tests.support.programs import END_WITH_US, missing

QUICK = "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC"  # of code that runs for minutes the best compiler never pays
DEFAULTS = (
    "spark.executor.memory 512m\nspark.sql.shuffle.partitions 3\nspark.sql.files.maxPartitionBytes 64k\n"
    f"spark.driver.extraJavaOptions {QUICK}\nspark.executor.extraJavaOptions {QUICK}\n"
)


class Cluster:
    """A standalone cluster, its logs in a folder; every process leads a group of its own, executors included."""

    def __init__(self, folder: Path):
        self.folder, self.port, self.page, self.workers = folder, free_port(), free_port(), []
        self.address = f"spark://127.0.0.1:{self.port}"
        (folder / "spark-defaults.conf").write_text(DEFAULTS)
        self.environment = {"SPARK_MASTER": self.address, "SPARK_CONF_DIR": str(folder)}
        where = ["--host", "127.0.0.1", "--port", str(self.port), "--webui-port", str(self.page)]
        self.master = self._launch("master.Master", *where)
        self.wait_for(lambda: self.state()["status"] == "ALIVE")

    def _launch(self, daemon, *arguments):
        home = Path(importlib.util.find_spec("pyspark").submodule_search_locations[0])
        environment = {**os.environ, **self.environment, "SPARK_LOCAL_IP": "127.0.0.1", "SPARK_DAEMON_MEMORY": "256m"}
        with (self.folder / f"{daemon}-{len(self.workers)}.log").open("w") as log:
            return subprocess.Popen(
                [*END_WITH_US, home / "bin/spark-class", f"org.apache.spark.deploy.{daemon}", *arguments],
                stdout=log, stderr=log, stdin=subprocess.DEVNULL, env=environment, start_new_session=True,
            )  # fmt: skip

    def add_worker(self):
        """Start one more worker and wait until the master knows it."""
        before = self.alive()
        work = self.folder / f"work-{len(self.workers)}"
        more = ["--cores", "2", "--memory", "1g", "--webui-port", "0", "--work-dir", str(work), self.address]
        self.workers.append(self._launch("worker.Worker", "--host", "127.0.0.1", *more))
        self.wait_for(lambda: self.alive() == before + 1)

    def state(self):
        """What the master says of itself."""
        with urllib.request.urlopen(f"http://127.0.0.1:{self.page}/json/", timeout=60) as answer:
            return json.load(answer)

    def alive(self):
        return sum(worker["state"] == "ALIVE" for worker in self.state()["workers"])

    def wait_for(self, reached, seconds=180):
        deadline = time.monotonic() + seconds
        while True:
            try:
                if reached():
                    return
            except (OSError, HTTPException, ValueError):  # not up yet, or not with all of its pages
                pass
            assert time.monotonic() < deadline, f"the cluster is not ready, see {self.folder}"
            time.sleep(0.1)

    def kill_worker(self):
        """Kill the worker and its executor, as when a machine is lost."""
        lost = self.workers.pop()
        os.killpg(lost.pid, signal.SIGKILL)
        lost.wait()

    def stop(self):
        for process in (*self.workers, self.master):
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()


def needed():
    """Why there can be no cluster here, or None."""
    if importlib.util.find_spec("pyspark") is None:
        return "pyspark is not installed: requirements-spark.lock"
    if shutil.which("java") is None and "JAVA_HOME" not in os.environ:
        return "Java is not installed: tests/setup.sh"
    return None


@pytest.fixture(scope="session")
def cluster(tmp_path_factory):
    """A cluster with one worker."""
    if reason := needed():
        missing(reason)
    started = Cluster(tmp_path_factory.mktemp("cluster"))
    try:
        started.add_worker()
        yield started
    finally:
        started.stop()


@pytest.fixture(scope="module")
def spark(cluster, tmp_path_factory):
    """The engine on the cluster, one session for the tests of a module."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in cluster.environment.items():
            patch.setenv(name, value)
        engine = engines.start(tmp_path_factory.mktemp("spill"), "abaco tests", "spark")
        yield engine
        engine.close()
