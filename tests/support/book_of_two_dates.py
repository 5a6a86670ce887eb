"""A small book over two dates without a fault, as the files of an input: variants of it must give the same figures."""

import datetime as dt
import tempfile
from dataclasses import dataclass
from pathlib import Path

from abaco.core.secrets import masking_key
from abaco.engines.duckdb import DuckDB
from abaco.ingest import coverage, roles, sources, statements, transformation
from abaco.kpis import catalog, measures, notes, open_book, values
from tests.support.exports import LOANS, PAR, SCHEDULES, TRANSACTIONS, write

OCTOBER, NOVEMBER = dt.date(2025, 10, 31), dt.date(2025, 11, 30)
FILES = {
    "loan_par_balances.csv": (
        f"{PAR},dpd,writeoff_outstanding_balance_usd",
        "X - 1,2025-10-31,1000,1000,1000,0,0,45,0",
        "X - 2,2025-10-31,9000,0,0,0,0,0,0",
        "X - 1,2025-11-30,10,0,0,0,0,0,0",
        "X - 2,2025-11-30,9000,9000,0,0,0,10,0",
    ),
    "loans.csv": (
        f"{LOANS},company",
        "X - 1,C1,2025-08-01,0.36,1000,10,0,X",
        "X - 2,C2,2025-10-01,0.36,9000,9000,0,X",
        "X - 3,C3,2025-12-03,0.36,5000,5000,0,X",
    ),
    "schedules.csv": (
        SCHEDULES,
        "X - 1,2025-11-16,1000,35,0,10,5,0,0,USD",
        "X - 2,2025-11-20,9000,350,0,90,57,0,0,USD",
        "X - 3,2026-01-15,5000,200,0,50,32,0,0,USD",
    ),
    "transactions.csv": (
        TRANSACTIONS,
        "X - 1,DISBURSEMENT,2025-08-01,1000,0,0,0,0,0,0,USD",
        "X - 2,DISBURSEMENT,2025-10-01,9000,0,0,0,0,0,0,USD",
        "X - 1,PAYMENT,2025-11-28,990,35,0,10,5,0,0,USD",
    ),
}


@dataclass
class Figures:
    """What a report would say of an input: values by KPI, sums by measure, notes, and what each file is used for."""

    values: dict
    sums: dict
    notes: list[str]
    used_for: dict[str, str]


def folder(path: Path, changes: dict) -> Path:
    """Write the files of the book into a folder, and `changes`: lines by file, or None for a file to leave out."""
    for name, lines in {**FILES, **changes}.items():
        if lines is not None:
            write(path / name, *lines)
    return path


def figures(path: Path, date: dt.date = NOVEMBER) -> Figures:
    """Return the figures of an input on a date, as the phases compute them."""
    definitions = catalog.load()
    with tempfile.TemporaryDirectory(prefix="abaco-test-") as work, DuckDB(spill=work) as engine:
        rows = Path(work)
        files, skipped = sources.discover(path)
        batches = roles.stage(files, date, engine, rows, masking_key())
        facts = [batch.as_dict() for batch in batches]
        tape = transformation.accepted_tape(facts, rows, engine)
        (rows / "tables").mkdir()
        engine.write(transformation.borrowers(tape, engine, rows), rows / "tables" / "borrowers.parquet")
        engine.write(tape, rows / "tables" / "tape.parquet")
        transformation.write_others(facts, rows, rows / "tables", engine)
        texts = [
            {str(day): {name: str(usd) for name, usd in sums.items()} for day, sums in found.items()}
            for found in (statements.accounts(batches, engine), roles.filled(batches))
        ]
        ingested = {"date": str(date), "as_of": str(coverage.as_of(tape, date))}
        ingested |= dict(zip(("accounts", "filled"), texts, strict=True))
        book = open_book.open_book(rows / "tables", engine, ingested)
        totals = measures.measure(book, catalog.measures(definitions))
        entries = values.evaluate(definitions, totals[date], date)
        told = [*roles.notes(files, skipped, batches, []), *notes.notes(book)]
        return Figures(
            {name: None if entry["value"] is None else float(entry["value"]) for name, entry in entries.items()},
            {name: None if usd is None else float(usd) for name, usd in totals[date].sums.items()},
            [str(note) for note in told],
            {entry["name"]: entry["used_for"] for entry in roles.inputs(files, batches)},
        )
