"""`make bench`: run all benchmarks and write RESULTS.md after each part."""

import argparse
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

from benchmarks import backfills, jobs, kpis, machine, reports, results


@dataclass(frozen=True)
class Extent:
    """The extent of the measurements."""

    report_rounds: int = 5
    sizes: dict[int, int] = field(default_factory=lambda: {100_000: 3, 1_000_000: 3, 10_000_000: 2})  # rounds by rows
    kinds: tuple[str, ...] = ("csv", "parquet")
    pydantic_rows: int = 100_000
    years: int = 3
    months: int = 12
    backfill_rounds: int = 1
    kpi_rounds: int = 3


QUICK = Extent(1, {2_000: 1}, ("csv",), 2_000, 1, 1, 1, 1)


def main() -> None:
    """Run the benchmarks."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--output", type=Path, default=Path(__file__).with_name("RESULTS.md"), help="the file to write")
    parser.add_argument("--work", type=Path, help="folder for some 6 GB of data, removed at the end")
    parser.add_argument("--quick", action="store_true", help="run everything once with tiny inputs, as a test")
    arguments = parser.parse_args()
    extent, facts, parts = QUICK if arguments.quick else Extent(), machine.facts(), []
    began = time.perf_counter()

    def add(part: str) -> None:
        parts.append(part)
        duration = {"Took": f"{(time.perf_counter() - began) / 60:.0f} minutes"}
        results.write(arguments.output, facts | duration, parts)

    with tempfile.TemporaryDirectory(prefix="abaco-bench-", dir=arguments.work) as folder:
        place = Path(folder)
        print("report of the sample", flush=True)
        add(reports.measured(place, extent.report_rounds))
        print("ingestion, transformation and KPIs", flush=True)
        runs = jobs.all_runs(place, extent.sizes, extent.kinds, extent.pydantic_rows)
        add(jobs.speed(runs))
        add(jobs.memory(runs))
        print("backfill", flush=True)
        add(backfills.measured(place, extent.years, extent.months, extent.backfill_rounds))
        print("KPIs alone", flush=True)
        add(kpis.measured(place / "tape.parquet", extent.kpi_rounds))
    print(arguments.output)


if __name__ == "__main__":
    main()
