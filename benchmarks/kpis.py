"""Benchmark 5: the KPIs alone on a large tape, and the number of scans."""

import datetime as dt
import itertools
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

from abaco.engines.duckdb import DuckDB
from abaco.ingest import tape as columns_of
from abaco.kpis import catalog, measures, open_book, values
from abaco.kpis.book import Book
from benchmarks import measure, results

FORTY = 40
Catalogue = dict[str, catalog.Definition]


def measured(tape: Path, rounds: int) -> str:
    """Return the part of RESULTS.md, measured in a separate process."""
    run = measure.run(sys.executable, "-m", "benchmarks.kpis", tape, rounds)
    found = json.loads(run.output)
    four = found["times"]["the four together"]
    rows = []
    for name, times in found["times"].items():
        ratio = results.number(measure.median(times) / measure.median(four))
        rows.append((name, results.spread(times), f"{found['scans'][name]:.2f}", ratio))
    return "\n".join([
        f"## 5. The KPIs alone, on a tape of {found['rows']:,} rows\n",
        "Every KPI at every date. Scans are the rows that DuckDB says it read, by the rows of the tape: the aim is one "
        f"for all, not one a KPI. {FORTY} are ratios of any two amounts of the tape; the whole catalogue also joins it "
        "with itself, for roll rates, and groups it by segment. "
        f"Peak memory {run.peak_mib:.0f} MiB.\n",
        results.table(("", "seconds", "scans", "of the four"), rows),
        results.commands([f"python -m benchmarks.kpis $tape {rounds}"]),
    ])  # fmt: skip


def cases() -> dict[str, Catalogue]:
    """Return each KPI of the catalogue with what it is computed from, all of them, and a catalogue of forty."""
    known = catalog.load()
    four = {name: kpi for name, kpi in known.items() if kpi.group == "core"}
    found = {name: {i: known[i] for i in (*kpi.inputs, name)} for name, kpi in four.items()}
    pairs = itertools.islice(itertools.permutations(columns_of.AMOUNTS, 2), FORTY)
    like = known["PAR30"].model_dump() | {"warning": None, "critical": None}
    forty = {
        f"{above}/{below}": catalog.Definition(**like | {"numerator": (above,), "denominator": (below,)})
        for above, below in pairs
    }
    whole = {f"all {len(known)} of the catalogue": known}
    return found | {"the four together": four, f"{FORTY} ratios together": forty} | whole


def compute(tape: Path, dates: list[dt.date], definitions: Catalogue, engine: DuckDB) -> None:
    """Compute every KPI at every date."""
    book = Book(engine.scan(tape), dates, dates[-1])
    for date, total in measures.measure(book, catalog.measures(definitions)).items():
        values.evaluate(definitions, total, date)


def scans(work: Callable[[DuckDB], None], rows: int) -> float:
    """Return how often the tape was read: each query that `work` ran is run again under the profiler."""
    with DuckDB() as engine:
        engine.connection.execute("CALL enable_logging('QueryLog')")
        work(engine)
        engine.connection.execute("CALL disable_logging()")
        logged = engine.connection.execute("SELECT message FROM duckdb_logs WHERE type = 'QueryLog'").fetchall()
        queries = [text for (text,) in logged if "read_parquet" in text]
        plans = [engine.connection.execute(f"EXPLAIN (ANALYZE, FORMAT json) {q}").fetchall()[0][1] for q in queries]
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
        dates = open_book.dates(engine.scan(tape))
        for place in range(rounds + 1):
            for name, definitions in cases().items():
                began = time.perf_counter()
                compute(tape, dates, definitions, engine)
                if place:  # the first round only warms up
                    times[name].append(time.perf_counter() - began)
    read = {name: scans(lambda engine, d=d: compute(tape, dates, d, engine), rows) for name, d in cases().items()}
    print(json.dumps({"rows": rows, "times": times, "scans": read}))


if __name__ == "__main__":
    main()
