"""Tables that are not a row per loan below a header: where a mapping says to look, and what it turns."""

from datetime import date
from decimal import Decimal

import openpyxl
import pytest
import yaml

from abaco.core.errors import InputError
from abaco.ingest import discovery, mappings
from abaco.review.drafting import Drafting
from tests.ingest.test_mappings import save
from tests.support.exports import DATE, ingest, write

COLUMNS = {"loan_id": "LAN", "outstanding_balance": "POS", "days_past_due": "Late"}
LOANS = {"title": "Shapes", "rows": "loan", "currency": "USD", "columns": COLUMNS}
DATED = LOANS | {"rows": "loan and date"}
ROWS = [["LAN", "POS", "Late"], ["A-1", 600, 0], ["A-2", 400, 45]]


def workbook(path, **sheets):
    book = openpyxl.Workbook()
    book.remove(book.active)
    for name, rows in sheets.items():
        sheet = book.create_sheet(name)
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


def balances(found, format_="loans"):
    return {row["loan_id"]: (row["total_receivable_usd"], row["days_past_due"]) for row in found.accepted[format_]}


BOTH = {"A-1": (Decimal("600.00"), 0), "A-2": (Decimal("400.00"), 45)}


def test_sheet_of_a_mapping_is_read_and_the_others_are_not(root):
    save(root, LOANS | {"sheet": "loans 20*"})
    old = [["LAN", "POS", "Late"], ["A-1", 999, 0]]
    path = workbook(root / "book.xlsx", **{"Old": old, "Loans 2025": ROWS, "Notes": [["Loans of the branch"]]})
    found = ingest(path)
    assert balances(found) == BOTH
    assert discovery.discover(path)[0][0].other_sheets == 2
    with pytest.raises(InputError, match=r"looks for them elsewhere \(sheet: loans 20\*\): correct the mapping"):
        discovery.discover(workbook(root / "other.xlsx", Old=old))


def test_header_row_says_where_the_table_begins_whatever_stands_above(root):
    save(root, LOANS | {"header_row": 4})
    above = ["LAN,POS,Late", "A-9,1,0", ""]  # a table of its own
    found = ingest(write(root / "book.csv", *above, *(",".join(map(str, row)) for row in ROWS)))
    assert balances(found) == BOTH
    with pytest.raises(InputError, match=r"looks for them elsewhere \(header_row: 4\)"):
        discovery.discover(write(root / "low.csv", *(",".join(map(str, row)) for row in ROWS)))


def test_rows_to_leave_out_are_counted_and_told(root):
    save(root, LOANS | {"rows_to_leave_out": {"loan_id": ["sub*", ""]}})
    found = ingest(write(root / "book.csv", "LAN,POS,Late", "A-1,600,0", "Subset 1,no,x", ",7,0", "A-2,400,45"))
    assert (balances(found), found.faults) == (BOTH, [])
    assert found.book["totals"] == 2
    told = "Left out of book.csv, as its mapping or a clearing date says: 2 rows (7.00 USD)."
    assert told in map(str, found.batches[0].notes)


@pytest.mark.parametrize(
    ("text", "day"),
    [("Report date: 31/12/2025", "2025-12-31"), ("As of December 31, 2025", "2025-12-31"),
     ("Corte al 31 de diciembre de 2025", "2025-12-31"), ("Portfolio, Dec-2025", "2025-12-31")],
)  # fmt: skip
def test_date_stands_in_a_cell_above_the_table(root, text, day):
    save(root, DATED | {"columns": COLUMNS | {"measurement_date": {"cell": "B1"}}})
    found = ingest(workbook(root / "book.xlsx", Loans=[["Branch", text], [], *ROWS]))
    assert {row["measurement_date"] for row in found.accepted["dated_loans"]} == {date.fromisoformat(day)}


def test_date_in_a_cell_that_is_none_or_two_is_refused(root):
    content = DATED | {"columns": COLUMNS | {"measurement_date": {"cell": "B1"}}}
    save(root, content)
    with pytest.raises(InputError, match=r"book\.xlsx: cell B1 has no date: correct it in the mapping"):
        discovery.discover(workbook(root / "book.xlsx", Loans=[["Branch", "North"], [], *ROWS]))
    either = workbook(root / "book.xlsx", Loans=[["Branch", "01/02/2025"], [], *ROWS])
    with pytest.raises(InputError, match="date in cell B1 is 2 January 2025 or 1 February 2025: say dates: dmy or mdy"):
        discovery.discover(either)
    save(root, content | {"dates": "dmy"})
    assert discovery.discover(either)[0][0].cell_date == "2025-02-01"


def test_blank_or_negative_days_count_as_the_mapping_says(root):
    save(root, LOANS | {"not_late": "both"})
    found = ingest(write(root / "book.csv", "LAN,POS,Late", "A-1,600,", "A-2,400,-3"))
    assert balances(found) == {"A-1": (Decimal("600.00"), 0), "A-2": (Decimal("400.00"), 0)}


TURNED = [list(column) for column in zip(*ROWS, strict=True)]


@pytest.mark.parametrize("kind", ["csv", "xlsx"])
def test_transposed_table_is_read_by_its_mapping_and_drafted(root, kind):
    path = root / f"book.{kind}"
    if kind == "csv":
        write(path, *(";".join(map(str, row)) for row in TURNED))
    else:
        workbook(path, Loans=[[], *([None, *row] for row in TURNED)])
    drafting = Drafting(path, None, {"currency": "USD", "days_past_due": "Late", "days_past_due.unit": "days"})
    assert drafting.questions == []
    drafting.save()
    assert yaml.safe_load(drafting.draft.text)["transposed"] is True
    assert balances(ingest(path)) == BOTH


def test_rejected_loan_of_a_transposed_table_is_named_by_its_column(root):
    save(root, LOANS | {"transposed": True})
    found = ingest(write(root / "book.csv", "LAN,A-1,A-2", "POS,600,many", "Late,0,45"))
    assert [(row["line"], row["reasons"]) for row in found.rejects] == [(3, "POS: not a number")]


WIDE = "LAN,Branch,Balance Nov-2025,DPD Nov-2025,Balance Dec-2025,DPD Dec-2025"
HISTORY = ("A-1,North,700,0,600,0", "A-2,South,,,400,45", "A-3,South,50,95,,")


def test_wide_history_becomes_a_row_per_loan_and_month_and_is_drafted(root):
    path = write(root / "book.csv", WIDE, *HISTORY)
    drafting = Drafting(path, None, {"currency": "USD"})
    assert drafting.questions == []
    drafting.save()
    content = yaml.safe_load(drafting.draft.text)
    assert (content["wide"], content["rows"], content["columns"]["measurement_date"]) == (
        True,
        "loan and date",
        "month",
    )
    rows = ingest(path, DATE).accepted["dated_loans"]
    assert [(str(row["measurement_date"]), row["loan_id"], row["total_receivable_usd"]) for row in rows] == [
        ("2025-11-30", "A-1", 700), ("2025-12-31", "A-1", 600), ("2025-12-31", "A-2", 400), ("2025-11-30", "A-3", 50),
    ]  # fmt: skip


def test_rejected_month_of_a_wide_history_is_named_by_its_line(root):
    columns = {"loan_id": "LAN", "measurement_date": "month", "outstanding_balance": "Balance", "days_past_due": "DPD"}
    save(root, DATED | {"wide": True, "columns": columns})
    found = ingest(write(root / "book.csv", WIDE, *HISTORY, "A-4,North,1,0,many,0"))
    assert [(row["line"], row["reasons"]) for row in found.rejects] == [(5, "Balance: not a number")]


@pytest.mark.parametrize(
    ("more", "message"),
    [
        ({"header_row": 0}, "header_row is 0: write 1 or more"),
        ({"wide": True}, "columns: none is read from month, the months in the headings of a wide table"),
        (
            {"rows_to_leave_out": {"product": "x"}},
            "rows_to_leave_out: product has no heading under columns, or is personal: name another",
        ),
        ({"columns": COLUMNS | {"loan_id": {"cell": "B1"}}}, "columns: loan_id: cell gives dates, by an address"),
    ],
)
def test_key_that_cannot_be_is_named(root, more, message):
    save(root, LOANS | more)
    with pytest.raises(InputError, match=message):
        mappings.load("small")
