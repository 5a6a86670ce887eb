"""What it costs that a report is on the disk before it is visible, against all of the run.

Run it once: ``python -m benchmarks.durability --rows 1000000``.
"""

import argparse
import datetime as dt
import shutil
import sys
import tempfile
import time
from pathlib import Path

from abaco.core.files import sync
from abaco.sample.snapshot import write_snapshot
from benchmarks import measure, results
from benchmarks.reports import DATE

ROUNDS = 5


def main() -> None:
    """Make reports of the sample and of a large tape, and sync copies of them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.durability", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--work", type=Path, help="folder for the data, removed at the end; a disk, not memory")
    given = parser.parse_args()
    rows = []
    with tempfile.TemporaryDirectory(prefix="abaco-durability-", dir=given.work) as folder:
        place = Path(folder)
        export = place / "export.parquet"
        write_snapshot(export, given.rows)
        for name, more in {"the sample": (), f"{given.rows:,} loans": ("--input", export)}.items():
            output = place / name
            command = (sys.executable, "-m", "abaco", "report", "--date", DATE, "--output", output, *more)
            whole = measure.run(*command).seconds
            files, size, took = synced((output / DATE).resolve(), place)
            rows.append((name, files, f"{size / 2**20:.1f}", results.spread(took), f"{100 * max(took) / whole:.2f} %"))
    print(f"Measured on {dt.date.today()}:\n")
    print(results.table(("report of", "files", "MiB", "seconds to sync", "of the whole run, at most"), rows))


def synced(report: Path, place: Path) -> tuple[int, int, list[float]]:
    """Return the number of files of a report and their bytes, and the seconds that syncing a new copy takes."""
    took, copy = [], place / "copy"
    for _ in range(ROUNDS):
        sync([place])
        shutil.copytree(report, copy)
        paths = list(copy.rglob("*"))
        began = time.perf_counter()
        sync([*paths, copy])
        took.append(time.perf_counter() - began)
        files = [path for path in paths if path.is_file()]
        size = sum(path.stat().st_size for path in files)
        shutil.rmtree(copy)
    return len(files), size, took


if __name__ == "__main__":
    main()
