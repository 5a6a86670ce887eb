"""Faults of the machine: runs that are killed, disks that are full, inputs that change, files that are damaged.

Each fault happens to a copy of a project that has a report of its date. What must hold afterwards: the report is the
former one or the new one, whole; nothing personal is left; no process is left; one line tells what happened; and the
next run publishes the right figures.
"""

import copy
import json
import os
import random
import re
import resource
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from queue import SimpleQueue
from typing import Any

import pyarrow.parquet as pq

from abaco.core.files import sha256
from abaco.run import manifest
from tests.support.exports import PAR, write
from tests.support.projects import PII_KEY, ROOT, Project, copy_project
from tools.reliability.hook.sitecustomize import place_of
from tools.reliability.tally import Tally

DATE = "2025-12-31"
PLANTED = ("Zoltana Quirinus", "zq@planted.example", "+503 7123 4567")
EARLIER = "2025-11-30"
OTHERS = {"another run": DATE, "another run of an earlier date": EARLIER}
AT_ONCE = ("--params", "run.lock_timeout_seconds=0")  # or it would wait for the run that stands still
ACTIONS = ("SIGKILL", "SIGTERM", "SIGINT", "SIGKILL of all", "SIGKILL of the process", "disk full", "input changed",
           *OTHERS)  # fmt: skip
DAMAGES = {
    "empty": lambda path: path.write_bytes(b""),
    "cut off": lambda path: path.write_bytes(path.read_bytes()[: path.stat().st_size // 2]),
    "garbage": lambda path: path.write_bytes(b"\x93\x00garbage" * 9),
    "gone": lambda path: path.unlink(),
}
WORKERS = 3  # faults that are tried at the same time
RACES = 5  # of three runs that begin at once
TIMEOUT_SECONDS = 300
PENDING = 3  # the exit code of a report with a delivery to come, which one more line tells


def book(path: Path, late: str) -> Path:
    """Write a small book with personal data, of which so much is 45 days late."""
    name, mail, phone = PLANTED
    rows = [f"F-{i},{DATE},100.00,0,0,0,0,{name},{mail},{phone}" for i in range(20)]
    rows.append(f"F-99,{DATE},500.00,{late},{late},0,0,{name},{mail},{phone}")
    rows.append(f"F-98,{DATE},{name},0,0,0,0,{name},{mail},{phone}")  # rejected: a name where an amount belongs
    rows.append(f"F-0,{EARLIER},100.00,0,0,0,0,{name},{mail},{phone}")
    return write(path, f"{PAR},customer_name,email,phone", *rows)


class Bench:
    """A project with a finished report, to copy for each fault; ``former`` and ``new`` are PAR30 of two inputs."""

    former, new, other = 10.0, 20.0, 4.0

    def __init__(self, folder: Path):
        self.folder = folder
        self.inputs = {late: book(folder / f"{late}.csv", f"{late}.00") for late in (250, 500, 100)}
        self.pristine = Project(copy_project(folder / "pristine"), folder / "pristine/reports")
        self.input = folder / "book.csv"
        shutil.copy(self.inputs[250], self.input)
        self.figures = {sha256(self.inputs[late]): rate for late, rate in ((250, 10.0), (500, 20.0), (100, 4.0))}
        made = self.report(self.pristine)
        assert made.returncode == 0, made.stderr
        assert par30(self.pristine) == self.former

    def beside(self, name: str) -> "Bench":
        """Return a bench of the same project with an input and copies of its own, to use at the same time."""
        other = copy.copy(self)
        other.folder = self.folder / name
        other.folder.mkdir()
        other.input = Path(shutil.copy(self.input, other.folder))
        return other

    def copy(self, name: str) -> Project:
        """Return a copy of the project, with another input in place of the first."""
        project = self.pristine.copy(self.folder / name)
        shutil.copy(self.inputs[500], self.input)
        return project

    def report(self, project: Project, *arguments: str) -> subprocess.CompletedProcess:
        """Make a report without any fault."""
        return project.report("--input", self.input, *arguments, ABACO_PII_KEY=PII_KEY)


def par30(project: Project) -> float:
    """Return PAR30 of the visible report."""
    figures = json.loads((project.output / DATE / "metrics.json").read_text())
    return figures["kpis"]["PAR30"]["value"]


def faulty(bench: Bench, project: Project, environment: dict[str, str], size: int | None = None) -> tuple[int, str]:
    """Run a report in a group of its own; return its exit code and what it says, once every process has ended."""
    limit = None if size is None else lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (size, size))
    with tempfile.TemporaryFile("w+") as out:
        process = subprocess.Popen(
            command(bench, project, DATE), cwd=project.root, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
            stderr=out, env=project.environment(ABACO_PII_KEY=PII_KEY, **environment), start_new_session=True,
            preexec_fn=limit,
        )  # fmt: skip
        process.wait(TIMEOUT_SECONDS)
        deadline = time.monotonic() + 20
        while is_group_alive(process.pid) and time.monotonic() < deadline:
            time.sleep(0.05)
        left = is_group_alive(process.pid)
        if left:
            os.killpg(process.pid, signal.SIGKILL)
        out.seek(0)
        return process.returncode, ("processes are left\n" if left else "") + out.read()


def is_group_alive(group: int) -> bool:
    """Return whether a process of a group is there that has not ended."""
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rpartition(")")[2].split()
        except OSError:  # it has ended
            continue
        if int(fields[2]) == group and fields[0] not in "ZX":
            return True
    return False


def source(project: Project) -> str:
    """Return the SHA-256 of the input that the visible report says it is of."""
    return json.loads((project.output / DATE / manifest.NAME).read_text())["inputs"][0]["sha256"]


def command(bench: Bench, project: Project, date: str) -> list[str]:
    """Return the command of a report."""
    abaco = Path(sys.executable).with_name("abaco")
    return [str(word) for word in (abaco, "report", "--date", date, "--output", project.output, "--input", bench.input)]


def hooked(
    bench: Bench, project: Project, action: str = "", place: str = "", time: int = 1, swap: Path | None = None
) -> dict[str, str]:
    """Return the environment of a run to which something happens when it is at a place for the n-th time."""
    return {
        "PYTHONPATH": str(ROOT / "tools/reliability/hook"), "FAULT_FOLDER": str(project.output), "FAULT_PLACE": place,
        "FAULT_TIME": str(time), "FAULT_COUNTER": str(project.root / "counter"), "FAULT_ACTION": action,
        "FAULT_SWAP": os.pathsep.join(map(str, (bench.input, swap))),
        "FAULT_OTHER": json.dumps([*command(bench, project, OTHERS.get(action, DATE)), *AT_ONCE]),
    }  # fmt: skip


def places(bench: Bench) -> Counter:
    """Return the places of a run at which something can happen, and how often the run is there."""
    project = bench.copy("counted")
    code, text = faulty(bench, project, hooked(bench, project))
    assert code == 0, text
    found = Counter((project.root / "counter").read_text().splitlines())
    shutil.rmtree(project.root)
    return found


def at_place(bench: Bench, action: str, place: str, time: int, tally: Tally) -> None:
    """Let something happen to a run that is at a place for the n-th time, and judge what is left."""
    project = bench.copy("at-place")
    code, text = faulty(bench, project, hooked(bench, project, action, place, time, bench.inputs[100]))
    counter = project.root / "counter"
    if not counter.exists() or counter.stat().st_size < time:
        tally.counts["not reached"] += 1
    else:
        tally.counts[action] += 1
        tally.of[action, place] += 1
    where = f"{action} at {place} ({time})"
    if (other := project.root / "counter.other").exists():
        judge_text(where, *json.loads(other.read_text()), tally)
    judge(bench, project, where, code, text, tally)
    recovered(bench, project, where, tally)


def at_size(bench: Bench, size: int, tally: Tally) -> None:
    """Let a run write no file beyond a size, as on a disk that is full."""
    project = bench.copy(f"size-{size}")
    code, text = faulty(bench, project, {}, size)
    tally.counts["disk full"] += 1
    tally.of["disk full", f"files beyond {size} bytes"] += 1
    judge(bench, project, f"files beyond {size} bytes", code, text, tally)
    recovered(bench, project, f"files beyond {size} bytes", tally)


def damaged(bench: Bench, name: str, damage: str, tally: Tally) -> None:
    """Damage a file of the reports; every verb must tell in one line or step over it, and the next run publishes."""
    project = bench.copy("damaged-" + re.sub(r"\W+", "-", f"{name}-{damage}"))
    path = project.output / name
    DAMAGES[damage](path)
    where = f"{place_of('', name)} {damage}"
    tally.counts["file damaged"] += 1
    tally.of["file damaged", where] += 1
    for verb in (["status"], ["history", "PAR30"], ["explain", "PAR30", "--date", DATE]):
        said = project.abaco(*verb, "--output", project.output, ABACO_PII_KEY=PII_KEY)
        if "Traceback" in said.stderr or len(said.stderr.splitlines()) > 1:
            tally.faults.append(("tracebacks", where, f"{verb[0]}: {said.stderr[-400:]}"))
    recovered(bench, project, where, tally)


def files_to_damage(bench: Bench) -> list[str]:
    """Return every file of the reports of a project, links and notes included."""
    output = bench.pristine.output
    return sorted(p.relative_to(output).as_posix() for p in output.rglob("*") if p.is_file() and p.name != "lock")


def sizes(bench: Bench) -> list[int]:
    """Return the sizes of files beyond which one more file of a report cannot be written."""
    found = {(bench.pristine.output / name).stat().st_size for name in files_to_damage(bench)}
    return sorted({max(size - 1, 0) for size in found})


def raced(bench: Bench, number: int, tally: Tally) -> None:
    """Let three runs of a date begin at once: each publishes or says in one line that another is at work."""
    project = bench.copy(f"race-{number}")
    words = ["report", "--date", DATE, "--output", project.output, "--input", bench.input, "--force"]
    runs = [project.start(Path(sys.executable).with_name("abaco"), *words, ABACO_PII_KEY=PII_KEY) for _ in range(3)]
    for run in runs:
        _, text = run.communicate(timeout=TIMEOUT_SECONDS)
        if run.returncode not in (0, 1) or len([line for line in text.splitlines() if line.startswith("Error")]) > 1:
            tally.faults.append(("tracebacks", f"race {number}", text[-400:]))
    tally.counts["runs raced"] += 3
    tally.of["runs raced", f"race {number}"] += 1
    recovered(bench, project, f"race {number}", tally)


def judge(bench: Bench, project: Project, where: str, code: int, text: str, tally: Tally) -> None:
    """Record what does not hold after a fault."""
    judge_text(where, code, text, tally)
    if not is_whole(project):
        tally.faults.append(("lost", where, "the visible report is not whole"))
    elif (shown := par30(project)) != bench.figures[source(project)]:
        tally.faults.append(("wrong", where, f"PAR30 is {shown}, which is not the figure of the input"))
    elif shown == bench.former and not code:
        tally.faults.append(("wrong", where, f"PAR30 is {shown} after exit code {code}"))
    elif "former report is unchanged" in text and shown != bench.former and "another run" not in where:
        tally.faults.append(("wrong", where, f"PAR30 is {shown}, though it says: {text}"))
    if leaked := leaks(project):
        tally.faults.append(("leaked", where, leaked[0]))


def judge_text(where: str, code: int, text: str, tally: Tally) -> None:
    """Record what a run says that is not one line, besides that it waits, or replaces the report of another input."""
    lines = [line for line in text.splitlines() if not re.search("^Waiting for |is replaced; it is kept in", line)]
    if "Traceback" in text or len(lines) > (2 if code == PENDING else 1):
        tally.faults.append(("tracebacks", where, f"exit code {code}: {text[-600:]}"))


def is_whole(project: Project) -> bool:
    """Return whether the visible report is what its manifest says."""
    folder = project.output / DATE
    return folder.is_dir() and manifest.altered(folder) == []


def recovered(bench: Bench, project: Project, where: str, tally: Tally) -> None:
    """Run again without any fault, and record what is not as it should be; then remove the project.

    A damaged database is left to `abaco rebuild`: until then a run publishes, and its record is what is pending.
    """
    shutil.copy(bench.inputs[500], bench.input)
    again = bench.report(project)
    if again.returncode not in (0, PENDING if "abaco rebuild" in again.stderr else 0):
        tally.faults.append(("lost", where, f"the next run: {again.stderr[-400:]}"))
    elif not is_whole(project) or par30(project) != bench.new:
        tally.faults.append(("wrong", where, "the next run's report is not whole, or has other figures"))
    if left := [str(path) for path in (project.output / ".runs").glob("*/*/work")]:
        tally.faults.append(("leaked", where, f"{left[0]} is left after the next run"))
    if leaked := leaks(project):
        tally.faults.append(("leaked", where, f"after the next run: {leaked[0]}"))
    shutil.rmtree(project.root)


def leaks(project: Project) -> list[str]:
    """Return the files of reports and logs in which a planted value or the key stands."""
    secrets = [value.encode() for value in (*PLANTED, PII_KEY)]
    found = []
    for path in (p for top in ("reports", "logs") for p in (project.root / top).rglob("*") if p.is_file()):
        data = path.read_bytes()
        if path.suffix == ".parquet" and data[-4:] == b"PAR1":
            data = repr(pq.ParquetFile(path).read().to_pylist()).encode()
        found += [f"{value.decode()} in {path.relative_to(project.root)}" for value in secrets if value in data]
    return found


def run(count: int, seed: int = 0, tally: Tally | None = None) -> Tally:
    """Try so many faults, chosen at random but each once, of every kind; Ctrl-C ends after the one that is tried."""
    tally, began, stopped = tally or Tally(), os.times(), []
    signal.signal(signal.SIGINT, lambda *_: stopped.append(True))
    with tempfile.TemporaryDirectory(prefix="abaco-faults-") as folder:
        bench, benches = Bench(Path(folder)), SimpleQueue()
        for number in range(WORKERS):
            benches.put(bench.beside(f"worker {number}"))

        def one(fault: Callable, *arguments: Any) -> None:
            if not stopped:
                mine, found = benches.get(), Tally()
                fault(mine, *arguments, found)
                benches.put(mine)
                tally.add(found)
                print(fault.__name__, *arguments, *found.faults or ["held"], file=sys.stderr, flush=True)

        with ThreadPoolExecutor(WORKERS) as workers:
            list(workers.map(lambda drawn: one(*drawn), chosen(bench, count, random.Random(seed))))
    ended = os.times()
    tally.seconds += sum(ended[:4]) - sum(began[:4])
    return tally


def chosen(bench: Bench, count: int, rng: random.Random) -> list[tuple]:
    """Return faults to try: of each kind in turn, at places that are drawn without putting them back."""
    times = list(places(bench).items())
    rng.shuffle(times)
    by_kind = {action: [] for action in ACTIONS}
    for round_ in range(len(ACTIONS)):  # in each, something else happens at every place
        for i, (place, most) in enumerate(times):
            action = ACTIONS[(i + round_) % len(ACTIONS)]
            by_kind[action].append((at_place, action, place, rng.randint(1, most)))
    others = [[(damaged, name, damage) for name in files_to_damage(bench) for damage in DAMAGES]]
    others += [[(at_size, size) for size in sizes(bench)], [(raced, i) for i in range(RACES)]]
    for kind in others:
        rng.shuffle(kind)
    by_kind = [*by_kind.values(), *others]
    turns = [kind[i] for i in range(max(map(len, by_kind))) for kind in by_kind if i < len(kind)]
    return turns[:count]
