"""Loans whose row a date lacks though nothing says that they were paid: rejected, or gone without payment."""

import datetime as dt
from decimal import Decimal
from itertools import pairwise
from typing import Any

import narwhals as nw

from abaco.ingest.columns import MATURITY_DATE
from abaco.ingest.rejected_loans import TABLE as REJECTED_LOANS
from abaco.kpis import flows
from abaco.kpis.book import Book

REJECTED, GONE, VANISHED, APART = "rejected", "gone without payment", "late before", "of another date"
VANISHED_EARLY = "a few days late before"
LONG_LATE, MORE_OFTEN = 30, 2  # days, and how many times as often as others loans are gone that were less late
LATE_POSTING_DAYS = 3  # servicers post Friday's payments on Monday
DAYS_APART = 6  # of two dates that may be one book
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


def unexplained(book: Book) -> dict[str, dict[str, Any]]:
    """Return the loans of the date before without a row on the date, where no payments were seen that might tell why.

    Returns
    -------
    dict
        ``loans``, ``usd`` and ``late_usd``, what they owed and what of it was 30 or more days late, as text, and the
        ``date`` before; by `VANISHED`, loans that were so late and have not matured since; by `VANISHED_EARLY`, those
        that were less late, and would be so late now had nobody paid, where they are gone more often than others; and
        by `APART`, those of a date a few days before that are most of its loans: part of a book may carry another date.
    """
    paid = flows.paid(book)
    is_told = paid is not None and book.date in _spans(book, paid.filter(nw.col("kind") == flows.PAID))
    if len(book.dates) < 2 or is_told:
        return {}
    against, date = book.dates[-2:]
    day, rejected = nw.col("measurement_date"), book.export(REJECTED_LOANS.name)
    tape = book.tape.lazy().filter(~nw.col("loan_id").is_null())
    before = tape.filter((day == against) & (nw.col("total_receivable_usd") > 0))
    lacking = before.join(tape.filter(day == date).select("loan_id"), on="loan_id", how="anti")
    if rejected is not None:
        lacking = lacking.join(rejected.filter(day == date).select("loan_id"), on="loan_id", how="anti")
    late, maturity = book.buckets.late(LONG_LATE), nw.col(MATURITY_DATE.name)
    is_due = ~((maturity > against) & (maturity <= date)).fill_null(False)
    found = {VANISHED: _sums(lacking.filter((late > 0) & is_due), late, against)}
    least = max(1, LONG_LATE - (date - against).days)
    if (first := min((days for days in book.buckets.known if days >= least), default=LONG_LATE)) < LONG_LATE:
        early = book.buckets.late(first)
        of_early = ((early > 0) & (late == 0)).cast(nw.Int64()).sum()
        counts = [rows.filter(is_due).select(early=of_early, sound=(early == 0).cast(nw.Int64()).sum())
                  for rows in (before, lacking)]  # fmt: skip
        all_, gone = (frame.collect("pyarrow").to_native().to_pylist()[0] for frame in counts)
        if (gone["early"] or 0) * (all_["sound"] or 0) > MORE_OFTEN * (gone["sound"] or 0) * (all_["early"] or 0):
            found[VANISHED_EARLY] = _sums(lacking.filter((early > 0) & (late == 0) & is_due), early, against)
    if (date - against).days <= DAYS_APART:
        [loans] = before.select(loans=nw.len()).collect("pyarrow")["loans"].to_list()
        apart = _sums(lacking, late, against)
        found |= {APART: apart} if 2 * apart["loans"] > loans else {}
    return {cause: sums for cause, sums in found.items() if sums["loans"]}


def _sums(rows: nw.LazyFrame, late: nw.Expr, date: dt.date) -> dict[str, Any]:
    sums = rows.select(loans=nw.len(), usd=nw.col("total_receivable_usd").sum(), late_usd=late.sum())
    [row] = sums.collect("pyarrow").to_native().to_pylist()
    usd = {name: str(row[name] or Decimal("0.00")) for name in ("usd", "late_usd")}
    return {"loans": row["loans"], "date": str(date), **usd}
