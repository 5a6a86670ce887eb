"""The same content twice counts once, whatever the file is called, and however it is written."""

import datetime as dt

import pytest
from openpyxl import Workbook

from abaco.core.errors import InputError
from tests.support.book_of_two_dates import FILES, NOVEMBER, figures, folder
from tests.support.exports import ingest, write

HEADER, *ROWS = FILES["transactions.csv"]
LEFT_OUT = "left out: other files have all of its rows"


@pytest.fixture(scope="module", autouse=True)
def key():
    """A masking key, so that borrowers of two runs can be compared."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("ABACO_PII_KEY", "a key of sixteen letters")
        yield


def accepted(path):
    """Return the accepted rows of each export, and the notes on its files."""
    result = ingest(path, NOVEMBER)
    rows = {name: sorted(map(str, rows)) for name, rows in result.accepted.items()}
    return rows, result.batches


@pytest.fixture(scope="module")
def base(tmp_path_factory):
    """The accepted rows of the book without a fault."""
    rows, batches = accepted(folder(tmp_path_factory.mktemp("base"), {}))
    assert [note for batch in batches for note in batch.notes] == []
    return rows


def turned(lines):
    """Return the lines of a file with its columns the other way round."""
    return [",".join(line.split(",")[::-1]) for line in lines]


@pytest.mark.parametrize(
    ("changes", "left_out"),
    [
        # a copy of each export, under another name
        (
            {f"copy of {name}": FILES[name] for name in FILES},
            [f"copy of {name}" for name in sorted(FILES)],
        ),
        # the same rows in another order, with columns in another order, and with another delimiter
        (
            {
                "transactions (1).csv": (HEADER, *ROWS[::-1]), "transactions (2).csv": turned([HEADER, *ROWS]),
                "transactions (3).csv": [line.replace(",", ";") for line in (HEADER, *ROWS)],
            },
            ["transactions (1).csv", "transactions (2).csv", "transactions (3).csv"],
        ),
        # another word for payments
        (
            {"transactions_es.csv": [line.replace("PAYMENT", "Abono") for line in (HEADER, *ROWS)]},
            ["transactions_es.csv"],
        ),
        # an earlier export, of the first rows
        ({"transactions_october.csv": (HEADER, *ROWS[:2])}, ["transactions_october.csv"]),
        # a file in two parts, and the whole
        (
            {"transactions_a.csv": (HEADER, *ROWS[:1]), "transactions_b.csv": (HEADER, *ROWS[1:])},
            ["transactions_a.csv", "transactions_b.csv"],
        ),
    ],
)  # fmt: skip
def test_a_copy_is_left_out_and_told(tmp_path, base, changes, left_out):
    rows, batches = accepted(folder(tmp_path, changes))
    assert {name: [row.split("'row_id'")[0] for row in found] for name, found in rows.items()} == {
        name: [row.split("'row_id'")[0] for row in found] for name, found in base.items()
    }
    assert sorted(name for batch in batches for name in batch.left_out) == left_out
    notes = [str(note).split(" is left out: all of its rows are in ")[0] for batch in batches for note in batch.notes]
    assert sorted(notes) == left_out


def sums(rows):
    return {name: sum(row[name] or 0 for row in rows) for name in ("principal", "interest", "fees", "to_tax")}


@pytest.mark.parametrize(
    "form",
    [
        lambda cells, line: cells[:5],
        lambda cells, line: [*cells, f"T{line}" if line else "Transaction ID"],
        lambda cells, line: [*cells, "Posted" if line else "status"],
        lambda cells, line: [cells[0], cells[1].title() if line else cells[1], *cells[2:]],
        lambda cells, line: ["" if cell == "0" else cell for cell in cells],
        lambda cells, line: cells[:-1],
    ],
    ids=["fewer columns", "numbers", "statuses", "case", "blanks", "no currency"],
)
def test_a_copy_that_is_written_in_another_way_is_left_out(tmp_path, form):
    written = [",".join(form(line.split(","), n)) for n, line in enumerate((HEADER, *ROWS))]
    path = folder(tmp_path, {"transactions (1).csv": written, "loans.csv": None, "schedules.csv": None})
    result = ingest(path, NOVEMBER)
    rows = result.accepted["transactions"]
    assert sums(rows) == {"principal": 10990, "interest": 35, "fees": 10, "to_tax": 5}
    assert (len(rows), sum(len(batch.left_out) for batch in result.batches)) == (3, 1)


def test_a_schedule_with_numbers_and_one_with_fewer_columns_count_once(tmp_path):
    header, *rows = FILES["schedules.csv"]
    numbered = [f"{header},installment_number", *(f"{row},{n}" for n, row in enumerate(rows))]
    narrow = [",".join(line.split(",")[:3]) for line in (header, *rows)]
    result = ingest(folder(tmp_path, {"schedule_2.csv": numbered, "schedule_3.csv": narrow}), NOVEMBER)
    assert sums(result.accepted["schedules"]) == {"principal": 10000, "interest": 385, "fees": 100, "to_tax": 62}
    left_out = {name for batch in result.batches for name in batch.left_out}
    assert left_out == {"schedules.csv", "schedule_3.csv"}


def test_the_book_has_the_figures_that_it_has_with_a_copy(tmp_path):
    found = figures(folder(tmp_path, {"transactions (1).csv": (HEADER, *ROWS)}))
    shown = ("PAR30", "CollectedOfDue", "PrincipalOnTime", "Outstanding")
    assert [found.values[name] for name in shown] == [0.0, 9.86, 0.0, 9010.0]
    assert found.used_for["transactions (1).csv"] == LEFT_OUT
    assert found.notes == ["transactions (1).csv is left out: all of its rows are in transactions.csv."]


def test_a_workbook_with_the_rows_of_a_csv_file_is_left_out(tmp_path, base):
    book = Workbook()
    for number, line in enumerate((HEADER, *ROWS)):
        cells = line.split(",")
        if number:
            cells[2:-1] = [dt.datetime.fromisoformat(cells[2]), *map(float, cells[3:-1])]
        book.active.append(cells)
    book.save(folder(tmp_path, {}) / "transactions 2025.xlsx")
    rows, batches = accepted(tmp_path)
    assert rows["transactions"] == base["transactions"]
    assert [batch.left_out for batch in batches if batch.left_out] == [("transactions 2025.xlsx",)]


def test_rows_of_overlapping_exports_count_once(tmp_path):
    payment = "X - 2,PAYMENT,2025-11-29,9000,350,0,90,57,0,0,USD"
    whole, _ = accepted(folder(tmp_path / "whole", {"transactions.csv": (HEADER, *ROWS, payment)}))
    rows, batches = accepted(folder(tmp_path / "parts", {"transactions_november.csv": (HEADER, ROWS[-1], payment)}))
    assert rows == whole
    assert [str(note) for batch in batches for note in batch.notes] == [
        "Also in transactions.csv, and counted once: 1 row (990.00 USD of principal) of transactions_november.csv."
    ]


def paid(tmp_path, *files, header=HEADER):
    """Return the principal that was paid, and the notes on the files."""
    for number, rows in enumerate(files):
        write(tmp_path / f"transactions_{number}.csv", header, *rows)
    write(tmp_path / "par.csv", *FILES["loan_par_balances.csv"])
    result = ingest(tmp_path, NOVEMBER)
    batch = next(b for b in result.batches if b.format.name == "transactions")
    rows = result.accepted["transactions"]
    return sum(row["principal"] for row in rows), len(rows), [note.code for note in batch.notes]


FIFTY = "X - 1,PAYMENT,2025-11-28,50,0,0,0,0,0,0,USD"


@pytest.mark.parametrize(
    ("files", "rows", "notes"),
    [
        # two equal instalments of one day may be real
        ([[FIFTY, FIFTY]], 2, ["rows_alike"]),
        ([[FIFTY, FIFTY], [FIFTY]], 2, ["rows_alike", "file_repeated"]),
        ([[FIFTY, FIFTY], [FIFTY, FIFTY]], 2, ["rows_alike", "file_repeated"]),
        ([[FIFTY], [FIFTY, FIFTY]], 2, ["rows_alike", "rows_repeated"]),
        ([[FIFTY], [FIFTY], [FIFTY]], 1, ["file_repeated", "file_repeated"]),
        ([[FIFTY], [FIFTY.replace("28", "27")]], 2, []),
        ([[FIFTY], [FIFTY.replace("X - 1", "X - 2")]], 2, []),
    ],
)
def test_equal_rows_of_one_file_count_and_of_two_files_once(tmp_path, files, rows, notes):
    assert paid(tmp_path, *files) == (50 * rows, rows, notes)


@pytest.mark.parametrize(
    ("numbers", "rows", "notes"),
    [
        ([["T1", "T2"]], 2, []),
        ([["T1", "T1"]], 1, ["rows_numbered"]),
        ([["T1"], ["T2"]], 2, []),
        ([["T1"], ["T1", "T2"]], 2, ["rows_repeated"]),
        ([["", ""]], 2, ["rows_alike"]),
    ],
)
def test_the_number_of_a_payment_tells_copies_from_equal_payments(tmp_path, numbers, rows, notes):
    files = [[f"{FIFTY},{number}" for number in one] for one in numbers]
    assert paid(tmp_path, *files, header=HEADER + ",Transaction ID") == (50 * rows, rows, notes)


@pytest.mark.parametrize(
    ("headers", "files"),
    [
        (["Transaction ID"] * 2, [f"{FIFTY},T1", f"{FIFTY.replace(',50,', ',49,')},T1"]),
        (["Transaction ID,is_reversed"] * 2, [f"{FIFTY},T1,false", f"{FIFTY},T1,true"]),
        (
            ["Transaction ID", "Transaction ID", "status"],
            [f"{FIFTY},T1", f"{FIFTY.replace('28', '27')},T1", f"{FIFTY},"],
        ),
    ],
)
def test_one_number_with_other_values_in_two_files_is_refused(tmp_path, headers, files):
    for number, (header, row) in enumerate(zip(headers, files, strict=True)):
        write(tmp_path / f"transactions_{number}.csv", f"{HEADER},{header}", row)
    write(tmp_path / "par.csv", *FILES["loan_par_balances.csv"])
    with pytest.raises(InputError) as error:
        ingest(tmp_path, NOVEMBER)
    assert str(error.value) == (
        "The transactions have rows in two files with the same loan and Transaction ID, but other values (1, the first "
        "transactions_0.csv line 2 and transactions_1.csv line 2): which is newer is not known; keep the newer file, "
        "or take these rows out of the older one (Transaction ID out of both, if it does not number the rows)"
    )


def test_equal_rows_with_values_that_only_one_file_has_each_are_refused(tmp_path):
    for name, number in (("interest", 4), ("fees", 6)):
        lines = [line.split(",") for line in (HEADER, FIFTY.replace("0,0,0,0", "0,3,0,2", 1).replace(",50,", ",5,"))]
        write(tmp_path / f"with_{name}.csv", *(",".join([*line[:4], line[number]]) for line in lines))
    write(tmp_path / "par.csv", *FILES["loan_par_balances.csv"])
    with pytest.raises(
        InputError, match=r"^Rows of with_interest.csv are in with_fees.csv too \(1\), without interest, "
    ):
        ingest(tmp_path, NOVEMBER)


def test_real_payments_with_and_without_company_count_once(tmp_path):
    header = "Company,Customer ID,Loan ID,True Payment Date,True Principal Payment"
    changes = {"payments.csv": (header, "X,C1,1,2025-11-28,990"), "paid.csv": (header, "X,C1,X - 1,2025-11-28,990")}
    result = ingest(folder(tmp_path, changes), NOVEMBER)
    assert [row["paid_principal"] for row in result.accepted["payments"]] == [990]


def test_rejected_and_later_rows_of_a_copy_are_counted_once(tmp_path):
    later = FIFTY.replace("2025-11", "2025-12")
    rows = [FIFTY, FIFTY.replace(",50,", ",fifty,"), later]
    for name in ("transactions.csv", "transactions (1).csv"):
        write(tmp_path / name, HEADER, *rows)
    write(tmp_path / "par.csv", *FILES["loan_par_balances.csv"])
    book = ingest(tmp_path, NOVEMBER).books["transactions"]
    assert {part: book[part] for part in ("rows_in", "accepted", "quarantined", "duplicates", "later")} == {
        "rows_in": 6, "accepted": 1, "quarantined": 1, "duplicates": 2, "later": 2,
    }  # fmt: skip


def test_the_second_statement_of_the_same_content_is_told(tmp_path):
    cash = ("reporting_date,metric,value", "2025-11-30,Efectivo,500")
    rows, batches = accepted(folder(tmp_path, {"financials.csv": cash, "financials (2).csv": cash}))
    assert len(rows["statements"]) == 1
    assert [batch.left_out for batch in batches if batch.left_out] == [("financials (2).csv",)]
