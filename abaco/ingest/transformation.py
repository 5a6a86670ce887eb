"""Transformation: the accepted rows become the report's tape, masked, with nulls and outliers counted."""

import datetime as dt
from collections.abc import Iterable, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any

import narwhals as nw

from abaco.core import quoting
from abaco.core.decimals import rounded
from abaco.core.tables import COUNT, DATE, SUM, TEXT, Field, Table
from abaco.engines import Engine
from abaco.ingest import flow_words, write_offs
from abaco.ingest.columns import LOAN_STATUS, RESTRUCTURED
from abaco.ingest.formats import FORMATS, LOANS, SCHEDULES, STATEMENTS_LONG
from abaco.ingest.lateness import late_by
from abaco.ingest.masking import PERSONAL, published
from abaco.ingest.staging import accepted_rows, of_dates
from abaco.ingest.statements import known_rows
from abaco.ingest.tape import AMOUNTS, BY_LOAN, with_filled, with_loans

BORROWERS = Table(
    "borrowers",
    "one row per borrower and date with a balance",
    (
        Field("measurement_date", DATE, "the measurement date"),
        Field(
            "borrower", COUNT, "the borrower's place by the balances of all dates, from 1: a name for this report only"
        ),
        Field("borrower_id", TEXT, "the borrower's number, masked"),
        Field("balance_usd", SUM, "the outstanding balance", "USD"),
        Field("par_30_usd", SUM, "the part of it that is 30 or more days late", "USD"),
        Field("loans", COUNT, "rows of the tape with a balance", "loans"),
    ),
)
NUMBERS = "numbers.parquet"
# The pattern of masked values.
MASKED = r"^(?:redacted|tok_[0-9a-f]{32})$"


def accepted_tape(batches: Iterable[Mapping[str, Any]], work: Path, engine: Engine) -> nw.LazyFrame:
    """Return the accepted rows of the tape, with the attributes of each loan from the loans export.

    They are in the order of the exports, so that the same input gives the same bytes.

    Parameters
    ----------
    batches
        The batches among ingestion's facts (see `staging.Batch.as_dict`).
    """
    batches = list(batches)
    tape = combined_tape(batches, work, engine)
    loans = [b for b in batches if b["format"] == LOANS.name and not b["is_tape"]]
    added = added_balances(batches, work, engine)
    if loans:
        tape = with_loans(tape, accepted(loans[0], work, engine))
    if added is not None:
        tape = with_restructured(tape, added)
    return (engine.in_order(tape, "row_id") if loans or added is not None else tape).drop("row_id")


def added_balances(batches: Iterable[Mapping[str, Any]], work: Path, engine: Engine) -> nw.LazyFrame | None:
    """Return the first day on which a schedule adds to the balance of a loan, one row per such loan; None for none.

    Parameters
    ----------
    batches
        See `accepted_tape`.
    """
    batch = next((b for b in batches if b["format"] == SCHEDULES.name), None)
    rows = accepted(batch, work, engine) if batch else None
    if rows is None or "add_balance" not in rows.collect_schema().names():
        return None
    added = rows.filter((nw.col("add_balance") > 0) & ~nw.col("loan_id").is_null())
    since = added.group_by("loan_id").agg(since=nw.col("date_due").min()).sort("loan_id")
    table = since.collect("pyarrow").to_native()
    return engine.from_arrow(table) if table.num_rows else None


def with_restructured(tape: nw.LazyFrame, added: nw.LazyFrame) -> nw.LazyFrame:
    """Mark the loans as restructured to whose balance a schedule added something until the date, unless an export says.

    Parameters
    ----------
    added
        See `added_balances`.
    """
    joined = tape.join(added, on="loan_id", how="left")
    is_added = (nw.col("since") <= nw.col("measurement_date")).fill_null(False)
    is_said = ~nw.col(RESTRUCTURED).is_null()
    told = nw.when(is_said).then(nw.col(RESTRUCTURED)).otherwise(nw.when(is_added).then(nw.lit(True)))
    return joined.with_columns(told.alias(RESTRUCTURED)).drop("since")


def combined_tape(batches: Iterable[Mapping[str, Any]], work: Path, engine: Engine) -> nw.LazyFrame:
    """Return the accepted rows of all exports that give the tape, each with what the others say of its loans."""
    tapes = [b for b in batches if b["is_tape"]]
    if len(tapes) == 1:
        return accepted(tapes[0], work, engine)
    parts = []
    for batch in tapes:
        rows = accepted(batch, work, engine)
        for other in (b for b in tapes if b is not batch):
            beside = accepted(other, work, engine, given=False).filter(~nw.col("loan_id").is_null())
            rows = with_filled(rows, beside, ("loan_id", "measurement_date"), {name: name for name in BY_LOAN})
        parts.append(rows)
    return engine.in_order(nw.concat(parts), "row_id")


def accepted(batch: Mapping[str, Any], work: Path, engine: Engine, given: bool = True) -> nw.LazyFrame:
    """Return the accepted rows of one export."""
    verdicts = work / batch["verdicts"] if batch["verdicts"] else None
    loan_ids = work / batch["loan_ids"] if batch["loan_ids"] else None
    staged = [work / name for name in batch["staged"]]
    dates = batch["dates"] and [dt.date.fromisoformat(day) for day in batch["dates"]]
    return of_dates(accepted_rows(staged, verdicts, batch["is_tape"], engine, loan_ids), dates, given)


def borrowers(tape: nw.LazyFrame, engine: Engine, work: Path) -> nw.LazyFrame:
    """Return the balance of each borrower, one row per borrower and date with a balance; borrowers are numbered.

    Number 1 owes most over all dates. The number identifies a borrower within one report, so that concentration is
    computable where ids are redacted; it may be another borrower's in the next report.
    ``par_30_usd`` is the part of ``balance_usd`` that is 30 and more days late, null where that is unknown.

    Parameters
    ----------
    tape
        One row per loan and date, its borrowers told apart by tokens or hashes.
    """
    known = tape.filter(~nw.col("borrower_id").is_null() & (nw.col("total_receivable_usd") > 0))
    owed = (
        known.with_columns(par_30_usd=late_by(30))
        .group_by("borrower_id", "measurement_date")
        .agg(
            balance_usd=nw.col("total_receivable_usd").sum(), par_30_usd=nw.col("par_30_usd").sum(), loans=nw.len(),
            first_loan=nw.col("loan_id").min(), known=nw.col("par_30_usd").count(),
        )
        .with_columns(par_30_usd=nw.when(nw.col("known") == nw.col("loans")).then(nw.col("par_30_usd")))
    )  # fmt: skip
    engine.write(owed, work / "borrowers.parquet", temporary=True)
    owed = engine.scan(work / "borrowers.parquet")
    # of borrowers who owe the same, the order of their loans decides: their hashes differ from run to run
    loan = nw.concat_str(
        nw.col("first_loan").fill_null(""), nw.col("measurement_date").cast(nw.String()), separator=" "
    )
    size = owed.with_columns(loan=loan).group_by("borrower_id").agg(nw.col("balance_usd").sum(), nw.col("loan").min())
    size = size.select("borrower_id", "loan", less=-nw.col("balance_usd"))
    numbered = size.with_row_index("borrower", order_by=["less", "loan"]).drop("less", "loan")
    numbered = numbered.with_columns(nw.col("borrower").cast(nw.Int64()) + 1)
    engine.write(numbered, work / NUMBERS, temporary=True)
    ranked = owed.join(numbers(engine, work), on="borrower_id", how="left")
    usd = (nw.col(name).cast(nw.Decimal(38, 2)) for name in ("balance_usd", "par_30_usd"))
    ranked = ranked.select("measurement_date", "borrower", "borrower_id", *usd, nw.col("loans").cast(nw.Int64()))
    return ranked.sort("measurement_date", "borrower")


def numbers(engine: Engine, work: Path) -> nw.LazyFrame:
    """Return the number of each borrower, which `borrowers` left in its folder for temporary files."""
    return engine.scan(work / NUMBERS)


def write_others(
    batches: Iterable[Mapping[str, Any]], work: Path, tables: Path, engine: Engine, key: bytes | None = None
) -> dict[str, list[str]]:
    """Write every export but the tape, masked, as ``tables/<format>.parquet``; return their columns with values."""
    found = {}
    for batch in (b for b in batches if not b["is_tape"]):
        rows = with_shown_words(accepted(batch, work, engine), [work / name for name in batch["staged"]], engine)
        if batch["format"] == STATEMENTS_LONG.name:
            rows = known_rows(rows)
        personal = [c for c in FORMATS[batch["format"]].personal if c in rows.collect_schema()]
        engine.write(published(rows, personal, key, engine), tables / f"{batch['format']}.parquet")
        written = engine.scan(tables / f"{batch['format']}.parquet")
        found[batch["format"]] = present(written, written.collect_schema().names())
    return found


def by_title(batches: Iterable[Mapping[str, Any]], tape: list[str], others: Mapping[str, list[str]]) -> dict:
    """Return the columns with values of each export by its title; of those that give the tape, those of the tape."""
    found = {FORMATS[batch["format"]].title: others.get(batch["format"], tape) for batch in batches}
    return dict(sorted(found.items()))


def with_shown_words(rows: nw.LazyFrame, staged: list[Path], engine: Engine) -> nw.LazyFrame:
    """Return rows of an export without words of statuses and types that no list has and that may name somebody.

    Parameters
    ----------
    staged
        The staged files of the rows, whose few columns are read faster than the accepted rows.
    """
    flows, names = flow_words.load(), rows.collect_schema().names()
    lists = {
        "transaction_type": ("types", flows.types),
        "status": ("statuses", flows.statuses),
        LOAN_STATUS.name: ("statuses", write_offs.load().statuses),
    }
    for column, listed in lists.items():
        if column in names:
            said = engine.scan(staged).select(column).unique().collect("pyarrow")[column].to_list()
            unknown = flow_words.meanings(*listed, set(said) - {None}).get(flow_words.UNKNOWN, ())
            if hidden := [text for text in unknown if quoting.word(text) == quoting.HIDDEN]:
                is_hidden = nw.col(column).is_in(hidden)
                shown = nw.when(is_hidden).then(nw.lit(quoting.HIDDEN)).otherwise(nw.col(column))
                rows = rows.with_columns(shown.alias(column))
    return rows


def present(tape: nw.LazyFrame, columns: Iterable[str]) -> list[str]:
    """Return those of the columns that have a value anywhere in the tape."""
    if not (columns := list(columns)):
        return []
    counts = tape.lazy().select(nw.col(c).count() for c in columns).collect("pyarrow").to_native().to_pylist()[0]
    return [c for c in columns if counts[c]]


def unmasked(tape: nw.LazyFrame) -> list[str]:
    """Return the personal columns that hold anything but a token or ``redacted``."""
    # the pattern is for tokens alone
    shown = [
        nw.when(nw.col(c) != "redacted").then((~nw.col(c).str.contains(MASKED)).cast(nw.Int64())).sum().alias(c)
        for c in PERSONAL
    ]
    counts = tape.lazy().select(*shown).collect("pyarrow").to_native().to_pylist()[0]
    return [c for c in PERSONAL if counts[c]]


def outlier_limits(tape: nw.LazyFrame, multiple: float) -> dict[dt.date, Decimal]:
    """Return, by date, the USD beyond which a balance is an outlier: `multiple` times the mean balance."""
    sums = (
        tape.lazy()
        .group_by("measurement_date")
        .agg(nw.len().alias("rows"), nw.col("total_receivable_usd").sum().alias("usd"))
    )
    return {
        row["measurement_date"]: rounded((row["usd"] or Decimal(0)) / row["rows"] * Decimal(str(multiple)), 2)
        for row in sums.collect("pyarrow").to_native().to_pylist()
    }


def flagged(tape: nw.LazyFrame, limits: Mapping[dt.date, Decimal], dust_usd: float, engine: Engine) -> nw.LazyFrame:
    """Add ``is_outlier`` and ``is_dust`` to the tape; no amount is changed.

    Parameters
    ----------
    limits
        See `outlier_limits`.
    """
    balance = nw.col("total_receivable_usd")
    limited = engine.with_value_of_day(tape, "measurement_date", limits, "outlier_limit")
    return limited.with_columns(
        is_outlier=balance > nw.col("outlier_limit"), is_dust=(balance > 0) & (balance < nw.lit(Decimal(str(dust_usd))))
    ).drop("outlier_limit")


def quality(tape: nw.LazyFrame, date: dt.date) -> dict[str, Any]:
    """Return what is unusual in the tape on one date: nulls by amount column, outliers, dust; and ``present``.

    A null stays null: it never counts as 0. ``present`` are the columns that have a value.
    """
    flags = ("is_outlier", "is_dust")
    rows = tape.lazy().filter(nw.col("measurement_date") == date)
    names = rows.collect_schema().names()
    counts = rows.select(
        *(nw.col(c).count().alias(f"values_{c}") for c in names),
        *(nw.col(c).is_null().cast(nw.Int64()).sum().alias(c) for c in AMOUNTS),
        *(nw.col(c).cast(nw.Int64()).sum().alias(c) for c in flags),
    )
    sums = {name: int(n or 0) for name, n in counts.collect("pyarrow").to_native().to_pylist()[0].items()}
    return {
        "nulls": {c: sums[c] for c in AMOUNTS if sums[c]}, "outliers": sums["is_outlier"], "dust": sums["is_dust"],
        "present": [c for c in names if sums[f"values_{c}"]],
    }  # fmt: skip
