"""What of the exports fits nowhere: counted, and told to the reader in sentences."""

from collections.abc import Iterator
from typing import Any

import narwhals as nw

from abaco.kpis import flows
from abaco.kpis.book import Book


def notes(book: Book) -> list[str]:
    """Return what a reader should know of the exports beside the tape: what counts nowhere, or only in part."""
    return [*_left_out(book), *_without_loan(book), *_partial(book)]


def _left_out(book: Book) -> Iterator[str]:
    if book.transactions is not None and book.payments is not None:
        yield "The real payments are not used: the transactions tell what was paid."
    if (paid := flows.paid(book)) is not None:
        found = _sums(paid.filter(nw.col("kind") == flows.OTHER))
        if found["rows"]:
            what = "type" if book.transactions is not None else "status"
            yield (
                f"{_rows(found)} of the {flows.paid_title(book)} count nowhere: their {what} does not say that "
                "something was paid."
            )


def _without_loan(book: Book) -> Iterator[str]:
    """Return what the loans export does not know; it counts in sums by month, and matches nothing by loan."""
    if book.loans is None:
        return
    known = book.loans.lazy().select("loan_id")
    for title, rows in ((flows.paid_title(book), flows.paid(book)), ("schedules", flows.due(book))):
        if rows is not None:
            found = _sums(rows.join(known, on="loan_id", how="anti"))
            if found["rows"]:
                yield (
                    f"{_rows(found)} of the {title} belong to no loan of the loans export; they count in the sums of "
                    "their month."
                )
    at_date = book.tape.lazy().filter(nw.col("measurement_date") == book.date)
    if "loan_id" in at_date.collect_schema():
        owed = at_date.filter(~nw.col("loan_id").is_null()).join(known, on="loan_id", how="anti")
        found = _sums(owed.select(principal_usd=nw.col("total_receivable_usd")))
        if found["rows"]:
            yield f"{_rows(found)} of the tape belong to no loan of the loans export, and so to no vintage."


def _partial(book: Book) -> Iterator[str]:
    last = book.partial_through
    if last and (flows.paid(book) is not None or flows.due(book) is not None):
        yield f"What was paid and due in {last:%Y-%m} counts up to {last}: the month is not whole."


def _sums(rows: nw.LazyFrame) -> dict[str, Any]:
    sums = rows.select(nw.len().alias("rows"), nw.col("principal_usd").sum().alias("usd"))
    return sums.collect("pyarrow").to_native().to_pylist()[0]


def _rows(found: dict[str, Any]) -> str:
    noun = "row" if found["rows"] == 1 else "rows"
    return f"{found['rows']:,} {noun} ({found['usd'] or 0:,.2f} USD of principal)"
