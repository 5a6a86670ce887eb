"""The report of a large tape with two facilities and their covenants, against the same report without.

Every loan is pledged to one of the two.

Run it once: ``python -m benchmarks.facilities --rows 10000000``.
"""

import argparse
import datetime as dt
import sys
import tempfile
from pathlib import Path

import duckdb
import yaml

from abaco.sample.snapshot import write_snapshot
from benchmarks import measure, results

DATE = "2025-12-31"
LIMIT = 1.3
PLEDGED = "SELECT *, CASE WHEN hash(loan_id) % 2 = 0 THEN 'ONE' ELSE 'TWO' END AS facility FROM '{export}'"
LATE = {"column": "dpd_60_90_usd", "at_most": 0}
TERMS = {
    "title": "Line", "lender": "Bank", "currency": "USD", "commitment": 10**12, "drawn": 10**6,
    "from": dt.date(2025, 1, 1), "to": dt.date(2026, 12, 31), "pledged": "by_column",
    "eligibility": {"late": LATE, "later": LATE | {"column": "dpd_90_plus_usd"},
                    "region": {"column": "region", "present": True}},
    "limits": {"borrower": {"column": "borrower", "at_most": 20_000}, "ten": {"column": "borrower", "largest": 10,
               "at_most_pct": 1}, "capital": {"column": "region", "one_of": ["San Salvador"], "at_most_pct": 30}},
    "advance_rate": {"column": "product", "rates": {"factoring": 85, "business_loan": 75}},
    "covenants": {"arrears": {"kpi": "PAR30", "trigger": 50}, "largest": {"kpi": "TopBorrower", "trigger": 50},
                  "used": {"line": "drawn", "share_of": "borrowing_base", "better": "lower", "trigger": 100}},
}  # fmt: skip


class Dumper(yaml.SafeDumper):
    """Writes out what is there twice: params have no aliases."""

    def ignore_aliases(self, data: object) -> bool:
        """Return that nothing is an alias."""
        return True


def main() -> None:
    """Run the report with and without them, and print both."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.facilities", description=__doc__)
    parser.add_argument("--rows", type=int, default=10_000_000)
    parser.add_argument("--work", type=Path, help="folder for the data, removed at the end")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="abaco-facilities-", dir=given.work) as folder:
        place = Path(folder)
        export, terms = place / "export.parquet", place / "facilities.yml"
        write_snapshot(place / "loans.parquet", given.rows)
        duckdb.execute(f"COPY ({PLEDGED.format(export=place / 'loans.parquet')}) TO '{export}'")
        terms.write_text(yaml.dump({"ONE": TERMS, "TWO": TERMS | {"share_of": "net_eligible"}}, Dumper=Dumper))
        common = ("--force", "--input", export, "--date", DATE, "--output")
        arguments = {
            "without": (place / "without",),
            "with two": (place / "with", "--params", f"run.facilities={terms}"),
        }
        runs = {}
        for name, more in arguments.items():
            began = measure.cpu_seconds()
            run = measure.run(sys.executable, "-m", "abaco", "report", *common, *more)
            runs[name] = run, measure.cpu_seconds() - began
    rows = [
        (name, results.number(run.seconds), results.number(cpu), f"{run.peak_mib:.0f}")
        for name, (run, cpu) in runs.items()
    ]
    ratio = runs["with two"][1] / runs["without"][1]
    print(f"Measured on {dt.date.today()}, of {given.rows:,} loans:\n")
    print(results.table(("facilities", "seconds", "CPU seconds", "MiB"), rows))
    print(f"With two, of without, in CPU seconds: {results.number(ratio)}, {results.judged(ratio, LIMIT)}.")


if __name__ == "__main__":
    main()
