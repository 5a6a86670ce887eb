"""The tape's source on each date: of several exports with balances, the one with most loans; the others fill it.

A canonical snapshot with one row per date beside PAR balances with a row a loan gives the cash and the eligible amounts
of the date, and its other balances are compared.
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
from abaco.ingest.columns import AGING, CASH, DISCOUNTED, ELIGIBLE, RECEIVABLE, WRITTEN_OFF
from abaco.ingest.staging import Batch
from abaco.ingest.tape import AMOUNTS
from abaco.ingest.unread import on_tape

# what another export fills for a whole date, and what is compared
FILLED = tuple(column.name for column in (CASH, ELIGIBLE, DISCOUNTED, WRITTEN_OFF))
COMPARED = tuple(column.name for column in (RECEIVABLE, *AGING, WRITTEN_OFF))
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
