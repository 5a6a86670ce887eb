"""Collected of what was due, paid by the due date, and prepaid, worked out by hand."""

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
MONTH = ("month_paid_usd", "month_due_usd", "month_principal_due_usd")
EARLY = ("month_prepaid_usd", "month_not_due_usd")
ON_TIME = "month_principal_on_time_usd"
RATES = ("principal_rate", "paid_30_rate", "paid_60_rate")


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
    assert found(march, *MONTH) == ["107.91", "110.17", "100.00"]


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
    names = ("month_paid_usd", "month_principal_on_time_usd")
    early = book(frame, tape=TAPE, transactions=paid(("2025-02-28", "300.00")), schedules=SCHEDULES)
    assert found(early, *names) == ["0.00", "100.00"]  # all that is due in March is paid: nothing was to come
    short = book(frame, tape=TAPE, transactions=paid(("2025-02-28", "299.99")), schedules=SCHEDULES)
    assert found(short, *names) == [None, None]
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


@pytest.mark.parametrize("names", [MONTH, (ON_TIME,), EARLY])
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


def test_a_payment_that_is_reversed_after_the_due_date_was_none_unless_another_month_reverses_it(frame):
    due = """
        loan_id  date_due    principal  interest  fees  to_tax
        A - 1    2025-03-15  100.00     0.00      0.00  0.00
    """
    assert on_time(frame, ("2025-03-15", "100.00"), ("2025-03-20", "-100.00"), schedules=due) == "0.00"
    assert on_time(frame, ("2025-03-15", "100.00"), ("2025-04-02", "-100.00"), schedules=due) == "100.00"
    again = [("2025-03-15", "100.00"), ("2025-03-20", "-100.00"), ("2025-03-25", "100.00")]
    assert on_time(frame, *again, schedules=due) == "0.00"


def test_several_instalments_of_a_month_count_together(frame):
    weekly = """
        loan_id  date_due    principal  interest  fees  to_tax
        A - 1    2025-03-07  10.00      0.00      0.00  0.00
        A - 1    2025-03-14  10.00      0.00      0.00  0.00
        A - 1    2025-03-14  10.00      0.00      0.00  0.00
        A - 1    2025-03-28  10.00      0.00      0.00  0.00
    """
    rows = [("2025-03-05", "5.00"), ("2025-03-14", "7.50"), ("2025-03-29", "20.00")]
    # 5 of the 7th; 12.50 − 10 of the 14th; nothing of the 28th
    assert on_time(frame, *rows, schedules=weekly) == "7.50"


def test_a_day_late_is_late_and_by_thirty_days_after_it_is_paid(frame):
    """Due on 15 January, paid on 16 January; due on 28 February, paid on 30 March (30 days) and 31 March."""
    schedules = SCHEDULES.replace("2025-01-31", "2025-01-15")
    rows = [("2025-01-16", "100.00"), ("2025-03-30", "60.00"), ("2025-03-31", "40.00")]
    table = collections(book(frame, tape=TAPE, schedules=schedules, transactions=paid(*rows))).to_pylist()
    rates = [[None if row[name] is None else str(row[name]) for name in RATES] for row in table]
    assert rates == [["0.00", "100.00", None], ["0.00", "60.00", None], ["0.00", None, None]]


def test_share_paid_by_sixty_days_after_is_known_of_months_that_old(frame):
    rows = [("2025-01-31", "10.00"), ("2025-03-02", "20.00"), ("2025-04-01", "30.00"), ("2025-04-02", "40.00")]
    april = TAPE + "    2025-04-30  A - 1  400.00"
    table = collections(book(frame, tape=april, schedules=SCHEDULES, transactions=paid(*rows))).to_pylist()
    # 31 January + 30 days is 2 March, + 60 days 1 April; 28 February + 60 days is 29 April
    assert [str(table[0][name]) for name in RATES] == ["10.00", "30.00", "60.00"]
    assert [str(table[1][name]) for name in RATES] == ["0.00", "0.00", "0.00"]


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
    assert found(march, *MONTH, ON_TIME) == ["7.00", "20.00", "20.00", "7.00"]


def test_figures_from_before_the_month_say_nothing_of_it(frame):
    march = book(frame, tape=TAPE, transactions=paid(("2025-02-20", "1.00")), as_of=dt.date(2025, 2, 27))
    assert reason(march, "month_paid_usd") == "the figures are from 2025-02-27, before the month began,"


# Prepayment

LOANS = """
    loan_id  disburse_date  disburse_principal  interest_rate
    A - 1    2025-01-02     400.00              0.100000
    B - 1    2025-03-01     400.00              0.100000
"""
ON_DUE_DATES = [("2025-01-31", "100.00"), ("2025-02-28", "100.00")]


def early(frame, *rows, schedules=SCHEDULES, transactions="", **more):
    flows = {"schedules": schedules, "transactions": paid(*rows) + transactions, "loans": LOANS}
    return found(book(frame, **{"tape": TAPE, **flows, **more}), *EARLY)


def test_principal_on_instalments_due_later_is_prepaid(frame):
    # of the 130, 100 serve March and 30 April; of the opening 800, 100 were due in March
    assert early(frame, *ON_DUE_DATES, ("2025-03-10", "130.00")) == ["30.00", "700.00"]


def test_catching_up_on_arrears_is_no_prepayment_and_paying_nothing_no_negative_one(frame):
    assert early(frame, ("2025-03-10", "300.00")) == ["0.00", "700.00"]
    assert early(frame, ("2025-03-10", "350.00")) == ["50.00", "700.00"]
    assert early(frame, ("2025-01-31", "1.00"), ("2025-03-10", "0.00")) == ["0.00", "700.00"]


def test_what_was_prepaid_before_is_of_the_month_before(frame):
    rows = [("2025-01-31", "100.00"), ("2025-02-10", "350.00"), ("2025-03-10", "5.00")]
    # February: 100 its own, 200 March and April (the 50 beyond the schedule serve nothing)
    february = TAPE.rsplit("\n", 2)[0]
    assert early(frame, *rows, tape=february) == ["200.00", "900.00"]
    assert early(frame, *rows) == ["0.00", "700.00"]


def test_loans_of_the_month_itself_prepay_nothing_and_have_nothing_due(frame):
    """B - 1 was lent on 1 March: neither its payments nor its instalments are of the opening balance."""
    schedules = (
        SCHEDULES + "    B - 1  2025-03-20  50.00  0.00  0.00  0.00\n    B - 1  2025-04-20  350.00  0.00  0.00  0.00"
    )
    more = "B - 1  PAYMENT  2025-03-15  400.00  0.00  0.00  0.00"
    assert early(frame, *ON_DUE_DATES, schedules=schedules, transactions=more) == ["0.00", "700.00"]


def test_a_prepayment_that_is_taken_back_in_the_month_is_none(frame):
    rows = [*ON_DUE_DATES, ("2025-03-10", "130.00"), ("2025-03-20", "-30.00")]
    assert early(frame, *rows) == ["0.00", "700.00"]


def test_prepayment_counts_up_to_the_day_of_the_figures_against_what_is_due_in_the_whole_month(frame):
    rows = [*ON_DUE_DATES, ("2025-03-10", "130.00"), ("2025-03-11", "20.00")]
    assert early(frame, *rows, as_of=dt.date(2025, 3, 10)) == ["30.00", "700.00"]


def test_without_the_days_of_lending_prepayment_is_unknown(frame):
    flows = {"schedules": SCHEDULES, "transactions": paid(*ON_DUE_DATES, ("2025-03-10", "130.00"))}
    march = book(frame, tape=TAPE, **flows)
    assert [reason(march, name) for name in EARLY] == ["no loan of the transactions is in the loans"] * 2


def test_without_a_month_before_there_is_no_opening_balance(frame):
    gap = "\n".join(line for line in TAPE.splitlines() if "2025-02" not in line)
    assert early(frame, *ON_DUE_DATES, ("2025-03-10", "130.00"), tape=gap) == ["30.00", None]
    told = "the input has no balances of 2025-02, the month before, from which movement is counted"
    assert reason(book(frame, tape=gap, schedules=SCHEDULES, transactions=paid(*ON_DUE_DATES)), EARLY[1]) == told


# Dates of the first of a month


def test_first_of_each_month_stands_for_the_month_before(frame):
    """Balances of 1 April are those of the end of March: its payments are March's, and the month is whole."""
    shifted = TAPE.replace("03-31", "04-01").replace("02-28", "03-01").replace("01-31", "02-01")
    rows = [*ON_DUE_DATES, ("2025-03-31", "130.00"), ("2025-04-01", "9.00")]
    march = book(frame, tape=shifted, schedules=SCHEDULES, transactions=paid(*rows), loans=LOANS)
    assert found(march, "month_paid_usd", "month_principal_due_usd", *EARLY) == ["130.00", "100.00", "30.00", "700.00"]
    assert march.partial_through is None
    mixed = book(frame, tape=TAPE + "    2025-04-01  A - 1  500.00", transactions=paid(*rows))
    assert (found(mixed, "month_paid_usd"), mixed.partial_through) == ("9.00", dt.date(2025, 4, 1))


# The table


def test_table_of_collections(frame):
    rows = [("2025-01-31", "100.00"), ("2025-02-10", "50.00"), ("2025-03-10", "50.00")]
    table = collections(
        book(frame, tape=TAPE, schedules=SCHEDULES, transactions=paid(*rows), as_of=dt.date(2025, 3, 30))
    )
    assert table.schema == arrow_schema(TABLE)
    assert [tuple(None if v is None else str(v) for v in row.values()) for row in table.to_pylist()] == [
        # 100 / 112.43; 50 / 111.30; nothing is due up to the 30th
        ("2025-01-31", "112.43", "100.00", "88.94", "100.00", "100.00", "100.00", "100.00", None, "False"),
        ("2025-02-28", "111.30", "50.00", "44.92", "100.00", "50.00", "50.00", "100.00", None, "False"),
        ("2025-03-31", "0.00", "50.00", None, "0.00", "0.00", None, None, None, "True"),
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
