"""The canonical loan tape: one row per loan and month-end (or one per date), whatever the export it came from."""

from collections.abc import Mapping, Sequence

import narwhals as nw

from abaco.core.tables import FLAG, Field, Table
from abaco.ingest.columns import (
    AGING,
    BORROWER,
    BUCKETS,
    CASH,
    DAYS_PAST_DUE,
    DISCOUNTED,
    ELIGIBLE,
    INTEREST_RATE,
    LOAN_ID,
    MATURITY_DATE,
    MEASUREMENT_DATE,
    OVERDUE_ON,
    PLEDGE,
    RECEIVABLE,
    RESTRUCTURED,
    SEGMENTS,
    WRITTEN_OFF,
    Column,
)
from abaco.ingest.contract import Format
from abaco.ingest.lateness import DAYS, NON_PERFORMING, at_risk

BALANCES = (RECEIVABLE, ELIGIBLE, DISCOUNTED, CASH, *AGING, WRITTEN_OFF)
COLUMNS = (
    LOAN_ID, MEASUREMENT_DATE, *BORROWER, *SEGMENTS, *BALANCES, DAYS_PAST_DUE, OVERDUE_ON,
    Column("disbursed_on", "date", meaning="the disbursement date"),
    Column("disbursed_usd", "amount", meaning="the disbursed amount"),
    INTEREST_RATE,
    Column("term_days", "days", meaning="the agreed term"),
    Column(RESTRUCTURED, "flag", meaning="whether the loan is restructured, empty if not said"),
    *(
        Column(at_risk(days), "amount", meaning=f"the balance {days} or more days late, if no bucket says")
        for days in (1, *DAYS, NON_PERFORMING)
    ),
    MATURITY_DATE, *PLEDGE,
)  # fmt: skip
TABLE = Table(
    "tape",
    "one row per loan and date, or one per date",
    (
        *(column.field for column in COLUMNS),
        Field("is_outlier", FLAG, "whether the balance is far above the mean of its date"),
        Field("is_dust", FLAG, "whether the balance is above 0 and next to nothing"),
    ),
)
AMOUNTS = tuple(column.name for column in BALANCES)

KINDS = {
    "text": nw.String(),
    "id": nw.String(),
    "date": nw.Date(),
    "amount": nw.Decimal(18, 2),
    "rate": nw.Decimal(18, 6),
    "days": nw.Int64(),
    "flag": nw.Boolean(),
}
DTYPES = {column.name: KINDS[column.kind] for column in COLUMNS}
# What the loans export says of each loan, by the column of the tape that it fills.
OF_LOAN = {
    "borrower_id": "borrower_id",
    "payer_name": "payer_name",
    **{c.name: c.name for c in SEGMENTS},
    "disbursed_on": "disburse_date",
    "disbursed_usd": "disburse_principal",
    "interest_rate": "interest_rate",
    "term_days": "term",
    **{c.name: c.name for c in (MATURITY_DATE, *PLEDGE)},
}
# what another export says of each loan on a date
BY_LOAN = (
    *(c.name for c in (*BORROWER, *SEGMENTS, WRITTEN_OFF, DAYS_PAST_DUE, OVERDUE_ON)),
    RESTRUCTURED,
    *(name for name in OF_LOAN if name not in {c.name for c in (*BORROWER, *SEGMENTS)}),
)


def tape_columns(format_: Format, present: set[str], first_days: Sequence[int] = ()) -> list[nw.Expr]:
    """Return the expressions that turn the rows of an export into rows of the tape, as far as it fills them.

    Parameters
    ----------
    format_
        A format that can give the tape.
    present
        The columns that the file has; what it lacks is left out, see `complete`.
    first_days
        The first days of the buckets in which the file gives lateness (see `lateness`).
    """
    filled = {name: nw.col(name) for name in present} | format_.to_tape(present, first_days)
    return [filled[name].cast(dtype).alias(name) for name, dtype in DTYPES.items() if name in filled]


def owed(format_: Format, present: set[str]) -> nw.Expr:
    """Return what each row adds to the book: the balance that is not written off, 0 for one that is overpaid."""
    filled = {name: nw.col(name) for name in present} | format_.to_tape(present, ())
    return filled["total_receivable_usd"]


def complete(rows: nw.LazyFrame, *beside: str) -> nw.LazyFrame:
    """Return the columns `beside` and those of the tape, in its order; what no file fills is null."""
    present = rows.collect_schema().names()
    columns = {n: nw.col(n) if n in present else _nothing(dtype).cast(dtype) for n, dtype in DTYPES.items()}
    return rows.select(*beside, *(column.alias(name) for name, column in columns.items()))


def _nothing(dtype: nw.dtypes.DType) -> nw.Expr:
    # pandas casts a bare None to neither a whole number nor a flag
    nothing = nw.lit(None).cast(nw.Decimal(18, 2))
    return nothing if dtype.is_integer() else nothing == 0 if dtype == nw.Boolean else nw.lit(None)


def with_loans(tape: nw.LazyFrame, loans: nw.LazyFrame) -> nw.LazyFrame:
    """Fill the attributes of each loan that the tape lacks, such as product, rate and disbursement, from the loans
    export.

    The key is the loan id with its company prefix, as bare numbers collide between companies. Only what does not
    change over a loan's life is taken: the export's balance and days past due are today's, not the date's.

    Parameters
    ----------
    tape
        One row per loan and date.
    loans
        One row per loan.
    """
    present = set(loans.collect_schema().names())
    taken = {name: heading for name, heading in OF_LOAN.items() if heading in present}
    return with_filled(tape, loans, ("loan_id",), taken)


def with_filled(tape: nw.LazyFrame, other: nw.LazyFrame, on: tuple[str, ...], taken: Mapping[str, str]) -> nw.LazyFrame:
    """Fill what rows of the tape lack from the row of another frame with the same key.

    Parameters
    ----------
    on
        The key; no two rows of `other` may share it.
    taken
        The column of `other` that fills each column of the tape.
    """
    fixed = other.select(*on, *(nw.col(h).cast(DTYPES[n]).alias(f"{n}_beside") for n, h in taken.items()))
    joined = tape.join(fixed, on=list(on), how="left")
    filled = joined.with_columns(nw.coalesce(name, f"{name}_beside").alias(name) for name in taken)
    return filled.drop(f"{name}_beside" for name in taken)


def bucket_gap() -> nw.Expr:
    """Return by how much the aging buckets of each row miss its receivable, in USD."""
    return nw.col("total_receivable_usd") - sum((nw.col(b) for b in BUCKETS[1:]), start=nw.col(BUCKETS[0]))
