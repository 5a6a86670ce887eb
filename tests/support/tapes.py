"""Literal books on any engine: what a test writes out is all that is known of a loan."""

import datetime as dt
import re
from decimal import Decimal

import narwhals as nw
import pyarrow as pa

from abaco.ingest.tape import DTYPES
from abaco.kpis.book import Book

NOVEMBER, DECEMBER = dt.date(2025, 11, 30), dt.date(2025, 12, 31)
BORROWERS = {"measurement_date": nw.Date(), "borrower": nw.Int64(), "borrower_id": nw.String(),
             "balance_usd": nw.Decimal(38, 2), "par_30_usd": nw.Decimal(38, 2), "loans": nw.Int64()}  # fmt: skip


def _arrow(dtype):
    if dtype.is_decimal():
        return pa.decimal128(dtype.precision, dtype.scale)
    return {nw.String: pa.string(), nw.Date: pa.date32(), nw.Int64: pa.int64(), nw.Boolean: pa.bool_()}[type(dtype)]


def written(text, dtypes, default=None):
    """Turn a table written out into Arrow: cells two blanks apart, ``-`` for null, ``''`` for empty text.

    Columns that are not written out have the default, or null.
    """
    read = {
        nw.String: lambda cell: cell.strip("'"), nw.Date: dt.date.fromisoformat, nw.Int64: int, nw.Decimal: Decimal,
        nw.Boolean: "true".__eq__,
    }  # fmt: skip
    headings, *rows = (re.split(r"\s{2,}", line.strip()) for line in text.strip().splitlines())
    cells = {name: [row[i] for row in rows] for i, name in enumerate(headings)}
    assert set(cells) <= set(dtypes), set(cells) - set(dtypes)
    columns = {
        name: [None if cell == "-" else read[type(dtype)](cell) for cell in cells[name]]
        if name in cells
        else [(default or {}).get(name)] * len(rows)
        for name, dtype in dtypes.items()
    }
    return pa.table({name: pa.array(column, _arrow(dtypes[name])) for name, column in columns.items()})


def tape(text):
    """Turn a table written out into a tape with all its columns; rows without a date are of December."""
    return written(text, DTYPES, {"measurement_date": DECEMBER})


def book(frame, text, **more):
    """Return a book of a literal tape; its dates are the tape's."""
    table = tape(text)
    dates = sorted(set(table.column("measurement_date").to_pylist())) or [DECEMBER]
    return Book(frame(table), dates, dates[-1], **more)


def shown(sums):
    """Return sums as the text of their digits."""
    return {name: value if value is None else str(value) for name, value in sums.items()}
