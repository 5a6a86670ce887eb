"""Inspection of an input: what a report would do with it, without writing anything."""

import datetime as dt
import tempfile
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

from abaco.core import currencies, project, settings
from abaco.core.dates import parse_date
from abaco.core.secrets import masking_key, service_access
from abaco.core.text import aligned
from abaco.engines import memory
from abaco.engines.duckdb import DuckDB
from abaco.ingest import (
    coverage,
    findings,
    quarantine,
    reconciliation,
    rejections,
    roles,
    sources,
    statements,
    transformation,
    writing,
)  # fmt: skip
from abaco.ingest.currency import reporting_currency
from abaco.ingest.masking import policy
from abaco.kpis import catalog, measures, open_book, values, verdict
from abaco.kpis.book import Book
from abaco.page.masthead import title
from abaco.page.words import NBSP
from abaco.review import terminal
from abaco.run import contents, plan


def inspect(input: str | Path | None, date: str | None, params: Any = None) -> Iterator[str]:
    """Yield lines about an input: files, rejected rows, dates, and KPIs that cannot be computed.

    Parameters
    ----------
    input
        A file or folder, or ``cascade``, which is downloaded first; by default the setting ``run.input``.
    date
        The measurement date; by default the latest one in the input.

    Raises
    ------
    InputError
        For everything that would stop a report.
    """
    loaded, key = settings.load(params), masking_key()
    service_access()  # a service would not start with a short token
    limit, threads = memory.parse_limit(loaded["run"]["memory_limit"]), loaded["run"]["threads"]
    definitions, messages, later = catalog.load(), [], 0
    source = plan.located(input, loaded, messages.append)
    yield from messages
    files, skipped = sources.discover(source)
    day = parse_date(date) if date else coverage.tape_dates(files)[-1]
    yield from _files(files, skipped)
    with tempfile.TemporaryDirectory(prefix="abaco-") as scratch, DuckDB(scratch, limit, threads) as engine:
        work = Path(scratch)
        ingestion = loaded["ingestion"]
        tolerance = Decimal(str(ingestion["bucket_tolerance_usd"]))
        rules = writing.Rules(tolerance, ingestion["decimal_mark"], ingestion["interest_rate"])
        batches = roles.stage(files, day, engine, work, key, rules)
        rejects, reasons = quarantine.quarantine(batches, engine, key)
        tape = roles.tape_of(batches, day)
        yield f"\nPersonal columns would be shown as: {policy(key)}\n"
        for batch in batches:
            book = reconciliation.reconcile(batch, rejects, engine)
            later = book["later"] if batch.is_tape else later
            yield _accounted(batch, book, day)
            counts = reasons[batch.format.name]
            yield from (f"  {count} × {reason}" for reason, count in counts.items())
            rejections.check_reject_limit(batch, book, counts, ingestion["max_reject_pct"])
            if not batch.is_tape:
                held, whole = rejections.rejected_in(batch, book, rejects), f"the amounts of the {batch.format.title}"
                rejections.check_amount_limit(held, whole, counts, ingestion["max_reject_amount_pct"])
        coverage.check_lent(tape, day, engine)
        coverage.check_date(coverage.dates(batches, engine), day)
        facts = [batch.as_dict() for batch in batches]
        combined = transformation.combined_tape(facts, work, engine)
        coverage.check_grain(combined)
        rejected = rejections.rejected_on(day, tape, reconciliation.outstanding(combined, day), engine)
        limit = ingestion["max_reject_amount_pct"]
        rejections.check_amount_limit(rejected, f"the balances of {day}", reasons[tape.format.name], limit)
        currencies.use(reporting_currency(batches, engine))
        findings.check_rates(batches, engine, ingestion["interest_rate"])
        yield from map(str, findings.notes(batches, day, engine))
        accepted = transformation.accepted_tape(facts, work, engine)
        beside = [b for b in batches if b.format.name in open_book.EXPORTS and not b.is_tape]
        others = {b.format.name: b.accepted(engine) for b in beside}
        as_of = coverage.as_of(accepted, day) if tape.format.is_dated else None
        book = Book(
            accepted, open_book.dates(accepted), as_of or day,
            {**others, "borrowers": transformation.borrowers(accepted, engine, work)},
            statements.accounts(batches, engine), roles.filled(batches),
            **open_book.risk(**{key: loaded["calculation"][key] for key in open_book.RISK}),
        )  # fmt: skip
        totals = measures.measure(book, catalog.measures(definitions))
        yield f"\nDates up to {day}: {len(totals)}, from {min(totals)}"
        entries = values.evaluate(definitions, totals[day], day)
        for name, entry in entries.items():
            reason = entry["reason"]
            yield f"  {name}: not computable: {reason}" if reason else f"  {name}: can be computed"
        for hint in values.missing(definitions, entries, totals[day]):
            yield f"  to see {hint['kpi']}, add {hint['add']}"
    limit = loaded["calculation"]["max_rows_change_pct"]
    output = project.resolve(loaded["run"]["output"])
    _, lost = contents.compared(output, str(day), str(source), files, limit)
    rows = [totals[date].rows for date in sorted(totals)][-2:]
    shrunk = verdict.shrunk(rows[-1], rows[0], max_rows_change_pct=limit)
    kpis = {
        name: {"status": entries[name]["status"], **{k: getattr(kpi, k) for k in ("title", "thresholds", "decides")}}
        for name, kpi in definitions.items()
    }
    yield from _prospect(day, as_of, later, verdict.verdict(kpis, lost, shrunk))


def _prospect(day: dt.date, as_of: dt.date | None, later: int, found: dict[str, Any]) -> Iterator[str]:
    """Yield what the report would say of itself."""
    figures = {
        "date": str(day), "as_of": as_of and str(as_of), "reconciliation": {"later": later},
        "verdict": found | {"findings": map(str, found["findings"])},
    }  # fmt: skip
    yield ""
    yield from terminal.caveats(figures)
    yield f"A report of {day} would run: {title(figures).replace(NBSP, ' ')}."


def _accounted(batch: quarantine.Batch, book: dict[str, Any], day: dt.date) -> str:
    parts = " + ".join(f"{book[part]} {part}" for part in reconciliation.PARTS if part != "beside" or book[part])
    return f"{batch.format.title}: {book['rows_in']} rows in = {parts} than {day}"


def _files(files: list[sources.Source], skipped: list[sources.Skipped]) -> list[str]:
    use = roles.roles(files)
    rows = [(s.name, s.format.title, use[s.name], ", ".join(s.left_behind)) for s in files]
    lines = aligned([("file", "format", "used for", "columns left behind"), *rows])
    return lines + [f"{s.name} is not used: {s.reason}" for s in skipped]
