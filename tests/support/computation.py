"""The whole computation of a report's figures in one process: an input's files, its tape, its KPIs; no notebooks."""

import datetime as dt
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from pathlib import Path

from abaco.core.secrets import masking_key
from abaco.engines import Engine
from abaco.engines.duckdb import DuckDB
from abaco.ingest import coverage, discovery, obligors, quarantine, reconciliation, roles, statements, transformation
from abaco.ingest.unread import unread_amounts
from abaco.kpis import aging, balances, bridge, catalog, measures, movement, notes, open_book, publish, segments, values


@dataclass
class Computation:
    """Figures of an input on a date, exact, and what is said of it."""

    kpis: dict[str, Decimal | None]
    reasons: dict[str, str]
    sums: dict[str, Decimal | None]
    bridges: list[dict]
    gaps: list
    notes: list[str]
    used_for: dict[str, str]
    aging: dict[str, Decimal]
    rolled: dict[tuple[str, str], Decimal]
    segments: list[dict]
    entries: dict[str, dict]


def computed(path: Path, date: dt.date, start: Callable[[str], Engine] = DuckDB, **risk: str | float) -> Computation:
    """Compute an input as the first three phases do; limits of rejected rows are not applied.

    Parameters
    ----------
    start
        Starts the engine with a folder to spill to.
    risk
        See `open_book.risk`.
    """
    definitions = catalog.load()
    with tempfile.TemporaryDirectory(prefix="abaco-test-") as work, start(work) as engine:
        rows, tables = Path(work), Path(work) / "tables"
        tables.mkdir()
        files, skipped = discovery.discover(path)
        batches = roles.stage(files, date, engine, rows, masking_key())
        rejects, _ = quarantine.quarantine(batches, engine)
        for batch in batches:
            reconciliation.reconcile(batch, rejects, engine)
        facts = [batch.as_dict() for batch in batches]
        tape = transformation.accepted_tape(facts, rows, engine)
        engine.write(transformation.borrowers(tape, engine, rows), tables / "borrowers.parquet")
        payers = obligors.payers(obligors.with_payers(tape, facts, rows, engine), engine, rows)
        engine.write(payers, tables / "payers.parquet")
        engine.write(tape, tables / "tape.parquet")
        transformation.write_others(facts, rows, tables, engine)
        accounts, filled = statements.accounts(batches, engine), roles.filled(batches)
        ingested = {"date": str(date), "as_of": str(coverage.as_of(tape, date)),
                    "accounts": _as_text(accounts), "filled": _as_text(filled),
                    "counted_from": roles.counted_from(roles.tape_of(batches, date)),
                    "unread": _by_text(unread_amounts(batches))}  # fmt: skip
        book = open_book.open_book(tables, engine, ingested, **open_book.risk(**risk) if risk else {})
        totals = measures.measure(book, catalog.measures(definitions))
        entries = values.evaluate(definitions, totals[date], date)
        moved = bridge.bridges(definitions, book, totals).to_pylist()
        rolled = movement.roll_rates(book).to_pylist()
        aged = aging.aging_by_date(balances.late_totals(book.tape, "par_1_usd"), book.counted_from).to_pylist()
        return Computation(
            {name: entry["value"] for name, entry in entries.items()},
            {name: str(entry["reason"]) for name, entry in entries.items() if entry["reason"]},
            dict(totals[date].sums),
            moved,
            bridge.gaps(moved, definitions, totals),
            [str(note) for note in (*roles.notes(files, skipped, batches, []), *notes.notes(book, totals))],
            {entry["name"]: entry["used_for"] for entry in roles.inputs(files, batches)},
            {row["bucket"]: row["amount"] for row in aged if row["date"] == date},
            {(row["opening"], row["closing"]): row["amount_usd"] for row in rolled if row["date"] == date},
            [row for row in segments.segments(book).to_pylist() if row["date"] == date],
            publish.kpi_entries(definitions, entries, None, counted_from=book.counted_from),
        )


def _by_text(unread: dict) -> dict:
    return {table: {str(day): counts for day, counts in days.items()} for table, days in unread.items()}


def _as_text(amounts: dict) -> dict:
    return {str(day): {name: str(usd) for name, usd in sums.items()} for day, sums in amounts.items()}
