"""Obligors: who owes each loan, as numbers, so that concentration can be limited where names are redacted."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import narwhals as nw

from abaco.core.tables import COUNT, DATE, SUM, TEXT, Field, Table
from abaco.engines import Engine
from abaco.ingest.formats import PAYMENTS
from abaco.ingest.tape import with_filled
from abaco.ingest.transformation import accepted, borrowers, numbers

NUMBER = "by the balances of all dates, from 1: a name for this report only"
PAYERS = Table(
    "payers",
    "one row per payer and date with a balance to pay",
    (
        Field("measurement_date", DATE, "the measurement date"),
        Field("payer", COUNT, f"the payer's place {NUMBER}"),
        Field("payer_name", TEXT, "the payer's name, masked"),
        Field("balance_usd", SUM, "the outstanding balance of its loans", "USD"),
        Field("loans", COUNT, "rows of the tape with a balance", "loans"),
    ),
)
TABLE = Table(
    "obligors",
    "one row per loan and date with a balance, where a facility is set",
    (
        Field("measurement_date", DATE, "the measurement date"),
        Field("loan_id", TEXT, "the loan's number"),
        Field("borrower", COUNT, f"the borrower's place {NUMBER}"),
        Field("payer", COUNT, f"the payer's place {NUMBER}; of a loan whose payments name several, none"),
    ),
)


def with_payers(tape: nw.LazyFrame, batches: Iterable[Mapping[str, Any]], work: Path, engine: Engine) -> nw.LazyFrame:
    """Fill the payer of each loan from the payments export: the one that all payments of the loan name.

    Parameters
    ----------
    batches
        The batches among ingestion's facts (see `staging.Batch.as_dict`).
    work
        The folder of the staged rows.
    """
    batch = next((b for b in batches if b["format"] == PAYMENTS.name), None)
    rows = accepted(batch, work, engine) if batch else None
    if rows is None or "payer_name" not in rows.collect_schema().names():
        return tape
    payer = nw.col("payer_name")
    named = rows.filter(~payer.is_null()).group_by("loan_id").agg(first=payer.min(), last=payer.max())
    sole = named.filter(nw.col("first") == nw.col("last")).select("loan_id", payer_name="first")
    return with_filled(tape, sole, ("loan_id",), {"payer_name": "payer_name"})


def payers(tape: nw.LazyFrame, engine: Engine, work: Path) -> nw.LazyFrame:
    """Return what each payer is to pay, one row per payer and date with a balance; payers are numbered.

    Parameters
    ----------
    tape
        One row per loan and date, its payers told apart by tokens or hashes (see `with_payers`).
    work
        A folder for temporary files.
    """
    (work / "payers").mkdir(exist_ok=True)
    paying = tape.with_columns(nw.col("payer_name").alias("borrower_id"))
    paid = borrowers(paying, engine, work / "payers")
    return paid.select("measurement_date", "balance_usd", "loans", payer="borrower", payer_name="borrower_id").select(
        *(field.name for field in PAYERS.fields)
    )


def obligors(tape: nw.LazyFrame, engine: Engine, work: Path) -> nw.LazyFrame:
    """Return borrower and payer of each loan as numbers, one row per loan and date with a balance.

    Parameters
    ----------
    tape
        One row per loan and date, its borrowers and payers told apart by tokens or hashes (see `with_payers`).
    work
        The folder for temporary files of `transformation.borrowers` and `payers`.
    """
    rows = tape.filter((nw.col("total_receivable_usd") > 0) & ~nw.col("loan_id").is_null())
    rows = rows.select("measurement_date", "loan_id", "borrower_id", "payer_name")
    rows = rows.join(numbers(engine, work), on="borrower_id", how="left")
    payer = numbers(engine, work / "payers").select(payer_name="borrower_id", payer="borrower")
    rows = rows.join(payer, on="payer_name", how="left")
    return rows.select("measurement_date", "loan_id", "borrower", "payer").sort("measurement_date", "loan_id")
