"""Benchmarks 2 and 3: ingestion, transformation and KPIs at growing sizes, against the same job done otherwise."""

import itertools
import math
import shutil
import sys
from collections.abc import Mapping
from functools import partial
from pathlib import Path

from abaco.core.phases import PHASES
from abaco.core.settings import load
from abaco.sample.snapshot import write_snapshot
from benchmarks import figures, measure, plain, results

DATE = "2025-11-30"  # the last but one of the export, so that some rows are later
ABACO, REPORT = "abaco", "abaco report"
PEERS = {"DuckDB SQL": "sql", "pandas": "pandas_", "Polars": "polars_"}
PYDANTIC = {"Pydantic": "pydantic_"}
AIMS = {"DuckDB SQL": 1.25, "pandas": 0.3, "Polars": 1.0}
POLARS_MEMORY = 1 / 3
# The job's KPIs are four: the third notebook computes the whole catalogue, which no peer does.
FOUR_KPIS = """\
from abaco.kpis import catalog, history, measures, open_book

phase = Phase("calculation", run_dir)
facts = phase.read_facts("ingestion")
four = {name: kpi for name, kpi in catalog.load().items() if kpi.group == "core"}
book = open_book.open_book(phase.tables, phase.engine, facts)
phase.write_table("history", history.history(four, measures.measure(book, catalog.measures(four))))
phase.write_metrics({"reconciliation": facts["reconciliation"]})
"""
Runs = dict[tuple[int, str], dict[str, list[measure.Measured]]]


def all_runs(place: Path, sizes: Mapping[int, int], kinds: tuple[str, ...], pydantic_rows: int) -> Runs:
    """Run every case at every size in every kind of file, and check that all find the same.

    Parameters
    ----------
    place
        A folder for what is made. The tape of the last run stays there as ``tape.parquet``.
    sizes
        Rounds by rows.
    kinds
        ``csv``, ``parquet``.
    pydantic_rows
        The size up to which a validator a row takes part.
    """
    found: Runs = {}
    for (rows, rounds), kind in itertools.product(sizes.items(), kinds):
        print(f" {rows} rows, {kind}", flush=True)
        export = place / f"export_{rows}.{kind}"
        write_snapshot(export, rows)
        peers = PEERS | (PYDANTIC if rows <= pydantic_rows else {})
        folders = {name: place / name.replace(" ", "_").lower() for name in (ABACO, *peers)}
        cases = {ABACO: partial(abaco, export, folders[ABACO])}
        cases |= {name: partial(peer, module, export, folders[name]) for name, module in peers.items()}
        found[rows, kind] = measure.alternate(cases, rounds)
        seen = {ABACO: figures.of_run(folders[ABACO])}
        figures.check(seen | {name: figures.of_peer(folders[name]) for name in peers})
        (folders[ABACO] / "tables" / "tape.parquet").replace(place / "tape.parquet")
        for folder in folders.values():
            shutil.rmtree(folder)
        found[rows, kind] |= measure.alternate({REPORT: partial(report, export, place / "reports")}, 1)
        shutil.rmtree(place / "reports")
        export.unlink()
    return found


def abaco(export: Path, folder: Path, root: Path = measure.ROOT) -> measure.Measured:
    """Run the calls of the first two notebooks and those of the third that compute the four KPIs, in a project."""
    shutil.rmtree(folder, ignore_errors=True)
    for name in ("tables", "notebooks", "work"):
        (folder / name).mkdir(parents=True)
    given = load()
    given["ingestion"] |= {
        "input": str(export),
        "date": DATE,
        "currency": "auto",
        "show_rejected_values": True,
    }  # as the peers do
    (folder / "script.py").write_text(plain.script(PHASES[:2], folder, given) + FOUR_KPIS)
    return measure.run(sys.executable, folder / "script.py", root=root)


def peer(module: str, export: Path, folder: Path) -> measure.Measured:
    """Run a peer."""
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    return measure.run(sys.executable, "-m", f"benchmarks.peers.{module}", export, DATE, folder)


def report(export: Path, output: Path) -> measure.Measured:
    """Run the whole report, with its notebooks."""
    arguments = ("--force", "--input", export, "--date", DATE, "--output", output)
    return measure.run(sys.executable, "-m", "abaco", "report", *arguments)


def speed(found: Runs) -> str:
    """Return the part of RESULTS.md about time."""
    rows = []
    for (size, kind), runs in found.items():
        for name, of in runs.items():
            ratio = "" if name in (ABACO, REPORT) else results.against(runs[ABACO], of, AIMS.get(name))
            rows.append((f"{size:,} rows, {kind}", name, results.took(of), ratio))
    said = [
        f"abaco sample --rows $rows --output $export  # .csv and .parquet; then, as of {DATE}:",
        "python $run/script.py  # abaco: the code cells of notebooks 01 and 02, and the four KPIs",
        *(f"python -m benchmarks.peers.{module} $export {DATE} $folder" for module in (PEERS | PYDANTIC).values()),
        f"abaco report --force --input $export --date {DATE} --output $new",
    ]
    return "\n".join([
        "## 2. Ingestion, transformation and KPIs\n",
        "All find the same: rows in, accepted, quarantined, duplicate and later, the four KPIs at every date, and "
        "every value of tape and quarantine (`benchmarks/figures.py`). The job: `benchmarks/peers/job.py`. "
        f"`{ABACO}` is the calls of the first two notebooks and the four KPIs as one script; besides the job it "
        "fingerprints the input, recognises it, adds up what borrowers owe, and checks its own results. `abaco report` "
        "is all five notebooks, each in its own process, with all KPIs, roll rates, bridges and segments.\n",
        results.table(("export", "done by", "seconds", "abaco, times this"), rows),
        results.commands(said),
    ])  # fmt: skip


def memory(found: Runs) -> str:
    """Return the part of RESULTS.md about memory and growth."""
    sizes = sorted({size for size, _ in found})
    rows = []
    for kind in dict.fromkeys(kind for _, kind in found):
        for name in (ABACO, REPORT, *PEERS):
            runs = [found[size, kind][name] for size in sizes]
            rows.append((f"{name}, {kind}", *map(results.memory, runs), exponents(sizes, runs)))
    ratios = [
        (f"{size:,} rows, {kind}", f"{share:.2f}, {results.judged(share, round(POLARS_MEMORY, 2))}")
        for (size, kind), runs in found.items()
        for share in [peak(runs[ABACO]) / peak(runs["Polars"])]
    ]
    return "\n".join([
        "## 3. Memory and growth\n",
        "Memory in MiB, of all processes together. The exponent k says that time grows as rows to the k, from one size "
        "to the next: 1 is in proportion, and a start that takes the same time at every size makes it less.\n",
        results.table(("", *(f"{size:,} rows" for size in sizes), "exponents"), rows),
        results.table(("memory of abaco, of that of Polars", ""), ratios),
    ])  # fmt: skip


def peak(runs: list[measure.Measured]) -> float:
    """Return the highest peak of runs in MiB."""
    return max(one.peak_mib for one in runs)


def exponents(sizes: list[int], runs: list[list[measure.Measured]]) -> str:
    """Return the growth exponent of time from each size to the next."""
    times = [measure.median(measure.seconds(of)) for of in runs]
    pairs = zip(itertools.pairwise(sizes), itertools.pairwise(times), strict=True)
    return ", ".join(f"{math.log(late / soon) / math.log(more / less):.2f}" for (less, more), (soon, late) in pairs)
