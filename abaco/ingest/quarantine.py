"""Ingestion: exports become staged rows with a verdict each, and what was rejected is written down."""

import datetime as dt
from collections.abc import Iterable, Mapping
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import narwhals as nw
import pyarrow as pa

from abaco.core.errors import InputError
from abaco.engines import Engine
from abaco.ingest import contract
from abaco.ingest.csv_records import excerpt, line_numbers
from abaco.ingest.duplicates import judge
from abaco.ingest.formats import FORMATS
from abaco.ingest.sources import Skipped, Source
from abaco.ingest.staging import IS_LATER, Batch, Staged, count, stage_one, typed, with_originals
from abaco.kpis.ratios import rounded

CONFLICT = "{}: another row has the same, with other values"
QUARANTINE = pa.schema(
    [
        ("file", pa.string()),
        ("line", pa.int64()),
        ("reasons", pa.string()),
        ("amount_usd", pa.decimal128(18, 2)),
        ("original", pa.string()),
    ]
)


def roles(sources: Iterable[Source]) -> dict[str, str]:
    """Return what each file is used for: one format only gives the loan tape, or balances would count twice.

    A canonical snapshot goes before PAR balances, and these before loans.
    """
    sources = list(sources)
    present = {s.format_name for s in sources}
    tape_format = next((name for name in ("snapshot", "par_balances", "loans") if name in present), None)
    use = {tape_format: "tape", "statements": "cash", "statements_wide": "cash"}
    kept = {
        "loans": "what is fixed of each loan",
        "schedules": "what was due",
        "transactions": "what was paid",
    }
    kept["payments"] = (
        "kept: the transactions say what was paid" if "transactions" in present else "what was paid"
    )
    unused = "not used: the tape comes from the snapshot"
    return {s.name: use.get(s.format_name) or kept.get(s.format_name, unused) for s in sources}


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
    raise InputError(
        f"No loan tape in the input, only {titles}: add a canonical snapshot, PAR balances or loans"
    )


def stage(sources: list[Source], date: dt.date, engine: Engine, work: Path) -> list[Batch]:
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
    staged = [stage_one(s, i, use[s.name] == "tape", date, engine, work) for i, s in enumerate(used)]
    by_format = {}
    for one in staged:
        by_format.setdefault(one.source.format_name, []).append(one)
    return [
        judge(Batch(FORMATS[name], use[group[0].source.name], tuple(group)), engine, work)
        for name, group in by_format.items()
    ]


def quarantine(batches: Iterable[Batch], engine: Engine, work: Path) -> pa.Table:
    """Return the rejected rows, one a row: file, line, every reason, amount in USD, and the original values.

    Personal values are masked. Of a line that could not be split into columns, nobody can say which part is
    personal: its text is withheld.
    """
    tables = []
    for batch in batches:
        rows = (
            batch.rows(engine)
            .filter(~IS_LATER)
            .select("row_id", "source", "record", "reasons", "original", "amount_usd")
        )
        conflict = nw.lit(CONFLICT.format(" and ".join(batch.format.key)))
        if batch.verdicts is None:
            bad = rows.filter(~nw.col("reasons").is_null())
        else:
            judged = rows.join(
                engine.scan(batch.verdicts).select("row_id", "verdict"), on="row_id", how="left"
            )
            judged = judged.filter(~(nw.col("verdict") == "duplicate").fill_null(False))
            reason = nw.when(nw.col("verdict") == "conflict").then(conflict)
            reasons = contract.joined([nw.col("reasons"), reason])
            bad = judged.with_columns(reasons=reasons).filter(~nw.col("reasons").is_null())
        found = bad.sort("row_id").collect("pyarrow").to_native()
        tables += [_rejects(one, found, engine, work) for one in batch.staged]
    return pa.concat_tables([QUARANTINE.empty_table(), *tables])


def _rejects(staged: Staged, found: pa.Table, engine: Engine, work: Path) -> pa.Table:
    mine = [row for row in found.to_pylist() if row["source"] == staged.index]
    places = lines(staged, [row["record"] for row in mine], engine)
    # rows that conflict passed every check of their own: their values are fetched from the file
    if unseen := {row["record"]: places[row["record"]] for row in mine if row["original"] is None}:
        values = _values(staged, unseen, count(engine.scan(staged.path)), engine, work)
        mine = [{**row, "original": row["original"] or values[row["record"]]} for row in mine]
    rejects = [
        {"file": staged.source.name, "line": places[row["record"]], "reasons": row["reasons"],
         "amount_usd": row["amount_usd"], "original": row["original"]}
        for row in mine
    ] + [
        {"file": staged.source.name, "line": line, "reasons": f"line: {fault}",
         "amount_usd": None, "original": None}
        for line, fault in staged.broken
    ]  # fmt: skip
    return pa.Table.from_pylist(sorted(rejects, key=lambda r: r["line"]), schema=QUARANTINE)


def lines(staged: Staged, records: list[int], engine: Engine) -> dict[int, int]:
    """Return the line, from 1, of each record of a source; of Parquet and JSON the row."""
    if staged.text is None:
        return {record: record + 1 for record in records}
    total, broken = count(engine.scan(staged.path)), [line for line, _ in staged.broken]
    return line_numbers(staged.source, staged.text, records, total, broken)


def _values(staged: Staged, wanted: dict[int, int], total: int, engine: Engine, work: Path) -> dict[int, str]:
    """Return the original values of wanted records, given with their lines, from a file of them alone if possible."""
    source, text, records = staged.source, staged.whole, sorted(wanted)
    places = records
    if source.kind == "parquet":
        source, places = replace(source, path=str(work / "excerpt.parquet")), range(len(records))
        rows = engine.scan(Path(staged.source.path), row_number="abaco_place")
        few = rows.join(_column("abaco_place", records, engine), on="abaco_place", how="semi").sort(
            "abaco_place"
        )
        engine.write(few.drop("abaco_place"), Path(source.path))
    elif source.kind == "csv" and text is None and source.lines == 1 + total + len(staged.broken):
        text, places = excerpt(staged.text, [wanted[r] for r in records], work), range(len(records))
    again = engine.numbered(typed(source, engine, work, text), "place")
    again = with_originals(again.with_columns(reasons=nw.lit("")), source, engine).select("place", "original")
    found = again.join(_column("place", places, engine), on="place", how="semi").sort("place")
    return dict(zip(records, found.collect("pyarrow")["original"].to_list(), strict=True))


def _column(name: str, values: Iterable[int], engine: Engine) -> nw.LazyFrame:
    return engine.from_arrow(pa.table({name: pa.array(values, pa.int64())}))


def inputs(found: list[Source], batches: Iterable[Batch], engine: Engine) -> list[dict]:
    """Return what metrics and manifest say of each input file; rows are None for a file that was not used."""
    use = roles(found)
    rows = {s.source.name: count(engine.scan(s.path)) + len(s.broken) for b in batches for s in b.staged}
    return [
        {"name": s.name, "format": s.format.title, "used_for": use[s.name], "rows": rows.get(s.name),
         "bytes": s.bytes, "sha256": s.sha256}
        for s in found
    ]  # fmt: skip


def notes(found: list[Source], skipped: list[Skipped], unknown_accounts: list[str]) -> list[str]:
    """Return what a reader should know about the input, in sentences."""
    said = [f"{s.name} was not used: {s.reason}." for s in skipped]
    if tape_sources(found)[0].format_name == "loans":
        said += [
            "The loans export carries no date: balances and days past due are those of the day it was made, "
            "whatever date the report is of.",
            "The balances come from the loans export, where they include what was written off.",
        ]
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


def check_reject_limit(
    batch: Batch, book: Mapping[str, int], reasons: Mapping[str, int], max_reject_pct: float
) -> None:
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
    if 100 * rejected > Decimal(str(max_reject_pct)) * rows:
        often = "; ".join(f"{reason} ({count})" for reason, count in list(reasons.items())[:5])
        raise InputError(
            f"{rejected} of {rows} rows of the {batch.format.title} are rejected "
            f"({reject_pct(book)} %, more than max_reject_pct {max_reject_pct}): {often}; "
            "correct the export, or raise ingestion.max_reject_pct"
        )
