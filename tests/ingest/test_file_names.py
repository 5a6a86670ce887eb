"""Files whose names say that their loans have left the book: refused, unless a column says which are."""

import datetime as dt

import pytest

from abaco.core.errors import InputError
from tests.support.exports import LOANS, write
from tests.support.figures import figures_of

DATED = "loan_id,reporting_date,outstanding_balance,dpd"
BOOK = ("A1,1,2025-01-15,0.4,2000,1000,0", "A2,2,2025-01-15,0.4,2000,1000,45")
OTHER = "B1,3,2025-01-15,0.4,4000,3000,0"


@pytest.mark.parametrize(
    ("name", "word"),
    [("written_off.csv", "written off"), ("closed_loans.csv", "closed"), ("sold/loans.csv", "sold"),
     ("old/book.csv", "old"), ("Castigados 2025.csv", "castigados"), ("backup/a.csv", "backup")],
)  # fmt: skip
def test_file_whose_name_says_that_its_loans_have_left_the_book_is_refused(tmp_path, name, word):
    write(tmp_path / "loans.csv", LOANS, *BOOK)
    other = write(tmp_path / name, LOANS, OTHER)
    with pytest.raises(InputError) as error:
        figures_of(tmp_path)
    assert str(error.value) == (
        f"The name of {name} says that its loans have left the book ({word}), and none of its columns does: if they "
        "count beside those of loans.csv, rename it; if they do not, take it out of the input, or give it a column "
        "loan_status that says so"
    )
    other.rename(tmp_path / "north.csv")
    assert figures_of(tmp_path).values["Outstanding"] == 5000.0


def test_file_whose_columns_say_which_loans_ended_is_read_whatever_its_name(tmp_path):
    write(tmp_path / "loans.csv", LOANS, *BOOK)
    active = "B2,4,2025-01-15,0.4,2000,500,0,Active"
    write(tmp_path / "written_off.csv", f"{LOANS},loan_status", f"{OTHER},Written off", active)
    assert figures_of(tmp_path).values["Outstanding"] == 2500.0


def test_file_of_loans_that_owe_nothing_and_names_of_another_meaning_are_read(tmp_path):
    write(tmp_path / "household.csv", LOANS, *BOOK)
    write(tmp_path / "Baja California.csv", LOANS, OTHER)
    write(tmp_path / "closed.csv", LOANS, "C1,9,2025-01-15,0.4,2000,0,0")
    assert figures_of(tmp_path).values["Outstanding"] == 5000.0


def test_archive_of_months_and_of_copies_goes_on_being_read(tmp_path):
    late = ["A1,2025-12-31,1000,0", "A2,2025-12-31,1000,45"]
    write(tmp_path / "2025-12.csv", DATED, *late)
    write(tmp_path / "archive" / "2025-11.csv", DATED, "A1,2025-11-30,1500,0", "A9,2025-11-30,500,0")
    write(tmp_path / "backup" / "2025-12.csv", DATED, *late)
    assert figures_of(tmp_path).values["Outstanding"] == 2000.0
    assert figures_of(tmp_path, dt.date(2025, 11, 30)).values["Outstanding"] == 2000.0


def test_folder_of_which_every_file_is_called_so_is_read(tmp_path):
    write(tmp_path / "old" / "a.csv", LOANS, *BOOK)
    write(tmp_path / "old" / "b.csv", LOANS, OTHER)
    assert figures_of(tmp_path).values["Outstanding"] == 5000.0
