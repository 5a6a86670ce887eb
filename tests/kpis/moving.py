"""A book that moves: what each loan owes at two month-ends, written out."""

import datetime as dt
from decimal import Decimal

import pyarrow as pa

from abaco.ingest.columns import BUCKETS, FIRST_DAY

OCTOBER, NOVEMBER, DECEMBER = dt.date(2025, 10, 31), dt.date(2025, 11, 30), dt.date(2025, 12, 31)
AMOUNT = pa.decimal128(18, 2)
KINDS = {
    "measurement_date": pa.date32(), "loan_id": pa.string(), "company": pa.string(), "product": pa.string(),
    "restructured": pa.bool_(), "maturity_date": pa.date32(),
}  # fmt: skip

# A-1 and B-1 are loans of two companies. In December A-2 skips a bucket, A-7 is written off but for what was paid,
# are new, and the write-off of A-11 is reversed.
MONTH = """
    date        loan  owes           written_off
    2025-11-30  A-1   100.00@0              0.00
    2025-11-30  A-2    50.00@0              0.00
    2025-11-30  A-3    30.00@7              0.00
    2025-11-30  A-4    80.00@30             0.00
    2025-11-30  A-5    60.00@60             0.00
    2025-11-30  A-6    20.00@90             0.00
    2025-11-30  A-7    45.00@90             0.00
    2025-11-30  A-10      -                12.00
    2025-11-30  A-11      -                15.00
    2025-11-30  B-1   200.00@0              0.00
    2025-12-31  A-1   100.00@0              0.00
    2025-12-31  A-2    40.00@30             0.00
    2025-12-31  A-3    30.00@30             0.00
    2025-12-31  A-4    70.00@90             0.00
    2025-12-31  A-5    55.00@0              0.00
    2025-12-31  A-7       -                40.00
    2025-12-31  A-8    25.00@30             0.00
    2025-12-31  A-9   500.00@0              0.00
    2025-12-31  A-10      -                 9.00
    2025-12-31  A-11   15.00@90             0.00
    2025-12-31  B-1       -                 0.00
"""


def loan_tape(text):
    """Turn rows of a loan and date into the columns of a tape; ``60.00@0+40.00@30`` is owed in two buckets.

    A fifth word says whether the loan is restructured.
    """
    rows = [_row(*line.split()) for line in text.strip().splitlines()[1:]]
    names = (*KINDS, "total_receivable_usd", *BUCKETS, "written_off_usd")
    return pa.table({n: pa.array([row.get(n) for row in rows], KINDS.get(n, AMOUNT)) for n in names})


def _row(date, loan, owes, written_off, restructured=None):
    parts = {FIRST_DAY[b]: Decimal("0.00") for b in BUCKETS}
    for part in owes.split("+") if owes != "-" else ():
        usd, days = part.split("@")
        parts[int(days)] = Decimal(usd)
    return {
        "measurement_date": dt.date.fromisoformat(date),
        "loan_id": None if loan == "-" else loan,
        "company": loan.split("-")[0],
        "product": None,
        "total_receivable_usd": sum(parts.values()),
        "written_off_usd": None if written_off == "-" else Decimal(written_off),
        "restructured": restructured and restructured == "true",
        **dict(zip(BUCKETS, parts.values(), strict=True)),
    }


def dates_of(text):
    """Return the dates of a tape that is written out, oldest first."""
    return sorted({dt.date.fromisoformat(line.split()[0]) for line in text.strip().splitlines()[1:]})
