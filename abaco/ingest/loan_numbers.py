"""Loan numbers that a spreadsheet has rounded, and those that differ in capital letters or in zeros in front alone."""

from dataclasses import replace

import narwhals as nw

from abaco.core.errors import InputError
from abaco.core.reasons import Reason
from abaco.engines import RECORDS, Engine
from abaco.ingest.contract import with_amount
from abaco.ingest.quarantine import lines
from abaco.ingest.staging import Batch, Staged

LOAN = nw.col("loan_id")
# as 1.23457E+11; and a number of which nothing is left after the fifteenth digit
IS_ROUNDED = LOAN.str.contains(r"^[0-9][.,][0-9]+[eE]\+?[0-9]+$")
IS_LONG, IS_CUT = LOAN.str.contains("^[0-9]{16,}$"), LOAN.str.contains("^[0-9]{15}0+$")
BARE = LOAN.str.replace_all("^0+", "")
IS_PADDED = LOAN.str.contains("^0+[0-9]")
LEAST_CUT = 3  # long numbers that all end in zeros by chance are fewer


def check_loan_numbers(batch: Batch, engine: Engine) -> Batch:
    """Return a batch with a note on ids that differ only in capital letters.

    Raises
    ------
    InputError
        When a spreadsheet has rounded ids: several loans may have become one; when two of a file differ in zeros in
        front: they may be one loan.
    """
    if "loan_id" not in batch.columns:
        return batch
    flags = {"rounded": IS_ROUNDED, "long": IS_LONG, "cut": IS_CUT, "small": LOAN.str.contains("[a-z]"),
             "large": LOAN.str.contains("[A-Z]"), "padded": IS_PADDED}  # fmt: skip
    rows = batch.rows(engine)
    sums = rows.with_columns(**{name: flag.cast(nw.Int64()) for name, flag in flags.items()}).group_by("source")
    length = LOAN.str.len_chars()
    ends = {"shortest": length.min(), "longest": length.max()}
    sums = sums.agg(*(nw.col(name).sum() for name in flags), **ends).sort("source")
    found = sums.collect("pyarrow").to_native().to_pylist()
    files = {staged.index: staged for staged in batch.staged}
    for row in found:
        cut = row["cut"] if row["cut"] == row["long"] and row["cut"] >= LEAST_CUT else 0
        if rounded := (row["rounded"] or 0) + (cut or 0):
            source = files[row["source"]].source
            raise InputError(
                f"{source.name}: a spreadsheet has rounded {rounded:,} of the ids under {source.columns['loan_id']} "
                "(1.23457E+11 for 123456789012, say), so that loans cannot be told apart: export it again with that "
                "column as text"
            )
        if batch.is_tape and row["padded"] and row["shortest"] < row["longest"]:
            _check_zeros(rows, files[row["source"]])
    if not batch.is_tape or not any(row["small"] for row in found) or not any(row["large"] for row in found):
        return batch
    ids = rows.select("loan_id", "amount_usd", low=LOAN.str.to_lowercase())
    ids = ids.group_by("low", "loan_id").agg(nw.len().alias("rows"), nw.col("amount_usd").sum())
    alike = ids.group_by("low").agg(nw.len().alias("ids"), nw.col("rows", "amount_usd").sum())
    sums = alike.filter(nw.col("ids") > 1).select(nw.col("rows", "amount_usd").sum())
    [total] = sums.collect("pyarrow").to_native().to_pylist()
    if not total["rows"]:
        return batch
    noted = Reason("ids_of_other_case", export=batch.format.title, rows=with_amount(total["rows"], total["amount_usd"]))
    return replace(batch, notes=(*batch.notes, noted))


def _check_zeros(rows: nw.LazyFrame, staged: Staged) -> None:
    """Raise when two ids of a file differ only in zeros in front."""
    ids = rows.filter(nw.col("source") == staged.index).select("row_id", "loan_id", bare=BARE)
    padded = ids.filter(IS_PADDED).select("bare", other="loan_id", other_row="row_id")
    pairs = ids.join(padded, on="bare").filter(nw.col("other") != LOAN).sort("row_id", "other_row").head(1)
    for pair in pairs.collect("pyarrow").to_native().to_pylist():
        records = sorted(pair[name] % RECORDS for name in ("row_id", "other_row"))
        first, second = (lines(staged, records)[record] for record in records)
        raise InputError(
            f"{staged.source.name} lines {first} and {second} have ids under {staged.source.columns['loan_id']} that "
            "differ only in zeros in front: they are one loan twice, or two; keep one of the rows, or write all ids at "
            "their full length"
        )
