"""Benchmark 5: the KPIs alone on a large tape, and how often they read it."""

import itertools
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from abaco import tape as columns_of
from abaco.engines import DuckDB
from abaco.kpis import catalog, ratios, values
from benchmarks import measure, results

FORTY = 40
Catalogue = dict[str, catalog.Definition]


def measured(tape: Path, rounds: int) -> str:
    """Return the part of RESULTS.md, from a process that does nothing else."""
    run = measure.run(sys.executable, "-m", "benchmarks.kpis", tape, rounds)
    found = json.loads(run.output)
    four = found["times"]["the four together"]
    rows = [
        (
            name,
            results.spread(times),
            f"{found['scans'][name]:.2f}",
            results.number(measure.median(times) / measure.median(four)),
        )
        for name, times in found["times"].items()
    ]
    return "\n".join([
        f"## 5. The KPIs alone, on a tape of {found['rows']:,} rows\n",
        "Every KPI at every date. Scans are the rows that DuckDB says it read, by the rows of the tape: the aim is one "
        f"for all, not one a KPI. {FORTY} are ratios of any two amounts of the tape. "
        f"Peak memory {run.peak_mib:.0f} MiB.\n",
        results.table(("", "seconds", "scans", "of the four"), rows),
        results.commands([f"python -m benchmarks.kpis $tape {rounds}"]),
    ])  # fmt: skip


def cases() -> dict[str, Catalogue]:
    """Return each KPI of the catalogue with what it is computed from, all of them, and a catalogue of forty."""
    known = catalog.load()
    found = {name: {i: known[i] for i in (*kpi.inputs, name)} for name, kpi in known.items()}
    pairs = itertools.islice(itertools.permutations(columns_of.AMOUNTS, 2), FORTY)
    like = next(iter(known.values())).model_dump() | {"warning": None, "critical": None}
    forty = {
        f"{above}/{below}": catalog.Definition(**like | {"numerator": (above,), "denominator": (below,)})
        for above, below in pairs
    }
    names = {4: "the four together"}
    return found | {names.get(len(known), f"the {len(known)} together"): known, f"{FORTY} together": forty}


def compute(tape: Path, definitions: Catalogue, engine: DuckDB) -> None:
    """Compute every KPI at every date."""
    sums = ratios.totals(engine.scan(tape), catalog.columns(definitions))
    for date, total in sums.items():
        values.evaluate(definitions, total, date)


def scans(work: Callable[[DuckDB], None], rows: int) -> float:
    """Return how often the tape was read: each query that `work` ran is run again under the profiler."""
    with DuckDB() as engine:
        engine.connection.execute("CALL enable_logging('QueryLog')")
        work(engine)
        engine.connection.execute("CALL disable_logging()")
        logged = engine.connection.execute(
            "SELECT message FROM duckdb_logs WHERE type = 'QueryLog'"
        ).fetchall()
        queries = [text for (text,) in logged if "read_parquet" in text]
        plans = [
            engine.connection.execute(f"EXPLAIN (ANALYZE, FORMAT json) {q}").fetchall()[0][1] for q in queries
        ]
    return sum(rows_read(json.loads(plan)) for plan in plans) / rows


def rows_read(node: dict) -> int:
    """Return how many rows an executed plan read from files."""
    below = [*node.get("operator", []), *node.get("children", [])]
    return node.get("rows_scanned", 0) + sum(map(rows_read, below))


def main() -> None:
    """Measure, and print what was found as JSON."""
    tape, rounds = Path(sys.argv[1]), int(sys.argv[2])
    times: dict[str, list[float]] = {name: [] for name in cases()}
    with DuckDB() as engine:
        rows = engine.connection.execute(f"SELECT count(*) FROM '{tape}'").fetchall()[0][0]
        for place in range(rounds + 1):
            for name, definitions in cases().items():
                began = time.perf_counter()
                compute(tape, definitions, engine)
                if place:  # the first round only warms up
                    times[name].append(time.perf_counter() - began)
    read = {name: scans(lambda engine, d=d: compute(tape, d, engine), rows) for name, d in cases().items()}
    print(json.dumps({"rows": rows, "times": times, "scans": read}))


if __name__ == "__main__":
    main()
