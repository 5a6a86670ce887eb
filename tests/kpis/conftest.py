"""Literal tapes on every engine."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa
import pytest

TYPES = {"measurement_date": pa.date32(), "loan_id": pa.string()}


def table(text):
    """Turn a table written out, a heading a column and ``-`` for null, into Arrow; amounts are (18,2)."""
    headings, *rows = (line.split() for line in text.strip().splitlines())
    read = {"measurement_date": dt.date.fromisoformat, "loan_id": str}
    return pa.table(
        {
            name: pa.array(
                [None if row[i] == "-" else read.get(name, Decimal)(row[i]) for row in rows],
                TYPES.get(name, pa.decimal128(18, 2)),
            )
            for i, name in enumerate(headings)
        }
    )


@pytest.fixture
def tape(frame):
    """Turn a table written out into a frame of each engine."""
    return lambda text: frame(table(text))
