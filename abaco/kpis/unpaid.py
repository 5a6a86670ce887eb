"""Unpaid instalments and early payments, loan by loan."""

import datetime as dt
from decimal import Decimal
from typing import Any

import narwhals as nw
import pyarrow as pa

from abaco.core.decimals import whole_cents
from abaco.core.errors import NotComputableError
from abaco.ingest.columns import BUCKET_NAMES, BUCKETS, FIRST_DAY
from abaco.kpis import flows
from abaco.kpis.balances import late_totals
from abaco.kpis.book import Book
from abaco.kpis.collection import flows_of
from abaco.kpis.contributors import names

OWED, WRITTEN_OFF, GONE = "owed", "written off", "not on the tape"
LOANS = pa.schema(
    [("loan_id", pa.string()), ("state", pa.string()), ("company", pa.string()), ("product", pa.string()),
     ("oldest_unpaid_on", pa.date32()), ("days_late", pa.int64()), ("instalments", pa.int64()),
     ("unpaid_usd", pa.decimal128(38, 2)), ("ahead_usd", pa.decimal128(38, 2)),
     ("outstanding_usd", pa.decimal128(38, 2))]
)  # fmt: skip
NAMED = pa.schema(
    [("loan", pa.string()), *(field for field in LOANS if field.name not in ("loan_id", "state", "ahead_usd"))]
)
LATENESS = pa.schema(
    [("days_late", pa.string()), ("loans", pa.int64()), ("unpaid_usd", pa.decimal128(38, 2)),
     ("outstanding_usd", pa.decimal128(38, 2)), ("tape_usd", pa.decimal128(38, 2))]
)  # fmt: skip


def by_loan(book: Book) -> pa.Table:
    """Return the unpaid principal of each loan with instalments, one row per loan, the latest first.

    Payments serve the instalments of a loan in the order of their due dates. Its oldest unpaid instalment is the
    first that this does not cover in full, of those due before the day that the figures are from.

    Returns
    -------
    pyarrow.Table
        ``oldest_unpaid_on``, how many ``days_late`` that is (0: nothing is), how many ``instalments`` and how much
        principal are unpaid; ``ahead_usd``, principal paid before it is due; ``outstanding_usd`` of the tape, and the
        ``state`` there. Empty without payments and schedules, or when payments begin after the schedules: what was
        paid before would look unpaid.
    """
    moved = flows_of(book)
    if not (moved.paid and moved.due):
        return LOANS.empty_table()
    try:
        moved.paid.require_begin(moved.due.days[0])
    except NotComputableError:
        return LOANS.empty_table()
    last = book.through(book.date)
    payments = (
        flows.paid(book)
        .filter((nw.col("kind") == flows.PAID) & (nw.col("day") <= last))
        .select("loan_id", paid=whole_cents("principal_usd"))
        .group_by("loan_id")
        .agg(nw.col("paid").sum())
    )
    instalments = flows.due(book).select("loan_id", "day", due=whole_cents("principal_usd"))
    daily = instalments.group_by("loan_id", "day").agg(nw.col("due").sum())
    rows = daily.join(payments, on="loan_id", how="left").with_columns(
        due=nw.col("due").cast(nw.Int64()), paid=nw.coalesce("paid", nw.lit(0)).cast(nw.Int64())
    )
    rows = rows.with_columns(due_up_to=nw.col("due").cum_sum().over("loan_id", order_by="day").cast(nw.Int64()))
    open_ = nw.when(nw.col("day") < last).then(_least(nw.col("due"), nw.col("due_up_to") - nw.col("paid")))
    rows = rows.with_columns(unpaid=nw.when(open_ > 0).then(open_)).with_columns(
        unpaid_on=nw.when(nw.col("unpaid") > 0).then(nw.col("day")),
        due_by_now=nw.when(nw.col("day") <= last).then(nw.col("due")),
    )
    loans = rows.group_by("loan_id").agg(
        oldest_unpaid_on=nw.col("unpaid_on").min(),
        instalments=nw.col("unpaid_on").count(),
        unpaid=nw.col("unpaid").sum(),
        due_by_now=nw.col("due_by_now").sum(),
        paid=nw.col("paid").max(),
    )
    balance, off = nw.col("outstanding_usd"), nw.col("written_off_usd")
    found = loans.join(_on_tape(book), on="loan_id", how="left").with_columns(
        state=nw.when(balance > 0).then(nw.lit(OWED)).when(off > 0).then(nw.lit(WRITTEN_OFF)).otherwise(nw.lit(GONE)),
        ahead=nw.col("paid") - nw.coalesce("due_by_now", nw.lit(0)),
    )
    found = found.sort("oldest_unpaid_on", "loan_id", nulls_last=True).collect("pyarrow").to_native()
    return pa.Table.from_pylist([_loan(row, last) for row in found.to_pylist()], schema=LOANS)


def _on_tape(book: Book) -> nw.LazyFrame:
    rows = book.tape.lazy().filter(nw.col("measurement_date") == book.date)
    balance = nw.col("total_receivable_usd").alias("outstanding_usd")
    return rows.select("loan_id", "company", "product", balance, "written_off_usd")


def _least(one: nw.Expr, other: nw.Expr) -> nw.Expr:
    return nw.when(one < other).then(one).otherwise(other)


def _loan(row: dict[str, Any], last: dt.date) -> dict[str, Any]:
    oldest = row["oldest_unpaid_on"]
    cents = {"unpaid_usd": row["unpaid"] or 0, "ahead_usd": max(row["ahead"], 0)}
    return {
        **row,
        **{name: Decimal(amount).scaleb(-2) for name, amount in cents.items()},
        "days_late": (last - oldest).days if oldest else 0,
    }


def latest(loans: pa.Table, limit: int, key: bytes | None) -> pa.Table:
    """Return the loans with a balance whose oldest unpaid instalment is the latest, under anonymous names.

    Parameters
    ----------
    loans
        See `by_loan`.
    limit
        How many; of equally late ones the first loan id comes first.
    key
        The masking key; without one loans have numbers.
    """
    rows = [row for row in loans.to_pylist() if row["state"] == OWED and row["instalments"]][:limit]
    called = names((row["loan_id"] for row in rows), key)
    named = [{**row, "loan": called[row["loan_id"]]} for row in rows]
    return pa.Table.from_pylist(named, schema=NAMED)


def by_lateness(loans: pa.Table, book: Book) -> pa.Table:
    """Return the lateness of loans with a balance by their instalments, beside that of the tape, one row per bucket.

    Parameters
    ----------
    loans
        See `by_loan`.

    Returns
    -------
    pyarrow.Table
        ``loans``, their unpaid principal and their whole balance by the days late of the oldest unpaid instalment, and
        ``tape_usd``, the balance that the tape has in that bucket. Empty without loans.
    """
    owed = [row for row in loans.to_pylist() if row["state"] == OWED]
    if not owed:
        return LATENESS.empty_table()
    tape = late_totals(book.tape.filter(nw.col("measurement_date") == book.date))[book.date].sums
    rows = []
    for bucket in BUCKETS:
        own = [row for row in owed if _bucket(row["days_late"]) == bucket]
        sums = {name: sum((row[name] for row in own), Decimal("0.00")) for name in ("unpaid_usd", "outstanding_usd")}
        rows.append({"days_late": BUCKET_NAMES[bucket], "loans": len(own), **sums, "tape_usd": tape[bucket]})
    return pa.Table.from_pylist(rows, schema=LATENESS)


def _bucket(days: int) -> str:
    return [bucket for bucket, first in FIRST_DAY.items() if days >= first][-1]
