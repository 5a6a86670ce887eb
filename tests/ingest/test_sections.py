"""Rows that hold words of a loan's end or lateness alone, above rows of which no column says it, are refused."""

import openpyxl
import pytest

from abaco.core.errors import InputError
from tests.support.exports import write
from tests.support.figures import figures_of

HEADER = "branch,loan_id,customer_name,reporting_date,outstanding_balance,dpd"
LOANS = [f"Lima,{101 + i},Ana Paz,2025-12-31,{1000 + 7 * i},{(0, 45, 0, 100)[i % 4]}" for i in range(30)]
SAYS = "book.{}: line {} has only {}, rows follow, and no column says that they are; add a column loan_status"


def owed(loans):
    return sum(int(loan.split(",")[4]) for loan in loans)


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
        ("Written-off loans,,,,8000,", "Written-off loans"), (",Written-off loans,10,,8000,300", "Written-off loans"),
        ("Lima,Closed loans,,,,", "Closed loans"),
        ("B. Charged-off accounts,,,,,", "B. Charged-off accounts"), (",Hapus Buku,,,,", "Hapus Buku"),
        ("II. Loans written off in 2025,,,,,", "II. Loans written off in 2025"), (",Castigados,,,,", "Castigados"),
        ("2025-12-31,2.1) Préstamos vendidos,,,,", "2.1) Préstamos vendidos"),
        ("Loans of Ana Paz that are written off,,,,,", 'a text with "written off"'),
        (",Assigned to Kestrel Capital (sold 2025),,,,", 'a text with "sold"'),
        (",Accounts past due at Lima,,,,", 'a text with "past due"'), (",Doubtful loans,,,,", "Doubtful loans"),
        (",III - Créances passées en perte,,,,", 'a text with "passees en perte"'),
        (",Bad debts (12),,,,", "Bad debts (12)"), (",Loans fully settled,,,,", "Loans fully settled"),
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
    "text", ["Total written off", "Written off", "2025-12-31,Subtotal castigados", "Total sold to SPV"]
)
def test_sum_of_loans_that_are_written_off_or_sold_is_refused_below_them(tmp_path, text):
    sum_ = owed(LOANS[20:])
    total = f"{text},,,,{sum_}," if "," not in text else f"{text},,,{sum_},"
    rows = [HEADER, *LOANS[:20], "Total active,,,,21330,", *LOANS[20:], total, f"Grand total,,,,{21330 + sum_},"]
    assert "line 33 has " in (said := refused(write(tmp_path / "book.csv", *rows))) and "the sum of other rows" in said
    rows[-2] = total.replace(str(sum_), "777")
    assert figures_of(write(tmp_path / "other.csv", *rows), max_reject_pct=10).values["ActiveLoans"] == 30


@pytest.mark.parametrize("text", ["Total written off", "Castigados", "Subtotal sold to SPV"])
def test_valid_row_of_loans_that_are_written_off_or_sold_is_refused(tmp_path, text):
    header = "loan_id_raw,reporting_date,outstanding_balance_usd,par_7_balance_usd,par_30_balance_usd"
    header = f"{header},par_60_balance_usd,par_90_balance_usd"
    rows = [f"A-{i},2025-12-31,{100 + i},0,0,0,0" for i in range(12)]
    lost = [f"B-{i},2025-12-31,{50 + i},{50 + i},{50 + i},0,0" for i in range(4)]
    total = f"{text},2025-12-31,206,206,206,0,0"
    for more in ([*lost, total], [total.replace("2025-12-31", ""), *lost]):
        message = refused(write(tmp_path / "par.csv", header, *rows, *more))
        assert message.startswith(f"par.csv: line {18 if more[-1] == total else 14} has ")
    last = total.replace(text, "Total")
    found = figures_of(write(tmp_path / "other.csv", header, *rows, *lost, last))
    assert (found.values["ActiveLoans"], found.rows["totals"]) == (16, 1)


def test_section_whose_loans_say_so_themselves_is_left(tmp_path):
    loans = [f"{loan},{'Charged off' if i >= 20 else 'Active'}" for i, loan in enumerate(LOANS)]
    total = f",Total charged off,,,{owed(LOANS[20:])},,"
    rows = [f"{HEADER},loan_status", "Written-off loans", *loans[20:], total, "Active loans", *loans[:20]]
    found = figures_of(write(tmp_path / "book.csv", *rows), max_reject_pct=10)
    assert (found.values["ActiveLoans"], found.rows["totals"]) == (20, 1)
    late = [loan for loan in LOANS if not loan.endswith(",0")]
    rows = [
        HEADER,
        *(loan for loan in LOANS if loan.endswith(",0")),
        ",Over 30 days,,,,",
        *late,
        f",Total overdue,,,{owed(late)},",
    ]
    assert figures_of(write(tmp_path / "late.csv", *rows), max_reject_pct=10).values["ActiveLoans"] == 30
    paid = ["Closed loans,,,,,", "Lima,99,Ana Paz,2025-12-31,0,0", "Active loans,,,,,"]
    assert (
        figures_of(write(tmp_path / "paid.csv", HEADER, *paid, *LOANS), max_reject_pct=10).values["ActiveLoans"] == 30
    )
    loans[25] = loans[25].replace("Charged off", "Active")
    rows = [f"{HEADER},loan_status", *loans[:20], "Written-off loans", *loans[20:]]
    assert refused(write(tmp_path / "one.csv", *rows)).startswith("one.csv: line 22 has only Written-off loans")


@pytest.mark.parametrize(
    "row",
    [
        ",Active loans,,,,", "Sur,,,,,", ",Current,,,,", "Closed,7,,2025-12-31,x,", "7,,Settled,,,", "Lima,8,Sold,,,",
        ",Loans that are not written off,,,,", ",Book without sold loans,,,,", ",No vencidos,,,,",
    ],
)  # fmt: skip
def test_section_of_loans_that_are_outstanding_and_a_last_line_are_left(tmp_path, row):
    found = figures_of(
        write(tmp_path / "book.csv", HEADER, *LOANS[:20], row, *LOANS[20:], ",* written off,,,,"), max_reject_pct=10
    )
    assert found.values["ActiveLoans"] == 30
