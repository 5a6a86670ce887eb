"""Movement of a month, worked out by hand: roll rates, cures, defaults, write-offs and recoveries."""

import datetime as dt

import pytest

from abaco.core.parquet import arrow_schema
from abaco.kpis import catalog, measures, movement, transitions, values
from abaco.kpis.book import Book

from .moving import DECEMBER, MONTH, NOVEMBER, OCTOBER, dates_of, loan_tape

MOVING = ("WriteOffRate", "MonthlyDefaultRate", "RecoveryRate", "CureRate", "RollRate30")
DEFINITIONS = {name: kpi for name, kpi in catalog.load().items() if name in MOVING}


@pytest.fixture
def opened(frame):
    """Turn rows of loans, written out, into a book on each engine."""

    def opened(text):
        days = dates_of(text)
        return Book(frame(loan_tape(text)), days, max(days, default=None))

    return opened


def moved(book, date=DECEMBER):
    found = movement.measure(book, movement.MEASURES, {}).get(date)
    return (
        None
        if found is None or not found.sums
        else {n: usd if usd is None else str(usd) for n, usd in found.sums.items()}
    )


def kpis(book, date=DECEMBER):
    totals = movement.measure(book, movement.MEASURES, {})[date]
    return values.evaluate(DEFINITIONS, totals, date)


def rates(book, opening=None):
    rows = movement.roll_rates(book).to_pylist()
    return [
        (r["opening"], r["closing"], r["loans"], str(r["amount_usd"]), r["share"] and str(r["share"]))
        for r in rows
        if opening in (None, r["opening"])
    ]


# A month


def test_measures_of_a_month(opened):
    assert moved(opened(MONTH)) == {
        "opening_balance_usd": "585.00",
        "opening_performing_usd": "520.00",
        "opening_7_30_usd": "30.00",
        "opening_30_plus_usd": "205.00",
        "opening_written_off_usd": "27.00",
        "new_written_off_usd": "40.00",
        "recovered_usd": "18.00",
        "defaulted_usd": "80.00",
        "rolled_30_usd": "30.00",
        "cured_usd": "80.00",
    }


def test_kpis_of_a_month(opened):
    found = {name: (str(entry["value"]), entry["status"]) for name, entry in kpis(opened(MONTH)).items()}
    assert found == {
        "WriteOffRate": ("6.8376", "critical"),
        "MonthlyDefaultRate": ("15.3846", "none"),
        "RecoveryRate": ("66.6667", "none"),
        "CureRate": ("39.0244", "none"),
        "RollRate30": ("100.0000", "none"),
    }


def test_roll_rates_of_a_month(opened):
    assert rates(opened(MONTH)) == [
        ("0–7", "0–7", 1, "100.00", "28.5714"),
        ("0–7", "30–60", 1, "50.00", "14.2857"),
        ("0–7", "paid", 1, "200.00", "57.1429"),
        ("7–30", "30–60", 1, "30.00", "100.0000"),
        ("30–60", "90+", 1, "80.00", "100.0000"),
        ("60–90", "0–7", 1, "60.00", "100.0000"),
        ("90+", "written off", 1, "45.00", "69.2308"),
        ("90+", "paid", 1, "20.00", "30.7692"),
        ("written off", "90+", 1, "15.00", "100.0000"),
        ("new", "0–7", 1, "500.00", "95.2381"),
        ("new", "30–60", 1, "25.00", "4.7619"),
    ]


def test_roll_rates_name_both_dates(opened):
    table = movement.roll_rates(opened(MONTH))
    assert table.schema == arrow_schema(movement.TABLE)
    assert {(row["date"], row["against"]) for row in table.to_pylist()} == {(DECEMBER, NOVEMBER)}


# States


def month(*loans):
    """Write out November and December of loans: what each owes and has written off, before and after."""
    lines = ["date loan owes written_off"]
    for i, (was, now) in enumerate(loans):
        lines += [f"{day} A-{i} {state}" for day, state in ((NOVEMBER, was), (DECEMBER, now)) if state]
    return "\n".join(lines)


@pytest.mark.parametrize(
    ("was", "now", "expected"),
    [
        ("9.00@0 0.00", "", ("0–7", "paid")),
        ("9.00@0 0.00", "- 0.00", ("0–7", "paid")),
        ("9.00@0 5.00", "- 5.00", ("0–7", "paid")),
        ("9.00@0 5.00", "- 4.00", ("0–7", "paid")),
        ("9.00@0 0.00", "- 0.01", ("0–7", "written off")),
        ("9.00@90 0.00", "2.00@90 7.00", ("90+", "90+")),
        ("9.00@7 0.00", "8.99@7 0.00", ("7–30", "7–30")),
        ("8.00@0+1.00@60 0.00", "9.00@30 0.00", ("60–90", "30–60")),
        ("", "9.00@0 0.00", ("new", "0–7")),
        ("- 0.00", "9.00@0 0.00", ("new", "0–7")),
        ("- 0.01", "9.00@0 0.00", ("written off", "0–7")),
    ],
)
def test_state_of_a_loan(opened, was, now, expected):
    still = ("1.00@60 0.00", "1.00@60 0.00")
    found = [row[:2] for row in rates(opened(month((was, now), still)))]
    assert sorted(found) == sorted([expected, ("60–90", "60–90")])


@pytest.mark.parametrize(
    ("was", "now"), [("- 5.00", "- 5.00"), ("- 5.00", ""), ("", "- 5.00"), ("- 0.00", "- 0.00"), ("- 5.00", "- 6.00")]
)
def test_loan_that_owes_nothing_on_both_dates_has_no_roll_rate(opened, was, now):
    assert rates(opened(month((was, now), ("1.00@0 0.00", "1.00@0 0.00")))) == [("0–7", "0–7", 1, "1.00", "100.0000")]


@pytest.mark.parametrize(
    ("was", "now", "new", "recovered"),
    [
        ("9.00@90 0.00", "- 9.00", "9.00", "0.00"),
        ("9.00@90 1.00", "5.00@90 4.00", "3.00", "0.00"),
        ("- 9.00", "- 2.00", "0.00", "7.00"),
        ("- 9.00", "", "0.00", "9.00"),
        ("- 9.00", "9.00@90 0.00", "0.00", "9.00"),
        ("", "- 9.00", "9.00", "0.00"),
    ],
)
def test_written_off_and_recovered(opened, was, now, new, recovered):
    found = moved(opened(month((was, now), ("1.00@0 0.00", "1.00@0 0.00"))))
    assert (found["new_written_off_usd"], found["recovered_usd"]) == (new, recovered)


def test_thirty_days_are_late_and_ninety_are_in_default(opened):
    found = moved(
        opened(
            month(
                ("1.00@30 0.00", "1.00@7 0.00"),
                ("2.00@7 0.00", "2.00@30 0.00"),
                ("4.00@60 0.00", "4.00@90 0.00"),
                ("8.00@90 0.00", "8.00@60 0.00"),
                ("16.00@7 0.00", "- 16.00"),
                ("32.00@30 0.00", "- 32.00"),
            )
        )
    )
    assert found["opening_30_plus_usd"] == "45.00"
    assert found["cured_usd"] == "1.00"
    assert (found["opening_7_30_usd"], found["rolled_30_usd"]) == ("18.00", "18.00")
    assert (found["opening_performing_usd"], found["defaulted_usd"]) == ("55.00", "52.00")


def test_loan_that_was_restructured_since_is_not_cured(opened):
    """The third was restructured long before and pays again; of the fourth nothing is said; the fifth is paid off."""
    found = moved(
        opened(
            month(
                ("1.00@30 0.00 false", "1.00@0 0.00 true"),
                ("2.00@90 0.00", "2.00@7 0.00 true"),
                ("4.00@30 0.00 true", "4.00@0 0.00 true"),
                ("8.00@30 0.00", "8.00@0 0.00"),
                ("16.00@60 0.00 true", "- 0.00"),
                ("32.00@30 0.00 false", "32.00@30 0.00 true"),
                ("64.00@0 0.00 false", "64.00@0 0.00 true"),
            )
        )
    )
    assert (found["opening_30_plus_usd"], found["cured_usd"]) == ("63.00", "28.00")


@pytest.mark.parametrize(
    ("written", "status"), [("2.00", "ok"), ("2.01", "warning"), ("3.50", "warning"), ("3.51", "critical")]
)
def test_write_off_rate_exactly_at_a_threshold_is_not_past_it(opened, written, status):
    book = opened(month(("100.00@90 0.00", f"50.00@90 {written}")))
    assert kpis(book)["WriteOffRate"]["status"] == status


# Dates and gaps


def test_gap_of_a_month_has_no_monthly_rate(opened):
    book = opened("date loan owes written_off\n2025-10-31 A-1 9.00@0 0.00\n2025-12-31 A-1 9.00@30 0.00")
    assert moved(book) is None
    assert str(kpis(book)["WriteOffRate"]["reason"]) == (
        "the input has no balances of 2025-11, the month before, from which movement is counted on 2025-12-31"
    )
    assert movement.roll_rates(book).num_rows == 0


@pytest.mark.parametrize(
    ("before", "now"),
    [
        ("2025-11-28", "2025-12-31"),  # the last business day of November
        ("2025-12-01", "2026-01-01"),  # the first of the next month, each
        ("2024-01-31", "2024-02-29"),
    ],
)
def test_month_goes_from_its_last_date_to_the_next(opened, before, now):
    """Of 100 at the start, 2.50 are written off."""
    rows = [f"{before} A-1 2.50@90 0.00", f"{before} A-2 97.50@0 0.00", f"{now} A-1 - 2.50", f"{now} A-2 97.50@0 0.00"]
    book = opened("\n".join(["date loan owes written_off", *rows]))
    found = kpis(book, book.date)["WriteOffRate"]
    assert (str(found["value"]), found["status"]) == ("2.5000", "warning")


def test_first_date_has_no_rates_and_says_why(opened):
    book = opened(MONTH)
    assert moved(book, NOVEMBER) is None
    totals = measures.measure(book, catalog.measures(DEFINITIONS))
    entry = values.evaluate(DEFINITIONS, totals[NOVEMBER], NOVEMBER)["CureRate"]
    assert (entry["value"], entry["status"]) == (None, "not_computable")
    assert str(entry["reason"]).endswith("on 2025-11-30")
    found = values.evaluate(DEFINITIONS, totals[NOVEMBER], NOVEMBER)
    lacks = values.missing(DEFINITIONS, found, totals[NOVEMBER])
    assert {"kpi": "CureRate", "add": movement.BEFORE} in lacks  # there is one row per loan


def test_two_dates_of_a_month_both_start_from_the_month_before(opened):
    middle = dt.date(2025, 12, 15)
    book = opened(
        f"date loan owes written_off\n{OCTOBER} A-1 9.00@0 0.00\n{NOVEMBER} A-1 8.00@7 0.00\n"
        f"{middle} A-1 8.00@7 0.00\n{DECEMBER} A-1 7.00@30 0.00"
    )
    assert moved(book, NOVEMBER)["opening_balance_usd"] == "9.00"
    assert moved(book, middle)["rolled_30_usd"] == "0.00"
    assert moved(book)["rolled_30_usd"] == "8.00"
    pairs = [(row["date"], row["against"]) for row in movement.roll_rates(book).to_pylist()]
    assert pairs == [(NOVEMBER, OCTOBER), (middle, NOVEMBER), (DECEMBER, NOVEMBER)]


# What cannot be known


def test_empty_tape_moves_nothing(opened):
    book = opened("date loan owes written_off")
    assert movement.measure(book, movement.MEASURES, {}) == {}
    assert movement.roll_rates(book).num_rows == 0


@pytest.mark.parametrize("without", [(NOVEMBER,), (DECEMBER,), (NOVEMBER, DECEMBER)])
def test_tape_without_loan_ids_moves_nothing(opened, without):
    lines = MONTH.strip().splitlines()
    rows = [line for line in lines[1:] if line.split()[0] not in map(str, without)]
    rows += [f"{day} - 100.00@0 0.00" for day in without]
    book = opened("\n".join([lines[0], *rows]))
    assert moved(book) is None
    assert movement.roll_rates(book).num_rows == 0


@pytest.mark.parametrize("unknown", [(NOVEMBER,), (DECEMBER,), (NOVEMBER, DECEMBER)])
def test_dates_that_do_not_say_what_is_written_off_have_no_losses(opened, unknown):
    lines = [line.split() for line in MONTH.strip().splitlines()]
    rows = [[*line[:3], "-"] if line[0] in map(str, unknown) else line for line in lines]
    found = moved(opened("\n".join(map(" ".join, rows))))
    known = ("opening_balance_usd", "opening_performing_usd", "opening_7_30_usd", "opening_30_plus_usd")
    assert {name for name, usd in found.items() if usd is not None} == set(known)


def test_one_null_among_written_off_balances_counts_as_nothing(opened):
    found = moved(opened(month(("9.00@90 -", "- 9.00"), ("1.00@0 0.00", "1.00@0 -"))))
    assert (found["new_written_off_usd"], found["opening_written_off_usd"]) == ("9.00", "0.00")


@pytest.mark.parametrize("name", MOVING)
def test_nothing_to_divide_by(opened, name):
    entry = kpis(opened(month(("", "1.00@0 0.00"), ("- 0.00", "1.00@0 0.00"))))[name]
    assert entry["value"] is None
    assert "is 0.00" in str(entry["reason"])


def test_book_is_joined_with_itself_once(opened, monkeypatch):
    book, calls, moves = opened(MONTH), [], transitions.moves
    monkeypatch.setattr(transitions, "moves", lambda *given, **named: calls.append(given) or moves(*given, **named))
    assert movement.measure(book, movement.MEASURES, {})
    assert movement.roll_rates(book).num_rows == 11
    assert len(calls) == 1
