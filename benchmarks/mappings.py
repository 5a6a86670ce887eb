"""A tape in a lender's own format, read by a mapping, against the same rows in the known format.

Ingestion, transformation and the four KPIs, as in section 2 of RESULTS.md.

Run it once: ``python -m benchmarks.mappings --rows 10000000``.
"""

import argparse
import shutil
import tempfile
from pathlib import Path

import duckdb

from benchmarks import figures, jobs, measure, results

DATE = jobs.DATE
LIMIT = 1.5
LOANS = """
    SELECT i, 100 + (i * 7919) % 900000 / 100 AS lent, (i * 31) % 90 AS per_cent, (i * 17) % 200 AS late,
           DATE '2024-01-01' + CAST((i * 13) % 700 AS INTEGER) AS lent_on, 10 + i % 20 AS rate
    FROM range({rows}) AS numbers(i)
"""
LEFT = "CAST(CAST(lent AS DECIMAL(18, 2)) - CAST(lent * per_cent / 100 AS DECIMAL(18, 2)) AS VARCHAR)"
KNOWN = f"""
    SELECT 'L' || i AS loan_id, '{DATE}' AS reporting_date, {LEFT} AS outstanding_balance,
           CASE WHEN late > 100 THEN late - 100 ELSE 0 END AS dpd, lent_on AS disburse_date,
           CAST(lent AS DECIMAL(18, 2)) AS disburse_principal, rate / 100 AS interest_rate,
           CASE WHEN late > 100 THEN 'overdue' ELSE 'current' END AS loan_status
    FROM loans
"""
OWN = """
    SELECT 'L' || i AS Ref, '30/11/2025' AS "As At", CAST(lent AS DECIMAL(18, 2)) AS Drawn,
           CAST(lent * per_cent / 100 AS DECIMAL(18, 2)) AS Repaid,
           CASE WHEN late > 100 THEN late - 100 || ' days' ELSE 'Current' END AS Lateness,
           strftime(lent_on, '%d/%m/%Y') AS "Lent On", rate || '.00%' AS Rate,
           CASE WHEN late > 100 THEN 'Behind' ELSE 'Fine' END AS State
    FROM loans
"""
MAPPING = """title: a lender of the benchmark
rows: loan and date
recognise: [Ref, As At, Drawn, Repaid, Lateness]
dates: dmy
columns:
  loan_id: Ref
  measurement_date: As At
  outstanding_balance: {compute: Drawn - Repaid}
  days_past_due: {heading: Lateness, words: {Current: 0}}
  disburse_date: Lent On
  disburse_principal: Drawn
  interest_rate: Rate
  loan_status: {heading: State, words: {Behind: overdue, Fine: current}}
"""


def main() -> None:
    """Make both exports, read them, and print both."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mappings", description=__doc__)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--work", type=Path, help="folder for the data, removed at the end")
    given = parser.parse_args()
    runs = {}
    with tempfile.TemporaryDirectory(prefix="abaco-mappings-", dir=given.work) as folder:
        place = Path(folder)
        root = place / "project"  # of its own, so that the mapping is in nobody's way
        for name in ("params", "notebooks"):
            shutil.copytree(measure.ROOT / name, root / name)
        (root / "params" / "mappings" / "benchmark.yml").write_text(MAPPING, encoding="utf-8")
        with duckdb.connect() as connection:
            connection.execute(f"CREATE VIEW loans AS {LOANS.format(rows=given.rows)}")
            for name, query in (("known", KNOWN), ("own", OWN)):
                connection.execute(f"COPY ({query}) TO '{place / name}.csv' (HEADER)")
        for name in ("known", "own"):
            began = measure.cpu_seconds()
            run = jobs.abaco(place / f"{name}.csv", place / name, root)
            runs[name] = run, measure.cpu_seconds() - began
        figures.check({name: figures.tables(place / name / "tables") for name in runs})
    rows = [
        (name, results.number(run.seconds), results.number(cpu), f"{run.peak_mib:.0f}")
        for name, (run, cpu) in runs.items()
    ]
    ratio = runs["own"][1] / runs["known"][1]
    print(results.table(("format", "seconds", "CPU seconds", "MiB"), rows))
    print(
        f"By the mapping, of the known format, in CPU seconds: {results.number(ratio)}, {results.judged(ratio, LIMIT)}."
    )


if __name__ == "__main__":
    main()
