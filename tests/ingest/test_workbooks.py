"""Workbooks: the first sheet with cells, wherever in it they begin."""

import datetime as dt

import openpyxl
import pytest
from openpyxl.utils.datetime import CALENDAR_MAC_1904

from abaco.core.errors import InputError
from abaco.ingest import discovery, workbooks
from tests.support.exports import DATE, LOANS, SNAPSHOT, ingest, snapshot
from tests.support.figures import figures_of


def save(path, *rows, top=1, left=1, sheet=None):
    book = openpyxl.Workbook()
    active = book.create_sheet(sheet) if sheet else book.active
    for i, row in enumerate(rows):
        for j, cell in enumerate(row):
            active.cell(top + i, left + j, cell)
    book.save(path)
    return path


def line(loan, amount=100.0):
    return [loan, dt.datetime.combine(DATE, dt.time()), amount, amount, amount, None, amount, 0, 0, 0, 0]


HEAD = SNAPSHOT.split(",")


def test_cells_are_written_as_excel_shows_them(tmp_path):
    cells = [1001.0, 0.1, -2.5, 1e15, True, None, "  x, y\n", dt.date(2025, 12, 31), 'say "hi"']
    book = workbooks.Workbook(save(tmp_path / "x.xlsx", ["a"] * 9, cells), "xlsx", "x.xlsx")
    workbooks.write_csv(book, tmp_path / "x.csv", "Sheet")
    assert (tmp_path / "x.csv").read_bytes().decode() == (
        'a,a,a,a,a,a,a,a,a\n1001,0.1,-2.5,1000000000000000,True,,"  x, y\n",2025-12-31,"say ""hi"""\n'
    )


def test_number_that_is_an_id_is_the_same_id_as_in_csv(tmp_path):
    assert ingest(save(tmp_path / "book.xlsx", HEAD, line(1001.0))).tape[0]["loan_id"] == "1001"


@pytest.mark.parametrize(("top", "left"), [(1, 1), (4, 3)])
def test_rows_are_numbered_as_excel_does(tmp_path, top, left):
    rows = [HEAD, line("A-1"), [], line("two\nlines"), [None, "x"], [], line("A-2", "abc"), line("A-3", 5.0)]
    result = ingest(save(tmp_path / "book.xlsx", *rows, top=top, left=left))
    assert [(row["line"], row["reasons"].split("; ")[0]) for row in result.rejects] == [
        (top + 4, "measurement_date: not a date"),
        (top + 6, "total_receivable_usd: not a number"),
    ]
    assert [row["loan_id"] for row in result.tape] == ["A-1", "A-3", "two\nlines"]
    assert result.book["rows_in"] == 5


def test_first_sheet_with_cells_is_read(tmp_path):
    path = save(tmp_path / "book.xlsx", HEAD, line("A-1"), sheet="Cartera")
    assert openpyxl.load_workbook(path).sheetnames == ["Sheet", "Cartera"]
    assert len(ingest(path).tape) == 1


def test_workbook_without_cells_is_an_error(tmp_path):
    with pytest.raises(InputError, match=r"^book.xlsx has no sheet with cells: export it again$"):
        discovery.discover(save(tmp_path / "book.xlsx"))


@pytest.mark.parametrize("kept", [slice(0, 200), slice(100, None)])
def test_corrupt_workbook_is_an_error(tmp_path, kept):
    path = save(tmp_path / "book.xlsx", HEAD, line("A-1"))
    path.write_bytes(path.read_bytes()[kept])
    with pytest.raises(InputError, match=r"^book.xlsx cannot be read as xlsx: "):
        discovery.discover(path)


def test_text_named_xlsx_is_an_error(tmp_path):
    path = tmp_path / "book.xlsx"
    path.write_text(f"{SNAPSHOT}\n{snapshot()}\n")
    with pytest.raises(InputError, match=r"^book.xlsx cannot be read as xlsx: "):
        discovery.discover(path)


def test_header_only_workbook_has_no_row(tmp_path):
    assert ingest(save(tmp_path / "book.xlsx", HEAD)).book["rows_in"] == 0


def test_days_that_count_from_1904_are_refused_unless_they_are_formatted_as_dates(tmp_path):
    path = save(tmp_path / "book.xlsx", HEAD, line("A-1"))
    for cell, told in (
        (DATE, None),
        ((DATE - dt.date(1904, 1, 1)).days, "numbers of a workbook that counts from 1904"),
    ):
        book = openpyxl.load_workbook(path)
        book.epoch = CALENDAR_MAC_1904
        book.active["B2"] = cell
        book.active["B2"].number_format = "General" if told else "yyyy-mm-dd"
        book.save(path)
        if told:
            with pytest.raises(InputError, match=f"book.xlsx: days under {HEAD[1]} are {told}: format the column"):
                ingest(path)
        else:
            assert ingest(path).tape[0]["measurement_date"] == DATE


@pytest.mark.parametrize(
    ("format_code", "currency"),
    [('#,##0.00 "€"', "EUR"), ("[$₡-140A] #,##0", None), ("[$-409]#,##0.00", "USD"), ("[$CRC] #,##0;[Red]-0", "CRC")],
)
def test_currency_of_number_formats_counts_as_one_beside_the_amounts(tmp_path, format_code, currency):
    row = ["A-1", "C1", dt.datetime.combine(DATE, dt.time()), 0.24, 300.0, 100.0, 0]
    book = openpyxl.load_workbook(save(tmp_path / "book.xlsx", [*LOANS.split(","), "salary"], [*row, 9.0], left=2))
    book.active["G2"].number_format = book.active["G1"].number_format = format_code
    book.active["I2"].number_format = '0 "£"'  # of a column that is not read
    book.save(tmp_path / "book.xlsx")
    if currency is None:
        with pytest.raises(
            InputError, match=r"^The amounts of book.xlsx have the sign or word ₡, which is one of CRC, SVC: "
        ):
            figures_of(tmp_path / "book.xlsx")
    else:
        assert figures_of(tmp_path / "book.xlsx").currency == currency


def test_number_formats_in_another_currency_than_the_headings_are_refused(tmp_path):
    book = openpyxl.load_workbook(save(tmp_path / "book.xlsx", HEAD, line("A-1")))
    book.active["C2"].number_format = "€ #,##0"
    book.save(tmp_path / "book.xlsx")
    with pytest.raises(InputError, match=r"^Amounts in several currencies \(EUR in book.xlsx; USD in book.xlsx\): "):
        figures_of(tmp_path / "book.xlsx")


def test_hidden_rows_are_read_and_told(tmp_path):
    workbook = openpyxl.Workbook()
    for row in ("Loans of Lima", "loan_id,reporting_date,outstanding_balance,dpd", *(
        f"{i},2025-12-31,100,{45 * (i % 2)}" for i in range(1, 6)
    ), "", "Printed by a machine"):  # fmt: skip
        workbook.active.append([int(cell) if cell.isdigit() else cell or None for cell in row.split(",")])
    for line in (1, 4, 5, 8, 9, 40):
        workbook.active.row_dimensions[line].hidden = True
    workbook.save(tmp_path / "book.xlsx")
    found = figures_of(tmp_path / "book.xlsx")
    told = "Rows of book.xlsx that are hidden in its sheet, as by a filter, and read like the others: 2."
    assert ([note for note in found.notes if "hidden" in note], found.values["Outstanding"]) == ([told], 500.0)
