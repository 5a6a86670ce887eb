"""What a report would say of a small input: its figures, or why there is none, without notebooks or folders."""

import datetime as dt
import functools
import tempfile
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from abaco.core import currencies
from abaco.engines.duckdb import DuckDB
from abaco.ingest import (
    coverage,
    discovery,
    findings,
    quarantine,
    rate_table,
    reconciliation,
    rejections,
    roles,
    staging,
    statements,
)
from abaco.ingest.currency import reporting_currency
from abaco.ingest.transformation import borrowers
from abaco.kpis import catalog, measures, values
from abaco.kpis.book import Book
from tests.support.exports import DATE

KPIS = ("Outstanding", "PAR30", "PAR90", "ActiveLoans", "APR", "WrittenOff")
TOP_BORROWER = "TopBorrower"  # borrowers are counted apart, which most tests do not need


@dataclass
class Figures:
    """The figures of an input, its currency, what is said of it, and what became of its rows."""

    values: dict[str, float]
    currency: str
    notes: list[str]
    rows: dict[str, int]
    as_of: dt.date | None
    reasons: dict[str, str]


@functools.cache
def definitions(*names: str):
    """Return some KPIs, read once: no input changes them."""
    return {name: kpi for name, kpi in catalog.load().items() if name in names}


@functools.cache
def _engine():
    return DuckDB()


@contextmanager
def engine_of_all():
    """The engine of all inputs, started once, without the private copies that another input left."""
    try:
        yield _engine()
    finally:
        _engine().private.close()


def figures_of(
    path: Path,
    date: dt.date = DATE,
    max_reject_pct: float = 5.0,
    max_reject_amount_pct: float = 5.0,
    currency: str = "auto",
    more_kpis: tuple[str, ...] = (),
    **rules,
):
    """Return the figures of an input on a date; refusals are raised, as they stop a report."""
    kpis = definitions(*KPIS, *more_kpis)
    found, skipped = discovery.discover(path)
    with tempfile.TemporaryDirectory(prefix="abaco-test-") as work, engine_of_all() as engine:
        rates = rate_table.exchange(found, engine, Path(work), currency)
        batches = roles.stage(found, date, engine, Path(work), rules=staging.Rules(**rules), rates=rates)
        rejects, reasons = quarantine.quarantine(batches, engine)
        tape = next(b for b in batches if b.is_tape)
        books = {b.format.name: reconciliation.reconcile(b, rejects, engine) for b in batches}
        for batch in batches:
            name = batch.format.name
            rejections.check_reject_limit(batch, books[name], reasons[name], max_reject_pct)
            if not batch.is_tape:
                held = rejections.rejected_in(batch, books[name], rejects)
                rejections.check_amount_limit(held, "the amounts", reasons[name], max_reject_amount_pct)
        coverage.check_lent(tape, date, engine)
        accepted = tape.accepted(engine)
        owed = reconciliation.outstanding(accepted, date)
        rejected = rejections.rejected_on(date, tape, owed, engine)
        rejections.check_amount_limit(
            rejected, f"the balances of {date}", reasons[tape.format.name], max_reject_amount_pct
        )
        reporting = reporting_currency(batches, engine, currency, rates)
        findings.check_rates(batches, engine, rules.get("interest_rate", "auto"))
        noted = [
            *roles.notes(found, skipped, batches, statements.unknown(batches, engine)),
            *findings.notes(batches, date, engine),
            *rejections.notes(batches, books, rejects, rejected),
            *rejections.of_earlier_dates(date, batches, accepted, engine, max_reject_pct, max_reject_amount_pct),
            *reporting.notes,
        ]
        as_of = coverage.as_of(accepted, date) if tape.format.is_dated else None
        exports = {"borrowers": borrowers(accepted, engine, Path(work))} if TOP_BORROWER in kpis else {}
        book = Book(accepted, [date], as_of or date, exports)
        entries = values.evaluate(kpis, measures.measure(book, catalog.measures(kpis))[date], date)
        with currencies.using(reporting.code):
            return Figures(
                {name: float(entry["value"]) for name, entry in entries.items() if entry["value"] is not None},
                reporting.code,
                [str(note) for note in noted],
                {part: books[tape.format.name][part] for part in reconciliation.PARTS},
                as_of,
                {name: str(entry["reason"]) for name, entry in entries.items() if entry["reason"]},
            )
