"""The machine, the versions and the commit of a measurement."""

import os
import platform
import shutil
import subprocess
from importlib.metadata import version
from pathlib import Path

from benchmarks.measure import ROOT

PACKAGES = (
    "duckdb", "narwhals", "pandas", "polars", "pyarrow", "pydantic", "papermill", "nbclient", "ipykernel",
)  # fmt: skip


def facts() -> dict[str, str]:
    """Return what a reader needs to compare the results."""
    names = [line for line in Path("/proc/cpuinfo").read_text().splitlines() if line.startswith("model name")]
    gib = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return {
        "Processor": f"{os.cpu_count()} × {names[0].partition(':')[2].strip() if names else platform.machine()}",
        "Memory": f"{gib:.0f} GiB",
        "System": f"{platform.system()} {platform.release()}, load {os.getloadavg()[0]:.1f} at the start",
        "Python": platform.python_version(),
        **{name: version(name) for name in PACKAGES},
        "Commit": _git("rev-parse", "--short=12", "HEAD") + (" and changes" if _git("diff", "HEAD", "--stat") else ""),
    }


def _git(*arguments: str) -> str:
    if shutil.which("git") is None:
        return "unknown" if arguments[0] == "rev-parse" else ""
    done = subprocess.run(["git", *arguments], cwd=ROOT, capture_output=True, text=True, check=False)
    return done.stdout.strip() or ("unknown" if done.returncode else "")
