"""The canonical loan tape: one row a loan and month-end (or one a date), whatever the export it came from."""

import datetime as dt
from decimal import Decimal
from itertools import pairwise

import narwhals as nw

from abaco.ingest.formats import BORROWER, BUCKETS, FIRST_DAY, LOANS, PAR, SEGMENTS, SNAPSHOT, Format

AMOUNTS = (
    "total_receivable_usd",
    "total_eligible_usd",
    "discounted_balance_usd",
    "cash_available_usd",
    *BUCKETS,
    "written_off_usd",
)
TEXTS = ("loan_id", *(c.name for c in BORROWER), *(c.name for c in SEGMENTS))
PERSONAL = tuple(c.name for c in BORROWER)

DTYPES = {
    "loan_id": nw.String(),
    "measurement_date": nw.Date(),
    **{name: nw.String() for name in TEXTS[1:]},
    **{name: nw.Decimal(18, 2) for name in AMOUNTS},
    "days_past_due": nw.Int64(),
    "overdue_on": nw.Date(),
    "disbursed_on": nw.Date(),
    "disbursed_usd": nw.Decimal(18, 2),
    "interest_rate": nw.Decimal(18, 6),
    "term_days": nw.Int64(),
}
# What the loans export says of each loan, by the column of the tape that it fills.
OF_LOAN = {
    "borrower_id": "borrower_id",
    **{c.name: c.name for c in SEGMENTS},
    "disbursed_on": "disburse_date",
    "disbursed_usd": "disburse_principal",
    "interest_rate": "interest_rate",
    "term_days": "term",
}
COLUMNS = tuple(DTYPES)
ZERO = nw.lit(Decimal("0.00"))


def tape_columns(format_: Format, present: set[str], date: dt.date | None) -> list[nw.Expr]:
    """Return the expressions that turn the rows of an export into rows of the tape, as far as it fills them.

    Parameters
    ----------
    format_
        The canonical snapshot, PAR balances, or loans.
    present
        The columns that the file has; what it lacks is left out, see `complete`.
    date
        The measurement date of a loans export, which carries none of its own.
    """
    derive = {SNAPSHOT.name: _from_snapshot, PAR.name: _from_par, LOANS.name: _from_loans}[format_.name]
    filled = {name: nw.col(name) for name in present} | derive(present, date)
    return [filled[name].cast(dtype).alias(name) for name, dtype in DTYPES.items() if name in filled]


def complete(rows: nw.LazyFrame, *beside: str) -> nw.LazyFrame:
    """Return the columns `beside` and those of the tape, in its order; what no file fills is null."""
    given = rows.collect_schema().names()
    columns = {n: nw.col(n) if n in given else _nothing(dtype).cast(dtype) for n, dtype in DTYPES.items()}
    return rows.select(*beside, *(column.alias(name) for name, column in columns.items()))


def _nothing(dtype: nw.dtypes.DType) -> nw.Expr:
    # pandas turns no bare None into a whole number
    return nw.lit(None).cast(nw.Decimal(18, 2)) if dtype.is_integer() else nw.lit(None)


def _from_snapshot(present: set[str], _) -> dict[str, nw.Expr]:
    if "dpd_120_plus_usd" not in present:
        return {}
    beyond = nw.coalesce(nw.col("dpd_120_plus_usd"), ZERO)
    return {"dpd_90_plus_usd": nw.col("dpd_90_plus_usd") + beyond}


def _from_par(present: set[str], _) -> dict[str, nw.Expr]:
    par = [nw.col("outstanding_balance_usd"), *(nw.col(f"par_{n}_balance_usd") for n in (7, 30, 60, 90))]
    buckets = [at_least - beyond for at_least, beyond in pairwise(par)] + par[-1:]
    outstanding = dict.fromkeys(
        ("total_receivable_usd", "total_eligible_usd", "discounted_balance_usd"), par[0]
    )
    written_off = (
        nw.col("writeoff_outstanding_balance_usd")
        if "writeoff_outstanding_balance_usd" in present
        else nw.lit(None)
    )
    return {**outstanding, **dict(zip(BUCKETS, buckets, strict=True)), "written_off_usd": written_off}


def _from_loans(present: set[str], date: dt.date | None) -> dict[str, nw.Expr]:
    balance, dpd = nw.col("outstanding_balance"), nw.col("days_past_due")
    first = list(FIRST_DAY.values())
    buckets = {
        name: nw.when((dpd >= low) & (dpd < high if high else nw.lit(True))).then(balance).otherwise(ZERO)
        for (name, low), high in zip(FIRST_DAY.items(), [*first[1:], None], strict=True)
    }
    outstanding = dict.fromkeys(
        ("total_receivable_usd", "total_eligible_usd", "discounted_balance_usd"), balance
    )
    own = {name: nw.col(heading) for name, heading in OF_LOAN.items() if heading in present}
    return {"measurement_date": nw.lit(date), **outstanding, **buckets, **own}


def with_loans(tape: nw.LazyFrame, loans: nw.LazyFrame) -> nw.LazyFrame:
    """Fill the attributes of each loan that the tape lacks, such as product, rate and disbursement, from the loans
    export.

    The loan id is the key, company prefix and all: bare numbers collide between companies. What does not change over
    a loan's life is taken, and nothing else; its balance and days past due there are today's, not the date's.

    Parameters
    ----------
    tape
        One row a loan and date.
    loans
        One row a loan.
    """
    given = set(loans.collect_schema().names())
    taken = {name: heading for name, heading in OF_LOAN.items() if heading in given}
    found = loans.select(
        "loan_id", *(nw.col(h).cast(DTYPES[n]).alias(f"{n}_of_loan") for n, h in taken.items())
    )
    joined = tape.join(found, on="loan_id", how="left")
    filled = joined.with_columns(nw.coalesce(name, f"{name}_of_loan").alias(name) for name in taken)
    return filled.drop(f"{name}_of_loan" for name in taken)


def bucket_gap() -> nw.Expr:
    """Return by how much the aging buckets of each row miss its receivable, in USD."""
    return nw.col("total_receivable_usd") - sum((nw.col(b) for b in BUCKETS[1:]), start=nw.col(BUCKETS[0]))
