"""Time and memory of a command: seconds, and the memory of all its processes together while it runs."""

import ctypes
import os
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
SHARE = 50  # reading the memory may take at most 1/50 of the time
SHORTEST_PAUSE = 0.05
ADOPT_ORPHANS = 36  # PR_SET_CHILD_SUBREAPER of Linux: the fork server is waited for, and so counts
# Environment variables that would change the measurement. Without a key personal values are redacted, as in every
# peer; and Python may cache bytecode.
REMOVED = (
    "ABACO_", "LOG_LEVEL", "DATABASE_URL", "AZURE_", "SMTP_URL", "REPORT_", "SLACK_", "PAGERDUTY_", "MAKE",
    "MFLAGS", "PYTHONDONTWRITEBYTECODE",
)  # fmt: skip


@dataclass(frozen=True)
class Measured:
    """One run of a command."""

    seconds: float
    peak_mib: float
    curve: list[tuple[float, float]] = field(repr=False)  # seconds since the start, MiB
    output: str = field(repr=False)


def run(*command: object, root: Path = ROOT) -> Measured:
    """Run a command in the folder of a project and measure it.

    Raises
    ------
    RuntimeError
        When it fails, with the end of its output.
    """
    env = {name: value for name, value in os.environ.items() if not name.startswith(REMOVED)}
    began, curve = time.perf_counter(), []
    process = subprocess.Popen(
        [str(part) for part in command], cwd=root, env=env, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, errors="replace", start_new_session=True,
    )  # fmt: skip
    pause = SHORTEST_PAUSE
    while True:
        try:
            output, _ = process.communicate(timeout=pause)
            break
        except subprocess.TimeoutExpired:
            before = time.perf_counter()
            curve.append((before - began, sum(map(proportional_mib, family(process.pid)))))
            pause = max(SHORTEST_PAUSE, SHARE * (time.perf_counter() - before))
    seconds = time.perf_counter() - began
    if process.returncode:
        raise RuntimeError(f"{' '.join(map(str, command))} failed:\n{output[-2000:]}")
    return Measured(seconds, max((mib for _, mib in curve), default=0.0), curve, output)


def cpu_seconds() -> float:
    """Return the processor seconds of all processes that ended, with those that outlived the command they were of."""
    ctypes.CDLL(None).prctl(ADOPT_ORPHANS, 1)
    while True:
        try:
            os.wait()
        except ChildProcessError:
            break
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def family(pid: int) -> list[int]:
    """Return a process and its descendants, also those in sessions of their own."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:  # it has ended
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found = [pid]
    for one in found:
        found += children.get(one, [])
    return found


def proportional_mib(pid: int) -> float:
    """Return the proportional set size of a process: memory shared by n processes counts a n-th in each."""
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()
    except OSError:  # it has ended
        return 0.0
    return sum(int(line.split()[1]) for line in lines if line.startswith("Pss:")) / 1024


def alternate(cases: Mapping[str, Callable[[], Measured]], rounds: int) -> dict[str, list[Measured]]:
    """Run the cases one after another, and all of them again `rounds` times: ABAB, never AABB."""
    found: dict[str, list[Measured]] = {name: [] for name in cases}
    for _ in range(rounds):
        for name, case in cases.items():
            found[name].append(case())
            print(f"  {name}: {found[name][-1].seconds:.2f} s, {found[name][-1].peak_mib:.0f} MiB", flush=True)
    return found


def seconds(runs: list[Measured]) -> list[float]:
    """Return the seconds of each run."""
    return [one.seconds for one in runs]


def ratios(runs: list[Measured], peer: list[Measured]) -> Iterator[float]:
    """Return how many times as long as the peer's run of the same round each run took."""
    return (one.seconds / other.seconds for one, other in zip(runs, peer, strict=True))


def median(values: list[float]) -> float:
    """Return the median."""
    return statistics.median(values)
