"""Loans that rows of other exports belong to: ids without their company, loans lent later, and rows without a loan."""

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

import narwhals as nw

from abaco.core.files import row_count
from abaco.core.reasons import Reason
from abaco.engines import Engine
from abaco.ingest.formats import LOANS, PAYMENTS, SCHEDULES, TRANSACTIONS
from abaco.ingest.reconciliation import amounted
from abaco.ingest.staging import IDENTITY, IS_LATER, Batch

# a loan's id may begin with its company, as "ABF - 1"
PREFIX = " - "
FLOWS = (TRANSACTIONS, PAYMENTS, SCHEDULES)


def match_payments(batches: list[Batch], engine: Engine, work: Path) -> list[Batch]:
    """Return the batches; real payments with the loan of each id that lacks its company, where only one fits.

    A payment belongs to the loan of its id and its company: the one that begins the loan's id, or that the loans export
    names. Without such a loan it belongs to the one of its id and its borrower. Where two loans fit, none is taken.
    """
    payments = next((b for b in batches if b.format is PAYMENTS), None)
    if payments is None:
        return batches
    known = _known(batches, engine)
    paid = _identities(payments.rows(engine)).unique()
    missing = paid.join(known.select("loan_id").unique(), on="loan_id", how="anti")
    loans = known.filter(nw.col("loan_id").str.contains(PREFIX, literal=True)).select(
        nw.col("loan_id").alias("loan"),
        nw.col("loan_id").str.replace_all(rf"^.+?{PREFIX}", "").alias("bare"),
        nw.col("loan_id").str.replace_all(rf"{PREFIX}.*$", "").str.to_lowercase().alias("prefix"),
        nw.col("company").str.to_lowercase().alias("lender"),
        nw.col("borrower_id").alias("debtor"),
    )
    pairs = missing.join(loans, left_on="loan_id", right_on="bare", how="inner")
    company = nw.col("company").str.to_lowercase()
    is_company = nw.any_horizontal(company == nw.col("prefix"), company == nw.col("lender"), ignore_nulls=True)
    fits = {"of_company": is_company, "of_borrower": nw.col("borrower_id") == nw.col("debtor")}
    pairs = pairs.with_columns(nw.when(fit).then(nw.col("loan")).alias(name) for name, fit in fits.items())
    low, high = ([getattr(nw.col(n), end)().alias(f"{end}_{n}") for n in fits] for end in ("min", "max"))
    found = pairs.group_by(*IDENTITY).agg(*low, *high)
    only = {n: nw.when(nw.col(f"min_{n}") == nw.col(f"max_{n}")).then(nw.col(f"min_{n}")) for n in fits}
    has_company = ~nw.col("min_of_company").is_null()
    loan = nw.when(has_company).then(only["of_company"]).otherwise(only["of_borrower"])
    found = found.select(*IDENTITY, loan.alias("loan")).filter(~nw.col("loan").is_null())
    path = work / "loans_of_payments.parquet"
    engine.write(found.select(*(nw.col(name).fill_null("").alias(f"key_{name}") for name in IDENTITY), "loan"), path)
    if not row_count(path):
        return batches
    return [replace(b, loan_ids=path) if b is payments else b for b in batches]


def _known(batches: list[Batch], engine: Engine) -> nw.LazyFrame:
    """Return id, company and borrower of the loans in the loans export, else on the tape, and in the schedules."""
    of = {b.format: b for b in batches}
    named = [of[LOANS]] if LOANS in of else [b for b in batches if b.is_tape]
    named += [of[SCHEDULES]] if SCHEDULES in of else []
    return nw.concat([_identities(b.rows(engine)) for b in named]).filter(~nw.col("loan_id").is_null()).unique()


def _identities(rows: nw.LazyFrame) -> nw.LazyFrame:
    present = rows.collect_schema().names()
    nothing = nw.lit(None).cast(nw.String())
    return rows.select((nw.col(name) if name in present else nothing).alias(name) for name in IDENTITY)


def later_loans(batches: Iterable[Batch], engine: Engine, work: Path) -> Path | None:
    """Write the ids of loans that were lent after the date; return None without one."""
    loans = next((b for b in batches if b.format is LOANS), None)
    if loans is None:
        return None
    path = work / "later_loans.parquet"
    rows = loans.rows(engine)
    lent = rows.filter(~IS_LATER).select("loan_id")
    engine.write(rows.filter(IS_LATER).select("loan_id").unique().join(lent, on="loan_id", how="anti"), path)
    return path if row_count(path) else None


def note_strays(batches: list[Batch], engine: Engine) -> list[Batch]:
    """Return the batches, with a note on rows that belong to no loan of the loans export, lent by the date or later."""
    loans = next((b for b in batches if b.format is LOANS), None)
    if loans is None:
        return batches
    known = loans.rows(engine).select("loan_id").unique()
    present = {b.format.name for b in batches}
    is_used = {b.format: b.format in FLOWS and b.format.replaced_by not in present for b in batches}
    return [_with_strays(b, known, engine) if is_used[b.format] else b for b in batches]


def _with_strays(batch: Batch, known: nw.LazyFrame, engine: Engine) -> Batch:
    rows = batch.accepted(engine).join(known, on="loan_id", how="anti")
    sums = rows.select(rows=nw.len(), usd=nw.col(batch.format.amount).sum())
    [total] = sums.collect("pyarrow").to_native().to_pylist()
    if not total["rows"]:
        return batch
    note = Reason("rows_without_loan", rows=amounted(total["rows"], total["usd"]),
                  export=batch.format.title)  # fmt: skip
    return replace(batch, notes=(*batch.notes, note))
