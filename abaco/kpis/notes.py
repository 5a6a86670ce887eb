"""What a reader should know about the exports: rows that count nowhere, and a month that is not complete."""

import datetime as dt
from collections.abc import Iterator, Mapping

import narwhals as nw

from abaco.core import quoting
from abaco.core.decimals import day_number
from abaco.core.reasons import Reason
from abaco.ingest.reconciliation import amounted
from abaco.ingest.statements import TITLE as STATEMENTS
from abaco.kpis import flows
from abaco.kpis.book import Book
from abaco.kpis.pricing import basis_note
from abaco.kpis.totals import Totals

LONG_AFTER = 30  # days after maturity from which days past due that fall to 0 are noted
LONGEST_LATE = 30 * 365  # days, of any loan
MOST_NAMED = 3
CASH = "cash_available_usd"


def notes(book: Book, totals: Mapping[dt.date, Totals]) -> list[Reason]:
    """Return what a reader should know about the exports beside the tape: what counts nowhere, or only in part.

    Parameters
    ----------
    totals
        The measures by date (see `measures.measure`).
    """
    return [
        *_cash(book, totals), *_unused(book), *_tape_without_loan(book), *_late_no_more(book), *_late_too_long(book),
        *_conventions(book), *_partial(book),
    ]  # fmt: skip


def _cash(book: Book, totals: Mapping[dt.date, Totals]) -> Iterator[Reason]:
    """Yield where the balances give another cash than the financial statements."""
    names = {"export": "balances", "other": STATEMENTS}
    sums = {day: (total.sums.get(CASH), book.accounts.get(day, {}).get("cash_usd")) for day, total in totals.items()}
    differing = {day: pair for day, pair in sums.items() if None not in pair and pair[0] != pair[1]}
    if pair := differing.pop(book.date, None):
        yield Reason("sources_disagree", column=CASH, usd=pair[0], other_usd=pair[1], **names)
    if differing:
        yield Reason("dates_disagree", count=len(differing), last=max(differing), **names)


def _unused(book: Book) -> Iterator[Reason]:
    if book.export("transactions") is not None and book.export("payments") is not None:
        yield Reason("payments_not_used")
    if (paid := flows.paid(book)) is None:
        return
    export = flows.paid_title(book)
    if rows := _rows(paid.filter(nw.col("kind") == flows.UNKNOWN)):
        yield Reason("kind_unknown", rows=rows, export=export, words=_unknown_words(book))
    # not the rows that take flagged payments back
    if rows := _rows(paid.filter((nw.col("kind") == flows.REVERSED) & (flows.size() >= 0))):
        yield Reason("payments_reversed", rows=rows, export=export)
    if rows := _rows(paid.filter(nw.col("kind") == flows.OTHER)):
        code = "type_not_paid" if book.export("transactions") is not None else "status_not_paid"
        yield Reason(code, rows=rows, export=export)


def _unknown_words(book: Book) -> tuple[str, ...]:
    """Return the words that no list of params/flows.yml has, the first ones where there are many."""
    told = book.cached(flows.meanings)
    words = {quoting.word(text) for meanings in told.values() for text in meanings.get(flows.UNKNOWN, ())}
    named = sorted(words - {quoting.HIDDEN})[:MOST_NAMED]
    return (*named, *([quoting.HIDDEN] if len(named) < len(words) else []))


def _tape_without_loan(book: Book) -> Iterator[Reason]:
    """Yield how much of the tape belongs to no loan of the loans export."""
    at_date = book.tape.lazy().filter(nw.col("measurement_date") == book.date)
    if (loans := book.export("loans")) is not None and "loan_id" in at_date.collect_schema():
        owed = at_date.filter(~nw.col("loan_id").is_null()).join(loans.select("loan_id"), on="loan_id", how="anti")
        if rows := _rows(owed.select(principal_usd=nw.col("total_receivable_usd"))):
            yield Reason("tape_without_loan", rows=rows)


def _late_no_more(book: Book) -> Iterator[Reason]:
    """Yield the loans long past maturity, with a balance, whose days past due fell to 0 since the date before."""
    tape, needed = book.tape.lazy(), ("loan_id", "days_past_due", "disbursed_on", "term_days")
    if len(book.dates) < 2 or not set(needed) <= set(tape.collect_schema().names()):
        return
    former = book.dates[-2]
    matured = day_number("disbursed_on") + nw.col("term_days")
    is_long_due = matured + LONG_AFTER < book.through(book.date).toordinal()
    was_late = tape.filter((nw.col("measurement_date") == former) & (nw.col("days_past_due") > 0)).select("loan_id")
    now = tape.filter(
        (nw.col("measurement_date") == book.date)
        & (nw.col("total_receivable_usd") > 0)
        & (nw.col("days_past_due") == 0)
        & is_long_due
    )
    back = now.join(was_late, on="loan_id", how="inner").select(principal_usd=nw.col("total_receivable_usd"))
    if rows := _rows(back):
        yield Reason("late_no_more", rows=rows, days=LONG_AFTER, date=former)


def _late_too_long(book: Book) -> Iterator[Reason]:
    """Yield the loans that are late by more days than passed since they were lent, or than any loan is late."""
    at_date = book.tape.lazy().filter((nw.col("measurement_date") == book.date) & (nw.col("total_receivable_usd") > 0))
    present = at_date.collect_schema().names()
    if "days_past_due" not in present:
        return
    signs = [nw.col("days_past_due") > LONGEST_LATE]
    if "disbursed_on" in present:  # the day that it was lent counts, too
        signs.append(nw.col("days_past_due") > book.date.toordinal() - day_number("disbursed_on") + 1)
    late = at_date.filter(nw.any_horizontal(*signs, ignore_nulls=True))
    if rows := _rows(late.select(principal_usd=nw.col("total_receivable_usd"))):
        yield Reason("late_too_long", rows=rows, years=LONGEST_LATE // 365)


def _conventions(book: Book) -> Iterator[Reason]:
    if book.is_dated_after:
        yield Reason("dates_close_month")
    if note := basis_note(book):
        yield note


def _partial(book: Book) -> Iterator[Reason]:
    known = [name for name, rows in (("paid", flows.paid(book)), ("due", flows.due(book))) if rows is not None]
    if (last := book.partial_through) and known:
        codes = {"paid": "partial_month_paid", "due": "partial_month_due"}
        code = "partial_month" if len(known) == 2 else codes[known[0]]
        yield Reason(code, month=f"{last:%Y-%m}", last=last)


def _rows(rows: nw.LazyFrame) -> Reason | None:
    """Return how many rows there are and how much principal they hold; None without a row."""
    sums = rows.select(nw.len().alias("rows"), nw.col("principal_usd").sum().alias("usd"))
    total = sums.collect("pyarrow").to_native().to_pylist()[0]
    return amounted(total["rows"], total["usd"]) if total["rows"] else None
