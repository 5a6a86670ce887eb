"""What each file of an input is used for: one format gives the tape, the others complete it."""

import datetime as dt
import re
from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pandas as pd

from abaco.core.errors import InputError
from abaco.core.files import row_count
from abaco.core.reasons import Reason
from abaco.engines import Engine
from abaco.ingest import restatements
from abaco.ingest.contract import Format
from abaco.ingest.copies import classify_copies, note_copies
from abaco.ingest.discovery import LOANS_NOT_USED, NO_TABLE, Skipped
from abaco.ingest.exchange import Exchange
from abaco.ingest.formats import FORMATS, RATES, TAPE_FORMATS
from abaco.ingest.lateness import DAYS
from abaco.ingest.left_out_rows import leave_out
from abaco.ingest.loan_numbers import check_loan_numbers
from abaco.ingest.masking import Masking
from abaco.ingest.matching import later_loans, match_loans, note_strays, note_unpaid_files
from abaco.ingest.precedence import choose_sources, compare_loans
from abaco.ingest.scales import factor_of, scale_of
from abaco.ingest.sections import check_sections
from abaco.ingest.sources import Source
from abaco.ingest.staging import DEFAULT_RULES, TAPE, Batch, Rules, stage_one
from abaco.ingest.subtotals import check_subtotals
from abaco.ingest.total_rows import leave_out_totals
from abaco.ingest.unread import count_unread
from abaco.ingest.used_files import LEFT_OUT

BESIDE = "what the tape lacks"


def roles(sources: Iterable[Source]) -> dict[str, str]:
    """Return what each file is used for."""
    sources = list(sources)
    tape, present = tape_formats(sources), {s.format_name for s in sources}
    return {s.name: _use(s.format, tape, present) for s in sources}


def tape_formats(sources: Iterable[Source]) -> list[Format]:
    """Return the formats that give the tape: those with a measurement date, or else the first of `TAPE_FORMATS`."""
    present = {s.format_name for s in sources}
    found = [f for f in TAPE_FORMATS if f.name in present]
    return [f for f in found if f.is_dated] or found[:1]


def _use(format_: Format, tape: list[Format], present: set[str]) -> str:
    if format_ in tape:
        return TAPE
    if format_.replaced_by in present:
        return f"kept: the {FORMATS[format_.replaced_by].title} say {format_.purpose}"
    return format_.purpose


def tape_sources(sources: list[Source]) -> list[Source]:
    """Return the files that give the tape.

    Raises
    ------
    InputError
        When none does, naming what there is.
    """
    if tape := tape_formats(sources):
        return [s for s in sources if s.format in tape]
    titles = ", ".join(sorted({s.format.title for s in sources}))
    *others, last = (f.title for f in TAPE_FORMATS)
    raise InputError(f"No loan tape in the input, only {titles}: add a {', '.join(others)} or {last}")


def stage(
    sources: list[Source],
    date: dt.date,
    engine: Engine,
    work: Path,
    key: bytes | None = None,
    rules: Rules = DEFAULT_RULES,
    rates: Exchange | None = None,
) -> list[Batch]:
    """Read every source once, check each row against its contract, and write the rows as Parquet.

    Parameters
    ----------
    date
        The measurement date; rows that became known later are marked.
    work
        Folder for the staged rows, whose personal columns are masked.
    key
        The masking key.
    rules
        How strictly rows are read.
    rates
        Exchange rates, where the input has some (see `rate_table`).

    Returns
    -------
    list of Batch
        One a format.
    """
    tape_sources(sources)
    use = roles(sources)
    by_format: dict[str, list[Source]] = {}
    for source in (s for s in sources if s.format is not RATES):
        by_format.setdefault(source.format_name, []).append(source)
    # of copies the file with the shortest name is kept: "export.csv", not "export (1).csv"
    used = [s for group in by_format.values() for s in sorted(group, key=lambda s: (len(s.name), s.name))]
    masking = Masking.of_pass(key)
    given = (date, engine, work, masking, rules, rates)
    staged = [stage_one(s, i, use[s.name] == TAPE, *given) for i, s in enumerate(used)]
    batches = []
    for name, group in by_format.items():
        files = tuple(one for one in staged if one.source.format_name == name)
        role = FORMATS[name], use[group[0].name]
        batch = _without_totals(check_loan_numbers(Batch(*role, files), engine), engine, work)
        if batch.in_doubt and len(files) == 1 and len(tape_formats(sources)) > 1:
            [one] = files  # where another export gives its dates, its rows fill them, whatever they are
            again = stage_one(one.source.without("loan_id"), one.index, True, *given)
            batch = replace(_without_totals(Batch(*role, (again,)), engine, work), in_doubt=batch.in_doubt)
        batches.append(restatements.classify(batch, engine, work))
    later = later_loans(batches, engine, work)
    batches = match_loans(batches, engine, work)
    batches = [note_copies(classify_copies(b, later, engine, work), engine) for b in batches]
    batches = [count_unread(batch, engine) for batch in batches]
    batches = compare_loans(choose_sources(batches, date, engine), date, engine)
    return note_unpaid_files(note_strays(batches, engine), date, engine)


def _without_totals(batch: Batch, engine: Engine, work: Path) -> Batch:
    check_sections(batch, engine)
    return check_subtotals(leave_out_totals(leave_out(batch, engine, work), engine, work), engine)


def inputs(found: list[Source], batches: Iterable[Batch]) -> list[dict]:
    """Return the entry of each input file in metrics and manifest; rows are None for a file that was not used."""
    batches = list(batches)
    use = roles(found) | {name: BESIDE for b in batches if b.dates == () for name in b.names.values()}
    use |= {name: LEFT_OUT for b in batches for name in b.left_out}
    rows = _row_counts(batches)
    return [
        {"name": s.name, "format": s.format.title, "used_for": use[s.name], "rows": rows.get(s.name),
         "bytes": s.bytes, "sha256": s.sha256, "mapping": s.mapping_name, "mapping_sha256": s.mapping_sha256}
        for s in found
    ]  # fmt: skip


def _row_counts(batches: Iterable[Batch]) -> dict[str, int]:
    return {s.source.name: row_count(s.path) + len(s.broken) for batch in batches for s in batch.staged}


def tape_of(batches: Iterable[Batch], date: dt.date) -> Batch:
    """Return the batch that gives the tape of a date; the first one where none has it."""
    tapes = [batch for batch in batches if batch.is_tape]
    return next((batch for batch in tapes if batch.dates is None or date in batch.dates), tapes[0])


def counted_from(tape: Batch) -> dict[int, int]:
    """Return the day from which on the files of a tape count each limit of days past due, the latest of theirs."""
    return {days: max(staged.source.counted_from[days] for staged in tape.staged) for days in DAYS}


def filled(batches: Iterable[Batch]) -> dict[dt.date, dict[str, Decimal]]:
    """Return the sums of each date that the source of its tape lacks and another export gives."""
    return {day: dict(sums) for batch in batches for day, sums in batch.filled.items()}


def notes(
    found: list[Source], skipped: list[Skipped], batches: Iterable[Batch], unknown_accounts: list[str]
) -> list[Reason]:
    """Return what a reader should know about the input."""
    noted = [not_used(s) for s in skipped]
    noted += [Reason("hidden_sheets", name=s.name, count=s.hidden_sheets) for s in found if s.hidden_sheets]
    noted += [Reason("hidden_rows", name=s.name, count=s.hidden_rows) for s in found if s.hidden_rows]
    noted += [Reason("other_sheets", name=s.name, count=s.other_sheets) for s in found if s.other_sheets]
    noted += [Reason("rows_above", name=s.name, line=s.first_line) for s in found if s.above]
    noted += [Reason("rows_below", name=s.name, line=s.last_line) for s in found if s.last_line]
    noted += [Reason("list_within", name=s.name, keys=s.rows_in) for s in found if s.rows_in]
    noted += [
        Reason("columns_unmentioned", name=s.name, names=tuple(s.unmentioned), mapping=s.mapping_name)
        for s in found if s.unmentioned
    ]  # fmt: skip
    noted += [Reason("amounts_multiplied", name=s.name, names=names, factor=f"{factor:,}")
              for s in found for factor, names in _multiplied(s).items()]  # fmt: skip
    noted += [Reason("balance_is_lent", name=s.name, column=s.lent_as_balance) for s in found if s.lent_as_balance]
    batches = list(batches)
    noted += [Reason(code) for code in tape_sources(found)[0].format.tape_notes]
    noted += [Reason("file_without_rows", name=name) for name, rows in _row_counts(batches).items() if not rows]
    noted += [note for batch in batches for note in batch.notes]
    noted += [note for batch in batches for staged in batch.staged for note in staged.told]
    if unknown_accounts:
        noted.append(Reason("accounts_not_used", accounts=tuple(unknown_accounts)))
    return noted


def _multiplied(source: Source) -> dict[int | Decimal, tuple[str, ...]]:
    """Return the headings of amounts of a file that its mapping multiplies, by the factor."""
    found: dict[int | Decimal, tuple[str, ...]] = {}
    for column in source.format.columns:
        origin = source.mapping.columns.get(column.name)
        if origin and column.kind == "amount" and (scale := scale_of(origin.compute or "")):
            factor = factor_of(scale)
            found[factor] = tuple(dict.fromkeys((*found.get(factor, ()), *origin.formula.headings)))
    return found


def not_used(skipped: Skipped) -> Reason:
    """Return why a file is not used; a table that fits no format may be one that was meant to be."""
    cause = re.sub(f"^{re.escape(skipped.name)} ", "it ", skipped.reason)
    code = LOANS_NOT_USED if skipped.is_of_loans else "file_not_used" if cause == NO_TABLE else "table_not_used"
    return Reason(code, name=skipped.name, cause=cause)


def overview(found: list[Source], roles: dict[str, str]) -> pd.DataFrame:
    """Return one row per file: its format, what it is used for, its size in bytes, and what stays behind.

    Parameters
    ----------
    roles
        What each file is used for, by name (see `roles`).
    """
    rows = [(s.name, s.format.title, roles[s.name], s.bytes, ", ".join(s.left_behind)) for s in found]
    return pd.DataFrame(rows, columns=["file", "format", "used for", "bytes", "columns left behind"])
