"""Average term and remaining maturity: unknown ones, and loans past their maturity."""

import datetime as dt
from dataclasses import replace

from abaco.kpis import maturity
from tests.support.tapes import DECEMBER, book, shown

MEASURES = tuple(maturity.MEASURES)
LOANS = """
loan_id  total_receivable_usd  term_days  maturity_date
A-1      100.00                30         2026-01-10
A-2      50.50                 -          2025-12-30
A-3      20.00                 60         -
A-4      0.00                  360        2030-01-01
A-5      -                     360        2030-01-01
"""


def measured(frame, text):
    return maturity.measure(book(frame, text), MEASURES, {})[DECEMBER]


def test_terms_by_hand(frame):
    found = measured(frame, LOANS)
    assert shown(found.sums) == {
        "term_weighted_usd": "4200.00", "termed_usd": "120.00",
        "maturity_weighted_usd": "1000.00", "maturing_usd": "150.50",
    }  # fmt: skip
    assert found.counts == {"term_weighted_usd": 2, "termed_usd": 2, "maturity_weighted_usd": 2, "maturing_usd": 2}


def test_days_are_counted_from_the_day_of_the_figures(frame):
    earlier = replace(book(frame, LOANS), as_of=DECEMBER - dt.timedelta(10))
    found = maturity.measure(earlier, ("maturity_weighted_usd",), {})[DECEMBER]
    assert shown(found.sums) == {"maturity_weighted_usd": "2454.50"}  # 20 days of 100.00, and 9 of 50.50


def test_book_without_terms_has_no_sums(frame):
    assert set(measured(frame, "loan_id  total_receivable_usd\nA-1  1.00").sums.values()) == {None}
    assert set(measured(frame, "loan_id  total_receivable_usd\n").sums.values()) == {None}
