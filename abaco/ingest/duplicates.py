"""Duplicates: rows that share a key, identical or conflicting."""

from collections.abc import Collection, Iterable
from dataclasses import replace
from pathlib import Path

import narwhals as nw

from abaco.core.files import row_count
from abaco.core.reasons import Reason
from abaco.engines import RECORDS, Engine
from abaco.ingest.contract import SEPARATOR
from abaco.ingest.masking import AS_READ, CALLED, PERSON, PERSONAL
from abaco.ingest.staging import IS_LATER, Batch
from abaco.ingest.unread import on_tape
from abaco.ingest.write_offs import ENDED_IN, LATE_IN

CO_BORROWER = "co-borrower"
CONFLICT, INCOMPLETE = "conflict", "incomplete"
SPLIT = "split"  # a conflict between the rows of a loan's borrowers
RESTATED = "restated"  # by a newer file (see `restatements`)
# columns that say nothing of most rows, in any file
NOT_LACKING = ("reasons", "original", AS_READ, "credit_usd", "lost_usd")
# what goes with the borrower: a loan with two borrowers has two of them
NAMED = (*PERSONAL, PERSON)
OF_BORROWER = (*NAMED, "region", "segment")


def classify_duplicates(batch: Batch, engine: Engine, work: Path) -> Batch:
    """Return a batch with a verdict on rows that share a key.

    Of identical rows the first is kept, and of rows that differ only in the borrower: a loan may have several. Where
    a file lacks a column, or an amount that is not needed cannot be read, the row that has all values is kept; without
    one, and where values differ, all are rejected.
    """
    key = list(batch.format.key)
    rows = batch.rows(engine)
    key = [name for name in key if name in rows.collect_schema().names()]
    if not key:
        return batch
    if batch.verdicts is not None:
        rows = engine.anti_join(rows, batch.verdicts)
    known = rows.filter(nw.col("has_key") & ~IS_LATER)
    # a file with a row a date has no loan id: its rows share the empty one
    texts = [name for name, dtype in known.collect_schema().items() if dtype == nw.String]
    keys = {f"key_{n}": nw.col(n).fill_null("") if n in texts else nw.col(n) for n in key}
    by = list(keys)
    # grouping by hashes is faster; a key that only shares another's hash is on its own below
    hashed = engine.hashed(known.select("source", "record", **keys), by, "key_hash")
    repeated = work / f"repeated_{batch.format.name}.parquet"
    engine.write(hashed.group_by("key_hash").agg(copies=nw.len()).filter(nw.col("copies") > 1), repeated)
    if not row_count(repeated):
        return batch
    # only the keys of the other rows are read
    places = work / f"shared_{batch.format.name}.parquet"
    engine.write(hashed.join(engine.scan(repeated), on="key_hash", how="semi").select("source", "record"), places)
    shared = known.with_columns(**keys).join(engine.scan(places), on=["source", "record"], how="semi")
    # a row that fails its contract differs from one that passes, even with equal values
    internal = {"is_later", "has_key", "source", "record", "row_id", "unread", "doubtful", CALLED, LATE_IN, ENDED_IN}
    values = [name for name in shared.collect_schema().names() if name not in {*internal, *by}]
    lacking = _lacking(shared, [name for name in values if name not in NOT_LACKING])
    told = [(~nw.col(name).is_null()).cast(nw.Int64()) for name in lacking]
    shared = shared.with_columns(filled=sum(told, start=nw.lit(0)))
    low = [nw.col(v).min().alias(f"low_{v}") for v in values]
    high = [nw.col(v).max().alias(f"high_{v}") for v in values]
    filled = [nw.col(v).count().alias(f"filled_{v}") for v in values]
    sources = {"first_source": nw.col("source").min(), "last_source": nw.col("source").max()}
    groups = shared.group_by(by).agg(*low, *high, *filled, most=nw.col("filled").max(), copies=nw.len(), **sources)
    borrowers, rest = (set(OF_BORROWER) & set(values), set(values) - set(OF_BORROWER))
    known = sum(((nw.col(f"filled_{name}") > 0).cast(nw.Int64()) for name in lacking), start=nw.lit(0))
    groups = groups.select(
        *by, *sources, "most",
        borrowers=_differ(borrowers & set(NAMED), lacking),
        conflicts=_differ(rest, lacking),
        others=_differ(borrowers - set(NAMED), lacking),
        incomplete=nw.col("most") < known,
    )  # fmt: skip
    judged = shared.join(groups, on=by, how="inner")
    complete = judged.filter(nw.col("filled") == nw.col("most")).group_by(by).agg(first=nw.col("row_id").min())
    other = nw.when(nw.col("borrowers")).then(nw.lit(CO_BORROWER)).otherwise(nw.lit("duplicate"))
    is_conflict = nw.col("conflicts") | (nw.col("others") & ~nw.col("borrowers"))
    is_split = nw.col("borrowers") & (nw.col("first_source") == nw.col("last_source"))
    conflict = nw.when(is_split).then(nw.lit(SPLIT)).otherwise(nw.lit(CONFLICT))
    verdict = nw.when(is_conflict).then(conflict).otherwise(
        nw.when(nw.col("incomplete")).then(nw.lit(INCOMPLETE)).otherwise(
            nw.when(nw.col("row_id") != nw.col("first")).then(other)
        )
    )  # fmt: skip
    verdicts = work / f"verdicts_{batch.format.name}.parquet"
    classified = judged.join(complete, on=by, how="inner").with_columns(verdict=verdict)
    found = classified.filter(~nw.col("verdict").is_null()).select("row_id", "verdict", "amount_usd", *sources)
    if batch.verdicts is not None:
        nothing = (nw.lit(None).cast(nw.Int64()).alias(name) for name in sources)
        totals = engine.scan(batch.verdicts).select("row_id", "verdict", "amount_usd", *nothing)
        found = nw.concat([totals, found.with_columns(nw.col(name).cast(nw.Int64()) for name in sources)])
    engine.write(found, verdicts)
    return replace(batch, verdicts=verdicts, notes=(*batch.notes, *_notes(batch, engine.scan(verdicts))))


def _lacking(shared: nw.LazyFrame, values: list[str]) -> list[str]:
    """Return the columns of which some files say nothing, and others do, and those that some rows have unread."""
    unread = shared.select("unread").unique().collect("pyarrow")["unread"].to_list()
    names = {on_tape(name) for text in unread if text for name in text.split(SEPARATOR)}
    counts = shared.group_by("source").agg(*(nw.col(name).count() for name in values)).collect("pyarrow")
    found = {name: counts[name].to_list() for name in values}
    return [n for n, numbers in found.items() if n in names or (0 in numbers and any(numbers))]


def _differ(names: Iterable[str], lacking: Collection[str]) -> nw.Expr:
    """Return whether the rows of a group have other values in one of the columns, or some of them none.

    Parameters
    ----------
    lacking
        Columns that some files lack, whose rows then say nothing else.
    """
    differs = [nw.col(f"low_{v}") != nw.col(f"high_{v}") for v in sorted(names)]
    told = sorted(set(names) - set(lacking))
    differs += [(nw.col(f"filled_{v}") > 0) & (nw.col(f"filled_{v}") < nw.col("copies")) for v in told]
    return nw.any_horizontal(*differs, ignore_nulls=True) if differs else nw.lit(False)


def _notes(batch: Batch, verdicts: nw.LazyFrame) -> list[Reason]:
    """Return how many rows of each file are a loan's second borrower."""
    source = (nw.col("row_id") // RECORDS).alias("source")
    found = verdicts.filter(nw.col("verdict") == CO_BORROWER).select(source).group_by("source").agg(rows=nw.len())
    rows = {row["source"]: row["rows"] for row in found.collect("pyarrow").to_native().to_pylist()}
    return [Reason("co_borrowers", count=rows[s.index], name=s.source.name) for s in batch.staged if s.index in rows]
