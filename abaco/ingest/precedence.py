"""The tape's source on each date: of several exports with balances, the one with most loans; the others fill it.

A canonical snapshot with one row per date beside PAR balances with a row a loan gives the cash and the eligible amounts
of the date, and its other balances are compared. Loans that only an export beside the tape has, and those of which it
says something else, are noted.
"""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from typing import Any

import narwhals as nw

from abaco.core.errors import InputError
from abaco.core.reasons import Reason
from abaco.engines import Engine
from abaco.ingest.columns import AGING, CASH, DAYS_PAST_DUE, DISCOUNTED, ELIGIBLE, RECEIVABLE, WRITTEN_OFF
from abaco.ingest.contract import with_amount
from abaco.ingest.lateness import late_by
from abaco.ingest.staging import IS_LATER, Batch
from abaco.ingest.tape import AMOUNTS
from abaco.ingest.unread import on_tape
from abaco.ingest.write_offs import IS_LOST

# what another export fills for a whole date, and what is compared
FILLED = tuple(column.name for column in (CASH, ELIGIBLE, DISCOUNTED, WRITTEN_OFF))
COMPARED = tuple(column.name for column in (RECEIVABLE, *AGING, WRITTEN_OFF))
LATE_DAYS = 30
BESIDE, DIFFERENT = "loans_beside", "loans_differ"
Sums = Mapping[str, Any]


def choose_sources(batches: list[Batch], date: dt.date, engine: Engine) -> list[Batch]:
    """Return the batches, each of the tape's with its dates, and with what the others fill on them.

    The export with most loans gives a date, of equal ones that of the lowest rank. A balance that differs between two
    exports is noted with both amounts, for earlier dates only how many there are.

    Raises
    ------
    InputError
        When the export that gives a date is in doubt.
    """
    tapes = sorted((b for b in batches if b.is_tape), key=lambda b: b.format.tape_rank)
    if len(tapes) < 2:
        return _undoubted(batches)
    sums = {b.format.name: _by_date(b, engine) for b in tapes}
    days = sorted({day for found in sums.values() for day in found})
    first = {day: _richest([b for b in tapes if day in sums[b.format.name]], day, sums) for day in days}
    chosen = []
    for batch in tapes:
        own = tuple(day for day in days if first[day] is batch)
        others = [b for b in tapes if b is not batch]
        filled, notes = {}, list(batch.notes)
        for other in others:
            shared = {d: (sums[batch.format.name][d], sums[other.format.name].get(d)) for d in own}
            shared = {d: pair for d, pair in shared.items() if pair[1]}
            for day, pair in shared.items():
                filled[day] = _filled(batch, other, *pair) | filled.get(day, {})
            notes += _notes(batch, other, shared, filled, date)
        chosen.append(replace(batch, dates=own, filled={d: f for d, f in filled.items() if f}, notes=tuple(notes)))
    return _undoubted([next((c for c in chosen if c.format is b.format), b) for b in batches])


def _undoubted(batches: list[Batch]) -> list[Batch]:
    """Return the batches, if none that gives the tape of a date is in doubt."""
    if doubt := next((b.in_doubt for b in batches if b.is_tape and b.in_doubt and b.dates != ()), ""):
        raise InputError(doubt)
    return batches


def _richest(batches: list[Batch], day: dt.date, sums: Mapping[str, Mapping[dt.date, Sums]]) -> Batch:
    return max(batches, key=lambda batch: (sums[batch.format.name][day]["loans"], -batch.format.tape_rank))


def _by_date(batch: Batch, engine: Engine) -> dict[dt.date, Sums]:
    """Return the sums of each date's accepted rows, None where a value cannot be read, and how many are of a loan."""
    usd = (nw.col(name).sum().alias(name) for name in AMOUNTS)
    counts = (nw.col(name).count().alias(f"rows_{name}") for name in AMOUNTS)
    rows = batch.accepted(engine).group_by("measurement_date").agg(*usd, *counts, loans=nw.col("loan_id").count())
    found = {row.pop("measurement_date"): row for row in rows.collect("pyarrow").to_native().to_pylist()}
    return {
        day: {"loans": row["loans"]}
        | {name: row[name] if row[f"rows_{name}"] else None for name in AMOUNTS}
        | dict.fromkeys(map(on_tape, batch.unread.get(day, ())))
        for day, row in found.items()
    }


def _filled(batch: Batch, other: Batch, own: Sums, beside: Sums) -> dict[str, Decimal]:
    """Return the sums of a date that an export lacks, or has only a stand-in for, and another gives."""
    lacks = [name for name in FILLED if own[name] is None or name in batch.format.stands_in]
    return {n: beside[n] for n in lacks if beside[n] is not None and n not in other.format.stands_in}


def _notes(
    batch: Batch,
    other: Batch,
    shared: Mapping[dt.date, tuple[Sums, Sums]],
    filled: Mapping[dt.date, Sums],
    date: dt.date,
) -> Iterable[Reason]:
    names = {"export": batch.format.title, "other": other.format.title}
    differing = {
        day: [n for n in COMPARED if None not in (own[n], beside[n]) and own[n] != beside[n]]
        for day, (own, beside) in shared.items()
    }
    if filled.get(date) and date in shared:
        yield Reason("filled_from", columns=tuple(filled[date]), export=other.format.title)
    for name in differing.pop(date, ()):
        own, beside = shared[date]
        yield Reason("sources_disagree", column=name, usd=own[name], other_usd=beside[name], **names)
    if earlier := [day for day, columns in differing.items() if columns]:
        yield Reason("dates_disagree", count=len(earlier), last=max(earlier), **names)


def compare_loans(batches: list[Batch], date: dt.date, engine: Engine) -> list[Batch]:
    """Return the batches; exports beside the tape with notes on the loans that it lacks, or of which they say another.

    Balances of an export without dates are compared only where the tape has no later date, as they may be of that.

    Raises
    ------
    InputError
        When two exports with balances by loan have no loan in common.
    """
    tape = next((b for b in batches if b.is_tape and (b.dates is None or date in b.dates)), None)
    beside = [b for b in batches if b is not tape and "loan_id" in b.format.key and "loan_id" in b.columns]
    if tape is None or not beside:
        return batches
    own = tape.accepted(engine).filter((nw.col("measurement_date") == date) & ~nw.col("loan_id").is_null())
    if not _first(own):
        return batches
    noted = {b.format: replace(b, notes=(*b.notes, *_compared(b, tape, own, date, engine))) for b in beside}
    return [noted.get(b.format, b) for b in batches]


def _first(rows: nw.LazyFrame) -> list[dict]:
    return rows.select("loan_id").head(1).collect("pyarrow").to_native().to_pylist()


def _compared(batch: Batch, tape: Batch, own: nw.LazyFrame, date: dt.date, engine: Engine) -> Iterable[Reason]:
    names = {"export": tape.format.title, "other": batch.format.title}
    day, usd = nw.col("measurement_date"), nw.col("usd")
    if batch.is_tape:
        rows = batch.beside(engine).filter(day == date).with_columns(usd=nw.col(RECEIVABLE.name), late=_is_late())
    else:
        rows = batch.usable(engine).filter(~IS_LOST.fill_null(False)).with_columns(usd=nw.col("amount_usd"))
        days = nw.col(DAYS_PAST_DUE.name) if DAYS_PAST_DUE.name in batch.columns else nw.lit(0)
        rows = rows.with_columns(late=(days > LATE_DAYS).fill_null(False))
    rows = rows.filter((usd > 0) & ~nw.col("loan_id").is_null()).select("loan_id", "usd", "late")
    known = tape.rows(engine).filter(~nw.col("loan_id").is_null())
    lacking = rows.join(known.filter(day == date).select("loan_id").unique(), on="loan_id", how="anti")
    [found] = lacking.select(rows=nw.len(), usd=usd.sum()).collect("pyarrow").to_native().to_pylist()
    if found["rows"]:
        if not _first(known.join(batch.rows(engine).select("loan_id").unique(), on="loan_id", how="semi")):
            first, other = (b.staged[0].source.name for b in (tape, batch))
            raise InputError(
                f"{first} ({tape.format.title}) and {other} ({batch.format.title}) have balances, and no loan in "
                "common: if they are two books, put them into folders of their own, or export both in one form; if "
                "they are one book, write its loan ids alike in both"
            )
        rows_ = with_amount(found["rows"], found["usd"])
        yield Reason(BESIDE, rows=rows_, added_usd=found["usd"], late_usd=Decimal(0), **names)
    if not batch.is_tape and _first(tape.rows(engine).filter(IS_LATER)):
        return
    counted = own.filter(~(nw.col(WRITTEN_OFF.name) > 0).fill_null(False))
    counted = counted.select("loan_id", own=nw.col(RECEIVABLE.name), own_late=_is_late())
    pairs, owed = rows.join(counted, on="loan_id", how="inner"), nw.col("own")
    differing = pairs.filter((usd != owed) | (nw.col("late") != nw.col("own_late"))).with_columns(
        more=nw.when(usd > owed).then(usd - owed), in_doubt=nw.when(nw.col("late") & ~nw.col("own_late")).then(owed)
    )
    summed = [nw.col(name).sum() for name in ("own", "usd", "more", "in_doubt")]
    [found] = differing.select(*summed, rows=nw.len()).collect("pyarrow").to_native().to_pylist()
    if found["rows"]:
        in_doubt = {"added_usd": found["more"] or Decimal(0), "late_usd": found["in_doubt"] or Decimal(0)}
        rows_ = with_amount(found["rows"], found["own"])
        yield Reason(DIFFERENT, rows=rows_, other_usd=found["usd"], **in_doubt, **names)


def _is_late() -> nw.Expr:
    return (late_by(LATE_DAYS) > 0).fill_null(False)
