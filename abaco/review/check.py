"""Inspection of an input: what a report would do with it, without writing anything."""

import datetime as dt
import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

from abaco.core import currencies, project, settings
from abaco.core.dates import parse_date
from abaco.core.errors import AbacoError
from abaco.core.reason_words import HEADLINES
from abaco.core.secrets import masking_key, service_access
from abaco.core.text import aligned
from abaco.engines import memory
from abaco.engines.duckdb import DuckDB
from abaco.ingest import (
    coverage,
    discovery,
    findings,
    obligors,
    quarantine,
    rate_table,
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
from abaco.ingest.rejected_loans import rejected_loans
from abaco.ingest.unread import unread_amounts
from abaco.ingest.used_files import with_rows
from abaco.kpis import catalog, measures, open_book, publish, values, verdict
from abaco.kpis import notes as kpi_notes
from abaco.kpis.book import Book
from abaco.kpis.facilities import facility
from abaco.page.language import phrase
from abaco.page.masthead import title
from abaco.page.words import NBSP
from abaco.review import terminal
from abaco.run import contents, plan


def inspect(
    input: str | Path | None, date: str | None, params: Any = None, output: Path | None = None
) -> Iterator[str]:
    """Yield lines about an input: the verdict of its report and what is wrong, then files, rows, dates and KPIs.

    Parameters
    ----------
    input
        A file or folder, or ``cascade``, which is downloaded first; by default the setting ``run.input``.
    date
        The measurement date; by default the latest one in the input.
    output
        See `examine`.

    Raises
    ------
    InputError
        For everything that would stop a report, after the lines about files and rows.
    """
    details: list[str] = []
    try:
        figures = examine(input, date, params, details.append, output)
    except AbacoError:
        yield from details
        raise
    yield from [*headline(figures), "", *details]


def headline(figures: dict[str, Any]) -> list[str]:
    """Return what the report of these figures would say of itself (see `examine`)."""
    name = title(figures).replace(NBSP, " ")
    heading = "The report of {date} would be headed “{name}”, and say:"
    return [phrase(heading).format(date=figures["date"], name=name), *terminal.caveats(figures)]


def examine(
    input: str | Path | None, date: str | None, params: Any, say: Callable[[str], None], output: Path | None = None
) -> dict[str, Any]:
    """Pass on lines about an input, and return the figures of its report, as metrics.json has them (see `inspect`).

    Parameters
    ----------
    output
        Where the former report is that the input is compared with; by default the setting ``run.output``.
    """
    loaded, key = settings.load(params), masking_key()
    service_access()  # a service would not start with a short token
    limit, threads = memory.parse_limit(loaded["run"]["memory_limit"]), loaded["run"]["threads"]
    definitions, later, told = catalog.load(), 0, []
    facility.load(loaded["run"]["facilities"])
    source = plan.located(input, loaded, say)
    files, skipped = discovery.discover(source)
    ingestion = loaded["ingestion"]
    rules = writing.rules_of(ingestion)
    day = parse_date(date) if date else coverage.tape_dates(files, rules)[-1]
    _list_files(files, say)
    with tempfile.TemporaryDirectory(prefix="abaco-") as scratch, DuckDB(scratch, limit, threads) as engine:
        work = Path(scratch)
        rates = rate_table.exchange(files, engine, work, loaded["run"]["currency"])
        batches = roles.stage(files, day, engine, work, key, rules, rates)
        rejects, reasons = quarantine.quarantine(batches, engine, key)
        tape, places = roles.tape_of(batches, day), quarantine.first_places(rejects)
        shown = phrase("Personal columns would be shown as: {policy}").format(policy=phrase(policy(key)))
        say(f"\n{shown}\n")
        for batch in batches:
            book = reconciliation.reconcile(batch, rejects, engine)
            later = book["later"] if batch.is_tape else later
            say(_accounted(batch, book, day))
            counts = reasons[batch.format.name]
            for reason, count in counts.items():
                told_so = phrase("{count} × {reason}, first in {place}")
                say("  " + told_so.format(count=count, reason=terminal.reason(reason), place=places[str(reason)]))
            rejections.check_reject_limit(batch, book, counts, ingestion["max_reject_pct"], places)
            if not batch.is_tape:
                held, whole = rejections.rejected_in(batch, book, rejects), f"the amounts of the {batch.format.title}"
                rejections.check_amount_limit(held, whole, counts, ingestion["max_reject_amount_pct"], places)
        if len(rejects):
            rejected_rows = terminal.counted(len(rejects), "row")
            told.append(phrase("{rows} would be rejected: see below.").format(rows=rejected_rows))
        coverage.check_lent(tape, day, engine)
        coverage.check_date(coverage.dates(batches, engine), day)
        facts = [batch.as_dict() for batch in batches]
        combined = transformation.combined_tape(facts, work, engine)
        coverage.check_grain(combined)
        rejected = rejections.rejected_on(day, tape, reconciliation.outstanding(combined, day), engine)
        limit = ingestion["max_reject_amount_pct"]
        whole = f"the balances of {day}"
        rejections.check_amount_limit(rejected, whole, reasons[tape.format.name], limit, places)
        reporting = reporting_currency(batches, engine, loaded["run"]["currency"], rates)
        currencies.use(reporting.code)
        findings.check_rates(batches, engine, ingestion["interest_rate"])
        notes = roles.notes(files, skipped, batches, statements.unknown(batches, engine))
        notes += findings.notes(batches, day, engine) + statements.disagreements(batches, engine, day)
        limits = ingestion["max_reject_pct"], ingestion["max_reject_amount_pct"]
        notes += reporting.notes + rejections.of_earlier_dates(day, batches, combined, engine, *limits)
        told += [terminal.reason(note) for note in notes if note.code in HEADLINES]
        for note in notes:
            if note.code not in HEADLINES:
                say(terminal.reason(note))
        accepted = transformation.accepted_tape(facts, work, engine)
        beside = [b for b in batches if b.format.name in open_book.EXPORTS and not b.is_tape]
        others = {b.format.name: b.accepted(engine) for b in beside}
        others["payers"] = obligors.payers(obligors.with_payers(accepted, facts, work, engine), engine, work)
        others["rejected_loans"] = engine.from_arrow(rejected_loans(batches, combined, engine))
        as_of = coverage.as_of(accepted, day) if tape.format.is_dated else None
        book = Book(
            accepted, open_book.dates(accepted), as_of or day,
            {**others, "borrowers": transformation.borrowers(accepted, engine, work)},
            statements.accounts(batches, engine), roles.filled(batches), unread_amounts(batches),
            **open_book.risk(**{key: loaded["calculation"][key] for key in open_book.RISK}),
        )  # fmt: skip
        totals = measures.measure(book, catalog.measures(definitions))
        of_book = kpi_notes.notes(book, totals)
        told += [terminal.reason(note) for note in of_book if note.code in HEADLINES]
        for note in of_book:
            if note.code not in HEADLINES:
                say(terminal.reason(note))
        reach = phrase("Dates up to {day}: {count}, from {first}")
        say("\n" + reach.format(day=day, count=len(totals), first=min(totals)))
        entries = values.evaluate(definitions, totals[day], day, totals)
        lacking = {name: entry["reason"] for name, entry in entries.items() if entry["reason"]}
        form = "{known} of {all} figures can be computed{rest}"
        rest = phrase(": see below for the others.") if lacking else "."
        told.append(phrase(form).format(known=len(entries) - len(lacking), all=len(entries), rest=rest))
        for reason, names in _together((terminal.reason(reason), name) for name, reason in lacking.items()):
            say("  " + phrase("{name}: not computable: {reason}").format(name=names, reason=reason))
        hints = values.missing(definitions, entries, totals[day])
        for add, names in _together((phrase(hint["add"]), hint["kpi"]) for hint in hints):
            say("  " + phrase("to see {kpi}, add {add}").format(kpi=names, add=add))
        limit, of_rows = (loaded["calculation"][name] for name in ("max_absent_pct", "max_rows_change_pct"))
        output = output or project.resolve(loaded["run"]["output"])
        _, lost, had = contents.compared(output, str(day), str(source), files, of_rows)
        former = open_book.with_former(book, engine, contents.former(output, had, str(day)), reporting.code)
        filled = with_rows(roles.inputs(files, batches))
        said = [note.as_dict() for note in notes]
        absent, weighs = verdict.absent(former, definitions, totals, max_absent_pct=limit, notes=said)
        told += [] if weighs else [terminal.reason(reason) for reason in verdict.reasons(absent)]
    lost = verdict.with_emptied(lost, had, {}, filled)
    rows = [totals[date].rows for date in sorted(totals)][-2:]
    shrunk = verdict.shrunk(rows[-1], rows[0], max_rows_change_pct=of_rows)
    kpis = publish.kpi_entries(definitions, entries, None, book.partial_through)
    kpis = {name: kpi | {key: phrase(kpi[key]) for key in ("title", "unit")} for name, kpi in kpis.items()}
    found = verdict.verdict(kpis, lost, shrunk, absent if weighs else None)
    return {
        "date": str(day), "as_of": as_of and str(as_of), "reconciliation": {"later": later}, "kpis": kpis,
        "verdict": found | {"findings": map(terminal.reason, found["findings"])}, "quality": {"headlines": told},
    }  # fmt: skip


def _together(pairs: Iterable[tuple[str, str]]) -> Iterator[tuple[str, str]]:
    """Yield each text with the names that share it: 'PAR30, PAR90'."""
    found: dict[str, list[str]] = {}
    for told, name in pairs:
        found.setdefault(told, []).append(name)
    yield from ((told, ", ".join(names)) for told, names in found.items())


def _accounted(batch: quarantine.Batch, book: dict[str, Any], day: dt.date) -> str:
    parts = (part for part in reconciliation.PARTS if part in ("accepted", "quarantined") or book[part])
    names = {"later": phrase("later than {day}").format(day=day), "quarantined": phrase("rejected")}
    found = " + ".join(f"{names.get(part) or phrase(part)} {book[part]}" for part in parts)
    told = phrase("{format}: {rows} rows in = {parts}")
    return told.format(format=phrase(batch.format.title), rows=book["rows_in"], parts=found)


def _list_files(files: list[sources.Source], say: Callable[[str], None]) -> None:
    use = roles.roles(files)
    rows = [
        (s.name, phrase(s.format.title), s.mapping_name, phrase(use[s.name]), ", ".join(s.left_behind)) for s in files
    ]
    heads = ("file", "format", "mapping", "used for", "columns left behind")
    for line in aligned([tuple(map(phrase, heads)), *rows]):
        say(line)
