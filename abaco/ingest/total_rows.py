"""Totals and subtotals in an export: rows that add up the others, with or without a label."""

from collections.abc import Iterable
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import narwhals as nw
import pyarrow as pa

from abaco.core.reasons import Reason
from abaco.engines import Engine
from abaco.ingest.columns import BUCKETS, DISCOUNTED, ELIGIBLE
from abaco.ingest.staging import Batch, with_amount

WORDS = (
    "total", "totals", "totales", "totais", "totaux", "totale", "totaal", "totalt", "toplam", "suma", "soma",
    "summe", "somme", "somma", "sum", "gesamt", "gesamtsumme", "zwischensumme", "celkem", "razem", "ukupno",
    "yhteensa", "jumlah", "итого", "всего", "合計", "合计", "总计", "總計", "小計", "小计",
)  # fmt: skip
PREFIXES = ("grand", "grande", "gran", "general", "sub", "sous", "report")
LABEL = rf"(?:(?:{'|'.join(PREFIXES)})[ _-]*)?(?:{'|'.join(WORDS)})(?:[ ,.:;()/_-][^0-9]*)?"
IS_LABEL = nw.col("loan_id").str.contains(rf"(?i)^[ *=_-]*{LABEL}$").fill_null(False)
# the first value of a rejected row, as JSON
LABEL_IN_FRONT = rf'(?i)^[{{]"[^"]*":"[ *=_-]*{LABEL}"'
IS_BLANK = (nw.col("loan_id").str.strip_chars() == "").fill_null(True)
HAS_DIGIT = nw.col("loan_id").str.contains(r"[0-9]").fill_null(False)
TOTAL = "total"
# An ordinary id is believed to be a loan's unless the row adds up as many others as this, in two amounts at least.
MANY = 5
ZERO = Decimal(0)


def leave_out_totals(batch: Batch, engine: Engine, work: Path) -> Batch:
    """Return a batch with a verdict on rows that add up others, and a note that says so.

    Such a row has a label instead of a loan's id ("TOTAL", "Suma:"); or its amount is the sum of all others of its file
    or date, and it has no id, or one without a digit where others have digits, or adds up several amounts of many rows.
    """
    rows = batch.rows(engine)
    present = rows.collect_schema().names()
    if not any(column.name == "loan_id" for column in batch.format.columns):
        return batch
    is_label = nw.col("original").str.contains(LABEL_IN_FRONT).fill_null(False)
    groups = ["source"]
    if "loan_id" in present:
        is_label = is_label | IS_LABEL
        groups += [name for name in ("measurement_date",) if name in present]
    rows = rows.with_columns(is_label=is_label)
    sums = _sums(rows, groups)
    found = _labelled(rows) if any(row["labels"] for row in sums) else []
    if "loan_id" in present:
        known = {row["row_id"] for row in found}
        found += [row for row in _adding_up(rows, sums, groups, batch) if row["row_id"] not in known]
    if not found:
        return batch
    verdicts = work / f"totals_{batch.format.name}.parquet"
    columns = {"row_id": pa.int64(), "verdict": pa.string(), "amount_usd": pa.decimal128(18, 2)}
    judged = [{**row, "verdict": TOTAL} for row in found if not row["is_later"]]
    table = pa.table({name: pa.array([row[name] for row in judged], type_) for name, type_ in columns.items()})
    engine.write(engine.from_arrow(table), verdicts, temporary=True)
    return replace(batch, verdicts=verdicts, notes=(*batch.notes, *_notes(batch, found, sums)))


def _sums(rows: nw.LazyFrame, groups: list[str]) -> list[dict]:
    """Return of each group the rows, labels, and sum and maximum of the rows without a label."""
    amount = nw.when(~nw.col("is_label")).then(nw.col("amount_usd"))
    found = rows.select(*groups, "is_label", amount=amount).group_by(groups).agg(
        rows=nw.len(), labels=nw.col("is_label").cast(nw.Int64()).sum(), usd=nw.col("amount").sum(),
        most=nw.col("amount").max(),
    )  # fmt: skip
    return _collected(found)


def _labelled(rows: nw.LazyFrame) -> list[dict]:
    return _collected(rows.filter(nw.col("is_label")).select("row_id", "source", "amount_usd", "is_later"))


def _adding_up(rows: nw.LazyFrame, sums: list[dict], groups: list[str], batch: Batch) -> list[dict]:
    """Return the rows without a label whose amount is the sum of all others of their date, or else of their file."""
    found = []
    rows = rows.filter(~nw.col("is_label"))
    for source in sorted({row["source"] for row in sums}):
        of_file = [row for row in sums if row["source"] == source and row["usd"]]
        by_date = [row for row in of_file if len(groups) > 1 and 2 * row["most"] == row["usd"]]
        usd, most = sum((row["usd"] for row in of_file), ZERO), max((row["most"] for row in of_file), default=ZERO)
        is_of_file = nw.col("source") == source
        for group in by_date:
            day = nw.col("measurement_date")
            of_day = day.is_null() if group["measurement_date"] is None else day == group["measurement_date"]
            found += _proven(rows.filter(is_of_file & of_day), group["most"], batch)
        if not by_date and usd and 2 * most == usd:
            found += _proven(rows.filter(is_of_file), most, batch)
    return found


def _proven(rows: nw.LazyFrame, amount: Decimal, batch: Batch) -> list[dict]:
    """Return the row with that amount, if more than the amount says that it is a total of the others."""
    additive = _additive(batch, rows.collect_schema())
    of_row = (nw.col(c).alias(f"of_{c}") for c in additive)
    largest = rows.filter(nw.col("amount_usd") == amount)
    largest = _collected(largest.select("row_id", "source", "loan_id", "amount_usd", "is_later", *of_row).head(3))
    [whole] = _collected(
        rows.select(
            others=(nw.col("amount_usd") > 0).cast(nw.Int64()).sum(),
            blanks=IS_BLANK.cast(nw.Int64()).sum(),
            digits=HAS_DIGIT.cast(nw.Int64()).sum(),
            **{c: nw.col(c).sum() for c in additive},
        )
    )
    others = whole["others"] - 1
    if blank := [row for row in largest if not (row["loan_id"] or "").strip()]:
        return blank if others and whole["blanks"] == 1 else []
    if len(largest) > 1 or not largest:
        return []
    [row] = largest
    is_word = not any(map(str.isdigit, row["loan_id"])) and whole["digits"] > 1
    if is_word and others > 1:
        return [row]
    told = [c for c in additive if whole[c] and row[f"of_{c}"] is not None]
    adds_up = all(2 * row[f"of_{c}"] == whole[c] for c in told)
    return [row] if others >= MANY and adds_up and len({whole[c] for c in told}) > 1 else []


def _additive(batch: Batch, schema: nw.Schema) -> list[str]:
    """Return the amounts of staged rows that a totals row adds up, each from a column of its own in the file."""
    derived = {ELIGIBLE.name, DISCOUNTED.name, "credit_usd"} | (set() if batch.format.is_dated else set(BUCKETS))
    return [name for name, type_ in schema.items() if type_.is_decimal() and type_.scale == 2 and name not in derived]


def _notes(batch: Batch, found: Iterable[dict], sums: list[dict]) -> list[Reason]:
    """Return what to say of each file: which totals are left out, and whether they are the sum of its rows."""
    notes = []
    for staged in batch.staged:
        own = [row for row in found if row["source"] == staged.index]
        if not own:
            continue
        usd = [row["amount_usd"] for row in own if row["amount_usd"] is not None]
        notes.append(Reason("totals_rows", name=staged.source.name, rows=with_amount(len(own), sum(usd, ZERO))))
        of_file = [row for row in sums if row["source"] == staged.index]
        without = sum((row["usd"] or ZERO for row in of_file), ZERO)
        labels = sum(row["labels"] for row in of_file)
        if len(own) == labels == len(usd) == 1 and usd[0] not in {without, *(row["usd"] for row in of_file)}:
            notes.append(Reason("totals_differ", name=staged.source.name, usd=usd[0], found=without))
    return notes


def _collected(frame: nw.LazyFrame) -> list[dict]:
    return frame.collect("pyarrow").to_native().to_pylist()
