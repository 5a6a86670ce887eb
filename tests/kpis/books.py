"""Books written out: the tape and the exports beside it, each with the columns that a test gives it and no other."""

import narwhals as nw
import pyarrow as pa

from abaco.ingest.lateness import DAYS, at_risk
from abaco.kpis import measures
from abaco.kpis.book import Book
from tests.support.tapes import written

DATES = ("measurement_date", "disbursed_on", "disburse_date", "date_due", "date_paid", "paid_on")
TEXTS = ("loan_id", "transaction_type", "is_reversed", "company", "product", "region", "status", "borrower_id")
COUNTS = ("days_past_due", "borrower", "loans", "term", "term_days")
# A tape has these columns, and most exports fill none of them.
SELDOM = dict.fromkeys(map(at_risk, DAYS), pa.decimal128(18, 2)) | {"restructured": pa.bool_()}
DEFAULT_TAPE = """
    measurement_date  loan_id  total_receivable_usd
    2025-03-31        L1       1000.00
"""


def export(text):
    """Turn a table written out into Arrow, with the columns that it has; amounts are (18,2), rates (18,6)."""
    headings = text.strip().splitlines()[0].split()
    return written(text, {name: _dtype(name) for name in headings})


def _dtype(name):
    if name in DATES:
        return nw.Date()
    if name in TEXTS:
        return nw.String()
    if name in COUNTS:
        return nw.Int64()
    return nw.Decimal(18, 6 if name == "interest_rate" else 2)


def book(frame, tape=DEFAULT_TAPE, as_of=None, **exports):
    """Return a book whose exports are written out, on the engine of `frame`."""
    tables = {name: export(text) for name, text in {"tape": tape, **exports}.items()}
    for name, kind in SELDOM.items():
        if name not in tables["tape"].column_names:
            tables["tape"] = tables["tape"].append_column(name, pa.nulls(len(tables["tape"]), kind))
    dates = sorted(set(tables["tape"]["measurement_date"].to_pylist()))
    frames = {name: frame(table) for name, table in tables.items()}
    return Book(frames.pop("tape"), dates, as_of or dates[-1], frames)


def found(book, *names):
    """Return the named measures on the book's date, exact, as text; of one alone just that."""
    total = measures.measure(book, names)[book.date]
    values = [None if total.sums[name] is None else str(total.sums[name]) for name in names]
    return values if len(names) > 1 else values[0]


def reason(book, name):
    """Return in English why the book's date has no value of a measure."""
    total = measures.measure(book, [name])[book.date]
    assert total.sums[name] is None
    return str(total.reasons[name]) if name in total.reasons else None
