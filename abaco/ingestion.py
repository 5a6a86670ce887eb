"""Ingestion: exports become staged rows with a verdict each, and what was rejected is written down."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import narwhals as nw
import pyarrow as pa

from abaco import contract, masking, tape
from abaco.engines import DuckDB
from abaco.errors import InputError
from abaco.formats import FORMATS, Format
from abaco.kpis.ratios import rounded
from abaco.sources import Skipped, Source, broken_line_numbers, is_whole, line_numbers, read, split_lines, text_path

ROW_ID = (nw.col("source").cast(nw.Int64()) * 2**40 + nw.col("record")).alias("row_id")
IS_LATER = nw.col("is_later")
CONFLICT = "{}: another row has the same, with other values"
QUARANTINE = pa.schema(
    [("file", pa.string()), ("line", pa.int64()), ("reasons", pa.string()), ("amount_usd", pa.decimal128(18, 2)),
     ("original", pa.string())]
)  # fmt: skip


@dataclass(frozen=True)
class Staged:
    """One source after the contract: its rows as Parquet, and the lines that could not be split into columns.

    `whole` is the copy without those lines, where one had to be made.
    """

    source: Source
    index: int
    path: Path
    text: Path | None
    broken: tuple[tuple[int, str], ...]
    whole: Path | None = None


@dataclass(frozen=True)
class Batch:
    """All staged sources of one format, with the verdicts on rows that share a key."""

    format: Format
    role: str
    staged: tuple[Staged, ...]
    verdicts: Path | None = None

    @property
    def is_tape(self) -> bool:
        """Whether these rows are the loan tape."""
        return self.role == "tape"

    def rows(self, engine: DuckDB) -> nw.LazyFrame:
        """Return every row that could be split into columns, with ``reasons``, ``is_later`` and a ``row_id``."""
        return engine.scan([s.path for s in self.staged], row_number="record").with_columns(ROW_ID)

    def accepted(self, engine: DuckDB) -> nw.LazyFrame:
        """Return the rows that passed: no reason against them, not later than the date, not dropped as a duplicate."""
        return accepted_rows([s.path for s in self.staged], self.verdicts, engine)

    def as_dict(self) -> dict:
        """Return what a later phase needs to read the accepted rows."""
        return {
            "format": self.format.name,
            "is_tape": self.is_tape,
            "staged": [s.path.name for s in self.staged],
            "verdicts": self.verdicts and self.verdicts.name,
        }


def accepted_rows(staged: list[Path], verdicts: Path | None, engine: DuckDB) -> nw.LazyFrame:
    """Return the accepted rows of staged files: the columns of the contract, or those of the tape."""
    rows = engine.scan(staged, row_number="record").with_columns(ROW_ID)
    rows = rows.filter(nw.col("reasons").is_null() & ~IS_LATER)
    if verdicts is not None:
        rows = rows.join(engine.scan(verdicts), on="row_id", how="anti")
    return rows.drop("reasons", "original", "is_later", "has_key", "amount_usd", "source", "record", "row_id")


def roles(sources: Iterable[Source]) -> dict[str, str]:
    """Return what each file is used for: the loan tape comes from one format only, so that no balance counts twice.

    A canonical snapshot goes before PAR balances, and these before loans.
    """
    sources = list(sources)
    present = {s.format_name for s in sources}
    tape_format = next((name for name in ("snapshot", "par_balances", "loans") if name in present), None)
    use = {tape_format: "tape", "statements": "cash", "statements_wide": "cash"}
    kept = {name: "kept for later analyses" for name in ("loans", "schedules", "transactions", "payments")}
    return {s.name: use.get(s.format_name) or kept.get(s.format_name, "not used: the tape comes from the snapshot")
            for s in sources}  # fmt: skip


def tape_sources(sources: list[Source]) -> list[Source]:
    """Return the files that give the tape.

    Raises
    ------
    InputError
        When none does, naming what there is.
    """
    use = roles(sources)
    if found := [s for s in sources if use[s.name] == "tape"]:
        return found
    titles = ", ".join(sorted({s.format.title for s in sources}))
    raise InputError(f"No loan tape in the input, only {titles}: add a canonical snapshot, PAR balances or loans")


def stage(sources: list[Source], date: dt.date, engine: DuckDB, work: Path) -> list[Batch]:
    """Read every source once, check each row against its contract, and write the rows as Parquet.

    Parameters
    ----------
    date
        The measurement date: rows that became known later are marked.
    work
        Folder for the staged rows; they still hold personal data.

    Returns
    -------
    list of Batch
        One a format; of the formats that could give the tape, only the one that does.
    """
    tape_sources(sources)
    use = roles(sources)
    used = [s for s in sources if not use[s.name].startswith("not used")]
    staged = [_stage_one(s, i, use[s.name] == "tape", date, engine, work) for i, s in enumerate(used)]
    by_format = {}
    for one in staged:
        by_format.setdefault(one.source.format_name, []).append(one)
    return [
        judge(Batch(FORMATS[name], use[group[0].source.name], tuple(group)), engine, work)
        for name, group in by_format.items()
    ]


def _checked(source: Source, engine: DuckDB, work: Path, text: Path | None) -> nw.LazyFrame:
    present = set(source.columns)
    kinds = {c.name: c.kind for c in source.format.columns if c.name in present}
    typed = engine.typed(read(source, engine, work, text), kinds, source.decimal_mark)
    return typed.with_columns(reasons=contract.reasons(source.format, present))


def _with_originals(frame: nw.LazyFrame, source: Source, engine: DuckDB) -> nw.LazyFrame:
    values = {source.headings[i].strip(): f"raw_{name}" for name, i in source.columns.items()}
    return engine.with_originals(frame, values, [f"raw_{name}" for name in source.format.personal], masking.key())


def _stage_one(source: Source, index: int, is_tape: bool, date: dt.date, engine: DuckDB, work: Path) -> Staged:
    path = work / f"staged_{index:02d}.parquet"
    _write_rows(source, None, index, is_tape, date, engine, path)
    if source.kind not in ("csv", "xlsx"):
        return Staged(source, index, path, None, ())
    text, faults = text_path(source, work), engine.broken_lines()
    if is_whole(source, _count(engine.scan(path)), (line for _, _, line in faults)):
        lines = broken_line_numbers(text, [position for position, _, _ in faults])
        return Staged(source, index, path, text, tuple(zip(lines, (fault for _, fault, _ in faults), strict=True)))
    whole, broken = split_lines(source, text, work)
    _write_rows(source, whole, index, is_tape, date, engine, path)
    return Staged(source, index, path, text, tuple(broken), whole)


def _write_rows(
    source: Source, text: Path | None, index: int, is_tape: bool, date: dt.date, engine: DuckDB, path: Path
) -> None:
    format_, present = source.format, set(source.columns)
    rows = _with_originals(_checked(source, engine, path.parent, text), source, engine)
    key = [nw.col(name).is_null() for name in format_.key if name in present]
    if is_tape:
        columns = tape.tape_columns(format_, present, date)
    else:
        columns = [nw.col(c.name) for c in format_.columns if c.name in present]
    later = (nw.col(format_.date) > date).fill_null(False) if format_.date else nw.lit(False)
    amount = nw.col(format_.amount) if format_.amount in present else nw.lit(None)
    rows = rows.select(
        *columns, "reasons", "original",
        later.alias("is_later"),
        amount.cast(nw.Decimal(18, 2)).alias("amount_usd"),
        (~nw.any_horizontal(*key, ignore_nulls=False) if key else nw.lit(False)).alias("has_key"),
        nw.lit(index).alias("source"),
    )  # fmt: skip
    engine.write(rows, path)


def judge(batch: Batch, engine: DuckDB, work: Path) -> Batch:
    """Find rows that share a key: identical ones are dropped but for the first, conflicting ones are all rejected."""
    key = list(batch.format.key)
    rows = batch.rows(engine)
    key = [name for name in key if name in rows.collect_schema().names()]
    if not key:
        return batch
    known = rows.filter(nw.col("has_key") & ~IS_LATER)
    # a file with a row a date has no loan id: its rows share the empty one
    known = known.with_columns(**{f"key_{name}": nw.col(name).cast(nw.String()).fill_null("") for name in key})
    by = [f"key_{name}" for name in key]
    repeated = work / f"repeated_{batch.format.name}.parquet"
    engine.write(known.group_by(by).agg(copies=nw.len()).filter(nw.col("copies") > 1), repeated)
    if not _count(engine.scan(repeated)):
        return batch
    shared = known.join(engine.scan(repeated), on=by, how="inner")
    internal = {"reasons", "original", "is_later", "has_key", "source", "record", "row_id", "copies", *by}
    values = [name for name in shared.collect_schema().names() if name not in internal]
    low = [nw.col(v).min().alias(f"low_{v}") for v in values]
    high = [nw.col(v).max().alias(f"high_{v}") for v in values]
    filled = [nw.col(v).count().alias(f"filled_{v}") for v in values]
    groups = shared.group_by(by).agg(*low, *high, *filled, first=nw.col("row_id").min(), copies=nw.len())
    differs = [nw.col(f"low_{v}") != nw.col(f"high_{v}") for v in values]
    differs += [(nw.col(f"filled_{v}") > 0) & (nw.col(f"filled_{v}") < nw.col("copies")) for v in values]
    groups = groups.select(*by, "first", nw.any_horizontal(*differs, ignore_nulls=True).alias("conflicts"))
    verdict = nw.when(nw.col("conflicts")).then(nw.lit("conflict"))
    verdict = verdict.otherwise(nw.when(nw.col("row_id") != nw.col("first")).then(nw.lit("duplicate")))
    verdicts = work / f"verdicts_{batch.format.name}.parquet"
    judged = shared.drop("copies").join(groups, on=by, how="inner").with_columns(verdict=verdict)
    engine.write(judged.filter(~nw.col("verdict").is_null()).select("row_id", "verdict", "amount_usd"), verdicts)
    return replace(batch, verdicts=verdicts)


def quarantine(batches: Iterable[Batch], engine: DuckDB, work: Path) -> pa.Table:
    """Return the rejected rows, one a row: file, line, every reason, amount in USD, and the original values.

    Personal values are masked. Of a line that could not be split into columns, nobody can say which part is personal:
    its text is withheld.
    """
    tables = []
    for batch in batches:
        rows = batch.rows(engine).filter(~IS_LATER).select("row_id", "source", "record", "reasons", "original", "amount_usd")
        conflict = nw.lit(CONFLICT.format(" and ".join(batch.format.key)))
        if batch.verdicts is None:
            bad = rows.filter(~nw.col("reasons").is_null())
        else:
            judged = rows.join(engine.scan(batch.verdicts).select("row_id", "verdict"), on="row_id", how="left")
            judged = judged.filter(~(nw.col("verdict") == "duplicate").fill_null(False))
            reason = nw.when(nw.col("verdict") == "conflict").then(conflict)
            reasons = contract.joined([nw.col("reasons"), reason])
            bad = judged.with_columns(reasons=reasons).filter(~nw.col("reasons").is_null())
        found = bad.sort("row_id").collect("pyarrow").to_native()
        tables += [_rejects(one, found, engine, work) for one in batch.staged]
    return pa.concat_tables([QUARANTINE.empty_table(), *tables])


def _rejects(staged: Staged, found: pa.Table, engine: DuckDB, work: Path) -> pa.Table:
    mine = [row for row in found.to_pylist() if row["source"] == staged.index]
    unseen = [row["record"] for row in mine if row["original"] is None]
    if unseen:  # rows that conflict passed every check of their own: their values are fetched from the file
        wanted = engine.from_arrow(pa.table({"record": pa.array(unseen, pa.int64())}))
        again = engine.numbered(_checked(staged.source, engine, work, staged.whole), "record").join(wanted, on="record", how="semi")
        again = _with_originals(again.with_columns(reasons=nw.lit("")), staged.source, engine)
        values = {r["record"]: r["original"] for r in again.select("record", "original").collect("pyarrow").to_native().to_pylist()}
        mine = [{**row, "original": row["original"] or values[row["record"]]} for row in mine]
    records = [row["record"] for row in mine]
    if staged.text is None:
        lines = {r: r + 1 for r in records}
    else:
        total = _count(engine.scan(staged.path))
        lines = line_numbers(staged.source, staged.text, records, total, [line for line, _ in staged.broken])
    rejects = [
        {"file": staged.source.name, "line": lines[row["record"]], "reasons": row["reasons"],
         "amount_usd": row["amount_usd"], "original": row["original"]}
        for row in mine
    ] + [
        {"file": staged.source.name, "line": line, "reasons": f"line: {fault}", "amount_usd": None, "original": None}
        for line, fault in staged.broken
    ]  # fmt: skip
    return pa.Table.from_pylist(sorted(rejects, key=lambda r: r["line"]), schema=QUARANTINE)


def _count(frame: nw.LazyFrame) -> int:
    return frame.select(nw.len().alias("n")).collect("pyarrow")["n"][0]


def as_of(tape: nw.LazyFrame, date: dt.date) -> dt.date:
    """Return the day that the figures of `date` are really from: the first overdue day plus the days past due.

    A snapshot labelled with the month's end can hold figures from weeks before. Without overdue dates it is `date`.
    """
    overdue = tape.filter((nw.col("measurement_date") == date) & (nw.col("days_past_due") > 0))
    known = overdue.select("overdue_on", "days_past_due").drop_nulls().unique().collect("pyarrow").to_native().to_pylist()
    days = [row["overdue_on"] + dt.timedelta(days=row["days_past_due"]) for row in known]
    return min(max(days, default=date), date)


def check_grain(tape: nw.LazyFrame) -> None:
    """Raise when a date has both a row a loan and a row for the whole book: it would count twice.

    Raises
    ------
    InputError
        Naming the first such date.
    """
    whole = nw.col("loan_id").is_null().cast(nw.Int64())
    by_date = tape.with_columns(whole=whole).group_by("measurement_date").agg(nw.len().alias("rows"), nw.col("whole").sum())
    mixed = by_date.filter((nw.col("whole") > 0) & (nw.col("whole") < nw.col("rows"))).sort("measurement_date")
    if found := mixed.collect("pyarrow").to_native().to_pylist():
        raise InputError(
            f"{found[0]['measurement_date']} has both a row a loan and a row for the whole book: keep one of the files"
        )


def inputs(found: list[Source], batches: Iterable[Batch], engine: DuckDB) -> list[dict]:
    """Return what metrics and manifest say of each input file; rows are None for a file that was not used."""
    use = roles(found)
    rows = {s.source.name: _count(engine.scan(s.path)) + len(s.broken) for b in batches for s in b.staged}
    return [
        {"name": s.name, "format": s.format.title, "used_for": use[s.name], "rows": rows.get(s.name), "bytes": s.bytes,
         "sha256": s.sha256}
        for s in found
    ]  # fmt: skip


def notes(found: list[Source], skipped: list[Skipped], unknown_accounts: list[str]) -> list[str]:
    """Return what a reader should know about the input, in sentences."""
    said = [f"{s.name} was not used: {s.reason}." for s in skipped]
    if tape_sources(found)[0].format_name == "loans":
        said.append("The balances come from the loans export, where they include what was written off.")
    if unknown_accounts:
        said.append(f"No KPI uses these accounts of the statements: {', '.join(unknown_accounts)}.")
    return said


def reject_pct(book: Mapping[str, int]) -> Decimal:
    """Return how many per cent of the rows up to the date were rejected.

    Parameters
    ----------
    book
        A batch's reconciliation.
    """
    rows = book["rows_in"] - book["later"]
    return rounded(Decimal(100 * book["quarantined"]) / rows, 2) if rows else Decimal(0)


def check_reject_limit(batch: Batch, book: Mapping[str, int], reasons: Mapping[str, int], max_reject_pct: float) -> None:
    """Raise when more than `max_reject_pct` per cent of the rows up to the date were rejected.

    Parameters
    ----------
    book
        The batch's reconciliation.
    reasons
        Rows by reason, most frequent first.

    Raises
    ------
    InputError
        Naming the counts, the limit, and the most frequent reasons.
    """
    rejected, rows = book["quarantined"], book["rows_in"] - book["later"]
    share = reject_pct(book)
    if share > Decimal(str(max_reject_pct)):
        often = "; ".join(f"{reason} ({count})" for reason, count in list(reasons.items())[:5])
        raise InputError(
            f"{rejected} of {rows} rows of the {batch.format.title} are rejected ({share} %, more than max_reject_pct "
            f"{max_reject_pct}): {often}; correct the export, or raise ingestion.max_reject_pct"
        )


def dates(batch: Batch, engine: DuckDB) -> list[dt.date]:
    """Return the dates that the tape has accepted rows for, and those later ones that were left out, oldest first."""
    rows = batch.rows(engine).filter(nw.col("reasons").is_null()).select("measurement_date").unique()
    return sorted(row["measurement_date"] for row in rows.collect("pyarrow").to_native().to_pylist())


def check_date(dates: list[dt.date], date: dt.date) -> None:
    """Raise when `date` is not among the dates that the tape has rows for.

    Raises
    ------
    InputError
        Naming the nearest dates that exist.
    """
    if date in dates:
        return
    before = max((d for d in dates if d < date), default=None)
    after = min((d for d in dates if d > date), default=None)
    nearest = " and ".join(str(d) for d in (before, after) if d)
    raise InputError(f"No row for {date} in the input; the nearest dates are {nearest}" if nearest else
                     f"No row for {date} in the input: it has no usable row at all")  # fmt: skip
