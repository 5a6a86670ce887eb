"""Twelve loans pledged to a facility, with its borrowing base worked out on paper, on any engine."""

import datetime as dt
import tempfile
from contextlib import contextmanager
from decimal import Decimal
from pathlib import Path

import narwhals as nw
import pyarrow as pa

from abaco.kpis.book import Book
from abaco.kpis.facilities import borrowing_base
from abaco.kpis.facilities.facility import Facility
from tests.support.tapes import DECEMBER, tape, written

DRAWINGS = {"measurement_date": nw.Date(), "facility": nw.String(), "drawn": nw.Decimal(18, 2),
            "cash": nw.Decimal(18, 2)}  # fmt: skip
# A-03 is exactly on two criteria; A-04 fails both of them; how late A-06 is and where A-07 is, nobody knows. A-02 is
# the last one lent to borrower 1, and in the north. Borrower 3 is exactly on the limit.
LOANS = """
loan_id  product        region  disbursed_on  total_receivable_usd  written_off_usd  days_past_due  interest_rate
A-01     factoring      North   2025-01-01    200.00                0.00             0              0.20
A-02     factoring      north   2025-05-01    150.00                0.00             0              0.20
A-03     business loan  North   2025-03-01    100.00                0.00             60             0.50
A-04     business loan  South   2025-03-01    80.00                 0.00             61             0.60
A-05     factoring      South   2025-03-01    50.00                 0.00             0              0.51
A-06     factoring      South   2025-03-01    40.00                 0.00             -              0.20
A-07     factoring      -       2025-03-01    30.00                 0.00             10             0.20
A-08     business loan  South   2025-03-01    300.00                0.00             0              0.20
A-09     factoring      North   2025-04-01    120.50                0.00             0              0.20
A-10     factoring      North   2025-06-01    0.00                  75.00            200            0.20
A-11     factoring      South   2025-03-01    99.50                 0.00             0              0.20
A-12     business loan  South   -             30.00                 0.00             0              0.20
"""
BORROWERS = dict(zip((f"A-{n:02}" for n in range(1, 13)), (1, 1, 2, 2, 3, 3, 3, 3, 4, 4, 5, 6), strict=True))
TERMS = {
    "title": "Line", "lender": "Bank", "currency": "USD", "commitment": 790, "from": dt.date(2025, 1, 1),
    "to": DECEMBER, "pledged": "all",
    "eligibility": {
        "late": {"column": "days_past_due", "at_most": 60},
        "rate": {"column": "interest_rate", "at_most": 0.5},
        "known_region": {"column": "region", "present": True},
    },
    "limits": {
        "one_borrower": {"column": "borrower", "at_most": 300},
        "north": {"column": "region", "one_of": ["NORTH"], "at_most_pct": 50},
    },
    "advance_rate": {"column": "product", "rates": {"factoring": 90, "business loan": 80}},
    "reserves": {"fees": 10, "dilution": {"pct": 1}},
    "cash_rate": 50, "cash": 40, "drawn": 500,
}  # fmt: skip
# Line, amount, loans.
ON_PAPER = [
    ("pool", "1200.00", 11),
    ("late", "120.00", 2),
    ("rate", "50.00", 1),
    ("known_region", "30.00", 1),
    ("eligible", "1000.00", 7),
    ("one_borrower", "50.00", 1),  # of A-02
    ("north", "20.50", 1),  # of what is left of A-02: 520.50 less half of 1,000
    ("net_eligible", "929.50", 7),
    ("factoring", "449.55", 4),  # 90 % of 499.50
    ("business loan", "344.00", 3),  # 80 % of 430.00
    ("fees", "10.00", None),
    ("dilution", "9.30", None),  # 9.295
    ("cash", "20.00", None),
    ("borrowing_base", "794.25", None),
    ("over_commitment", "4.25", None),
    ("drawn", "500.00", None),
    ("availability", "290.00", None),
]


OBLIGORS = pa.schema(
    [("measurement_date", pa.date32()), ("loan_id", pa.string()), ("borrower", pa.int64()), ("payer", pa.int64())]
)


def terms(**changes):
    """Return the facility with other terms; one of None is left out."""
    return Facility.model_validate({key: value for key, value in (TERMS | changes).items() if value is not None})


@contextmanager
def based(engine, facility=None, loans=LOANS, borrowers=BORROWERS, dates=None, payers=None, drawings=None, key="LINE"):
    """Give the borrowing base of literal loans, `tape` rows written out."""
    table = loans if isinstance(loans, pa.Table) else tape(loans)
    pairs = table.select(["measurement_date", "loan_id"]).to_pylist()
    owing = [
        row | {"borrower": borrowers.get(row["loan_id"]), "payer": (payers or {}).get(row["loan_id"])} for row in pairs
    ]
    exports = {"obligors": engine.from_arrow(pa.Table.from_pylist(owing, OBLIGORS))}
    if drawings:
        exports["drawings"] = engine.from_arrow(written(drawings, DRAWINGS))
    days = dates or sorted({row["measurement_date"] for row in pairs}) or [DECEMBER]
    book = Book(engine.from_arrow(table), days, days[-1], exports)
    with tempfile.TemporaryDirectory() as work:
        [base] = borrowing_base.bases({key: facility or terms()}, book, engine, Path(work), ["dated loans"], "USD")
        yield base


def lines(base, day=DECEMBER):
    """Return line, amount and loans of a date's borrowing base."""
    found = [row for row in borrowing_base.table([base]).to_pylist() if row["date"] == day]
    assert [row["position"] for row in found] == list(range(1, len(found) + 1))
    return [
        (row["line"], row["amount_usd"] if row["amount_usd"] is None else str(row["amount_usd"]), row["loans"])
        for row in found
    ]


def amounts(base, day=DECEMBER):
    """Return the sum of the lines of each kind."""
    found = {}
    for row in base.lines[day]:
        found[row["kind"]] = found.get(row["kind"], Decimal(0)) + row["amount_usd"]
    return found


def loans(base, day=DECEMBER):
    """Return the loans of a date with their reasons, by number."""
    rows = borrowing_base.eligibility([base], day).collect("pyarrow").to_native().to_pylist()
    return {row["loan_id"]: row for row in rows}
