"""The fuzzer: hostile inputs of every format, judged by an independent reader; see `inputs` and `reader`."""

import contextlib
import itertools
import os
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import date
from pathlib import Path
from typing import Any

from abaco.core import project
from abaco.core.errors import AbacoError
from abaco.engines.duckdb import DuckDB
from abaco.ingest import discovery, findings, mappings, quarantine, reconciliation, roles
from tools.reliability import reader
from tools.reliability.inputs import FORMATS, TAPES, Case, make
from tools.reliability.tally import Tally

DATE = date(2025, 12, 31)
KEY = b"a key of the fuzzer that nobody may ever see"
BALANCES = ("total_receivable_usd", "dpd_0_7_usd", "dpd_7_30_usd", "dpd_30_60_usd", "dpd_60_90_usd", "dpd_90_plus_usd")
# The columns of accepted rows, where they are not called as the file calls them.
NAMES = {
    "Loan ID": "loan_id", "True Payment Date": "paid_on", "True Total Payment": "paid_total_payment",
    "True Principal Payment": "paid_principal", "True Interest Payment": "paid_interest",
    "True Fee Payment": "paid_fees", "reporting_date": "measurement_date", "efectivo": "cash_usd",
    "pasivos": "liabilities_usd", "patrimonio": "equity_usd",
}  # fmt: skip
FAULTS = ("wrong", "lost", "leaked", "tracebacks")


def inputs(tally: Tally) -> int:
    """Return how many inputs were tried: rows with a hostile cell, and files that are damaged as a whole."""
    damaged = sum(n for (kind, what), n in tally.of.items() if kind == "damage" and what != "none")
    return tally.counts["hostile rows"] + damaged


def at_least(number: int) -> Tally:
    """Try at least so many inputs."""
    tally, seeds = Tally(), itertools.count()
    while inputs(tally) < number:
        fuzz(itertools.islice(seeds, 100), tally)
        print(f"{inputs(tally):,} inputs", file=sys.stderr)
    return tally


def fuzz(seeds: Iterable[int], tally: Tally) -> Tally:
    """Try the file of each seed."""
    began = time.process_time()
    with tempfile.TemporaryDirectory(prefix="abaco-fuzz-") as spill, DuckDB(spill=spill, threads=1) as engine:
        root = Path(spill) / "root"
        shutil.copytree(project.root() / "params", root / "params")
        for seed in seeds:
            with tempfile.TemporaryDirectory(prefix="abaco-fuzz-") as folder:
                one(seed, Path(folder), engine, tally, root)
    tally.seconds += time.process_time() - began
    return tally


def one(seed: int, folder: Path, engine: DuckDB, tally: Tally, root: Path) -> None:
    """Make one hostile input, ingest it, and judge what came of it; a project at ``root`` has its mapping."""
    (folder / "in").mkdir()
    (folder / "work").mkdir()
    case = make(random.Random(seed), folder / "in")
    tally.counts["files"] += 1
    tally.counts["rows"] += len(case.rows)
    tally.counts["hostile rows"] += len(case.touched)
    tally.of[case.format, case.kind] += 1
    tally.of["damage", case.damage] += 1
    text = ""
    try:
        with _mapped(case.mapping, root):
            text, accepted, rows = ingest(case, folder, engine)
    except AbacoError as error:
        text = str(error)
        tally.counts["refused"] += 1
        if "\n" in text:
            tally.faults.append(("tracebacks", seed, f"an error of several lines: {text!r}"))
    except Exception as error:  # what a user would see as a traceback
        tally.faults.append(("tracebacks", seed, f"{type(error).__name__}: {str(error)[:300]}"))
    else:
        tally.counts["accepted rows"] += len(accepted)
        judge(seed, case, accepted, rows, tally)
    if leaked := [value for value in (*case.planted, KEY.decode()) if value in text]:
        tally.faults.append(("leaked", seed, f"{leaked[0]!r} in what is written of a {case.kind} of {case.format}"))


@contextlib.contextmanager
def _mapped(mapping: str, root: Path) -> Iterator[None]:
    """Let a project with a mapping of its own be the one that is at work."""
    if not mapping:
        yield
        return
    path, former = root / mappings.FOLDER / "fuzz.yml", os.environ.get("ABACO_ROOT")
    path.write_text(mapping, encoding="utf-8")
    os.environ["ABACO_ROOT"] = str(root)
    try:
        yield
    finally:
        del os.environ["ABACO_ROOT"]
        os.environ.update({"ABACO_ROOT": former} if former else {})


def ingest(case: Case, folder: Path, engine: DuckDB) -> tuple[str, list[tuple], dict[str, Any]]:
    """Return all that is written of an input, its accepted rows, and what became of every row."""
    found, skipped = discovery.discover(folder / "in")
    batches = roles.stage(found, DATE, engine, folder / "work", KEY)
    rejects, reasons = quarantine.quarantine(batches, engine, KEY)
    books = {b.format.name: reconciliation.reconcile(b, rejects, engine) for b in batches}
    noted = [*roles.notes(found, skipped, batches, []), *findings.notes(batches, DATE, engine)]
    told = [rejects.to_pylist(), {name: list(map(str, of)) for name, of in reasons.items()}, list(map(str, noted))]
    name = case.path.name  # of a file in an archive followed by its own
    batch = next((b for b in batches if any(s.source.name.split("/")[0] == name for s in b.staged)), None)
    if batch is None:  # the file was no export, and the page says so
        return repr(told), [], {}
    accepted = batch.accepted(engine).collect("pyarrow").to_native().to_pylist()
    rows = [_as_read(case, row) for row in accepted]
    return repr(told), rows, books[batch.format.name]


def _as_read(case: Case, row: dict[str, Any]) -> tuple:
    """Return an accepted row as the independent reader has it."""
    if case.format in TAPES:
        return (_text(row["loan_id"]), row["measurement_date"], *(row[name] for name in BALANCES))
    kept = [name for name, kind in FORMATS[case.format].items() if kind not in ("personal", "rate")]
    return tuple(_text(row.get(NAMES.get(name, name))) for name in kept)


def _text(value: Any) -> Any:
    return value.strip() if isinstance(value, str) else value


def judge(seed: int, case: Case, accepted: list[tuple], book: dict[str, Any], tally: Tally) -> None:
    """Record each accepted row that says something else than the file, and each sound row that is not accepted."""
    if case.damage == "mapping changed":
        return  # what its columns are is another question now
    readings = [[reader.meaning(case, row) for row in rows] for rows in reader.read(case)]
    possible: Counter = Counter()
    for rows in readings:
        possible |= Counter(row for row in rows if row is not None)
    if wrong := list((Counter(accepted) - possible).elements()):
        tally.faults.append(("wrong", seed, f"{wrong[0]} of a {case.kind} of {case.format}, {case.damage}"))
    if case.damage != "none":
        return
    rows = readings[0] if readings else []
    sound = [row for i, row in enumerate(rows) if i not in case.touched]
    names = Counter(row[0] for row in rows if row is not None)
    lost = [row for row in sound if row is not None and names[row[0]] == 1 and row not in accepted]
    if len(rows) == len(case.rows) and accepted and lost:
        tally.faults.append(("lost", seed, f"{lost[0]} of a {case.kind} of {case.format}"))
    if book and book["rows_in"] != len(case.rows):
        tally.faults.append(("lost", seed, f"{book['rows_in']} of {len(case.rows)} rows came in"))
