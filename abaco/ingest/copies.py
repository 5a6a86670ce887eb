"""Copies: rows that two files of an input share, and files whose rows are all in others.

Rows of schedules, transactions and real payments have no key. Within one file, equal rows all count: two equal
instalments of one day may be real. Between files, equal rows are copies: a row that is n times in one file and m times
in another counts as often as in the file that has it more often. Files are compared in the columns that both have, no
amount is 0, case does not matter, and words that say the same of a payment (PAYMENT, Pago) are equal. Where files
number their rows (`Format.identity`), equal rows of one number are copies wherever they are, and rows of one number
with other values are refused: which of them is right is not known.
"""

from dataclasses import dataclass, replace
from decimal import Decimal
from itertools import combinations
from pathlib import Path

import narwhals as nw

from abaco.core.errors import InputError
from abaco.core.files import row_count
from abaco.core.reasons import Reason
from abaco.engines import RECORDS, Engine
from abaco.ingest import flow_words
from abaco.ingest.columns import TEXTS
from abaco.ingest.contract import Format
from abaco.ingest.flow_words import OTHER, TOLD_BY, UNKNOWN
from abaco.ingest.formats import SCHEDULES
from abaco.ingest.masking import AS_READ
from abaco.ingest.quarantine import lines
from abaco.ingest.reconciliation import amounted
from abaco.ingest.staging import IS_LATER, Batch
from abaco.ingest.total_rows import TOTAL

DUPLICATE, LATER = "duplicate", "later"
VERDICT = ("row_id", "verdict", "amount_usd")
# what tells rejected rows apart
REJECTED = ("reasons", "original", AS_READ)
# columns besides amounts in which a row says something that one without them does not
TELLING = ("status", "is_reversed")
ZERO = Decimal(0)
ROWS = 2**58  # more than any row_id


@dataclass(frozen=True)
class Shape:
    """Files with the same columns: the columns in which their rows are compared, and the numbers of the files."""

    columns: frozenset[str]
    sources: tuple[int, ...]

    def told(self, format_: Format) -> set[str]:
        """Return the columns that count in figures."""
        return {c.name for c in format_.columns if c.name in self.columns and (c.kind == "amount" or c.name in TELLING)}


def classify_copies(batch: Batch, later: Path | None, engine: Engine, work: Path) -> Batch:
    """Return a batch whose rows have no key with a verdict on copies, and notes on equal rows of one file.

    Parameters
    ----------
    later
        The ids of loans that were lent after the date (see `matching.later_loans`): their instalments are later too.

    Raises
    ------
    InputError
        When two files have a row with other values, or each with values that the other lacks.
    """
    if batch.format.key:
        return batch
    rows, verdicts, notes = batch.named_rows(engine).filter(~IS_LATER), [], []
    if batch.verdicts is not None:
        rows = engine.anti_join(rows, batch.verdicts)
        verdicts.append(engine.scan(batch.verdicts).select(*VERDICT))
    if later is not None and batch.format is SCHEDULES:
        of_later = rows.join(engine.scan(later), on="loan_id", how="semi").with_columns(verdict=nw.lit(LATER))
        verdicts.append(of_later.select(*VERDICT))
        rows = rows.join(engine.scan(later), on="loan_id", how="anti")
    shared = _alike(rows, batch, engine, work)
    if shared is not None:
        path = _judge(shared, batch, engine, work)
        judged = engine.scan(path)
        is_copy = nw.col("row_id") != nw.col("first")
        verdicts.append(judged.filter(is_copy).with_columns(verdict=nw.lit(DUPLICATE)).select(*VERDICT))
        is_within = nw.col("first") // RECORDS == nw.col("source")
        counted = ~is_copy & (nw.col("place") > 1) & nw.col("reasons").is_null()
        found = {"rows_numbered": judged.filter(is_copy & is_within), "rows_alike": judged.filter(counted)}
        notes = [
            Reason(code, rows=amounted(*total), name=batch.names[source])
            for code, alike in found.items()
            for source, total in _by_source(alike).items()
        ]
    if not verdicts:
        return batch
    path = work / f"verdicts_{batch.format.name}.parquet"
    engine.write(nw.concat(verdicts), path)
    return replace(batch, verdicts=path, notes=(*batch.notes, *notes))


def _shapes(batch: Batch) -> list[Shape]:
    """Return the files of a batch by their columns; those with most columns that count first."""
    names = [c.name for c in batch.format.columns if not c.personal or c.name == "borrower_id"]
    found: dict[frozenset[str], list[int]] = {}
    for staged in batch.staged:
        found.setdefault(frozenset(names) & frozenset(staged.source.columns), []).append(staged.index)
    shapes = [Shape(columns, tuple(sources)) for columns, sources in found.items()]
    return sorted(shapes, key=lambda s: (-len(s.told(batch.format)), -len(s.columns), s.sources))


def _alike(rows: nw.LazyFrame, batch: Batch, engine: Engine, work: Path) -> nw.LazyFrame | None:
    """Return the rows that equal another one in the columns that all files have, or have its number.

    None: there is none. Their values are as they are compared: text in lower case, 0 for no amount.
    """
    kinds, number = {c.name: c.kind for c in batch.format.columns}, batch.format.identity
    shapes = _shapes(batch)
    compared = sorted(set().union(*(s.columns for s in shapes)))
    forms = dict.fromkeys(TEXTS, lambda c: c.str.to_lowercase())
    forms |= {"amount": lambda c: c.fill_null(ZERO), "date": lambda c: c}
    blanks = [nw.col(name).is_null().cast(nw.Int64()) for name in compared if kinds[name] == "amount"]
    plain = {name: forms[kinds[name]](nw.col(name)) for name in compared}
    plain |= {name: _meaning(rows, name, text) for name, text in plain.items() if name in TOLD_BY}
    rows = rows.with_columns(*(value.alias(name) for name, value in plain.items()), blanks=sum(blanks, start=nw.lit(0)))
    common = sorted(frozenset.intersection(*(s.columns for s in shapes)))
    rows = engine.hashed(rows, [*common, *REJECTED], "alike_hash")
    hashes = ["alike_hash"]
    if number in compared and len(batch.staged) > 1:
        rows = engine.hashed(rows, ["loan_id", number], "number_hash")
        if number in common:  # equal rows have the same number: one look tells both
            alike = nw.when(nw.col(number).is_null()).then(nw.col("alike_hash")).otherwise(nw.col("number_hash"))
            rows = rows.with_columns(alike_hash=alike)
        else:
            hashes.append("number_hash")
    found = [_repeated(rows, name, engine, work / f"{name}_{batch.format.name}.parquet") for name in hashes]
    if not (found := [ids for ids in found if ids is not None]):
        return None
    path = work / f"alike_{batch.format.name}.parquet"
    columns = [*compared, *REJECTED, "row_id", "source", "blanks", "amount_usd"]
    engine.write(rows.join(nw.concat(found).unique(), on="row_id", how="semi").select(columns), path)
    return engine.scan(path)


def _meaning(rows: nw.LazyFrame, name: str, text: nw.Expr) -> nw.Expr:
    """Return what the words of a column say of a payment, such as PAYMENT and Pago; other words as they are."""
    words = rows.select(name).unique().collect("pyarrow")[name].to_list()
    section = TOLD_BY[name]
    found = flow_words.meanings(section, getattr(flow_words.load(), section), set(words) - {None})
    value = text
    for meaning in found.keys() - {OTHER, UNKNOWN}:
        value = nw.when(nw.col(name).is_in(found[meaning])).then(nw.lit(meaning)).otherwise(value)
    return value


def _repeated(rows: nw.LazyFrame, name: str, engine: Engine, path: Path) -> nw.LazyFrame | None:
    """Return the ids of rows that share a hash with another one; None: there is none."""
    engine.write(rows.group_by(name).agg(copies=nw.len()).filter(nw.col("copies") > 1), path)
    return rows.join(engine.scan(path), on=name, how="semi").select("row_id") if row_count(path) else None


def _judge(shared: nw.LazyFrame, batch: Batch, engine: Engine, work: Path) -> Path:
    """Write rows that equal another one with the id of the row that each counts as."""
    shapes, number, columns = _shapes(batch), batch.format.identity, shared.collect_schema().names()
    judged = []
    for shape in shapes:
        own = shared.filter(nw.col("source").is_in(list(shape.sources)))
        values = [*sorted(shape.columns), *REJECTED]
        placed = _placed(own, "place", [*values, "source"], number)
        # of equal rows the one with most amounts counts, and of those the first
        first = (nw.col("blanks") * ROWS + nw.col("row_id")).min().over(*values, "place") % ROWS
        judged.append(placed.with_columns(first=first))
    for i, j in combinations(range(len(shapes)), 2):
        judged[j] = _across(judged[i], judged[j], shapes[i].columns & shapes[j].columns, batch.format)
    path = work / f"shared_{batch.format.name}.parquet"
    engine.write(nw.concat([one.select(*columns, "place", "first") for one in judged]), path)
    if number in columns and len(batch.staged) > 1:
        _check_numbers(engine.scan(path), batch, engine)
    for wider, narrower in combinations(shapes, 2):
        _check_values(engine.scan(path), wider, narrower, batch)
    return path


def _placed(rows: nw.LazyFrame, name: str, values: list[str], number: str) -> nw.LazyFrame:
    """Add which of the rows with equal values each is; 1 for rows of one number.

    Parameters
    ----------
    number
        The column that numbers the rows, if it is among the values.
    """
    place = nw.col("one").cum_sum().over(*values, order_by="row_id")
    if number in values:
        place = nw.when(nw.col(number).is_null()).then(place).otherwise(1)
    return rows.with_columns(one=nw.lit(1)).with_columns(place.cast(nw.Int64()).alias(name)).drop("one")


def _across(wider: nw.LazyFrame, narrower: nw.LazyFrame, both: frozenset[str], format_: Format) -> nw.LazyFrame:
    """Return rows of the files with fewer columns; those that the files with more columns have count as theirs.

    Parameters
    ----------
    both
        The columns that both have.
    """
    kinds, values = {c.name: c.kind for c in format_.columns}, sorted(both)
    keys = {f"key_{n}": nw.col(n).fill_null("") if kinds[n] in TEXTS else nw.col(n) for n in values}
    is_kept = (nw.col("row_id") == nw.col("first")) & nw.col("reasons").is_null()
    placed = [_placed(rows.filter(is_kept), "nth", values, format_.identity) for rows in (wider, narrower)]
    theirs, own = (rows.with_columns(**keys).select(*keys, "nth", kept="row_id") for rows in placed)
    on = [*keys, "nth"]
    copies = own.join(theirs.rename({"kept": "theirs"}), on=on, how="inner").select("kept", "theirs")
    joined = narrower.join(copies, left_on="first", right_on="kept", how="left")
    return joined.with_columns(first=nw.coalesce("theirs", "first"))


def _check_numbers(judged: nw.LazyFrame, batch: Batch, engine: Engine) -> None:
    """Raise when two files have a row of one number with other values: one row each, so that it numbers the rows."""
    number = batch.format.identity
    numbered = judged.filter(nw.col("reasons").is_null() & ~nw.col(number).is_null())
    by = ["loan_id", number]
    placed = numbered.with_columns(place=nw.col("row_id").min().over(*by, "first"))
    groups = placed.select(*by, "source", "first", "place").unique().group_by(by).agg(
        rows=nw.len(), files=nw.col("source").n_unique(), firsts=nw.col("first").n_unique(),
        low=nw.col("place").min(), high=nw.col("place").max(),
    )  # fmt: skip
    found = groups.filter((nw.col("firsts") > 1) & (nw.col("rows") == nw.col("files"))).sort("low")
    changed = found.select("low", "high").collect("pyarrow").to_native().to_pylist()
    if changed:
        places = [_place(changed[0][side], batch, engine) for side in ("low", "high")]
        source = next(s.source for s in batch.staged if number in s.source.columns)
        heading = source.columns[number]
        raise InputError(
            f"The {batch.format.title} have rows in two files with the same loan and {heading}, but other values "
            f"({len(changed)}, the first {' and '.join(places)}): which is newer is not known; keep the newer file, or "
            f"take these rows out of the older one ({heading} out of both, if it does not number the rows)"
        )


def _place(row_id: int, batch: Batch, engine: Engine) -> str:
    """Return file and line of a row."""
    source, record = divmod(row_id, RECORDS)
    staged = next(s for s in batch.staged if s.index == source)
    return f"{staged.source.name} line {lines(staged, [record])[record]}"


def _check_values(judged: nw.LazyFrame, wider: Shape, narrower: Shape, batch: Batch) -> None:
    """Raise when a copy has values in columns that count, which the row that it counts as lacks."""
    kinds = {c.name: c.kind for c in batch.format.columns}
    own = sorted(narrower.told(batch.format) - wider.columns)
    if not own:
        return
    says = nw.any_horizontal(
        *(nw.col(n) != ZERO if kinds[n] == "amount" else ~nw.col(n).is_null() for n in own), ignore_nulls=True
    )
    judged = judged.with_columns(theirs=nw.col("first") // RECORDS)
    is_pair = nw.col("source").is_in(list(narrower.sources)) & nw.col("theirs").is_in(list(wider.sources))
    found = judged.filter(is_pair & says).group_by("source", "theirs").agg(rows=nw.len()).sort("source", "theirs")
    if rows := found.collect("pyarrow").to_native().to_pylist():
        by_index = {s.index: s.source for s in batch.staged}
        files = [by_index[rows[0][side]] for side in ("source", "theirs")]
        headings = ", ".join(files[0].columns[name] for name in own)
        raise InputError(
            f"Rows of {files[0].name} are in {files[1].name} too ({rows[0]['rows']}), without {headings}, but with "
            "other columns: export one file with all columns, or leave one of the two out"
        )


def note_copies(batch: Batch, engine: Engine) -> Batch:
    """Return a batch with the files that are left out, as others have all of their rows, and notes on shared rows."""
    if batch.verdicts is None or len(batch.staged) == 1:
        return batch
    judged = engine.scan(batch.verdicts).with_columns(source=nw.col("row_id") // RECORDS)
    verdicts = ((DUPLICATE,), (LATER, TOTAL))
    copies, others = (_by_source(judged.filter(nw.col("verdict").is_in(some))) for some in verdicts)
    rows = _by_source(batch.rows(engine).filter(~IS_LATER))
    left_out = [s for s, (n, _) in copies.items() if n == rows[s][0] - others.get(s, (0, None))[0]]
    notes = []
    for source, total in copies.items():
        kept = [name for other, name in batch.names.items() if other not in (source, *left_out)]
        other = kept[0] if len(kept) == 1 else Reason("other_files", export=batch.format.title)
        names = {"name": batch.names[source], "other": other}
        if source in left_out:
            notes.append(Reason("file_repeated", **names))
        elif not batch.format.key:
            notes.append(Reason("rows_repeated", rows=amounted(*total), **names))
    left = tuple(batch.names[source] for source in left_out)
    return replace(batch, left_out=left, notes=(*batch.notes, *notes))


def _by_source(rows: nw.LazyFrame) -> dict[int, tuple[int, Decimal | None]]:
    """Return how many rows of each source there are, and their amount in USD."""
    sums = rows.group_by("source").agg(rows=nw.len(), usd=nw.col("amount_usd").sum()).sort("source")
    return {row["source"]: (row["rows"], row["usd"]) for row in sums.collect("pyarrow").to_native().to_pylist()}
