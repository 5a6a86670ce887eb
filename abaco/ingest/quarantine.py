"""Quarantine: the rejected rows with their file, line, reasons and original values, and why."""

import json
import re
from collections import Counter
from collections.abc import Iterable, Mapping

import narwhals as nw
import pyarrow as pa

from abaco.core.files import row_count
from abaco.core.parquet import arrow_schema
from abaco.core.people import HIDDEN
from abaco.core.quoting import shown
from abaco.core.reasons import Reason
from abaco.core.tables import COUNT, TEXT, Field, Table
from abaco.engines import Engine
from abaco.ingest import contract
from abaco.ingest.columns import TEXTS, normalise
from abaco.ingest.csv_records import excerpt, line_numbers
from abaco.ingest.duplicates import CONFLICT, INCOMPLETE, SPLIT
from abaco.ingest.masking import Masking
from abaco.ingest.originals import with_originals
from abaco.ingest.reading import typed
from abaco.ingest.sources import Source
from abaco.ingest.staging import IS_LATER, Batch, Staged

JOINT = "; "  # between the reasons of a row
# why rows of two files are rejected, by their verdict
OF_FILES = {CONFLICT: "conflict_of_files", INCOMPLETE: "columns_of_files"}
CONFLICTS = (*OF_FILES, SPLIT)
FEW_LETTERS = 3
SHARE = re.compile(r"[\d.,\s]*\d\s*%")

TABLE = Table(
    "quarantine",
    "one row per rejected row of the input",
    (
        Field("file", TEXT, "the input file"),
        Field("line", COUNT, "the row's line in the file, from 1; of Parquet and JSON its number"),
        Field("reasons", TEXT, "why it is rejected, every reason"),
        Field("amount_usd", "decimal(18, 2)", "its amount, empty when that cannot be read", "USD"),
        Field("original", TEXT, "its values as they stand in the file, as JSON; personal ones masked"),
    ),
)


def quarantine(
    batches: Iterable[Batch], engine: Engine, key: bytes | None = None, show_values: bool = False
) -> tuple[pa.Table, dict[str, dict[Reason, int]]]:
    """Return the rejected rows of all batches, and how many rows of each have each reason.

    Parameters
    ----------
    key
        The masking key.
    show_values
        See `originals.with_originals`.

    Returns
    -------
    pyarrow.Table
        One row per rejected row: file, line, every reason, amount, and the original values, personal ones masked.
        The text of a line that could not be split into columns is withheld: any part of it may be personal.
    dict
        Rows by format and reason, most frequent first.
    """
    tables, counts = [], {}
    for batch in batches:
        found = rejected_rows(batch, engine)
        counted: Counter[Reason] = Counter()
        tables += [_rejects(staged, batch, found, counted, engine, key, show_values) for staged in batch.staged]
        often = sorted(counted.items(), key=lambda item: (-item[1], str(item[0])))
        counts[batch.format.name] = dict(often)
    return pa.concat_tables([arrow_schema(TABLE).empty_table(), *tables]), counts


def rejected_rows(batch: Batch, engine: Engine) -> list[dict]:
    """Return the rejected rows of a batch: those that fail a check, and those that contradict another row."""
    if batch.verdicts is None and not batch.has("reasons"):
        return []
    return batch.cached(("rejected", batch.verdicts), lambda: _rejected_rows(batch, engine))


def _rejected_rows(batch: Batch, engine: Engine) -> list[dict]:
    rows = batch.rows(engine).filter(~IS_LATER)
    key = [name for name in ("measurement_date", "loan_id") if name in rows.collect_schema()]
    rows = rows.select("row_id", "source", "record", "reasons", "original", "amount_usd", *key)
    if batch.verdicts is None:
        bad = rows.with_columns(verdict=nw.lit("")).filter(~nw.col("reasons").is_null())
    else:
        verdicts = engine.scan(batch.verdicts).drop("amount_usd")
        judged = rows.join(verdicts, on="row_id", how="left").with_columns(nw.col("verdict").fill_null(""))
        is_bad = ((nw.col("verdict") == "") & ~nw.col("reasons").is_null()) | nw.col("verdict").is_in(CONFLICTS)
        bad = judged.filter(is_bad)
    return bad.sort("row_id").collect("pyarrow").to_native().to_pylist()


def _rejects(
    staged: Staged,
    batch: Batch,
    found: list[dict],
    counted: Counter[Reason],
    engine: Engine,
    key: bytes | None,
    show_values: bool,
) -> pa.Table:
    """Return the rejected rows of one source, and add their reasons to those that were counted."""
    mine = [row for row in found if row["source"] == staged.index]
    places = lines(staged, [row["record"] for row in mine])
    # rows that conflict passed every check of their own: their values are fetched from the file
    originals = {row["record"]: row["original"] for row in mine}
    if unseen := {record: places[record] for record, original in originals.items() if original is None}:
        originals |= _values(staged, unseen, row_count(staged.path), engine, key, show_values)
    for row in mine:
        loan, original = row.get("loan_id") or "", originals[row["record"]]
        has_digit = any(map(str.isdigit, loan))
        # a footer may stand among the numbers of loans
        if original and (not has_digit or " " in loan.strip()) and shown(loan, is_known=has_digit) != loan:
            originals[row["record"]] = original.replace(loan, HIDDEN)
    source = staged.source
    known = {check.key: in_file(check.reason, source) for check in contract.checks(batch.format, source.columns)}
    names = {one.index: one.source.name for one in batch.staged}
    rejects = []
    for row in mine:
        reasons = [known[name] for name in (row["reasons"] or "").split(contract.SEPARATOR) if name]
        if row["verdict"] in CONFLICTS:
            files = tuple(names[row[side]] for side in ("first_source", "last_source"))
            reasons.append(in_file(_conflict(row["verdict"], batch.format.key, files), source))
        elif batch.format.balance:
            is_first = places[row["record"]] == source.first_line + 1
            kind = _of_no_loan(json.loads(originals[row["record"]] or "{}"), source, is_first)
            reasons = [Reason(kind)] if kind else reasons
        counted.update(reasons)
        rejects.append((places[row["record"]], reasons, row["amount_usd"], originals[row["record"]]))
    for line, fault in staged.broken:
        counted[broken := Reason("broken_line", fault=fault)] += 1
        rejects.append((line, [broken], None, None))
    rows = [
        {"file": staged.source.name, "line": line, "reasons": JOINT.join(map(str, reasons)),
         "amount_usd": amount, "original": original}
        for line, reasons, amount, original in rejects
    ]  # fmt: skip
    return pa.Table.from_pylist(sorted(rows, key=lambda row: row["line"]), schema=arrow_schema(TABLE))


def _of_no_loan(original: Mapping[str, str | None], source: Source, is_first: bool) -> str | None:
    """Return why a row with these values, as they may be shown, is not a loan: it has only a text, shares, or units.

    Units stand in the `is_first` row, below the headings.
    """
    cells = {heading: text for heading, text in original.items() if text and text.strip()}
    texts = {source.columns[name] for name, kind in source.layout.kinds.items() if kind in TEXTS}
    words = {heading for heading, text in cells.items() if not SHARE.fullmatch(text.strip())}
    if len(cells) == len(words) == 1:
        [(heading, text)] = cells.items()
        is_id = any(map(str.isdigit, text)) and " " not in text.strip() and heading in texts
        return None if is_id or sum(map(str.isalpha, text)) < FEW_LETTERS else "row_of_text"
    if words != {*cells} and len(words) <= 1:
        return "row_of_shares"
    has_id = "loan_id" in source.columns and source.columns["loan_id"] in cells
    are_texts = all(any(map(str.isalpha, text)) for text in cells.values())
    return "row_of_units" if is_first and cells and are_texts and not has_id and not {*cells} <= texts else None


def in_file(reason: Reason, source: Source) -> Reason:
    """Return why a row is rejected in the headings of its file, where they are not our names in other letters."""
    own = {name: heading for name, heading in source.columns.items() if normalise(heading) != name}
    values = dict(reason.values)
    for name in {"column", "wider_column"} & values.keys():
        values[name] = own.get(values[name], values[name])
    if "columns" in values:
        values["columns"] = tuple(own.get(name, name) for name in values["columns"])
    return Reason(reason.code, **values)


def _conflict(verdict: str, key: tuple[str, ...], files: tuple[str, str]) -> Reason:
    """Return the reason of rows that contradict each other, with both files where a later one restates the other."""
    if files[0] == files[1]:
        return Reason("conflict_of_borrowers" if verdict == SPLIT else "conflict", columns=key)
    return Reason(OF_FILES[verdict], columns=key, files=files)


def lines(staged: Staged, records: list[int]) -> dict[int, int]:
    """Return the line, from 1, of each record of a source; of Parquet and JSON the row."""
    if staged.text is None:
        return {record: record + 1 for record in records}
    total, broken = row_count(staged.path), [line for line, _ in staged.broken]
    return line_numbers(staged.source, staged.text, records, total, broken)


def _values(
    staged: Staged, wanted: dict[int, int], total: int, engine: Engine, key: bytes | None, show_values: bool
) -> dict[int, str]:
    """Return the original values of wanted records, given with their lines, from a file of them alone if possible."""
    source, text, records = staged.source, staged.whole, sorted(wanted)
    places, masking = records, Masking(key)
    if source.kind == "parquet":
        few = typed(source, engine, text, staged.writings, masking, row_number="place", places=places)
    else:
        if source.kind == "csv" and text is None and source.lines == source.first_line + total + len(staged.broken):
            text, places = engine.private.path(f"{source.key} excerpt"), range(len(records))
            excerpt(staged.text, [wanted[r] - source.first_line + 1 for r in records], text)
        again = engine.numbered(typed(source, engine, text, staged.writings, masking), "place")
        few = again.join(_column("place", places, engine), on="place", how="semi")
    found = with_originals(few.with_columns(reasons=nw.lit("all")), source, engine, key, show_values).sort("place")
    return dict(zip(records, found.collect("pyarrow")["original"].to_list(), strict=True))


def _column(name: str, values: Iterable[int], engine: Engine) -> nw.LazyFrame:
    return engine.from_arrow(pa.table({name: pa.array(values, pa.int64())}))


def first_places(rejects: pa.Table) -> dict[str, str]:
    """Return ``file:line`` of the first rejected row of each reason, and how its value is written."""
    found: dict[str, str] = {}
    for row in rejects.select(["file", "line", "reasons", "original"]).to_pylist():
        for reason in (reason for reason in row["reasons"].split(JOINT) if reason not in found):
            value = json.loads(row["original"] or "{}").get(reason.partition(": ")[0])
            found[reason] = f"{row['file']}:{row['line']}" + (f' ("{value}")' if value else "")
    return found
