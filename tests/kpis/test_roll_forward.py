"""The roll-forward of a month, worked out by hand: every line, what is not explained, and what is unknown."""

import datetime as dt
from decimal import Decimal

import pytest

from abaco.core.parquet import arrow_schema
from abaco.kpis import measures
from abaco.kpis.book import Book
from abaco.kpis.roll_forward import LINES, TABLE, roll_forward

from .books import export
from .moving import DECEMBER, MONTH, NOVEMBER, dates_of, loan_tape

LOANS = """
    loan_id  disburse_date  disburse_principal  interest_rate
    A-1      2025-01-10     200.00              0.300000
    A-0      2025-11-30     999.00              0.300000
    A-8      2025-12-01     25.00               0.300000
    A-9      2025-12-31     500.00              0.300000
"""
PAID = """
    loan_id  date_paid   principal  interest
    A-2      2025-11-30  77.00      1.00
    A-2      2025-12-01  10.00      1.00
    A-4      2025-12-05  10.00      1.00
    A-5      2025-12-05   5.00      1.00
    A-6      2025-12-07  20.00      1.00
    A-7      2025-12-07   5.00      1.00
    A-10     2025-12-20   3.00      0.00
    B-1      2025-12-31  200.00     1.00
"""


def lines(frame, text=MONTH, as_of=None, **exports):
    """Return each line of the latest date, its amount as text, or its reason."""
    days = dates_of(text)
    frames = {name: frame(export(rows)) for name, rows in exports.items()}
    book = Book(frame(loan_tape(text)), days, as_of or days[-1], frames)
    found = roll_forward(book, measures.measure(book, ["total_receivable_usd"]))
    assert found.schema == arrow_schema(TABLE)
    rows = [row for row in found.to_pylist() if row["date"] == days[-1]]
    assert [row["line"] for row in rows] == list(LINES if rows else [])
    return {row["line"]: str(row["reason"] or row["amount_usd"]) for row in rows}


def test_lines_of_a_month_sum_to_its_closing_balance(frame):
    """A-10 pays 3.00 on what is written off, and the write-off of A-11, 15.00, is reversed: 18.00 is recovered."""
    assert lines(frame, loans=LOANS, transactions=PAID) == {
        "opening": "585.00",
        "lent": "525.00",
        "principal paid": "-253.00",
        "written off": "-40.00",
        "recovered": "18.00",
        "not explained": "0.00",
        "closing": "835.00",
    }


def test_what_the_exports_do_not_explain_has_a_line(frame):
    short = PAID.replace("200.00", "190.00")
    assert lines(frame, loans=LOANS, transactions=short)["not explained"] == "-10.00"


@pytest.mark.parametrize(
    ("given", "unknown", "reason"),
    [
        ({"loans": LOANS}, "principal paid", "the input does not give what was paid in the month"),
        ({"transactions": PAID}, "lent", "the input does not give what was lent in the month"),
    ],
)
def test_line_that_the_input_lacks_is_unknown_and_so_is_what_is_not_explained(frame, given, unknown, reason):
    found = lines(frame, **given)
    assert (found[unknown], found["not explained"]) == (reason, reason)
    assert found["written off"] == "-40.00"


def test_without_written_off_balances_nothing_is_guessed(frame):
    text = "\n".join(" ".join([*line.split()[:3], "-"]) for line in MONTH.strip().splitlines())
    found = lines(frame, text, loans=LOANS, transactions=PAID)
    reason = "the input does not give what was written off in the month"
    assert (found["written off"], found["not explained"], found["lent"]) == (reason, reason, "525.00")


def test_payments_count_up_to_the_day_of_the_balances(frame):
    found = lines(frame, loans=LOANS, transactions=PAID, as_of=dt.date(2025, 12, 7))
    assert (found["lent"], found["principal paid"]) == ("25.00", "-50.00")


def test_date_without_one_in_the_month_before_has_no_lines(frame):
    assert lines(frame, MONTH.replace("2025-11-30", "2025-10-31"), loans=LOANS, transactions=PAID) == {}


def test_every_month_has_its_lines(frame):
    more = MONTH + "\n".join(line.replace("2025-12-31", "2026-01-31") for line in MONTH.splitlines() if "12-31" in line)
    days = dates_of(more)
    book = Book(frame(loan_tape(more)), days, days[-1], {"loans": frame(export(LOANS))})
    rows = roll_forward(book, measures.measure(book, ["total_receivable_usd"])).to_pylist()
    ends = [(row["against"], row["amount_usd"]) for row in rows if row["line"] == "opening"]
    assert ends == [(NOVEMBER, Decimal("585.00")), (DECEMBER, Decimal("835.00"))]
