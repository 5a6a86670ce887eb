"""Between which values a KPI lies where part of the book was rejected, worked out by hand."""

import datetime as dt
from decimal import Decimal

import pytest

from abaco.kpis import catalog
from abaco.kpis.bounds import bounds
from abaco.kpis.totals import Totals

DECEMBER = dt.date(2025, 12, 31)
DEFINITIONS = {name: kpi for name, kpi in catalog.load().items() if name in ("PAR30", "TopBorrower")}
# 200.00, of which 8.00 are 30 and more days late, and 6.00 the largest borrower's: 4 and 3 %, within 5 and 4 %
SUMS = {
    "total_receivable_usd": "200.00", "dpd_0_7_usd": "192.00", "dpd_30_60_usd": "5.00", "dpd_60_90_usd": "2.00",
    "dpd_90_plus_usd": "1.00", "top_borrower_usd": "6.00",
}  # fmt: skip
BOOK = {DECEMBER: Totals(9, {name: Decimal(usd) for name, usd in SUMS.items()}, dict.fromkeys(SUMS, 9))}


def found(usd, unknown=0):
    """Return the ends of each figure as text."""
    rejected = {"rejected_usd": usd, "rejected_unknown": unknown}
    ends = bounds(DEFINITIONS, BOOK, DECEMBER, rejected)
    return {name: (str(end["low"]), str(end["high"])) for name, end in ends.items()}


def test_rejected_balance_is_of_no_late_loan_or_all_of_it_late_and_one_borrowers():
    # 8 of 220 to 28 of 220, and 6 of 220 to 26 of 220
    assert found("20.00") == {"PAR30": ("3.6364", "12.7273"), "TopBorrower": ("2.73", "11.82")}


@pytest.mark.parametrize(
    ("usd", "figures"), [("0.00", []), ("2.08", []), ("2.10", ["TopBorrower"]), ("2.11", ["PAR30", "TopBorrower"])]
)
def test_figure_that_stays_within_its_limits_wherever_the_balance_belongs_has_none(usd, figures):
    # 8.08 of 202.08 are 4.00 % and 8.10 of 202.10 are 4.01 %; 10.10 of 202.10 are below 5 % and 10.11 of 202.11 above
    assert sorted(found(usd)) == figures


def test_balance_that_cannot_be_read_may_be_all_of_the_book():
    assert found("0.00", unknown=1) == {"PAR30": ("0.0000", "100.0000"), "TopBorrower": ("0.00", "100.00")}
