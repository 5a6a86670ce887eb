"""One report of a very large tape: the curve of its memory, and how time grows from smaller ones.

Run it once, on a disk with room for the export and twice its Parquet: ``python -m benchmarks.scale --rows 100000000``.
"""

import argparse
import math
import shutil
import tempfile
from pathlib import Path

from abaco.sample.snapshot import write_snapshot
from benchmarks import jobs, machine, measure, results

LIMIT_MIB = 4096
BARS, WIDTH = 40, 60


def curve(run: measure.Measured) -> str:
    """Return the memory of a run over its time as text, the highest of each stretch."""
    step = run.seconds / BARS
    highest: dict[int, float] = {}
    for at, mib in run.curve:
        highest[int(at / step)] = max(mib, highest.get(int(at / step), 0.0))
    lines = [
        f"{place * step:7.0f} s {mib:6.0f} MiB {'█' * round(mib / LIMIT_MIB * WIDTH)}"
        for place, mib in sorted(highest.items())
    ]
    return "\n".join(["```", *lines, "```", ""])


def main() -> None:
    """Run the report at the size asked for, and at a tenth and a hundredth of it."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.scale", description=__doc__)
    parser.add_argument("--rows", type=int, default=100_000_000)
    parser.add_argument("--kind", choices=("csv", "parquet"), default="csv")
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("SCALE.md"), help="the file to write")
    parser.add_argument("--work", type=Path, help="folder for the data, removed at the end")
    given = parser.parse_args()
    facts, runs = machine.facts(), {}
    with tempfile.TemporaryDirectory(prefix="abaco-scale-", dir=given.work) as folder:
        place = Path(folder)
        for rows in (given.rows // 100, given.rows // 10, given.rows):
            export = place / f"export.{given.kind}"
            write_snapshot(export, rows)
            runs[rows] = jobs.report(export, place / "reports")
            print(f"{rows} rows: {runs[rows].seconds:.0f} s, {runs[rows].peak_mib:.0f} MiB", flush=True)
            shutil.rmtree(place / "reports")
    sizes = sorted(runs)
    table = []
    for rows in sizes:
        former = runs.get(rows // 10)
        exponent = f"{math.log10(runs[rows].seconds / former.seconds):.2f}" if former else ""
        peak = f"{runs[rows].peak_mib:.0f}"
        table.append((f"{rows:,}", results.number(runs[rows].seconds), peak, exponent))
    parts = [
        f"## One report of {given.rows:,} rows, {given.kind}\n",
        "Memory is that of all processes together; the exponent k says that time grew as rows to the k.\n",
        results.table(("rows", "seconds", "MiB", "exponent"), table),
        f"Peak in MiB: {runs[sizes[-1]].peak_mib:.0f}, {results.judged(round(runs[sizes[-1]].peak_mib), LIMIT_MIB)}.\n",
        curve(runs[sizes[-1]]),
        results.commands([f"python -m benchmarks.scale --rows {given.rows} --kind {given.kind}"]),
    ]
    results.write(given.output, facts, parts)
    print("\n".join(parts))


if __name__ == "__main__":
    main()
