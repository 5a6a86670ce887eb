"""Benchmark 4: many dates in one backfill, against as many single runs."""

import shutil
import sys
from pathlib import Path

from abaco.core import project
from benchmarks import figures, measure, results


def measured(place: Path, years: int, months: int, rounds: int) -> str:
    """Return the part of RESULTS.md.

    Parameters
    ----------
    place
        A folder for what is made.
    years, months
        How many years back the sample is repeated, and how many month-ends of each are kept.
    """
    export = place / "years.csv"
    dates = write_years(export, years, months)

    def backfill() -> measure.Measured:
        shutil.rmtree(place / "filled", ignore_errors=True)
        return abaco("backfill", "--from", dates[0], "--to", dates[-1], "--input", export, "--output", place / "filled")

    def singles() -> list[measure.Measured]:
        shutil.rmtree(place / "single", ignore_errors=True)
        return [abaco("report", "--date", d, "--input", export, "--output", place / "single") for d in dates]

    together, apart = [], []
    for _ in range(rounds):
        together.append(backfill())
        apart.append(singles())
        print(
            f"  {len(dates)} dates: {together[-1].seconds:.1f} s, {sum(measure.seconds(apart[-1])):.1f} s", flush=True
        )
    for date in dates:
        figures.check({folder: figures.of_run(place / folder / date) for folder in ("single", "filled")})
    ratios = [one.seconds / sum(measure.seconds(many)) for one, many in zip(together, apart, strict=True)]
    each = [one.seconds for many in apart for one in many]
    filled = [one.seconds / len(dates) for one in together]
    highest = max(one.peak_mib for many in apart for one in many)
    rows = [
        ("backfill", results.spread(filled), results.memory(together), results.spread(ratios)),
        ("single runs, one after another", results.spread(each), f"{highest:.0f}", ""),
    ]
    return "\n".join([
        f"## 4. Backfill of {len(dates)} dates\n",
        "Each date of the same export (the sample, repeated over the years); both find the same at every date.\n",
        results.table(("", "seconds a date", "MiB", "of the single runs"), rows),
        results.commands([
            f"abaco backfill --from {dates[0]} --to {dates[-1]} --input $export --output $new",
            "abaco report --date $date --input $export --output $new  # for each date",
        ]),
    ])  # fmt: skip


def abaco(*arguments: object) -> measure.Measured:
    """Run a command of abaco."""
    return measure.run(sys.executable, "-m", "abaco", *arguments)


def write_years(path: Path, years: int, months: int) -> list[str]:
    """Write the sample's rows of 2025 once for each year up to it, and return the dates."""
    header, *lines = (project.root() / "data" / "sample.csv").read_text(encoding="utf-8").splitlines()
    dates = sorted({day for line in lines if (day := line.split(",")[1]).startswith("2025-") and day != "2025-02-30"})
    kept, found = dates[-months:], []
    with path.open("w", encoding="utf-8") as file:
        print(header, file=file)
        for year in range(2026 - years, 2026):
            found += [f"{year}{day[4:]}" for day in kept]
            for line in lines:
                cells = line.split(",")
                if cells[1] in kept:
                    cells[1] = f"{year}{cells[1][4:]}"
                    print(",".join(cells), file=file)
    return sorted(found)
