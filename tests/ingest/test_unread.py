"""An optional amount that cannot be read costs the figures that need it, and no other."""

import pytest

from tests.support.book_of_two_dates import FILES, NOVEMBER, OCTOBER, folder
from tests.support.computation import computed
from tests.support.exports import BY_DATE, DATE, SNAPSHOT, ingest, snapshot, write


def test_cash_of_one_loan_that_cannot_be_read_leaves_no_cash_coverage(tmp_path):
    rows = (snapshot("A-1", cash="5"), snapshot("A-2", cash="N/A"), snapshot("A-3", cash="-1"))
    found = computed(write(tmp_path / "book.csv", SNAPSHOT, *rows), DATE)
    assert (found.kpis["Outstanding"], found.kpis["PAR30"], found.kpis["CollectionRate"]) == (300, 0, None)
    assert found.reasons["CollectionRate"] == "cash_available_usd cannot be read in 2 of 3 rows on 2025-12-31"


def test_loan_whose_pledge_date_cannot_be_read_is_pledged_to_nobody(tmp_path):
    days = ("2025-12-01", "", "2025-13-01", "N/A", "soon")
    rows = [f"{snapshot(f'A-{i}')},SENIOR,{day}" for i, day in enumerate(days)]
    tape = ingest(write(tmp_path / "book.csv", f"{SNAPSHOT},facility,pledge_date", *rows)).tape
    assert [row["facility"] for row in tape] == ["SENIOR", "SENIOR", None, None, None]


@pytest.fixture(scope="module")
def unread(tmp_path_factory):
    """Figures of October and November; of October a written-off balance and cash cannot be read, then a fee."""
    header, *rows = FILES["loan_par_balances.csv"]
    rows = [row.removesuffix("0") + "N/A" if f"X - 2,{OCTOBER}" in row else row for row in rows]
    due, first, *others = FILES["schedules.csv"]
    path = folder(
        tmp_path_factory.mktemp("unread"),
        {
            "loan_par_balances.csv": (header, *rows),
            "schedules.csv": (due, first.replace(",10,5,", ",N/A,5,"), *others),
            "snapshot.csv": (
                BY_DATE,
                f"{OCTOBER},10000,8000,9900,N/A,9000,0,1000,0,0",
                f"{NOVEMBER},9010,9000,9010,600,10,9000,0,0,0",
            ),
            "cash.csv": ("date,cash", f"{OCTOBER},400", f"{NOVEMBER},900"),
        },
    )
    return {day: computed(path, day) for day in (OCTOBER, NOVEMBER)}


def test_a_written_off_balance_that_cannot_be_read_leaves_no_sum_and_no_movement(unread):
    said = "written_off_usd cannot be read in 1 of 2 rows on 2025-10-31"
    assert [unread[OCTOBER].reasons[name] for name in ("WrittenOff", "PAR90Gross")] == [said, said]
    assert [unread[OCTOBER].kpis[name] for name in ("PAR30", "Outstanding")] == [10, 10000]
    assert unread[NOVEMBER].kpis["WrittenOff"] == 0
    said = "written-off balances of 2025-10-31 cannot be read (1) on 2025-11-30"
    assert [unread[NOVEMBER].reasons[name] for name in ("WriteOffRate", "CDR")] == [said, said]


def test_cash_that_cannot_be_read_is_taken_from_the_statement(unread):
    assert unread[OCTOBER].kpis["CollectionRate"] == 5


def test_two_amounts_of_cash_that_disagree_are_told(unread):
    assert unread[NOVEMBER].sums["cash_available_usd"] == 600
    told = "cash_available_usd: 600.00 USD in the balances, which count, and 900.00 USD in the financial statements."
    assert told in unread[NOVEMBER].notes


def test_fees_that_cannot_be_read_leave_no_sum_of_their_month(unread):
    assert unread[NOVEMBER].reasons["CollectedOfDue"] == (
        "the schedules have rows from 2025-11-01 to 2025-11-30 whose fees cannot be read (1) on 2025-11-30"
    )
    assert unread[NOVEMBER].kpis["PrincipalOnTime"] is not None
