"""Rows that hold words of a loan's end or lateness alone, above rows of which no column says it, are refused."""

import openpyxl
import pytest

from abaco.core.errors import InputError
from tests.support.exports import write
from tests.support.figures import figures_of

HEADER = "branch,loan_id,customer_name,reporting_date,outstanding_balance,dpd"
LOANS = [f"Lima,{101 + i},Ana Paz,2025-12-31,{1000 + 7 * i},{(0, 45, 0, 100)[i % 4]}" for i in range(30)]
SAYS = (
    "book.{}: line {} has only {}, and rows follow: whether they are so, no column says; give them a column loan_status"
)


def refused(path):
    with pytest.raises(InputError) as error:
        figures_of(path)
    return str(error.value)


@pytest.mark.parametrize(
    ("row", "text"),
    [
        ("Written-off loans,,,,,", "Written-off loans"), (",CARTERA CASTIGADA:,,,,", "CARTERA CASTIGADA:"),
        (",,Préstamos cancelados,,,", "Préstamos cancelados"), ("Closed accounts (3)", "Closed accounts (3)"),
        (",Sold loans,,,,", "Sold loans"), (",91+ days,,,,", "91+ days"), ("In arrears", "In arrears"),
        (",Abgeschriebene Kredite,,,,", "Abgeschriebene Kredite"), (",Pending approval,,,,", "Pending approval"),
        ("Written-off loans,,,,8000,", "Written-off loans"), ("Lima,Closed loans,,,,", "Closed loans"),
    ],
)  # fmt: skip
def test_section_of_loans_that_are_written_off_closed_sold_or_late_is_refused(tmp_path, row, text):
    path = write(tmp_path / "book.csv", HEADER, *LOANS[:20], row, *LOANS[20:])
    assert refused(path).startswith(SAYS.format("csv", 22, text))


def test_section_of_a_workbook_is_named_by_its_row(tmp_path):
    workbook = openpyxl.Workbook()
    for row in ("Loans of Lima", "", HEADER, *LOANS[:20], "", ",Charged-off loans", *LOANS[20:]):
        workbook.active.append([int(cell) if cell.isdigit() else cell or None for cell in row.split(",")])
    workbook.save(tmp_path / "book.xlsx")
    assert refused(tmp_path / "book.xlsx").startswith(SAYS.format("xlsx", 25, "Charged-off loans"))


@pytest.mark.parametrize(
    "row",
    [",Active loans,,,,", "Sur,,,,,", ",Current,,,,", "Closed,7,,2025-12-31,x,", "7,,Settled,,,", "Lima,8,Sold,,,"],
)
def test_section_of_loans_that_are_outstanding_and_a_last_line_are_left(tmp_path, row):
    found = figures_of(
        write(tmp_path / "book.csv", HEADER, *LOANS[:20], row, *LOANS[20:], ",* written off,,,,"), max_reject_pct=10
    )
    assert found.values["ActiveLoans"] == 30
