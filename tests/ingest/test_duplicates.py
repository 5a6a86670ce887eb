"""Rows that share a key: identical ones are dropped but for the first, conflicting ones are all rejected."""

import json

import pytest

from tests.support.exports import BY_DATE, LOANS, PAR, SNAPSHOT, ingest, snapshot, write

CONFLICT = "loan_id and measurement_date: another row has the same, with other values"
NOT_NUMBERS = "; ".join(f"{name}: not a number" for name in ("total_receivable_usd", "dpd_0_7_usd"))
BAD = "dpd_120_plus_usd: not a number"


def book(tmp_path, *lines, header=SNAPSHOT):
    return ingest(write(tmp_path / "book.csv", header, *lines))


def latest(tmp_path, *cells):
    """Return what becomes of rows of one loan that differ in the balance 120 or more days late."""
    lines = [f"{snapshot('A-1')},{cell}" for cell in cells]
    return book(tmp_path, *lines, header=f"{SNAPSHOT},dpd_120_plus_usd")


def counts(result):
    return {name: result.book[name] for name in ("rows_in", "accepted", "quarantined", "duplicates")}


def test_file_without_duplicates_has_none(tmp_path):
    result = book(tmp_path, snapshot("A-1"), snapshot("A-2"), snapshot("A-1", "2025-11-30"))
    assert counts(result) == {"rows_in": 3, "accepted": 3, "quarantined": 0, "duplicates": 0}


@pytest.mark.parametrize(
    "again",
    [
        snapshot("A-1", amount="5"),
        snapshot("A-1", amount="5.00"),
        snapshot(" A-1 ", " 2025-12-31", " 5.0 "),
        snapshot("A-1", amount="0.5e1"),
        snapshot("A-1", amount="5", cash="null"),
        snapshot('"A-1"', "2025-12-31 00:00:00", "+5"),
    ],
)
def test_identical_row_is_dropped_and_counted_however_it_is_written(tmp_path, again):
    result = book(tmp_path, snapshot("A-1", amount="5"), again, again)
    assert counts(result) == {"rows_in": 3, "accepted": 1, "quarantined": 0, "duplicates": 2}
    assert (result.book["amount_in"], result.book["amount_duplicates"]) == ("15.00", "10.00")
    assert result.rejects == []


@pytest.mark.parametrize(
    "other",
    [snapshot("A-1", amount="5.01"), snapshot("A-1", amount="5", cash="0"), snapshot("A-1", amount="5", current=4)],
)
def test_conflicting_rows_are_all_quarantined(tmp_path, other):
    result = book(tmp_path, snapshot("A-2"), snapshot("A-1", amount="5"), other)
    assert result.faults == [(3, CONFLICT), (4, CONFLICT)]
    assert [row["loan_id"] for row in result.tape] == ["A-2"]
    assert all(row["original"] for row in result.rejects)


@pytest.mark.parametrize("amounts", [("1", "2", "3"), ("1", "1", "2"), ("2", "1", "1"), ("1", "2", "1.00")])
def test_of_three_rows_with_one_key_none_is_believed(tmp_path, amounts):
    result = book(tmp_path, *(snapshot("A-1", amount=a) for a in amounts))
    assert result.faults == [(2, CONFLICT), (3, CONFLICT), (4, CONFLICT)]
    assert counts(result) == {"rows_in": 3, "accepted": 0, "quarantined": 3, "duplicates": 0}


@pytest.mark.parametrize("cells", [("10", "N/A"), ("N/A", "10"), ("N/A", "N/A"), ("N/A", "?")])
def test_amount_that_is_not_needed_and_cannot_be_read_makes_no_conflict(tmp_path, cells):
    result = book(tmp_path, *(snapshot("A-1", cash=cell) for cell in cells))
    assert counts(result) == {"rows_in": 2, "accepted": 1, "quarantined": 0, "duplicates": 1}
    [row] = result.accepted["snapshot"]
    assert str(row["cash_available_usd"]) == ("10.00" if "10" in cells else "None")


def test_segment_that_differs_is_a_conflict(tmp_path):
    lines = [snapshot("A-1") + ",factoring", snapshot("A-1") + ",loan"]
    assert len(book(tmp_path, *lines, header=SNAPSHOT + ",product").rejects) == 2


def test_column_that_stays_behind_makes_no_conflict(tmp_path):
    lines = [snapshot("A-1") + ",called", snapshot("A-1") + ",called again"]
    assert book(tmp_path, *lines, header=SNAPSHOT + ",nota").book["duplicates"] == 1


def test_key_is_loan_and_date_together(tmp_path):
    lines = [snapshot("ABF - 1"), snapshot("ABT - 1", amount="7"), snapshot("ABF - 1", "2025-11-30", "9")]
    assert book(tmp_path, *lines).book["accepted"] == 3


@pytest.mark.parametrize(("amount", "duplicates", "faults"), [("5.00", 1, []), ("6", 0, [2, 2])])
def test_two_files_with_one_row_are_judged_together(tmp_path, amount, duplicates, faults):
    write(tmp_path / "in" / "a.csv", SNAPSHOT, snapshot("A-1", amount="5"))
    write(
        tmp_path / "in" / "b.csv",
        ",".join(SNAPSHOT.split(",")[::-1]),
        ",".join(snapshot(amount=amount).split(",")[::-1]),
    )
    result = ingest(tmp_path / "in")
    assert result.book["duplicates"] == duplicates
    assert [row["line"] for row in result.rejects] == faults
    assert [row["file"] for row in result.rejects] == (["a.csv", "b.csv"] if faults else [])


# Duplicates of bad rows


def test_good_row_that_shares_its_key_with_a_bad_one_is_rejected_too(tmp_path):
    result = book(tmp_path, snapshot("A-1", amount="abc"), snapshot("A-1", amount="5"))
    assert result.faults == [(2, f"{NOT_NUMBERS}; {CONFLICT}"), (3, CONFLICT)]


@pytest.mark.parametrize("bad_first", [True, False])
def test_bad_row_is_never_taken_for_a_good_one_that_lacks_the_value(tmp_path, bad_first):
    result = latest(tmp_path, *(["abc", ""] if bad_first else ["", "abc"]))
    assert sorted(reasons for _, reasons in result.faults) == sorted([f"{BAD}; {CONFLICT}", CONFLICT])
    assert counts(result) == {"rows_in": 2, "accepted": 0, "quarantined": 2, "duplicates": 0}


def test_bad_rows_with_other_faulty_values_are_both_kept(tmp_path):
    result = latest(tmp_path, "abc", "xyz")
    assert [json.loads(row["original"])["dpd_120_plus_usd"] for row in result.rejects] == ["AAA", "AAA"]


def test_identical_bad_rows_are_rejected_once(tmp_path):
    result = latest(tmp_path, "abc", "abc")
    assert result.faults == [(2, BAD)]
    assert result.book["duplicates"] == 1


def test_rows_without_a_key_are_no_duplicates_of_each_other(tmp_path):
    result = book(tmp_path, snapshot(""), snapshot(""), snapshot("A-1", ""), snapshot("A-1", "31/31/2025"))
    assert [reasons for _, reasons in result.faults] == [
        "loan_id: missing", "loan_id: missing", "measurement_date: missing", "measurement_date: not a date",
    ]  # fmt: skip


def test_rows_later_than_the_date_are_not_judged(tmp_path):
    result = book(tmp_path, snapshot("A-1"), *(snapshot("A-1", "2026-01-31", a) for a in ("1", "1", "2", "abc")))
    assert (result.book["later"], result.book["duplicates"], result.rejects) == (4, 0, [])


# Other formats


def test_a_row_a_date_has_the_date_as_its_key(tmp_path):
    line = snapshot().removeprefix("A-1,")
    result = book(tmp_path, line, line, line.replace("12-31", "11-30"), header=BY_DATE)
    assert counts(result) == {"rows_in": 3, "accepted": 2, "quarantined": 0, "duplicates": 1}
    assert len(book(tmp_path, line, line.replace("100", "101"), header=BY_DATE).rejects) == 2


def test_par_balances_are_judged_by_loan_and_date(tmp_path):
    result = book(tmp_path, "A-1,2025-12-31,5,0,0,0,0", "A-1,2025-12-31,5,1,0,0,0", header=PAR)
    told = CONFLICT.replace("loan_id and measurement_date", "loan_id_raw and reporting_date")
    assert result.faults == [(2, told), (3, told)]


def test_loans_are_judged_by_loan(tmp_path):
    result = book(tmp_path, "A-1,C,2025-01-01,0.4,9,5,0", "A-1,C,2025-01-01,0.4,9,6,0", header=LOANS)
    assert result.faults == [
        (2, "loan_id: another row has the same, with other values"),
        (3, "loan_id: another row has the same, with other values"),
    ]
