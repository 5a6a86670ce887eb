"""Loans whose row a date lacks though nothing says that they were paid: rejected, or gone without payment."""

import datetime as dt
from itertools import pairwise

import narwhals as nw

from abaco.ingest.rejected_loans import TABLE as REJECTED_LOANS
from abaco.kpis import flows
from abaco.kpis.book import Book

REJECTED, GONE = "rejected", "gone without payment"
LATE_POSTING_DAYS = 3  # servicers post Friday's payments on Monday
KEY = ("measurement_date", "loan_id")


def absences(book: Book) -> nw.LazyFrame | None:
    """Return the loans whose row a date lacks, one row per date and loan; None where nothing can tell.

    A loan is gone without payment if it owed something at the date before, written off or not, has no row now, and has
    paid less than half of it since: the other half is room for discounts, rebates and rounding. This takes an export of
    payments.

    Returns
    -------
    nw.LazyFrame or None
        ``measurement_date``, ``loan_id``, and ``absent``: `REJECTED` or `GONE`.
    """
    rejected = book.export(REJECTED_LOANS.name)
    found = [frame for frame in (rejected, _gone(book, rejected)) if frame is not None]
    names = (REJECTED, GONE) if rejected is not None else (GONE,)
    marked = [frame.select(*KEY, absent=nw.lit(name)) for frame, name in zip(found, names, strict=False)]
    return book.kept(nw.concat(marked)) if marked else None


def _gone(book: Book, rejected: nw.LazyFrame | None) -> nw.LazyFrame | None:
    if (paid := flows.paid(book)) is None:
        return None
    paid = paid.filter(nw.col("kind") == flows.PAID)
    if not (spans := _spans(book, paid)):
        return None
    date = nw.col("measurement_date")
    tape = book.tape.lazy().filter(~nw.col("loan_id").is_null())
    owed = nw.coalesce("total_receivable_usd", flows.ZERO) + nw.coalesce("written_off_usd", flows.ZERO)
    before = tape.filter(date.is_in([against for against, _, _ in spans.values()]) & (owed > 0)).select(
        _by_date(date, {against: day for day, (against, _, _) in spans.items()}).alias("measurement_date"),
        "loan_id", owed=owed,
    )  # fmt: skip
    here = tape.select(*KEY)
    lacking = before.join(here, on=list(KEY), how="anti")
    if rejected is not None:
        lacking = lacking.join(rejected.select(*KEY), on=list(KEY), how="anti")
    amounts = [nw.coalesce(name, flows.ZERO) for name in flows.MONEY]
    payments = paid.select("loan_id", "day", twice_paid=sum(amounts[1:] + amounts, start=amounts[0]))
    since, until = (_by_date(date, {day: span[side] for day, span in spans.items()}) for side in (1, 2))
    within = lacking.join(payments, on="loan_id", how="inner")
    within = within.filter((nw.col("day") > since) & (nw.col("day") <= until))
    sums = within.group_by(*KEY).agg(nw.col("twice_paid").sum())
    known = lacking.join(sums, on=list(KEY), how="left")
    return known.filter(nw.coalesce("twice_paid", flows.ZERO) < nw.col("owed"))


def _spans(book: Book, paid: nw.LazyFrame) -> dict[dt.date, tuple[dt.date, dt.date, dt.date]]:
    """Return, of each date, the date before, and after and up to which days it was paid, where payments were seen."""
    days = paid.select("day").unique().collect("pyarrow")["day"].to_list()
    posting, found = dt.timedelta(LATE_POSTING_DAYS), {}
    for against, date in pairwise(book.dates):
        since, until = book.through(against), book.through(date)
        if any(since < day <= until for day in days if day is not None):
            found[date] = (against, since - posting, until + posting)
    return found


def _by_date(column: nw.Expr, values: dict[dt.date, dt.date]) -> nw.Expr:
    first, *others = values.items()
    found = nw.when(column == first[0]).then(nw.lit(first[1]))
    for date, value in others:
        found = found.when(column == date).then(nw.lit(value))
    return found
