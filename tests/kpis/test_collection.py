"""Collected of what was due: by month and by due month, worked out by hand."""

import datetime as dt
from decimal import Decimal

import pytest

from abaco.core.parquet import arrow_schema
from abaco.kpis.collection import TABLE, collections

from .books import book, found, reason

JANUARY, FEBRUARY, MARCH = dt.date(2025, 1, 31), dt.date(2025, 2, 28), dt.date(2025, 3, 31)
TAPE = """
    measurement_date  loan_id  total_receivable_usd
    2025-01-31        A - 1    1000.00
    2025-02-28        A - 1    800.00
    2025-03-31        A - 1    500.00
"""
SCHEDULES = """
    loan_id  date_due    principal  interest  fees  to_tax
    A - 1    2025-01-31  100.00     10.00     1.00  1.43
    A - 1    2025-02-28  100.00     9.00      1.00  1.30
    A - 1    2025-03-31  100.00     8.00      1.00  1.17
    A - 1    2025-04-30  100.00     7.00      1.00  1.04
"""
TRANSACTIONS = """
    loan_id  transaction_type  date_paid   principal  interest  fees  to_tax
    A - 1    DISBURSEMENT      2025-01-02  400.00     0.00      0.00  0.00
    {}
"""
MONTH = ("month_paid_usd", "month_due_usd", "month_principal_paid_usd", "month_principal_due_usd")
ON_TIME = "month_principal_on_time_usd"


def paid(*rows):
    """Transactions of loan A - 1 that were paid: day and principal."""
    lines = (f"A - 1  PAYMENT  {day}  {amount}  0.00  0.00  0.00" for day, amount in rows)
    return TRANSACTIONS.format("\n".join(lines))


def on_time(frame, *rows, tape=TAPE, schedules=SCHEDULES, **more):
    return found(book(frame, tape=tape, schedules=schedules, transactions=paid(*rows), **more), ON_TIME)


def test_paid_and_due_of_a_month_with_a_rebate(frame):
    march = book(
        frame,
        tape=TAPE,
        schedules=SCHEDULES,
        transactions=TRANSACTIONS.format(
            """A - 1  PAYMENT  2025-03-01  60.00  8.00   1.00  1.17
            A - 1  PAYMENT  2025-03-31  40.00  -2.00  -     -0.26"""
        ),
    )
    # 60 + 40 + 8 - 2 + 1 + 1.17 - 0.26; due 100 + 8 + 1 + 1.17
    assert found(march, *MONTH) == ["107.91", "110.17", "100.00", "100.00"]


def test_first_and_last_day_belong_to_the_month(frame):
    rows = [("2025-02-28", "1.00"), ("2025-03-01", "2.00"), ("2025-03-31", "4.00"), ("2025-04-01", "8.00")]
    assert found(book(frame, tape=TAPE, transactions=paid(*rows)), "month_paid_usd") == "6.00"


def test_what_a_closed_loan_paid_counts(frame):
    transactions = paid(("2025-03-05", "10.00")) + "A - 9  PAYMENT  2025-03-06  90.00  0.00  0.00  0.00"
    assert found(book(frame, tape=TAPE, transactions=transactions), "month_paid_usd") == "100.00"


def test_a_month_without_flows_is_zero_and_a_month_outside_the_export_is_unknown(frame):
    rows = paid(("2025-01-31", "100.00"), ("2025-03-01", "10.00"))
    february = TAPE.rsplit("\n", 2)[0]
    assert found(book(frame, tape=february, transactions=rows), "month_paid_usd") == "0.00"
    stopped = book(frame, tape=TAPE, transactions=paid(("2025-02-28", "100.00")))
    assert reason(stopped, "month_paid_usd") == ("the transactions end on 2025-02-28, too early for the figures")
    late = paid(("2025-04-01", "1.00")).replace("2025-01-02", "2025-04-02")
    assert reason(book(frame, tape=TAPE, transactions=late), "month_paid_usd") == (
        "the transactions reach back only to 2025-04-01, too short for the figures"
    )


def test_an_export_without_a_column_or_a_value_in_it_does_not_give_zero(frame):
    lacking = """
        loan_id  transaction_type  date_paid   principal  interest  fees
        A - 1    PAYMENT           2025-03-02  10.00      1.00      -
    """
    march = book(frame, tape=TAPE, transactions=lacking)
    assert reason(march, "month_paid_usd") == "the transactions have no fees"
    assert found(march, "month_principal_paid_usd") == "10.00"


@pytest.mark.parametrize("names", [MONTH, (ON_TIME,)])
def test_without_exports_or_rows_nothing_is_known(frame, names):
    empty = {"transactions": TRANSACTIONS.splitlines()[1], "schedules": SCHEDULES.splitlines()[1]}
    for exports in ({}, empty):
        march = book(frame, tape=TAPE, **exports)
        assert [reason(march, name) for name in names] == [None] * len(names)


# By due month


def test_principal_paid_on_the_last_day_is_on_time_and_a_day_later_is_not(frame):
    rows = [("2025-01-31", "100.00"), ("2025-02-28", "100.00")]
    assert on_time(frame, *rows, ("2025-03-31", "100.00")) == "100.00"
    assert on_time(frame, *rows, ("2025-04-01", "100.00")) == "0.00"


def test_arrears_are_paid_first(frame):
    # of the 130 paid by March, 100 serve January and 30 February
    assert on_time(frame, ("2025-03-10", "130.00")) == "0.00"
    # 100 January, 100 February, 30 March
    assert on_time(frame, ("2025-03-10", "230.00")) == "30.00"


def test_an_early_payment_is_on_time_and_pays_no_more_than_is_due(frame):
    assert on_time(frame, ("2025-01-10", "350.00"), ("2025-03-01", "0.00")) == "100.00"
    assert on_time(frame, ("2025-01-10", "400.00"), ("2025-03-02", "50.00")) == "100.00"


def test_what_one_loan_pays_early_does_not_serve_another(frame):
    two = SCHEDULES + "    B - 1  2025-03-31  50.00  0.00  0.00  0.00"
    assert on_time(frame, ("2025-03-01", "1000.00"), schedules=two) == "100.00"


def test_a_reversal_takes_back_what_was_on_time(frame):
    rows = [("2025-01-31", "100.00"), ("2025-02-28", "100.00"), ("2025-03-10", "100.00")]
    assert on_time(frame, *rows, ("2025-03-20", "-40.00")) == "60.00"


def test_several_instalments_of_a_month_count_together(frame):
    weekly = """
        loan_id  date_due    principal  interest  fees  to_tax
        A - 1    2025-03-07  10.00      0.00      0.00  0.00
        A - 1    2025-03-14  10.00      0.00      0.00  0.00
        A - 1    2025-03-14  10.00      0.00      0.00  0.00
        A - 1    2025-03-28  10.00      0.00      0.00  0.00
    """
    rows = [("2025-03-05", "5.00"), ("2025-03-14", "7.50"), ("2025-03-29", "20.00")]
    assert on_time(frame, *rows, schedules=weekly) == "32.50"


def test_payments_that_match_no_schedule_do_not_give_zero(frame):
    others = book(
        frame, tape=TAPE, schedules=SCHEDULES.replace("A - 1", "A1   "), transactions=paid(("2025-03-02", "9.00"))
    )
    assert reason(others, ON_TIME) == "no loan of the transactions is in the schedules"


def test_payments_that_begin_after_the_schedules_cannot_tell_what_is_on_time(frame):
    march = paid(("2025-03-02", "9.00")).replace("2025-01-02", "2025-02-01")
    assert reason(book(frame, tape=TAPE, schedules=SCHEDULES, transactions=march), ON_TIME) == (
        "what every loan has paid is not known "
        "(the transactions begin on 2025-02-01, and the schedules already on 2025-01-31)"
    )


# Partial months and the opening balance


def test_a_month_counts_up_to_the_day_that_the_figures_are_from(frame):
    rows = [("2025-01-31", "100.00"), ("2025-02-28", "100.00"), ("2025-03-10", "7.00"), ("2025-03-11", "50.00")]
    early = SCHEDULES + "    A - 1  2025-03-10  20.00  0.00  0.00  0.00"
    march = book(frame, tape=TAPE, schedules=early, transactions=paid(*rows), as_of=dt.date(2025, 3, 10))
    assert found(march, *MONTH, ON_TIME) == ["7.00", "20.00", "7.00", "20.00", "7.00"]


def test_figures_from_before_the_month_say_nothing_of_it(frame):
    march = book(frame, tape=TAPE, transactions=paid(("2025-02-20", "1.00")), as_of=dt.date(2025, 2, 27))
    assert reason(march, "month_paid_usd") == "the figures are from 2025-02-27, before the month began,"


def test_opening_balance_is_that_of_the_month_before(frame):
    assert found(book(frame, tape=TAPE), "month_opening_usd") == "800.00"
    gap = "\n".join(line for line in TAPE.splitlines() if "2025-02" not in line)
    assert found(book(frame, tape=gap), "month_opening_usd") is None


# The table


def test_table_of_collections(frame):
    rows = [("2025-01-31", "100.00"), ("2025-02-10", "50.00"), ("2025-03-10", "50.00")]
    table = collections(
        book(frame, tape=TAPE, schedules=SCHEDULES, transactions=paid(*rows), as_of=dt.date(2025, 3, 30))
    )
    assert table.schema == arrow_schema(TABLE)
    assert [tuple(None if v is None else str(v) for v in row.values()) for row in table.to_pylist()] == [
        # 100 / 112.43; 50 / 111.30; nothing is due up to the 30th
        ("2025-01-31", "112.43", "100.00", "88.94", "100.00", "100.00", "100.00", "False"),
        ("2025-02-28", "111.30", "50.00", "44.92", "100.00", "50.00", "50.00", "False"),
        ("2025-03-31", "0.00", "50.00", None, "0.00", "0.00", None, "True"),
    ]


def test_table_goes_by_months_also_where_the_tape_has_one_date(frame):
    table = collections(
        book(frame, schedules=SCHEDULES, transactions=paid(("2025-01-31", "100.00"), ("2025-03-31", "1.00")))
    )
    assert table["month"].to_pylist() == [JANUARY, FEBRUARY, MARCH]
    assert table["paid_usd"].to_pylist() == [Decimal("100.00"), Decimal("0.00"), Decimal("1.00")]


def test_a_rate_is_rounded_half_up(frame):
    thirds = SCHEDULES.splitlines()[1] + "\n    A - 1  2025-01-31  800.00  0.00  0.00  0.00"
    table = collections(book(frame, schedules=thirds, transactions=paid(("2025-01-31", "1.00"))))
    assert str(table["rate"][0]) == "0.13"  # 1 / 800 = 0.125 %


@pytest.mark.parametrize("exports", [{}, {"schedules": SCHEDULES}, {"transactions": paid(("2025-03-01", "1.00"))}])
def test_table_is_empty_where_an_export_lacks(frame, exports):
    table = collections(book(frame, **exports))
    assert (table.schema, table.num_rows) == (arrow_schema(TABLE), 0)
