"""Loans that rows of other exports belong to: ids written in other ways, loans lent later, and rows without a loan."""

import datetime as dt
from dataclasses import replace
from pathlib import Path

import narwhals as nw

from abaco.core.files import row_count
from abaco.core.reasons import Reason
from abaco.engines import Engine
from abaco.ingest.formats import LOANS, PAYMENTS, SCHEDULES, TRANSACTIONS
from abaco.ingest.identities import FITS, IDENTITY, KEYS, chosen, plain, with_keys
from abaco.ingest.reconciliation import amounted
from abaco.ingest.staging import IS_LATER, Batch

# a loan's id may begin with its company, as "ABF - 1"
PREFIX = " - "
FLOWS = (SCHEDULES, TRANSACTIONS, PAYMENTS)
UNPAID_FILES, FEWEST = "files_without_flows", 5  # code of a note, and loans of a file that it is on


def match_loans(batches: list[Batch], engine: Engine, work: Path) -> list[Batch]:
    """Return the batches; flows with the loan of each id that is written in another way, where only one loan fits.

    An id lacks its company ("1" is "ABF - 1"), its zeros in front (1 is 001), or has other blanks ("ABF-1"). Its loan
    is the one of its company: the one that begins the loan's id, or that the loans export names. Without such a loan
    it is the one of its borrower. Where two loans fit, none is taken. An id that is another loan's in full, of another
    company or borrower, is one that lacks its company.
    """
    if not any(b.format in FLOWS for b in batches):
        return batches
    named = [b for b in batches if b.format is LOANS] or [b for b in batches if b.is_tape]
    path = work / "known_loans.parquet"
    known = nw.concat([_identities(b, engine) for b in named]).filter(~nw.col("loan_id").is_null())
    engine.write(known.unique(), path)
    known, matched = engine.scan(path), {}
    for format_ in FLOWS:
        for flow in (b for b in batches if b.format is format_):
            matched[format_] = _matched(flow, known, matched.get(SCHEDULES), engine, work)
    return [matched.get(b.format, b) for b in batches]


def _matched(flow: Batch, known: nw.LazyFrame, schedules: Batch | None, engine: Engine, work: Path) -> Batch:
    """Return a batch of flows with the loans of those ids that belong to none, or to another one.

    Parameters
    ----------
    known
        Identities of loans.
    schedules
        The batch whose loans are known, too.
    """
    ids, path = _identities(flow, engine), work / f"unknown_{flow.format.name}.parquet"
    engine.write(ids.join(known.select("loan_id").unique(), on="loan_id", how="anti").unique(), path)
    unmatched, lent = engine.scan(path), known
    if schedules is not None and row_count(path):
        due = _identities(schedules, engine).filter(~nw.col("loan_id").is_null()).unique()
        known = nw.concat([known, due])
        unmatched = unmatched.join(due, on="loan_id", how="anti")
    if flow.format is PAYMENTS:
        unmatched = nw.concat([unmatched, _of_another(ids.unique(), lent)])
    path = work / f"unmatched_{flow.format.name}.parquet"
    engine.write(unmatched, path)
    if not row_count(path):
        return flow
    unmatched = engine.scan(path).with_columns(nw.col(n).fill_null("").alias(f"key_{n}") for n in IDENTITY)
    loans = known.select(
        nw.col("loan_id").alias("loan"),
        nw.col("loan_id").str.replace_all(rf"^.+?{PREFIX}", "").alias("bare"),
        nw.when(nw.col("loan_id").str.contains(PREFIX, literal=True))
        .then(nw.col("loan_id").str.replace_all(rf"{PREFIX}.*$", "").str.to_lowercase())
        .alias("prefix"),
        nw.col("company").str.to_lowercase().alias("lender"),
        nw.col("borrower_id").alias("debtor"),
    )
    has_company = nw.col("loan") != nw.col("bare")
    without = loans.filter(has_company).with_columns(is_full=nw.lit(False))
    exact = unmatched.join(without, left_on="loan_id", right_on="bare", how="inner")
    found = chosen(exact, FITS[:2])
    full = loans.with_columns(form=plain("loan"), is_full=nw.lit(True))
    forms = nw.concat([full, loans.filter(has_company).with_columns(form=plain("bare"), is_full=nw.lit(False))])
    rest = unmatched.join(found, on=list(KEYS), how="anti").with_columns(form=plain("loan_id"))
    rest = rest.join(known.select("loan_id").unique(), on="loan_id", how="anti")
    alike = chosen(rest.join(forms, on="form", how="inner"), FITS)
    path = work / f"loans_of_{flow.format.name}.parquet"
    found = nw.concat([found.with_columns(is_alike=nw.lit(False)), alike.with_columns(is_alike=nw.lit(True))])
    engine.write(found, path)
    if not row_count(path):
        return flow
    return _told(replace(flow, loan_ids=path), engine)


def _of_another(ids: nw.LazyFrame, known: nw.LazyFrame) -> nw.LazyFrame:
    """Return identities with the id of a loan, but of another company or borrower."""
    pairs = ids.join(known.rename({"company": "lender", "borrower_id": "debtor"}), on="loan_id", how="inner")
    same = {
        "company": nw.col("company").str.to_lowercase() == nw.col("lender").str.to_lowercase(),
        "borrower_id": nw.col("borrower_id") == nw.col("debtor"),
    }
    pairs = pairs.with_columns(
        fits=nw.any_horizontal(*same.values(), ignore_nulls=True).cast(nw.Int64()),
        differs=nw.any_horizontal(*(~one for one in same.values()), ignore_nulls=True).cast(nw.Int64()),
    )
    judged = pairs.group_by(*IDENTITY).agg(nw.col("fits").max(), nw.col("differs").min())
    return judged.filter((nw.col("fits") == 0) & (nw.col("differs") == 1)).select(*IDENTITY)


def _told(flow: Batch, engine: Engine) -> Batch:
    """Return a batch with a note on ids that are written in another way than their loan's, but for the company."""
    alike = engine.scan(flow.loan_ids).filter(nw.col("is_alike")).select(*KEYS)
    if not len(alike.head(1).collect("pyarrow")):
        return flow
    keys = with_keys(flow.rows(engine).filter(~IS_LATER))
    sums = keys.join(alike, on=list(KEYS), how="semi").select(rows=nw.len(), usd=nw.col("amount_usd").sum())
    [total] = sums.collect("pyarrow").to_native().to_pylist()
    if not total["rows"]:
        return flow
    note = Reason("ids_alike", rows=amounted(total["rows"], total["usd"]), export=flow.format.title)
    return replace(flow, notes=(*flow.notes, note))


def _identities(batch: Batch, engine: Engine) -> nw.LazyFrame:
    rows = batch.named_rows(engine)
    present = rows.collect_schema().names()
    nothing = nw.lit(None).cast(nw.String())
    return rows.select((nw.col(name) if name in present else nothing).alias(name) for name in IDENTITY)


def later_loans(batches: list[Batch], engine: Engine, work: Path) -> Path | None:
    """Write the ids of loans that were lent after the date, for other exports; return None without one."""
    loans = next((b for b in batches if b.format is LOANS), None)
    if loans is None or len(batches) == 1:
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
    present = {b.format.name for b in batches}
    is_used = {b.format: b.format in FLOWS and b.format.replaced_by not in present for b in batches}
    return [_with_strays(b, loans, engine) if is_used[b.format] else b for b in batches]


def _with_strays(batch: Batch, loans: Batch, engine: Engine) -> Batch:
    known = loans.rows(engine).select("loan_id").unique()
    rows = batch.accepted(engine).join(known, on="loan_id", how="anti")
    is_given = batch.format.amount in rows.collect_schema().names()
    usd = nw.col(batch.format.amount).sum() if is_given else nw.lit(None)
    sums = rows.select(rows=nw.len(), usd=usd)
    [total] = sums.collect("pyarrow").to_native().to_pylist()
    if not total["rows"]:
        return batch
    note = Reason("rows_without_loan", rows=amounted(total["rows"], total["usd"]),
                  export=batch.format.title)  # fmt: skip
    return replace(batch, notes=(*batch.notes, note))


def note_unpaid_files(batches: list[Batch], date: dt.date, engine: Engine) -> list[Batch]:
    """Return the batches, with a note on files of the tape whose loans no instalment or payment knows, unlike others'.

    Such a file may be one of another lender's book. Without schedules, loans may be too young for a payment.
    """
    flows = [b for b in batches if b.format in FLOWS]
    if SCHEDULES not in [b.format for b in flows] or not any(b.is_tape and len(b.staged) > 1 for b in batches):
        return batches
    known = nw.concat([flow.accepted(engine).select("loan_id") for flow in flows]).unique()
    return [_with_unpaid_files(b, known, date, engine) if b.is_tape and len(b.staged) > 1 else b for b in batches]


def _with_unpaid_files(batch: Batch, known: nw.LazyFrame, date: dt.date, engine: Engine) -> Batch:
    rows = batch.usable(engine).filter(nw.col("measurement_date") == date)
    loans = rows.select("source", "loan_id").unique()
    known = known.with_columns(is_known=nw.lit(1))
    counts = loans.join(known, on="loan_id", how="left").group_by("source")
    found = counts.agg(loans=nw.len(), known=nw.col("is_known").count()).collect("pyarrow").to_native().to_pylist()
    unpaid = sorted(batch.names[row["source"]] for row in found if row["loans"] >= FEWEST and not row["known"])
    if not unpaid or not any(2 * row["known"] > row["loans"] for row in found):
        return batch
    return replace(batch, notes=(*batch.notes, Reason(UNPAID_FILES, names=tuple(unpaid))))
