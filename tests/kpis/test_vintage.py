"""Vintages and RDR90: defaults at their own age, on all that was lent, without hindsight."""

import datetime as dt
from decimal import Decimal

import pytest

from abaco.core.dates import months_before
from abaco.core.parquet import arrow_schema
from abaco.kpis.measures import measure
from abaco.kpis.vintage import TABLE, vintages

from .books import book, found, reason

RDR = ("rdr_90_usd", "rdr_disbursed_usd")
HEADING = "  ".join(
    ["measurement_date", "loan_id", "disbursed_on", "total_receivable_usd", "written_off_usd", "days_past_due",
     "dpd_90_plus_usd"]
)  # fmt: skip
LOANS = """
    loan_id  disburse_date  disburse_principal  interest_rate
    {}
"""


def tape(*rows):
    return "\n".join([HEADING, *("  ".join(row) for row in rows)])


def loans(*rows):
    return LOANS.format("\n".join(f"{'  '.join(row)}  0.100000" for row in rows))


# RDR90


def test_rdr_counts_loans_lent_exactly_twelve_calendar_months_ago(frame):
    march = book(
        frame,
        tape=tape(
            ("2025-03-31", "A - 1", "2024-03-31", "100.00", "0.00", "90", "100.00"),
            ("2025-03-31", "A - 2", "2024-04-01", "200.00", "0.00", "400", "200.00"),
            ("2025-03-31", "A - 3", "2024-03-01", "0.00", "40.00", "120", "0.00"),
            ("2025-03-31", "A - 4", "2023-01-01", "10.00", "0.00", "89", "0.00"),
        ),
        loans=loans(
            ("A - 1", "2024-03-31", "1000.00"),
            ("A - 2", "2024-04-01", "2000.00"),
            ("A - 3", "2024-03-01", "300.00"),
            ("A - 4", "2023-01-01", "400.00"),
            ("A - 5", "2024-01-01", "700.00"),  # paid back within its month, never on the tape
        ),
    )
    assert found(march, *RDR) == ["140.00", "2400.00"]


@pytest.mark.parametrize(
    ("date", "lent", "counts"),
    [
        ("2025-02-28", "2024-02-29", True),  # twelve calendar months, from a month's end to a month's end
        ("2025-02-28", "2024-03-01", False),  # eleven
        ("2024-02-29", "2023-02-28", True),
        ("2024-02-29", "2023-03-01", False),
        ("2025-04-01", "2024-03-31", True),  # the close of March
        ("2025-04-01", "2024-04-01", False),
    ],
)
def test_rdr_of_loans_eleven_and_twelve_months_old(frame, date, lent, counts):
    """Two loans of 100 each, one 120 days late: 100 of 200 once they are twelve months old."""
    text = tape(
        (date, "A - 1", lent, "100.00", "0.00", "120", "100.00"), (date, "A - 2", lent, "100.00", "0.00", "0", "0.00")
    )
    old = book(frame, tape=text, loans=loans(("A - 1", lent, "100.00"), ("A - 2", lent, "100.00")))
    assert [Decimal(usd) for usd in found(old, *RDR)] == ([100, 200] if counts else [0, 0])


def test_rdr_takes_the_days_of_its_own_date(frame):
    both = book(
        frame,
        tape=tape(
            ("2025-02-28", "A - 1", "2023-03-31", "100.00", "0.00", "60", "0.00"),
            ("2025-03-31", "A - 1", "2023-03-31", "100.00", "0.00", "91", "100.00"),
        ),
        loans=loans(("A - 1", "2023-03-31", "1000.00")),
    )
    assert [str(t.sums["rdr_90_usd"]) for t in measure(both, RDR).values()] == ["0.00", "100.00"]


def test_rdr_of_unknown_days_is_not_computable(frame):
    unknown = tape(("2025-03-31", "A - 1", "2023-03-31", "100.00", "0.00", "-", "0.00"))
    march = book(frame, tape=unknown, loans=loans(("A - 1", "2023-03-31", "1000.00")))
    assert reason(march, "rdr_90_usd") == ("days past due or the written-off balance are not known of every loan")


def test_rdr_of_a_tape_that_matches_no_loan_is_not_zero(frame):
    stranger = tape(("2025-03-31", "A - 1", "-", "100.00", "0.00", "95", "100.00"))
    march = book(frame, tape=stranger, loans=loans(("B - 1", "2023-03-31", "1000.00")))
    assert reason(march, "rdr_90_usd") == "no loan of the tape is in the loans export"


def test_rdr_of_a_young_book_has_nothing_to_divide_by(frame):
    young = tape(("2025-03-31", "A - 1", "2024-12-31", "100.00", "0.00", "0", "0.00"))
    assert found(book(frame, tape=young, loans=loans(("A - 1", "2024-12-31", "100.00"))), *RDR) == ["0.00", "0"]


def test_without_the_loans_export_nothing_is_known(frame):
    assert found(book(frame), *RDR) == [None, None]


# Curves

JANUARY = dt.date(2025, 1, 31)


def months(*rows, since=JANUARY, count=5):
    """A tape with a loan in good standing on every month's end, and the rows."""
    ends = (months_before(since, -n) for n in range(count))
    good = [(str(end), "G - 1", "2025-01-15", "10.00", "0.00", "0", "0.00") for end in ends]
    return tape(*good, *rows)


LENT = loans(
    ("G - 1", "2025-01-15", "400.00"),
    ("A - 1", "2025-01-20", "300.00"),
    ("A - 2", "2025-03-31", "200.00"),
    ("A - 3", "2025-02-01", "100.00"),
    ("A - 4", "2025-04-01", "999.00"),
)


def curve(table, cohort="2025 Q1"):
    return [
        (row["months_on_book"], str(row["defaulted_usd"]), str(row["share"]))
        for row in table.to_pylist()
        if row["cohort"] == cohort
    ]


def test_a_loan_counts_once_from_its_first_default_with_what_it_owed_then(frame):
    table = vintages(
        book(
            frame,
            tape=months(
                ("2025-04-30", "A - 1", "2025-01-20", "50.00", "0.00", "90", "50.00"),
                ("2025-05-31", "A - 1", "2025-01-20", "40.00", "0.00", "121", "40.00"),  # not again
                ("2025-05-31", "A - 3", "2025-02-01", "0.00", "25.00", "70", "0.00"),  # written off
                ("2025-05-31", "A - 2", "2025-03-31", "80.00", "0.00", "89", "0.00"),
            ),
            loans=LENT,
        )
    )
    assert table.schema == arrow_schema(TABLE)
    # lent by 31 March, so 31 May is an age of 2 for the youngest: the defaults at 3 are not shown yet
    assert curve(table) == [(0, "0.00", "0.0000"), (1, "0.00", "0.0000"), (2, "0.00", "0.0000")]
    assert {(row["loans"], row["disbursed_usd"]) for row in table.to_pylist()} == {(4, Decimal("1000.00"))}


def test_curves_add_up_and_stay_up(frame):
    table = vintages(
        book(
            frame,
            tape=months(
                ("2025-02-28", "A - 1", "2025-01-20", "0.00", "50.00", "10", "0.00"),  # age 1, later reversed
                ("2025-03-31", "A - 1", "2025-01-20", "50.00", "0.00", "0", "0.00"),
                ("2025-05-31", "A - 2", "2025-03-31", "30.05", "0.00", "95", "30.05"),  # age 2
                ("2025-05-31", "A - 3", "2025-02-01", "70.00", "0.00", "95", "70.00"),  # age 3
                count=6,
            ),
            loans=LENT,
        )
    )
    assert curve(table) == [
        (0, "0.00", "0.0000"),
        (1, "50.00", "5.0000"),
        (2, "80.05", "8.0050"),
        (3, "150.05", "15.0050"),
    ]
    assert curve(table, "2025 Q2") == [(0, "0.00", "0.0000")]


def test_a_month_that_is_not_over_is_no_age_yet(frame):
    early = book(frame, tape=months(count=5), loans=LENT, as_of=dt.date(2025, 5, 30))
    assert [age for age, *_ in curve(vintages(early))] == [0, 1]


def test_a_quarter_that_the_tape_does_not_follow_from_its_first_day_is_left_out(frame):
    late = book(frame, tape=months(since=dt.date(2025, 2, 28), count=8), loans=LENT)
    assert set(vintages(late)["cohort"].to_pylist()) == {"2025 Q2"}
    lines = [line for line in months(count=9).splitlines() if not line.startswith("2025-04")]
    gap = book(frame, tape="\n".join(lines), loans=LENT)
    assert vintages(gap).num_rows == 0  # Q2 begins in the month that lacks, and nothing was lent in Q3


@pytest.mark.parametrize("lacking", ["exports", "written_off", "matches"])
def test_table_is_empty_where_nothing_can_be_told(frame, lacking):
    rows, exports = months(), {"loans": LENT}
    if lacking == "exports":
        exports = {}
    elif lacking == "written_off":
        rows = rows.replace("10.00  0.00  0", "10.00  -  0")
    else:
        rows = rows.replace("2025-01-15", "-")
    table = vintages(book(frame, tape=rows, **exports))
    assert (table.schema, table.num_rows) == (arrow_schema(TABLE), 0)
