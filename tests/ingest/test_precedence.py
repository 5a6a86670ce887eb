"""Of several exports with balances the one with most loans gives a date; the others fill what it lacks."""

import datetime as dt

import pytest

from abaco.core.errors import InputError
from tests.support.book_of_two_dates import FILES, NOVEMBER, OCTOBER, figures, folder
from tests.support.exports import BY_DATE, SNAPSHOT, ingest, write

OWN = ("PAR30", "CollectedOfDue", "Outstanding", "ActiveLoans", "ActiveBorrowers", "LargestCompany", "Disbursed")
CASH = f"{OCTOBER},10000,8000,9900,500,9000,0,1000,0,0"


def with_snapshot(path, *rows, header=BY_DATE):
    return folder(path, {"snapshot.csv": (header, *rows)})


@pytest.mark.parametrize("date", [OCTOBER, NOVEMBER])
def test_a_snapshot_of_one_date_leaves_every_figure_and_fills_its_cash(tmp_path, date):
    base = figures(folder(tmp_path / "base", {}), date)
    found = figures(with_snapshot(tmp_path / "both", CASH), date)
    assert [found.values[name] for name in OWN] == [base.values[name] for name in OWN]
    assert found.used_for["snapshot.csv"] == "what the tape lacks"
    filled = [found.values["CollectionRate"], found.sums["total_eligible_usd"]]
    assert filled == ([6.25, 8000.0] if date == OCTOBER else [None, 9010.0])
    told = "From the canonical snapshot comes what the tape lacks: cash_available_usd and total_eligible_usd and "
    assert [note for note in found.notes if "canonical" in note] == (
        [f"{told}discounted_balance_usd."] if date == OCTOBER else []
    )


def test_an_empty_column_of_loans_changes_nothing_where_another_export_has_the_loans(tmp_path):
    with_ids = with_snapshot(tmp_path / "empty", f",{CASH}", header=f"loan_id,{BY_DATE}")
    found, base = figures(with_ids, OCTOBER), figures(with_snapshot(tmp_path / "none", CASH), OCTOBER)
    assert found.values == base.values and found.values["CollectionRate"] == 6.25


def test_an_empty_column_of_loans_is_refused_where_nothing_tells_what_a_row_is(tmp_path):
    path = with_snapshot(tmp_path, f",2025-09-30{CASH[10:]}", header=f"loan_id,{BY_DATE}")
    with pytest.raises(InputError, match=r"snapshot\.csv: loan_id is empty in every row"):
        figures(path, OCTOBER)


def test_what_disagrees_is_told_with_both_amounts(tmp_path):
    rows = (CASH, f"{NOVEMBER},9100,9100,9100,600,10,9090,0,0,0")
    found = figures(with_snapshot(tmp_path, rows[0].replace("10000", "10001", 1), rows[1]))
    assert found.values["Outstanding"] == 9010.0
    assert [note for note in found.notes if "disagree" in note or "which count" in note] == [
        "total_receivable_usd: 9,010.00 USD in the PAR balances, which count, and 9,100.00 USD in the canonical "
        "snapshot.",
        "dpd_7_30_usd: 9,000.00 USD in the PAR balances, which count, and 9,090.00 USD in the canonical snapshot.",
        "Earlier dates on which the PAR balances and the canonical snapshot disagree: 1, the last 2025-10-31.",
    ]


def test_a_date_that_only_the_snapshot_has_comes_from_it(tmp_path):
    result = ingest(with_snapshot(tmp_path, CASH, "2025-09-30,800,800,800,50,800,0,0,0,0"), NOVEMBER)
    dates = [(row["measurement_date"], row["loan_id"]) for row in result.tape]
    assert (dt.date(2025, 9, 30), None) in dates and len(dates) == 5
    assert result.dates == [dt.date(2025, 9, 30), OCTOBER, NOVEMBER]
    parts = ("rows_in", "accepted", "quarantined", "duplicates", "later", "beside", "amount_in", "amount_beside")
    assert [result.book[part] for part in parts] == [6, 5, 0, 0, 0, 1, "29810.00", "10000.00"]


LOANS = "loan_id,customer_id," + SNAPSHOT.split(",", 1)[1]


def test_of_two_exports_by_loan_the_one_with_most_loans_gives_the_date_and_each_fills_the_other(tmp_path):
    rows = ("X - 1,C1,2025-11-30,10,10,10,1,10,0,0,0,0", "X - 2,C2,2025-11-30,9000,9000,9000,2,0,9000,0,0,0")
    changes = {"loans.csv": None, "snapshot.csv": (LOANS, *rows)}
    found = figures(folder(tmp_path / "equal", changes))
    assert [found.values[name] for name in ("ActiveBorrowers", "CollectionRate", "NPL")] == [2.0, 0.03, 0.0]
    found = figures(folder(tmp_path / "fewer", changes | {"snapshot.csv": (LOANS, rows[1])}))
    assert [found.values[name] for name in ("Outstanding", "ActiveLoans")] == [9010.0, 2.0]
    assert any("9,000.00 USD in the canonical snapshot" in note for note in found.notes)


def test_a_snapshot_alone_and_par_balances_alone_have_nothing_beside_them(tmp_path):
    result = ingest(write(tmp_path / "par.csv", *FILES["loan_par_balances.csv"]), NOVEMBER)
    assert (result.book["beside"], result.batches[0].dates, result.batches[0].filled) == (0, None, {})


def test_cash_of_the_tape_goes_before_the_snapshot_beside_it_and_that_before_statements(tmp_path):
    cash = ("reporting_date,metric,value", "2025-10-31,Efectivo,700", "2025-11-30,Efectivo,900")
    path = folder(tmp_path, {"snapshot.csv": (BY_DATE, CASH), "financials.csv": cash})
    assert [figures(path, day).sums["cash_available_usd"] for day in (OCTOBER, NOVEMBER)] == [500.0, 900.0]


DATED = "reporting_date,loan_id,customer_id,outstanding_balance,dpd,disburse_date,interest_rate,disburse_principal"
TERMS = "2025-01-01,24%,2000"
DATED_LOANS = (DATED, f"2025-12-31,A1,C1,1000,0,{TERMS}", f"2025-12-31,A2,C2,1000,0,{TERMS}")
UNDATED = DATED.split(",", 1)[1]


def two_forms(path, *rows, dated=DATED_LOANS):
    write(path / "north.csv", *dated)
    write(path / "all.csv", UNDATED, *(f"{row},{TERMS}" for row in rows))
    return ingest(path)


def beside(result):
    return [(n.code, str(n.values["rows"])) for b in result.batches for n in b.notes if n.code.startswith("loans_")]


def test_loans_that_only_an_export_beside_the_tape_has_are_told_with_what_they_owe(tmp_path):
    result = two_forms(tmp_path, "A1,C1,1000,0", "A2,C2,1000,0", "B1,C3,500,95", "B2,C4,0,0")
    assert beside(result) == [("loans_beside", "1 row (500.00 USD)")]
    assert beside(two_forms(tmp_path / "whole", "A1,C1,1000,0", "A2,C2,1000,0", "B2,C4,0,0")) == []


@pytest.mark.parametrize(("row", "added", "late"), [("9000,0", 8000, 0), ("1000,31", 0, 1000), ("900,0", 0, 0)])
def test_loans_of_another_balance_or_lateness_in_two_exports_are_told(tmp_path, row, added, late):
    result = two_forms(tmp_path, f"A1,C1,{row}", "A2,C2,1000,30")
    assert beside(result) == [("loans_differ", "1 row (1,000.00 USD)")]
    [note] = [n for b in result.batches for n in b.notes if n.code == "loans_differ"]
    assert (note.values["added_usd"], note.values["late_usd"]) == (added, late)


def test_loans_without_dates_are_not_compared_where_the_tape_has_a_later_date(tmp_path):
    later = (*DATED_LOANS, f"2026-01-31,A1,C1,900,0,{TERMS}")
    assert beside(two_forms(tmp_path, "A1,C1,900,0", "A2,C2,1000,0", "B1,C3,500,0", dated=later)) == [
        ("loans_beside", "1 row (500.00 USD)")
    ]


def test_two_exports_without_a_loan_in_common_are_refused_with_both_readings(tmp_path):
    with pytest.raises(InputError, match=r"north\.csv \(dated loans\) and all\.csv \(loans\) .*two books.*one book"):
        two_forms(tmp_path, "B1,C3,500,95")


def test_loans_that_only_one_of_two_dated_exports_has_are_told(tmp_path):
    rows = (f"X - {n},C{n},2025-11-30,9000,9000,9000,0,0,9000,0,0,0" for n in (2, 9))
    path = folder(tmp_path, {"loans.csv": None, "snapshot.csv": (LOANS, *rows)})
    [told] = [note for note in figures(path).notes if "count nowhere" in note]
    assert told.startswith("In the PAR balances, but not in the canonical snapshot") and "(10.00 USD)" in told
